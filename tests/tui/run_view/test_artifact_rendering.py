"""Artifacts laid out for a width: every kind, as its readers know it, and nothing that a terminal would obey."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tui.artifact_texts import COVERAGE, LOG, PATCH, PLAN

from buddy_core.runs.artifacts.files import PREVIEW_BYTES
from buddy_core.safety.text import is_plain
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.artifacts.diff import diff_body
from buddy_top.artifacts.jsontext import json_body
from buddy_top.artifacts.log import log_body
from buddy_top.artifacts.making import MOST_BYTES, MOST_RENDERED, Request, make_page
from buddy_top.artifacts.markdown import markdown_body
from buddy_top.artifacts.page import Body, Page
from buddy_top.drawing.cells import text_of, width_of

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"


def words(body: Body) -> list[str]:
    return [text_of(line).rstrip() for line in body.lines]


def page(
    tmp_path: Path,
    name: str,
    content: str | bytes,
    *,
    width: int = 80,
    raw: bool = False,
    limit: int = PREVIEW_BYTES,
) -> Page:
    run_dir = RunDirectoryBuilder(tmp_path).artifact(name, content).write()
    return make_page(Request(run_dir, name, len(content), 0, width, raw=raw, limit=limit))


# Markdown


def test_markdown_is_rendered() -> None:
    body = markdown_body(PLAN, 100)
    lines = words(body)
    assert lines[0] == "Move the sessions to Redis"
    assert lines[1] == "─" * 100
    assert "1. Put a SessionStore protocol in front of the dictionary" in lines
    assert "   ◦ no behaviour changes" in lines
    assert "memory   0.02 ms    0.03 ms  no" in lines
    assert '│         raw = self._redis.get(f"session:{key}")  # bytes or nothing' in lines
    assert "│ Open question: who clears the sessions of users that were deleted?" in lines
    assert body.summary == "28 lines · 2 headings"


def test_links_and_pictures_are_words() -> None:
    """Case 62: the address is shown, and nothing can be followed."""
    text = " ".join(words(markdown_body(PLAN + "\n<https://example.org>\n<b onclick=x>bold</b>", 200)))
    assert "the incident (https://status.example.org/2026-01-07)" in text
    assert "[picture: the two instances] (diagram.png)" in text
    assert "https://example.org (" not in text, "an address that is its own text stands there once"
    assert "<b onclick=x>bold</b>" in text


def test_ends_of_lines_are_kept_where_nobody_filled_the_paragraph() -> None:
    filled = "A paragraph whose lines an editor has broken at a width\nof some sixty columns or so is one paragraph.\n"
    assert words(markdown_body(filled, 200)) == [filled.replace("\n", " ").strip()]
    assert words(markdown_body("Run: one\nObjective: two\n", 200)) == ["Run: one", "Objective: two"]


def test_a_table_with_more_columns_than_room_becomes_titles_and_values() -> None:
    table = f"|{'|'.join('abcdefgh')}|\n|{'-|' * 8}\n|{'|'.join('12345678')}|\n"
    assert words(markdown_body(table, 24))[:3] == ["a  1", "b  2", "c  3"]


def test_tables_wrap_the_words_of_their_widest_column() -> None:
    table = f"| name | what |\n|---|---|\n| x | {'word ' * 30}|\n"
    lines = words(markdown_body(table, 40))
    assert len(lines) > 4
    assert all(len(line) <= 40 for line in lines)
    assert sum(line.count("word") for line in lines) == 30


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                "# ",
                "- ",
                "> ",
                "1. ",
                "```\n",
                "|a|",
                "\n",
                "\n\n",
                "    ",
                "*",
                "**",
                "[x](y)",
                "`",
                "é",
                "中",
                "\x1b[2J",
                "\u202e",
                "<b>",
                "\\",
            ]
        ),
        max_size=60,
    ).map("".join),
    st.integers(1, 60),
)
def test_any_markdown_is_laid_out_and_printable(text: str, width: int) -> None:
    """Cases 55 to 58."""
    for line in markdown_body(text, width).lines:
        assert all(is_plain(span.text) for span in line)
        assert width_of(line) <= max(width, 18)


@pytest.mark.parametrize("bomb", ["[", "![", "*a_ ", "`a", "> ", "|a", "a\n", "[a]("])
def test_what_somebody_wrote_to_be_slow_takes_no_more_than_its_length(bomb: str) -> None:
    """Eight times the text: a quadratic time would be 64 times as long, and minutes at the cap.

    The best of some tries: whatever else the process does in between only ever adds to a time.
    """

    def took(size: int) -> float:
        begun = time.thread_time()
        markdown_body(bomb * (size // len(bomb)), 80)
        return time.thread_time() - begun

    short = min(took(2_000) for _ in range(3))
    assert any(took(16_000) < 30 * short + 0.2 for _ in range(3))


# Diffs


def test_a_patch_has_the_numbers_of_its_lines_and_a_summary() -> None:
    body = diff_body(PATCH, 100)
    lines = words(body)
    assert body.summary == "3 files, +11 −5"
    assert lines[0] == "src/session/store.py  +7 −4"
    assert "10    -class MemoryStore:" in lines
    assert "   10 +class RedisStore:" in lines
    assert "14 17      def put(self, key: str, session: Session) -> None:" in lines
    assert "40    --- sessions are kept in memory" in lines, "no header, since the hunk counts it"


def test_a_hunk_without_numbers_is_counted_by_its_signs() -> None:
    body = diff_body("--- a/x\n+++ b/x\n@@\n-old\n-older\n+new\n same\n", 80)
    assert words(body) == ["x  +1 −2", "@@", "-old", "-older", "+new", " same"]


def test_new_deleted_and_renamed_files_are_named() -> None:
    text = (
        "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
        "diff --git a/from b/to\nsimilarity index 100%\nrename from from\nrename to to\n"
    )
    lines = words(diff_body(text, 80))
    assert [line for line in lines if line.startswith(("new ", "old ", "to "))] == [
        "new  +1 −0",
        "old  +0 −1",
        "to  +0 −0",
    ]
    assert "rename from from" in lines


@given(
    st.lists(
        st.sampled_from(
            [
                "@@ -1,2 +1,2 @@",
                "@@ -9,999999999 +0,0 @@",
                "@@",
                "--- a/x",
                "+++ b/x",
                "-y",
                "+y",
                " z",
                "",
                "diff --git a/q b/q",
                "\\ No newline",
                "Binary files differ",
                "\x1b[31m",
            ]
        ),
        max_size=40,
    ).map("\n".join),
    st.integers(8, 60),
)
def test_any_patch_is_laid_out(text: str, width: int) -> None:
    for line in diff_body(text, width).lines:
        assert all(is_plain(span.text) for span in line)


# Logs and JSON


def test_a_log_has_no_colours_of_its_own_and_its_troubles_are_marked() -> None:
    body = log_body(LOG, 100)
    lines = words(body)
    assert body.summary == "21 lines · 3 errors · 2 warnings"
    assert lines[int(body.marks[0])].startswith("✗ E       redis.exceptions.ConnectionError")
    assert "✗ FAILED tests/test_store.py::test_a_session_outlives_a_restart" in lines
    assert "! 2026-01-09 12:14:02 WARNING session.store: retrying in 0.5 s" in lines
    assert "  0 errors in the last run" in lines, "none of them is no trouble"
    assert not any("␛" in line for line in lines)


def test_rules_of_a_log_are_shortened_rather_than_wrapped() -> None:
    lines = words(log_body(LOG, 60))
    assert any(line.startswith("  =====") and "FAILURES" in line and len(line) <= 60 for line in lines)
    assert "  =" not in [line[:3] for line in lines if set(line.strip()) == {"="}]


def test_other_sequences_in_a_log_stay_visible() -> None:
    assert words(log_body("\x1b]0;title\x07\x1b[2J\x1b[1mbold", 80)) == ["  ␛]0;title␇␛[2Jbold"]


def test_json_is_indented_and_masked() -> None:
    body = json_body(COVERAGE[:-1] + f', "password": "hunter2", "t": "{SECRET}"}}', 80)
    assert body is not None
    text = "\n".join(words(body))
    assert '      "covered": 41,' in text
    assert "hunter2" not in text
    assert SECRET not in text
    assert body.summary == "object, 5 names"


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"a": 1e', "", "nul"])
def test_what_is_no_json_is_shown_as_it_stands(text: str, tmp_path: Path) -> None:
    """Case 43."""
    assert json_body(text, 80) is None
    if text:
        assert "not valid JSON" in page(tmp_path, "a.json", text).body.summary


# Pages


def test_a_secret_is_masked_in_every_kind(tmp_path: Path) -> None:
    """C11."""
    for number, name in enumerate(("a.md", "a.diff", "a.log", "a.json", "a.txt")):
        for raw in (False, True):
            made = page(tmp_path / f"{number}{raw}", name, f"# x\n+TOKEN={SECRET}\n", raw=raw)
            assert SECRET not in "\n".join(words(made.body)), (name, raw)


def test_of_a_file_of_any_length_only_a_part_is_read(tmp_path: Path) -> None:
    """Case 51: here a sparse one of 1 TiB."""
    run_dir = RunDirectoryBuilder(tmp_path).artifact("a.log", "line\n" * 60_000).write()
    with (run_dir / "artifacts" / "a.log").open("r+b") as file:
        file.truncate(1 << 40)
    made = make_page(Request(run_dir, "a.log", 1 << 40, 0, 80))
    assert made.more
    assert len(made.text) == PREVIEW_BYTES
    assert words(made.body)[-1] == "… these are the first 262 kB of 1.10 TB; more is read at the end"
    whole = make_page(Request(run_dir, "a.log", 1 << 40, 0, 80, limit=MOST_BYTES))
    assert not whole.more
    assert "o opens more of it in the pager" in " ".join(words(whole.body)[-3:])


def test_one_line_of_megabytes_is_cut(tmp_path: Path) -> None:
    made = page(tmp_path, "a.txt", "A" * 1_000_000)
    assert len(made.body.lines) < 100
    assert any("…" in line for line in words(made.body))


def test_long_markdown_is_rendered_in_part_and_goes_on_as_it_stands(tmp_path: Path) -> None:
    text = ("word " * 200 + "\n\n") * 300
    made = page(tmp_path / "1", "a.md", text, limit=MOST_BYTES)
    assert len(made.text) == MOST_RENDERED["markdown"]
    assert "J shows more of it, as it stands" in " ".join(words(made.body)[-2:])
    assert page(tmp_path / "2", "a.md", text, raw=True, limit=MOST_BYTES).body.summary == "600 lines"


def test_lines_without_number_are_counted_and_not_all_laid_out(tmp_path: Path) -> None:
    made = page(tmp_path, "a.txt", "\n" * 150_000, limit=MOST_BYTES)
    assert made.body.summary == "150,000 lines"
    assert words(made.body)[-1] == "… 50,000 more lines"


def test_a_patch_under_another_name_is_a_patch(tmp_path: Path) -> None:
    assert page(tmp_path, "test-results.log", PATCH).body.summary == "3 files, +11 −5"


def test_an_empty_file_a_lost_one_and_a_binary_say_so(tmp_path: Path) -> None:
    empty = page(tmp_path / "1", "a.md", "")
    assert words(empty.body) == ["this file is empty"]
    lost = make_page(Request(tmp_path / "1" / "run_nothing_000000", "a.md", 0, 0, 80))
    assert words(lost.body) == ["it cannot be read: No such file or directory"]
    binary = page(tmp_path / "2", "a.md", b"GIF89a\x40\x01\xc8\0\0")
    assert words(binary.body)[0] == "GIF image, 320 × 200 pixels  11 B"
    assert not (empty.readable or lost.readable or binary.readable)
