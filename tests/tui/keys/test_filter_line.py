"""The filter line of the runs pane: completion as one types, errors in place, and filters used before (case 53)."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from tests.tui.monitor import SMALL, Monitor, monitor, samples
from textual.events import Paste
from textual.geometry import Size

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.drawing.cells import text_of
from buddy_top.keys.inturn import Followed
from buddy_top.listing.filter_advice import advise
from buddy_top.panes.runs.pane import RunsPane
from buddy_top.widgets.filter.advice import AdviceLine


def advice(seen: Monitor) -> str:
    """The line above the filter."""
    return seen.lines[-3].strip()


def line(seen: Monitor) -> str:
    """The filter as it stands."""
    return seen.app.filter_line.text


def in_force(seen: Monitor) -> str:
    """The filter the list follows."""
    return seen.app.visible_pane.filter_text


async def type_text(seen: Monitor, text: str) -> None:
    """Press a key for each letter."""
    await seen.press(*("space" if letter == " " else letter for letter in text))


async def test_fields_and_values_complete_with_tab_with_right_and_with_a_click(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs", size=(120, 40)) as seen:
        await seen.press("/")
        assert advice(seen).startswith("status:  tag:  tool:")
        assert advice(seen).endswith("how the run stands: status:failed,stalled")
        assert "tab complete" in seen.footer
        assert "enter keep" in seen.footer
        await type_text(seen, "st")
        await seen.press("tab")
        assert line(seen) == "status:"
        assert advice(seen).startswith("running  completed  failed")
        await seen.press("down", "down", "right")
        assert line(seen) == in_force(seen) == "status:failed"
        await type_text(seen, " has:")
        await seen.click("plan.md")
        assert line(seen) == in_force(seen) == "status:failed has:plan.md"
        assert seen.app.filter_line.editing
        await seen.press("enter")
        assert in_force(seen) == "status:failed has:plan.md"
        assert seen.table.id == "runs-table"
        assert "complete" not in seen.footer


async def test_what_is_wrong_is_underlined_and_said_and_the_list_stays(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        listed = seen.table.keys
        await seen.press("/")
        await type_text(seen, "stauts:failed ")
        pane = seen.app.visible_pane
        assert isinstance(pane, RunsPane)
        assert pane.table.keys == listed
        whole = (
            "there is no field stauts: did you mean status? (a text with such a sign goes in quotes)  status:"
        )
        assert whole in told(seen)
        assert underlined(seen) == "stauts:"
        await seen.press("enter")
        assert seen.app.filter_line.editing
        assert line(seen) == "stauts:failed "
        await seen.press("tab")
        assert line(seen) == "status:failed "
        assert underlined(seen) == ""
        assert 0 < len(pane.table.keys) < len(listed)
        await type_text(seen, "cost>x ")
        assert "“x” is no number: write cost>0.5" in advice(seen)
        assert underlined(seen) == "x"
        assert in_force(seen) == "status:failed "


def told(seen: Monitor) -> str:
    """Everything above the filter, however many lines it takes."""
    lines = [line.strip() for line in seen.lines[-2 - seen.app.filter_line.advice_line.size.height : -2]]
    return " ".join(lines)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("mistake", ["qq:x ", "status:zz ", "since:then ", "stauts:", "tokens>", "-"])
def test_no_sentence_about_a_mistake_is_cut(width: int, mistake: str) -> None:
    shown = AdviceLine()
    shown._advice = advise(mistake, len(mistake))
    lines = ["".join(text_of(piece.spans) for piece in line) for line in shown.lines(width)]
    assert not shown._advice.good
    assert shown._advice.words in " ".join(line.strip() for line in lines)
    assert max(map(len, lines)) <= width
    assert not shown._advice.choices or shown._advice.choices[0].label in lines[-1]


def underlined(seen: Monitor) -> str:
    """The text of the field that is marked."""
    from tests.tui.monitor import screen_strips

    strip = screen_strips(seen.app)[-2]
    return "".join(part.text for part in strip if part.style is not None and part.style.underline)


async def test_a_word_that_becomes_a_mistake_leaves_no_empty_list_behind(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        await seen.press("/")
        await type_text(seen, "fix stauts")
        assert in_force(seen) == "fix stauts"
        await type_text(seen, ":")
        assert in_force(seen) == "fix "


async def test_what_may_become_a_field_changes_the_list_once_it_has_rested_or_is_kept(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        await seen.press("/")
        await type_text(seen, "model")
        assert in_force(seen) == ""
        await type_text(seen, ":")
        assert in_force(seen) == ""
        await seen.press("backspace", "enter")
        assert in_force(seen) == "model"


async def test_escape_closes_the_completion_then_clears_and_leaves(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        await seen.press("/")
        await type_text(seen, "status:fa")
        await seen.press("escape")
        assert (advice(seen), line(seen)) == ("", "status:fa")
        assert "complete" not in seen.footer
        await seen.press("escape")
        assert (line(seen), in_force(seen)) == ("", "")
        assert seen.table.id == "runs-table"
        assert not seen.app.filter_line.display


async def test_up_in_an_empty_line_brings_back_the_filters_of_this_pane(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        for text in ("fix", "login"):
            await seen.press("/")
            await type_text(seen, text)
            await seen.press("enter", "escape")
        await seen.press("/", "up")
        assert line(seen) == in_force(seen) == "login"
        assert "↑ earlier" in seen.footer
        await seen.press("up", "up")
        assert line(seen) == "fix"
        await seen.press("down", "down")
        assert line(seen) == ""
        await seen.press("escape", "3", "/", "up")
        assert line(seen) == ""


async def test_typed_text_with_a_mistake_is_there_again_after_another_tab_and_another_size(
    tmp_path: Path,
) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        await seen.press("/")
        await type_text(seen, "cost>x ")
        seen.resize(40, 8)
        await seen.settle()
        seen.resize(*SMALL)
        await seen.settle()
        assert line(seen) == "cost>x "
        await seen.click("3 Tools")
        assert line(seen) == ""
        await seen.press("5")
        assert line(seen) == "cost>x "
        assert "is no number" in advice(seen)
        await seen.press("escape")
        assert not seen.app.filter_line.display


async def test_hostile_and_wide_names_are_offered_as_one_can_type_them(tmp_path: Path) -> None:
    """Case 53."""
    runs = tmp_path / "runs"
    builder = RunDirectoryBuilder(runs, metadata={"tags": ["two words", "日本語", "evil\x1b[2J\nname"]})
    builder.tool("bash", {"command": "ls"}).end().write()
    async with monitor(runs, tab="runs") as seen:
        await seen.press("/")
        await type_text(seen, "tag:")
        assert '"two words"' in advice(seen)
        assert "evil?[2J?name" in advice(seen)
        await type_text(seen, "日")
        await seen.press("tab")
        assert line(seen) == in_force(seen) == "tag:日本語"
        field = seen.app.filter_line.field
        assert field.cursor_screen_offset.x == field.content_region.x + len("tag:") + 3 * 2 + 1
        await seen.press("ctrl+u", *"tag:ev", "tab")
        assert in_force(seen) == "tag:evil?[2J?name"
        assert len(seen.app.visible_pane.query_one("#runs-table").keys) == 1  # type: ignore[attr-defined]
        field.post_message(Paste("\x1b[2Jtwo\nlines"))
        await seen.settle()
        assert line(seen).endswith("␛[2Jtwo lines")


async def test_everything_fits_into_the_smallest_screen(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs", size=(60, 16)) as seen:
        await seen.press("/")
        await type_text(seen, "tool:")
        assert advice(seen).startswith("bash  ")
        for _ in range(6):
            await seen.press("down")
        chosen = seen.app.query_one(AdviceLine)
        assert chosen._chosen == 6
        await seen.press("tab")
        assert seen.lines[-2].strip() == f"/ {line(seen)}"
        assert line(seen) != "tool:"


async def test_other_panes_take_plain_words_and_tab_goes_to_the_next_tab(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="tools") as seen:
        await seen.press("/")
        await type_text(seen, "status:x")
        assert in_force(seen) == "status:x"
        assert "tab complete" not in seen.footer
        assert "enter keep" in seen.footer
        await seen.press("tab")
        assert seen.app.tab.value == "errors"


async def test_letters_behind_the_key_of_the_filter_are_its_text_however_fast_they_come(
    tmp_path: Path,
) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        for tab in ("5", "3"):
            await seen.press(tab)
            for key in ("/", *"ba/sh"):
                seen.send(key)
            await seen.settle()
            assert line(seen) == "ba/sh"
            await seen.press("escape", "escape")
        await seen.press("?")
        await seen.press("/")
        assert not seen.app.filter_line.editing


async def test_the_key_of_the_filter_is_heeded_while_its_tab_is_being_built(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        seen.send("3")
        seen.send("/")
        await seen.settle()
        assert seen.app.tab.value == "tools"
        assert seen.app.filter_line.editing


async def test_the_list_above_moves_once_when_the_line_and_its_advice_appear(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs", size=(120, 40)) as seen:
        await seen.press("/", "escape")  # the first time it is built, which takes a layout of its own
        heights: list[int] = []
        table = seen.table
        lay_out = table._size_updated

        def laid_out(size: Size, *rest: Size, **options: bool) -> bool:
            if size.height != table._size.height:
                heights.append(size.height)
            return lay_out(size, *rest, **options)

        with patch.object(table, "_size_updated", laid_out):
            before = table.outer_size.height
            await seen.press("/")
        assert heights == [before - 2]


async def test_the_palette_opens_the_filter_too(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="tools") as seen:
        await seen.press("ctrl+p")
        await type_text(seen, "filter (")
        await seen.until(lambda: "Show only the rows" in seen.text)
        await seen.press("enter")
        await seen.until(lambda: seen.app.filter_line.editing)


async def test_keys_that_come_in_one_burst_are_obeyed_in_their_order(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        await seen.press("/")
        for key in (*"abc", "ctrl+u", *"sta", "tab", *"fai", "tab"):
            seen.send(key)
        await seen.settle()
        assert line(seen) == in_force(seen) == "status:failed"


async def test_letters_that_come_right_behind_the_key_of_a_tab_never_opened_are_all_typed_there(
    tmp_path: Path,
) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for key in ("5", "/", *"sta", "tab", *"fai", "tab", "enter", "1", "2", "/", *"ab", "escape", "5"):
            seen.send(key)
        await seen.until(lambda: in_force(seen) == "status:failed")
        await seen.settle()
        assert seen.table.id == "runs-table"
        assert line(seen) == "status:failed"


async def test_keys_go_on_when_what_one_was_sent_to_is_taken_away(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        with patch.object(Followed, "bubble", False):  # nothing ever arrives
            for key in ("enter", "escape", "3"):
                seen.send(key)
            await seen.until(lambda: seen.app.tab.value == "tools")
