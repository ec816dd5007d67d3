"""One provider, tool or error group in depth: how it went over time, and how its durations spread."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from buddy_core.safety.text import Plain
from buddy_top import format as fmt
from buddy_top.panes.leads import LeadsPanel
from buddy_top.state import SeriesDetail, Snapshot
from buddy_top.widgets.chart import Chart, ChartData, Series
from buddy_top.widgets.histogram import Histogram, HistogramData
from buddy_top.widgets.panel import Panel

Quantiles = tuple[tuple[Plain, float | None], ...]
"""Name and value of each quantile; None where it is not known."""


def calls_data(detail: SeriesDetail | None, empty: Plain) -> ChartData:
    """Calls in each slice as columns, failures marked on the time axis."""
    points = detail.points if detail is not None else ()
    if not points or detail is None:
        return ChartData(empty=empty)
    ink = "bad" if detail.kind == "error" else "accent"
    return ChartData(
        series=(Series(tuple(float(point.count) for point in points), ink),),
        start_ms=points[0].start_at,
        bucket_ms=detail.bucket_ms,
        failures=tuple(point.failures for point in points) if detail.kind != "error" else (),
        unit=Plain("errors" if detail.kind == "error" else "calls"),
        per_slice=True,
        how="sum",
        empty=empty,
    )


def latency_data(detail: SeriesDetail | None, empty: Plain) -> ChartData:
    """The mean duration in each slice as a line."""
    points = detail.points if detail is not None else ()
    if not points or detail is None:
        return ChartData(empty=empty)
    means = tuple(p.duration_sum_ms / p.duration_count if p.duration_count else None for p in points)
    return ChartData(
        series=(Series(means, "info"),),
        start_ms=points[0].start_at,
        bucket_ms=detail.bucket_ms,
        unit=Plain("mean time"),
        how="mean",
        words=fmt.duration,
        empty=empty,
    )


class SeriesChart(Chart):
    """Calls over time of whatever the snapshot has in depth."""

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw it."""
        self.show(calls_data(snapshot.series, Plain("nothing selected")))


class SeriesPanels(Vertical):
    """Calls over time, durations over time and their spread side by side; a list of leads below."""

    def __init__(self, leads: LeadsPanel) -> None:
        super().__init__(classes="series-panels")
        self.leads = leads
        self.calls = SeriesChart()
        self.latency = Chart()
        self.histogram = Histogram()

    def compose(self) -> ComposeResult:
        """Four panels; the style sheet drops some where room is short."""
        self.calls_panel = Panel(self.calls, title=Plain("Calls"), classes="series-calls")
        self.latency_panel = Panel(self.latency, title=Plain("Time"), classes="series-latency")
        self.spread_panel = Panel(self.histogram, title=Plain("Spread"), classes="series-spread")
        with Horizontal(classes="series-charts"):
            yield self.calls_panel
            yield self.latency_panel
            yield self.spread_panel
        yield self.leads

    def show(self, snapshot: Snapshot, name: Plain, quantiles: Quantiles) -> None:
        """Draw the row called `name`; `quantiles` are marked on its spread."""
        detail = snapshot.series
        self.calls_panel.set_title(name)
        self.calls.show_snapshot(snapshot)
        self.latency.show(latency_data(detail, Plain("no duration is known")))
        bins = detail.bins if detail is not None else ()
        self.histogram.show(HistogramData(bins, quantiles, empty=Plain("no duration is known")))
