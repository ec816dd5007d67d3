"""How durations spread."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from buddy_core.metrics.looking.model import HistogramBin
from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import text_of, width_of
from buddy_top.widgets.charts.histogram import HistogramData, histogram_lines, place

BINS = tuple(HistogramBin(10 * 2**i, 20 * 2**i, count) for i, count in enumerate((1, 4, 30, 60, 20, 3, 0, 1)))
MARKS = ((Plain("p50"), 120.0), (Plain("p95"), 600.0), (Plain("p99"), None))


def drawn(data: HistogramData, width: int = 60, height: int = 9) -> list[str]:
    return [text_of(line) for line in histogram_lines(data, width, height)]


def test_quantiles_are_named_with_their_values_and_marked_on_the_axis() -> None:
    lines = drawn(HistogramData(BINS, MARKS))
    assert lines[0] == "p50 120 ms   p95 600 ms"
    assert lines[-2].count("▲") == 2


def test_the_axis_is_labelled_with_round_durations() -> None:
    assert drawn(HistogramData(BINS))[-1].split("  ")[-1].strip() == "1 s"
    assert "10 ms" in drawn(HistogramData(BINS))[-1]


def test_nothing_measured_is_said_in_words() -> None:
    assert any("no durations yet" in line for line in drawn(HistogramData()))


def test_a_place_on_the_axis_is_reckoned_by_factors() -> None:
    assert place(10, BINS, 80) == 0
    assert place(20, BINS, 80) == 10
    assert place(14.2, BINS, 80) == 5
    assert place(2560, BINS, 80) == 79
    assert place(9, BINS, 80) is None


@given(
    st.lists(st.integers(0, 10**9), max_size=40),
    st.floats(0.001, 1e6),
    st.lists(st.one_of(st.none(), st.floats()), max_size=4),
    st.integers(0, 100),
    st.integers(0, 14),
)
def test_no_numbers_and_no_size_break_a_histogram(
    counts: list[int], low: float, marks: list[float | None], width: int, height: int
) -> None:
    bins = tuple(HistogramBin(low * 1.5**i, low * 1.5 ** (i + 1), count) for i, count in enumerate(counts))
    data = HistogramData(bins, tuple((Plain("p"), mark) for mark in marks))
    lines = histogram_lines(data, width, height)
    assert len(lines) == height
    assert all(width_of(line) <= width for line in lines)


def test_bins_that_share_a_column_are_added_up() -> None:
    lines = drawn(HistogramData(tuple(HistogramBin(2.0**i, 2.0 ** (i + 1), 5) for i in range(40))), 24, 8)
    assert any(line.startswith(("10 ┤", "15 ┤")) for line in lines)
