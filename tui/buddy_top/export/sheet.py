"""A table as it is shown, as CSV, JSON or Markdown. Secrets are masked, and formulas stay text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import msgspec

from buddy_core.safety.redact import redact, redact_value
from buddy_core.safety.text import plain

Format = Literal["csv", "json", "md", "svg"]
FORMATS: tuple[Format, ...] = get_args(Format)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a text for a formula (OWASP, “CSV Injection”)."""

_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What a terminal would obey in a file that is looked at with `cat`, and halves of characters; not LF and tab."""


class Sheet(msgspec.Struct, frozen=True):
    """The rows of a pane, filtered and sorted as on the screen, twice: as they read and as what they are."""

    title: str
    """What the rows are, in the plural; also the name of the list in JSON."""
    columns: Sequence[str]
    lines: Sequence[Sequence[str]]
    """Each row as it reads, one text a column."""
    records: Sequence[Mapping[str, Any]]
    """Each row under the names of the library's types, unknown as None."""
    of: int | None = None
    """How many rows there are, where these are not all of them."""


def as_csv(sheet: Sheet) -> str:
    """Comma-separated records with a heading (RFC 4180), lists joined by spaces, unknown empty, control characters visible."""
    names = list(dict.fromkeys(name for record in sheet.records for name in record))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names or sheet.columns)
    for record in sheet.records:
        masked = {name: redact_value(value, name=name) for name, value in record.items()}
        writer.writerow([_csv_cell(masked.get(name)) for name in names])
    return out.getvalue()


def as_markdown(sheet: Sheet) -> str:
    """A table of what the screen reads, with a heading of its own."""
    rows = [
        sheet.columns,
        ["---"] * len(sheet.columns),
        *([redact(cell) for cell in line] for line in sheet.lines),
    ]
    table = "\n".join(f"| {' | '.join(_markdown_cell(cell) for cell in row)} |" for row in rows)
    return f"# {sheet.title}\n\n{table}\n"


def as_document(sheet: Sheet, *, now_ms: int) -> str:
    """One JSON object, as the command line prints them."""
    from buddy_top.export.documents import heading, to_text

    return to_text({**heading(now_ms), sheet.title: [dict(record) for record in sheet.records]}) + "\n"


def one_record(record: Mapping[str, Any]) -> str:
    """One row as JSON on several lines, for the clipboard."""
    from buddy_top.export.documents import to_text

    return to_text(dict(record))


def _csv_cell(value: object) -> object:
    if isinstance(value, list | tuple):
        value = " ".join(map(str, value))
    if isinstance(value, dict):
        from buddy_top.export.documents import to_text

        value = to_text(value, compact=True)
    if isinstance(value, str):
        value = value if value.isprintable() else _OBEYED.sub(lambda sign: plain(sign[0]), value)
        return f"'{value}" if value.startswith(_FORMULA) else value
    return value


def _markdown_cell(text: str) -> str:
    """Markdown reads neither pipes nor tags nor emphasis into it."""
    escaped = "".join(f"\\{sign}" if sign in r"\`*_[]|~" else sign for sign in text.strip())
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")
