"""Tables that leave the screen: readable by their programs, masked, and no formula for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from buddy_core.safety.redact import MASK
from buddy_top.export.picture import COVER, masked_picture
from buddy_top.export.place import export_directory, write_export
from buddy_top.export.sheet import Sheet, as_csv, as_document, as_markdown, one_record

SECRET = "sk-ant-api03-" + "Zx9Kq4Tn7Wm2" * 4
NOW = 1_767_961_867_000


def sheet_of(*texts: str) -> Sheet:
    return Sheet(
        "tools", ["tool", "calls"], [[t, "1"] for t in texts], [{"name": t, "calls": 1} for t in texts]
    )


CONTROLS = frozenset(map(chr, (*range(32), *range(0x7F, 0xA0)))) - {"\n", "\t"}
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters=CONTROLS | BIDI))))
def test_csv_comes_back_as_it_was(texts: list[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(sheet_of(*texts)), newline="")))
    back = [
        row["name"].removeprefix("'") if row["name"][1:] == t else row["name"]
        for row, t in zip(rows, texts, strict=True)
    ]
    masked = [row for row, t in zip(back, texts, strict=True) if row != t]
    assert all(MASK in row for row in masked)


@given(st.text(st.sampled_from(sorted(CONTROLS | BIDI | {"a", "\n", "\udcff"}))))
def test_a_terminal_obeys_nothing_in_csv(text: str) -> None:
    """Cases 55 to 58: a file is looked at with `cat`."""
    assert not set(as_csv(sheet_of(text)).replace("\r\n", "")) & (CONTROLS | BIDI | {"\udcff"})


@pytest.mark.parametrize("text", ["=1+2", "+1", "-1", "@SUM(A1)", "\tx", "=cmd|' /C calc'!A0"])
def test_no_text_is_a_formula(text: str) -> None:
    [row] = csv.DictReader(io.StringIO(as_csv(sheet_of(text)), newline=""))
    assert row["name"] == f"'{text}"


def test_numbers_stay_numbers_and_unknown_is_empty_or_null() -> None:
    sheet = Sheet("tools", ["a"], [["–"]], [{"a": -1.5, "b": None, "c": ("x", "y")}])
    assert as_csv(sheet) == "a,b,c\r\n-1.5,,x y\r\n"
    assert json.loads(as_document(sheet, now_ms=NOW))["tools"] == [{"a": -1.5, "b": None, "c": ["x", "y"]}]


def test_a_sheet_without_rows_still_says_its_columns() -> None:
    empty = Sheet("tools", ["tool", "calls"], [], [])
    assert as_csv(empty) == "tool,calls\r\n"
    assert json.loads(as_document(empty, now_ms=NOW))["tools"] == []


def test_secrets_are_masked_in_every_form() -> None:
    """C11."""
    sheet = sheet_of(f"curl -H 'x-api-key: {SECRET}'")
    for text in (
        as_csv(sheet),
        as_markdown(sheet),
        as_document(sheet, now_ms=NOW),
        one_record(sheet.records[0]),
    ):
        assert SECRET not in text
        assert "curl" in text
    assert SECRET not in one_record({"api_key": SECRET[13:40]})


@pytest.mark.parametrize(
    "text", ["a|b", "<script>x</script>", "*x* _y_ `z`", "[a](javascript:b)", "![i](x)", "a\nb", "\\"]
)
def test_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(as_markdown(sheet_of(text)))
    assert not re.search(r"<(script|em|strong|code|a |img)", html)
    assert html.count("<tr>") == 2
    cell = re.findall(r"<td>(.*?)</td>", html, re.DOTALL)[0]
    assert cell.replace("&lt;", "<").replace("&gt;", ">") == text.replace("\n", " ")


def piece(x: int, text: str, y: int = 20) -> str:
    return f'<text class="r1" x="{x}" y="{y}" textLength="{12 * len(text)}" clip-path="url(#l)">{text}</text>'


def test_a_secret_is_covered_in_the_picture_where_it_stands() -> None:
    covered = masked_picture(f"<svg>{piece(0, 'key&#160;')}{piece(60, SECRET)}{piece(0, 'other', 40)}</svg>")
    assert SECRET not in covered
    assert COVER * 8 in covered
    assert covered.count("textLength") == 3
    assert "other" in covered


def test_a_secret_that_runs_across_colours_is_covered_too() -> None:
    covered = masked_picture(f"<svg>{piece(0, SECRET[:20])}{piece(240, SECRET[20:])}</svg>")
    assert SECRET[:20] not in covered
    assert SECRET[25:] not in covered


def test_a_picture_without_secrets_is_left_as_it_is() -> None:
    svg = f"<svg>{piece(0, 'pytest&#160;-q&#160;&lt;x&gt;')}</svg>"
    assert masked_picture(svg) == svg


def test_an_export_is_a_new_private_file(tmp_path: Path) -> None:
    first = write_export(tmp_path, "tools", "csv", "a\r\n", now_ms=NOW)
    second = write_export(tmp_path, "tools", "csv", "b\r\n", now_ms=NOW)
    assert [first.name, second.name] == [
        "buddy-top-tools-20260109-123107.csv",
        "buddy-top-tools-20260109-123107-2.csv",
    ]
    assert first.read_bytes() == b"a\r\n"
    assert stat.S_IMODE(first.stat().st_mode) == 0o600


def test_a_link_that_lies_in_wait_is_not_followed(tmp_path: Path) -> None:
    """Case 79."""
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "buddy-top-tools-20260109-123107.csv").symlink_to(tmp_path / "victim")
    assert write_export(tmp_path, "tools", "csv", "x", now_ms=NOW).name.endswith("-2.csv")
    assert (tmp_path / "victim").read_text() == "precious"


def test_the_place_is_the_chosen_one_else_the_downloads_else_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DOWNLOAD_DIR", raising=False)
    assert export_directory("~/out") == tmp_path / "out"
    assert export_directory(None) == tmp_path
    (tmp_path / "Downloads").mkdir()
    assert export_directory(None) == tmp_path / "Downloads"
    assert not any((tmp_path / "Downloads").iterdir())
