"""One provider and model in depth: how fast, how much and how spread out; what went wrong, and in which runs."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize

from buddy_core.metrics.looking.model import ProviderMetrics
from buddy_core.safety.text import Plain, plain
from buddy_top.drawing import format as fmt
from buddy_top.panes.leads import LeadsPanel
from buddy_top.panes.providers.leads import KIND_COLUMNS, USE_COLUMNS, kind_leads, use_leads
from buddy_top.panes.room import NO_ROOM
from buddy_top.panes.words import within
from buddy_top.state import SeriesDetail, Snapshot
from buddy_top.widgets.charts.chart import Chart, ChartData, Series
from buddy_top.widgets.charts.histogram import Histogram, HistogramData
from buddy_top.widgets.panel import Panel

LISTS_ALONE = 12
"""Lines below which the lists have the room to themselves: they lead on, a chart does not."""

ALL_CHARTS = 108
"""Columns from which tokens have a chart beside the latencies."""

_NO_LATENCY = Plain("no response time is known")
_NO_TOKENS = Plain("no tokens are known")


def latencies(detail: SeriesDetail | None) -> ChartData:
    """Mean and 95th percentile of the response times in each slice of time."""
    points = detail.points if detail is not None else ()
    if not points or detail is None:
        return ChartData(empty=_NO_LATENCY)
    means = tuple(p.duration_sum_ms / p.duration_count if p.duration_count else None for p in points)
    return ChartData(
        series=(
            Series(means, "info", Plain("avg")),
            Series(tuple(point.p95_ms for point in points), "dim", Plain("p95")),
        ),
        start_ms=points[0].start_at,
        bucket_ms=detail.bucket_ms,
        failures=tuple(point.failures for point in points),
        style="layers",
        how="max",
        words=fmt.duration,
        empty=_NO_LATENCY,
    )


def tokens(detail: SeriesDetail | None) -> ChartData:
    """Tokens of all four kinds in each slice of time."""
    points = detail.points if detail is not None else ()
    if not points or detail is None:
        return ChartData(empty=_NO_TOKENS)
    return ChartData(
        series=(Series(tuple(float(point.tokens) for point in points)),),
        start_ms=points[0].start_at,
        bucket_ms=detail.bucket_ms,
        unit=Plain("tokens"),
        per_slice=True,
        how="sum",
        empty=_NO_TOKENS,
    )


def spread(row: ProviderMetrics | None, detail: SeriesDetail | None) -> HistogramData:
    """How the response times spread, with three quantiles marked."""
    if row is None or detail is None:
        return HistogramData(empty=_NO_LATENCY)
    values = (("p50", row.p50_latency_ms), ("p95", row.p95_latency_ms), ("p99", row.p99_latency_ms))
    return HistogramData(
        detail.bins, tuple((Plain(name), value) for name, value in values), empty=_NO_LATENCY
    )


class ProviderDetail(Vertical):
    """Charts above, lists below. Where room is short tokens go first, then all charts; the lists stay."""

    def __init__(self) -> None:
        super().__init__(id="provider-detail")
        self.latency, self.tokens, self.histogram = Chart(), Chart(), Histogram()
        self.kinds = LeadsPanel("Errors by kind", KIND_COLUMNS, classes="provider-kinds")
        self.uses = LeadsPanel("Runs", USE_COLUMNS, classes="provider-uses")

    def compose(self) -> ComposeResult:
        """Three charts, two lists."""
        self.latency_panel = Panel(self.latency, title=Plain("Response time"))
        self.tokens_panel = Panel(self.tokens, title=Plain("Tokens"))
        self.spread_panel = Panel(self.histogram, title=Plain("Spread"))
        with Horizontal(id="provider-charts") as self.charts:
            yield self.latency_panel
            yield self.tokens_panel
            yield self.spread_panel
        with Horizontal(id="provider-lists"):
            yield self.kinds
            yield self.uses

    def on_resize(self, event: Resize) -> None:
        """Show what there is room for."""
        self.charts.set_class(event.size.height < LISTS_ALONE, NO_ROOM)
        self.tokens_panel.set_class(event.size.width < ALL_CHARTS, NO_ROOM)

    def show(self, snapshot: Snapshot, row: ProviderMetrics | None) -> None:
        """Draw the selected row. A snapshot that was asked for another one changes nothing: the next is on its way."""
        key = None if row is None else ("provider", f"{row.provider}/{row.model}")
        if row is not None and snapshot.wants.series != key:
            return
        detail = snapshot.series if row is not None else None
        self.latency_panel.set_title(
            plain(row.model, limit=60) if row is not None else Plain("no model selected")
        )
        self.latency_panel.set_summary(Plain("response time" if row is not None else ""))
        self.latency.show(latencies(detail))
        self.tokens.show(tokens(detail))
        self.histogram.show(spread(row, detail))
        self._show_lists(snapshot, row, detail)

    def _show_lists(
        self, snapshot: Snapshot, row: ProviderMetrics | None, detail: SeriesDetail | None
    ) -> None:
        kinds = kind_leads(row, detail, snapshot.taken_at) if row is not None and detail is not None else []
        uses = use_leads(detail, snapshot) if detail is not None else []
        where = within(snapshot)
        self.kinds.show(
            kinds, fmt.plural(len(kinds), "kind") if kinds else Plain(""), Plain(f"no errors {where}")
        )
        total = detail.uses_total if detail is not None else 0
        words = fmt.plural(total, "run")
        if total > len(uses):
            words = Plain(f"the latest {fmt.count(len(uses))} of {words}")
        self.uses.show(uses, words, Plain(f"no run is known to have used it {where}"))

    def focus_lists(self) -> None:
        """Give the keyboard to the runs, or to the errors where no run is known."""
        (self.uses if self.uses.table.keys or not self.kinds.table.keys else self.kinds).table.focus()
