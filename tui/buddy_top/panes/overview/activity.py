"""The activity chart of the overview: calls in each slice of the window, failures marked below."""

from __future__ import annotations

from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.panes.words import nothing_in
from buddy_top.state import Snapshot
from buddy_top.widgets.charts.chart import Chart, ChartData, Series


def activity_data(snapshot: Snapshot) -> ChartData:
    """Tool calls and requests of each slice as columns."""
    buckets = snapshot.activity.buckets
    return ChartData(
        series=(Series(tuple(float(bucket.tool_calls + bucket.requests) for bucket in buckets)),),
        start_ms=buckets[0].start_at if buckets else 0,
        bucket_ms=snapshot.activity.bucket_ms if buckets else 0,
        failures=tuple(bucket.failures for bucket in buckets),
        unit=Plain("calls"),
        per_slice=True,
        how="sum",
        words=lambda value: fmt.tokens(value),
        empty=nothing_in(snapshot, "nothing happened"),
    )


class ActivityChart(Chart):
    """A chart that knows how to read a snapshot."""

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw the window's activity."""
        self.show(activity_data(snapshot))
