"""The providers tab in depth: what stands below the table, what leads on from there, and what gives way first."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, monitor, samples

from buddy_core.metrics.looking.model import ProviderMetrics, SeriesPoint
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.feeding.snapshots import MOST_USES
from buddy_top.panes.providers.detail import latencies, spread, tokens
from buddy_top.panes.providers.pane import ProvidersPane
from buddy_top.state import SeriesDetail
from buddy_top.widgets.charts.plot import plot_lines

HOUR = 3_600_000


def pane_of(seen: Monitor) -> ProvidersPane:
    """The pane on the screen."""
    assert isinstance(seen.app.visible_pane, ProvidersPane)
    return seen.app.visible_pane


def detail(*points: SeriesPoint) -> SeriesDetail:
    """A model with these slices of time."""
    return SeriesDetail("provider", "a/b", points, HOUR, (), ())


def test_the_chart_of_response_times_has_the_mean_before_the_95th_percentile() -> None:
    slow = SeriesPoint(NOW, count=2, duration_sum_ms=4000.0, duration_count=2, p95_ms=8000.0)
    data = latencies(detail(slow, SeriesPoint(NOW + HOUR), SeriesPoint(NOW + 2 * HOUR, failures=1)))
    assert [series.values for series in data.series] == [(2000.0, None, None), (8000.0, None, None)]
    assert data.failures == (0, 0, 1)
    drawn = {(span.ink, sign) for line in plot_lines(data, 40, 12) for span in line for sign in span.text}
    assert {("info", "█"), ("dim", "░")} <= drawn, "both can be told apart, also without colours"
    assert ("dim", "█") not in drawn


def test_what_is_not_known_of_a_model_is_said_and_not_drawn_as_nought() -> None:
    assert "no response time" in latencies(detail(SeriesPoint(NOW), SeriesPoint(NOW + HOUR))).empty
    assert "no tokens" in tokens(None).empty
    assert not spread(None, None).bins


async def test_the_selected_model_is_shown_in_depth(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, tab="providers") as seen:
        for words in (
            "response time",
            "■ avg",
            "░ p95",
            "Tokens",
            "Spread",
            "p50",
            "p99",
            "Errors by kind",
            "6 runs",
        ):
            assert words in seen.text
        assert "failed requests" in seen.text
        assert "anthropic: 529" in seen.text
        await seen.press("j")
        assert "6 runs" not in seen.text
        assert "failed requests" not in seen.text
        assert "no errors in the last 24 hours" in seen.text


async def test_a_snapshot_that_was_asked_for_another_row_does_not_make_the_detail_flicker(
    tmp_path: Path,
) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, tab="providers") as seen:
        before, late = seen.text, seen.app.snapshot
        assert late is not None
        await seen.press("down")
        after = seen.text
        assert after != before
        seen.app.visible_pane.show(late)
        await seen.settle()
        assert seen.text == after


async def test_arrows_go_round_the_lists_and_enter_opens_what_they_lead_to(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=SMALL, tab="providers") as seen:
        pane = pane_of(seen)
        order = [pane.table, pane.more.kinds.table, pane.more.uses.table]
        for table in (*order[1:], order[0]):
            await seen.press("right")
            assert seen.app.focused is table
        for table in (order[2], order[1], order[0]):
            await seen.press("left")
            assert seen.app.focused is table
        await seen.press("right", "down")
        kind = seen.cursor
        assert kind is not None
        assert "anthropic" in kind
        await seen.press("enter")
        assert seen.app.place == "run"
        line = next(line for line in seen.lines if "▌" in line)
        assert "529" in line, "the cursor is on the error itself"


async def test_each_panel_can_have_the_whole_pane(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, tab="providers") as seen:
        before = seen.text
        await seen.press("right", "z")
        assert "Errors by kind" in seen.text
        assert "Spread" not in seen.text
        await seen.press("z")
        await seen.press("left")
        assert seen.text == before


@pytest.mark.parametrize(
    ("size", "there", "gone"),
    [
        ((200, 60), ("response time", "Tokens", "Spread", "Errors by kind", "Runs"), ()),
        ((80, 24), ("response time", "Spread", "Errors by kind", "Runs"), ("Tokens",)),
        ((60, 16), ("Errors by kind", "Runs"), ("response time", "Spread", "Tokens")),
    ],
)
async def test_what_has_no_room_goes_by_priority(
    size: tuple[int, int], there: tuple[str, ...], gone: tuple[str, ...], tmp_path: Path
) -> None:
    async with monitor(samples(tmp_path), size=size, tab="providers") as seen:
        body = "\n".join(seen.lines[3:])
        assert all(words in body for words in there)
        assert not any(words in body for words in gone)
        pane = pane_of(seen)
        assert pane.more.uses.table.page >= 1
        assert pane.more.kinds.table.page >= 1


async def test_a_run_counts_with_what_it_used_of_this_model_only(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - HOUR, objective="Two models at once")
    run.request("anthropic", "opus", prompt=1000, completion=500, cost=0.25)
    run.request("openai", "mini", prompt=30, completion=3).end().write()
    async with monitor(tmp_path / "runs", size=COMFORTABLE, tab="providers") as seen:
        await seen.press("/", *"opus", "enter")
        line = seen.lines[seen.find("Two models at once")[1]]
        assert "1.50k" in line
        assert "$0.25" in line
        await seen.press("escape", "/", *"mini", "enter")
        line = seen.lines[seen.find("Two models at once")[1]]
        assert "33" in line
        assert "–" in line, "nobody said what it cost"


async def test_of_very_many_runs_the_latest_are_listed_and_all_are_counted(tmp_path: Path) -> None:
    for number in range(MOST_USES + 5):
        run = RunDirectoryBuilder(
            tmp_path / "runs",
            started_at=NOW - HOUR + number,
            suffix=f"{number:06x}",
            objective=f"number {number}",
        )
        run.request("anthropic", "opus", prompt=1, completion=1, latency_ms=100).end().write()
    async with monitor(tmp_path / "runs", size=(200, 60), tab="providers") as seen:
        assert f"the latest {MOST_USES} of {MOST_USES + 5} runs" in seen.text
        assert f"number {MOST_USES + 4}" in seen.text


async def test_one_failure_of_one_request_does_not_outrank_forty_of_a_hundred(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - HOUR)
    run.request("p", "once", prompt=1, completion=1, success=False)
    for number in range(100):
        run.request("p", "often", prompt=1, completion=1, success=number >= 40)
    run.end().write()
    async with monitor(tmp_path / "runs", size=COMFORTABLE, tab="providers") as seen:
        pane = pane_of(seen)
        pane.sort_by("failed")
        await seen.settle()
        assert list(pane.table.keys) == ["p/often", "p/once"]


def test_every_column_can_be_sorted_by() -> None:
    pane = ProvidersPane()
    row = ProviderMetrics("p", "m", 1, 0, 0, 0, 0, 0, None, None, None, None, None, 1, None)
    for field in pane.fields:
        assert field.column.sortable
        field.value(row, NOW)
