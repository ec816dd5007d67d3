"""Charts from forty columns by five lines up, and below."""

from __future__ import annotations

import math
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.strip import Strip

from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import text_of, width_of
from buddy_top.widgets.charts.chart import Chart, ChartData, Series
from buddy_top.widgets.charts.plot import ERROR_MARK, plot_lines

NOON = 1_767_873_600_000
WAVE = tuple(max(0.0, math.sin(i / 9) * 30_000 + math.cos(i / 3) * 9_000) for i in range(96))
DAY = ChartData((Series(WAVE),), NOON - 86_400_000, 900_000, unit=Plain("tokens / 15m"), tz=UTC)
VALUES = st.lists(st.one_of(st.none(), st.floats()), max_size=80).map(tuple)


def drawn(data: ChartData, width: int = 60, height: int = 10) -> list[str]:
    return [text_of(line) for line in plot_lines(data, width, height)]


@given(
    st.lists(VALUES, max_size=3),
    st.sampled_from(["columns", "lines"]),
    st.integers(0, 90),
    st.integers(0, 14),
    st.integers(0, 10_000_000),
)
def test_no_values_and_no_size_break_a_chart_or_its_edges(
    series: list[tuple[float | None, ...]], style: str, width: int, height: int, bucket: int
) -> None:
    data = ChartData(
        tuple(Series(values, label=Plain("x")) for values in series),
        NOON,
        bucket,
        failures=tuple(1 for _ in range(len(series))),
        unit=Plain("calls"),
        style=style,  # type: ignore[arg-type]
        tz=UTC,
    )
    lines = plot_lines(data, width, height)
    assert all(width_of(line) <= max(width, 0) for line in lines)
    assert len(lines) == height or height < 3 or width < 16


@pytest.mark.parametrize("size", [(40, 5), (60, 10), (120, 20)])
def test_a_chart_has_a_value_axis_a_time_axis_and_its_largest_value(size: tuple[int, int]) -> None:
    lines = drawn(DAY, *size)
    assert lines[0].startswith("40k ┤")
    assert lines[-2].startswith("  0 └")
    assert "Thu 8 Jan" in lines[-1]
    assert fmt.tokens(max(WAVE)) in "".join(lines[:-2])


def test_the_unit_is_said_once() -> None:
    assert "".join(drawn(DAY, 100, 12)).count("tokens / 15m") == 1


def test_a_label_stands_under_its_tick() -> None:
    lines = drawn(DAY, 100, 12)
    for x, character in enumerate(lines[-2]):
        if character == "┬":
            around = lines[-1].ljust(100)[max(x - 6, 0) : x + 7]
            assert ":" in around or "Jan" in around


def test_failures_are_marked_on_the_axis_in_the_ink_of_failures() -> None:
    data = ChartData((Series(WAVE),), NOON, 60_000, failures=tuple(int(i in (10, 50)) for i in range(96)))
    axis = plot_lines(data, 105, 8)[-2]
    assert [(span.text, span.ink) for span in axis if span.ink == "bad"] == [(ERROR_MARK, "bad")] * 2


def test_a_failure_is_not_lost_where_slices_share_a_column() -> None:
    data = ChartData((Series(WAVE),), NOON, 60_000, failures=tuple(int(i == 77) for i in range(96)))
    assert text_of(plot_lines(data, 20, 6)[-2]).count(ERROR_MARK) == 1


@pytest.mark.parametrize("values", [(), (None, None), (0.0, 0.0), (math.nan,)])
def test_an_empty_series_draws_its_axes_and_says_so(values: tuple[float | None, ...]) -> None:
    lines = drawn(ChartData((Series(values),), NOON, 60_000, empty=Plain("no call since 12:30")))
    assert any("no call since 12:30" in line for line in lines)
    assert "└" in lines[-2]


def test_failures_alone_are_not_nothing() -> None:
    lines = drawn(ChartData((Series((0.0, 0.0)),), NOON, 60_000, failures=(0, 2), empty=Plain("quiet")))
    assert "quiet" not in "".join(lines)
    assert ERROR_MARK in lines[-2]


def test_lines_of_two_series_keep_their_inks_and_are_named() -> None:
    data = ChartData(
        (Series((1.0,) * 20, "accent", Plain("avg")), Series((5.0,) * 20, "warn", Plain("p95"))),
        style="lines",
    )
    lines = plot_lines(data, 60, 9)
    inks = {span.ink for line in lines[:-2] for span in line if any("⠀" < c <= "⣿" for c in span.text)}
    assert inks == {"accent", "warn"}
    assert "━ avg  ━ p95" in text_of(lines[1])


def test_a_gap_in_the_values_is_a_gap_in_the_line() -> None:
    lines = drawn(ChartData((Series((1.0, 1.0, None, None, 1.0, 1.0)),), style="lines"), 66, 6)
    row = next(line for line in lines if "⠉" in line or "⠒" in line or "⣀" in line or "⠤" in line)
    assert "  " in row.split("│")[-1].split("┤")[-1].strip()


class CountingChart(Chart):
    drawn_lines: list[int]

    def render_line(self, y: int) -> Strip:
        self.drawn_lines.append(y)
        return super().render_line(y)


class ChartApp(App[None]):
    def compose(self) -> ComposeResult:
        chart = CountingChart()
        chart.drawn_lines = []
        yield chart


async def test_only_lines_that_look_different_are_repainted() -> None:
    app = ChartApp()
    async with app.run_test(size=(60, 12)) as pilot:
        chart = app.query_one(CountingChart)
        chart.show(DAY)
        await pilot.pause()
        chart.drawn_lines.clear()
        chart.show(
            ChartData((Series((*WAVE[:-1], 30.0)),), DAY.start_ms, DAY.bucket_ms, unit=DAY.unit, tz=DAY.tz)
        )
        await pilot.pause()
        assert len(chart.drawn_lines) == 1
        chart.drawn_lines.clear()
        chart.show(chart.data)
        await pilot.pause()
        assert chart.drawn_lines == []
