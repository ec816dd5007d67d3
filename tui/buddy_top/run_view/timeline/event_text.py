"""One event in full: its record as readable JSON, or as it stands in the file. Everything observed is made plain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from buddy_core.errors import BuddyError
from buddy_core.runs.timeline.record import read_record, stands_alone
from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_core.safety.shown import shown, shown_lines
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span

MOST_LINES = 5_000
"""Of one record; the rest is counted."""

_RAW_WIDTH = 100_000
_INDENT = "  "
_RECOVERED = Plain("   recovered from a damaged line: shown, never run again")


class Record(NamedTuple):
    """A record as it stands in the file."""

    text: bytes
    alone: bool = True
    """It has a line to itself; one that has not was recovered from a damaged line, and is never run again."""


def read_event(run_dir: Path, row: TimelineRow) -> tuple[Record, ...]:
    """The row's record and, of a call, its result. Opens the file: not for the screen's thread.

    Raises:
        OSError, BuddyError: The file is gone or may not be read.
    """
    offsets = [row.offset] if row.result_offset is None else [row.offset, row.result_offset]
    return tuple(Record(read_record(run_dir, at), stands_alone(run_dir, at)) for at in offsets)


def readable(records: Sequence[Record], row: TimelineRow) -> list[Cell]:
    """The records as people read them: a heading each, one field a line, texts of several lines as such."""
    lines: list[Cell] = []
    for name, record in zip(
        ("call", "result") if row.kind == "tool_call" else ("event",), records, strict=False
    ):
        if lines:
            lines.append(())
        recovered = () if record.alone else (Span(_RECOVERED, "warn"),)
        lines.append((Span(Plain(name), "strong"), *recovered))
        lines += _record_lines(record.text)
    if row.kind == "tool_call" and len(records) == 1:
        words = "no result yet" if row.state == "running" else "no result was recorded"
        lines += [(), (Span(Plain("result"), "strong"),), (Span(Plain(_INDENT + words), "dim"),)]
    return lines


def raw(records: Sequence[Record]) -> list[Cell]:
    """The records as they stand in the file, but for signs that a terminal would obey."""
    return [(Span(shown(record.text.decode("utf-8", "replace"), limit=_RAW_WIDTH)),) for record in records]


def records_of(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The records as JSON objects, secrets masked; one that is none stands under `text`."""
    return [_object_in(record.text.decode("utf-8", "replace").lstrip("\ufeff\x00 ")) for record in records]


def _object_in(text: str) -> dict[str, Any]:
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return {"text": text}
    return masked_record(value) if isinstance(value, dict) else {"text": text}


def failed_words(error: OSError | BuddyError) -> list[Cell]:
    """Why there is no text."""
    words = getattr(error, "strerror", None) or str(error)
    return [(Span(shown(f"the event cannot be read: {words}"), "bad"),)]


def _record_lines(record: bytes) -> list[Cell]:
    text = record.decode("utf-8", "replace").lstrip("\ufeff\x00 ")
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        note = (Span(Plain(f"{_INDENT}not readable as JSON; as it stands:"), "warn"),)
        return [note, *[(Span(Plain(_INDENT + line)),) for line in shown_lines(text, limit_lines=MOST_LINES)]]
    if not isinstance(value, dict):
        return [(Span(shown(text)),)]
    value = masked_record(value)
    ts = value.get("ts")
    cells = list(_limited(_fields(value, 1)))
    if isinstance(ts, int) and not isinstance(ts, bool):
        cells.insert(
            0,
            (Span(Plain(f"{_INDENT}at  "), "label"), Span(Plain(f"{fmt.day(ts)} {fmt.clock(ts)}"), "value")),
        )
    return cells


def masked_record(record: dict[str, object]) -> dict[str, object]:
    """The record without its secrets, also those that only the name above them tells."""
    from buddy_core.safety.redact import redact_value

    return {name: redact_value(value, name=name) for name, value in record.items()}


def _limited(cells: Iterator[Cell]) -> Iterator[Cell]:
    for index, cell in enumerate(cells):
        if index == MOST_LINES:
            yield (Span(Plain(f"{_INDENT}… cut here; J shows the record as it stands"), "warn"),)
            return
        yield cell


def _fields(value: dict[str, object], depth: int) -> Iterator[Cell]:
    for name, field in value.items():
        yield from _field(shown(name, limit=80), field, depth)


def _field(name: Plain, value: object, depth: int) -> Iterator[Cell]:
    indent = Plain(_INDENT * min(depth, 12))
    label = Span(Plain(f"{indent}{name}"), "label")
    if isinstance(value, dict) and value and depth < 60:
        yield (label,)
        yield from _fields(value, depth + 1)
    elif isinstance(value, list) and value and depth < 60:
        yield (label, Span(Plain(f"  {fmt.plural(len(value), 'item')}"), "dim"))
        for index, item in enumerate(value):
            yield from _field(Plain(f"{index}"), item, depth + 1)
    elif isinstance(value, str) and "\n" in value:
        yield (label,)
        bar = Span(Plain(f"{indent}{_INDENT}│ "), "dim")
        yield from ((bar, Span(line)) for line in shown_lines(value, limit_lines=MOST_LINES))
    else:
        yield (label, Span(Plain("  ")), Span(_scalar(value), _ink(value)))


def _scalar(value: object) -> Plain:
    if isinstance(value, str):
        return shown(value, limit=20_000) if value else Plain("(empty)")
    if isinstance(value, dict | list):
        return Plain("(empty)" if not value else "(too deep)")
    return shown(json.dumps(value))


def _ink(value: object) -> str:
    if value is None or value in ("", [], {}):
        return "dim"
    if value is False:
        return "warn"
    return "info" if isinstance(value, int | float) else "value"
