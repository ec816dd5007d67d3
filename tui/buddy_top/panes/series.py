"""One provider, tool or error group in depth: how it went over time, and how its durations spread."""

from __future__ import annotations

from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.state import SeriesDetail, Snapshot
from buddy_top.widgets.charts.chart import Chart, ChartData, Series


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
        self.show_detail(snapshot.series)

    def show_detail(self, detail: SeriesDetail | None) -> None:
        """Draw this one."""
        self.show(calls_data(detail, Plain("nothing selected")))
