"""Small things by which a list could mislead: cut numbers, nameless runs, orders that are not those shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, cell_words, monitor

from buddy_core.metrics.model import OTHER
from buddy_core.safety.text import Plain
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.drawing import format as fmt
from buddy_top.panes.runs.pane import RunsPane
from buddy_top.panes.words import EVERY_OTHER, kind_words
from buddy_top.widgets.charts.axes import shortened

MINUTE = 60_000


@pytest.mark.parametrize(
    ("width", "value", "words"),
    [
        (5, None, "–"),
        (5, 0, "0"),
        (5, 9_999, "9,999"),
        (5, 10_000, "10.0k"),
        (5, 600_000, "600k"),
        (4, 1_234, "1k"),
        (4, 999_999, "1M"),
        (7, 123_456, "123,456"),
        (7, 1_234_567, "1.23M"),
    ],
)
def test_a_count_is_written_shorter_where_it_does_not_fit(width: int, value: int | None, words: str) -> None:
    assert fmt.count_within(width, value) == words


@given(st.integers(0, 10**12), st.integers(4, 12))
def test_a_count_never_takes_more_room_than_it_has(value: int, width: int) -> None:
    assert len(fmt.count_within(width, value)) <= width


def test_a_slice_of_whole_days_is_called_by_its_days() -> None:
    assert [shortened(Plain(words)) for words in ("1d00h", "3d00h", "1d12h")] == ["1d", "3d", "1d12h"]


def run_of(
    runs: Path, suffix: str, objective: str, *, minutes: int, done: bool = False
) -> RunDirectoryBuilder:
    """A run that began so long ago; one that is done took two minutes."""
    run = RunDirectoryBuilder(runs, started_at=NOW - minutes * MINUTE, suffix=suffix, objective=objective)
    run.tool("bash", took_ms=2 * MINUTE if done else 10)
    if done:
        run.end("completed")
    run.write()
    return run


async def test_runs_are_ordered_by_the_duration_that_is_shown(tmp_path: Path) -> None:
    """The one at work has one early event; what is shown is how long it has been at it."""
    live = run_of(tmp_path, "000001", "at work for five minutes", minutes=5)
    done = run_of(tmp_path, "000002", "took two minutes", minutes=30, done=True)
    async with monitor(tmp_path, size=COMFORTABLE, tab="runs") as seen:
        pane = seen.app.query_one(RunsPane)
        pane.sort_by("took")
        await seen.settle()
        assert list(seen.table.keys) == [live.run_id, done.run_id]
        pane.sort_reverse()
        await seen.settle()
        assert list(seen.table.keys) == [done.run_id, live.run_id]


@pytest.mark.parametrize("objective", ["", "   "], ids=["empty", "blank"])
async def test_a_run_without_an_objective_is_called_by_its_id(tmp_path: Path, objective: str) -> None:
    run = run_of(tmp_path, "000003", objective, minutes=5)
    async with monitor(tmp_path, size=(200, 60), tab="runs") as seen:
        assert cell_words(seen.table, run.run_id, "objective") == run.run_id
        await seen.press("1")
        row = next(line for line in seen.lines if "● running" in line)
        assert run.run_id[:12] in row


async def test_every_line_of_the_sort_menu_has_a_name(tmp_path: Path) -> None:
    run_of(tmp_path, "000004", "narrow", minutes=5)
    async with monitor(tmp_path, size=SMALL, tab="runs") as seen:
        await seen.press("s")
        assert "status" in seen.text


async def test_one_is_singular(tmp_path: Path) -> None:
    run = run_of(tmp_path, "000005", "alone", minutes=5)
    run.error("once").write()
    async with monitor(tmp_path, size=COMFORTABLE, tab="errors") as seen:
        assert "1 kind ·" in seen.text
        await seen.press("3")
        assert "1 tool · 1 call " in seen.text
        await seen.press("5")
        assert "1 run " in seen.text


def test_the_group_of_all_further_kinds_of_errors_is_told_from_a_kind() -> None:
    """Case 50: past the limit of kinds the latest message stands for many."""
    assert EVERY_OTHER == OTHER
    assert kind_words("error disk full", "disk full") == "disk full"
    assert kind_words(EVERY_OTHER, "disk full") == "more kinds than are told apart, the latest: disk full"
