"""One tool in depth: how often and how long, over time and spread out; its calls one by one, and its error texts."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from buddy_core.metrics.looking.model import ToolDepth, ToolMetrics
from buddy_core.metrics.window import Window
from buddy_core.safety.text import Plain, plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.panes.leads import LeadsPanel
from buddy_top.panes.room import NO_ROOM
from buddy_top.panes.series import SeriesChart, latency_data
from buddy_top.panes.tools.leads import (
    LATEST_COLUMNS,
    SLOWEST_COLUMNS,
    TEXT_COLUMNS,
    latest_leads,
    slowest_leads,
    text_leads,
)
from buddy_top.panes.words import within
from buddy_top.state import SeriesDetail, Snapshot
from buddy_top.widgets.charts.chart import Chart
from buddy_top.widgets.charts.histogram import Histogram, HistogramData
from buddy_top.widgets.panel import Panel

BESIDE = (150, 20)
"""Columns and lines from which the lists stand beside the charts, all of them one above the other."""

ABREAST = 100
"""Columns from which the lists stand side by side; below, one of them is in sight."""

TOGETHER = 16
"""Lines from which charts and lists are in sight together; below, what the keyboard is in."""

_TITLES = ("Slowest", "Latest", "Error texts")
_NO_DURATION = Plain("no duration is known")


class ToolDetail(Container):
    """Three charts and three lists. Where room is short the lists take the place of the charts when one is entered."""

    def __init__(self) -> None:
        super().__init__(id="tool-detail")
        self.calls, self.latency, self.histogram = SeriesChart(), Chart(), Histogram()
        self.slowest = LeadsPanel(_TITLES[0], SLOWEST_COLUMNS, classes="tool-calls")
        self.latest = LeadsPanel(_TITLES[1], LATEST_COLUMNS, classes="tool-calls")
        self.texts = LeadsPanel(_TITLES[2], TEXT_COLUMNS, classes="tool-texts")
        self.lists = (self.slowest, self.latest, self.texts)
        self._entered = False
        self._current = 0
        self._together = True
        self._selected = False
        self._last: tuple[Window, SeriesDetail] | None = None

    def compose(self) -> ComposeResult:
        """Charts, then lists."""
        self.calls_panel = Panel(self.calls, title=Plain("Calls"))
        self.latency_panel = Panel(self.latency, title=Plain("Time"))
        self.spread_panel = Panel(self.histogram, title=Plain("Spread"))
        with Container(id="tool-charts") as self.charts:
            yield self.calls_panel
            yield self.latency_panel
            yield self.spread_panel
        with Container(id="tool-lists") as self.leads:
            yield from self.lists

    def on_resize(self) -> None:
        """Show what there is room for."""
        self._arrange()

    def attend(self, widget: Widget | None) -> None:
        """The keyboard is in this widget now: a list comes into sight, and leaves again with it."""
        found = [place for place, one in enumerate(self.lists) if widget is one.table]
        self._entered, self._current = bool(found), found[0] if found else self._current
        self._arrange()

    def _arrange(self) -> None:
        width, height = self.size
        if not width:
            return
        beside = width >= BESIDE[0] and height >= BESIDE[1]
        together, abreast = beside or height >= TOGETHER, beside or width >= ABREAST
        self.set_class(beside, "-beside")
        self.charts.set_class(not together and self._entered, NO_ROOM)
        self.leads.set_class(not together and not self._entered, NO_ROOM)
        self.latency_panel.set_class(not abreast, NO_ROOM)
        for place, one in enumerate(self.lists):
            one.set_class(not abreast and place != self._current, NO_ROOM)
            one.set_title(Plain(_TITLES[place]) if abreast else _titles(place))
        self._together = together
        self._say_hint()

    def _say_hint(self) -> None:
        """Name the way to the lists where none is in sight."""
        hidden = self._selected and not self._together
        self.calls_panel.set_summary(Plain("→ single calls" if hidden else ""))

    def show(self, snapshot: Snapshot, row: ToolMetrics | None) -> None:
        """Draw the selected row; `snapshot.series` may still be that of another one, and is not drawn then."""
        detail = self._detail_of(snapshot, row)
        self.calls_panel.set_title(
            plain(row.name, limit=60) if row is not None else Plain("no tool selected")
        )
        self._selected = row is not None
        self._say_hint()
        self.calls.show_detail(detail)
        self.latency.show(latency_data(detail, _NO_DURATION))
        self.histogram.show(_spread(row, detail))
        depth = detail.depth if detail is not None else None
        self._show_lists(snapshot, row, depth or ToolDepth())

    def _detail_of(self, snapshot: Snapshot, row: ToolMetrics | None) -> SeriesDetail | None:
        """The row in depth; on the way back from a run, until it comes, as it was left, so that cursors stay."""
        if row is None:
            return None
        window, there = snapshot.view.window, snapshot.series
        if self._last is None or self._last[1].key != row.name:
            for one in self.lists:
                one.table.follow = True  # nobody has moved in its lists: the first row is what they are about
        if there is not None and (there.kind, there.key) == ("tool", row.name):
            self._last = window, there
        known = self._last
        return known[1] if known is not None and (known[0], known[1].key) == (window, row.name) else None

    def _show_lists(self, snapshot: Snapshot, row: ToolMetrics | None, depth: ToolDepth) -> None:
        name, words = row.name if row is not None else "", within(snapshot)
        known = row.duration_count if row is not None else 0
        calls = row.total_calls if row is not None else 0
        none = Plain(f"no call {words}")
        self.slowest.show(
            slowest_leads(name, depth.slowest, snapshot),
            _which(row, depth, known),
            _NO_DURATION if calls else none,
        )
        self.latest.show(latest_leads(name, depth.latest, snapshot), _of(len(depth.latest), calls), none)
        texts = text_leads(depth.texts, snapshot)
        self.texts.show(texts, _said(row, depth), _nothing_said(row, words))

    def focus_lists(self) -> None:
        """Give the keyboard to the list that was entered last, or the first that has rows."""
        lists = (self.lists[self._current], *self.lists)
        next((one for one in lists if one.table.keys), lists[0]).table.focus()


def _titles(current: int) -> Cell:
    """The lists that take turns in one place, the one in sight in bold."""
    spans: list[Span] = []
    for place, title in enumerate(_TITLES):
        spans.append(Span(Plain(" · " if place else ""), "dim"))
        spans.append(Span(Plain(title), "strong" if place == current else "dim"))
    return tuple(spans)


def _spread(row: ToolMetrics | None, detail: SeriesDetail | None) -> HistogramData:
    """How the durations spread, with three quantiles marked."""
    if row is None or detail is None:
        return HistogramData(empty=_NO_DURATION)
    values = (("p50", row.p50_duration_ms), ("p95", row.p95_duration_ms), ("p99", row.p99_duration_ms))
    return HistogramData(
        detail.bins, tuple((Plain(name), value) for name, value in values), empty=_NO_DURATION
    )


def _of(shown: int, all_: int) -> Plain:
    return Plain(f"{fmt.count(shown)} of {fmt.count(all_)}") if shown < all_ else fmt.plural(shown, "call")


def _which(row: ToolMetrics | None, depth: ToolDepth, known: int) -> Plain:
    """How many of the slowest there are, and whether one is missing: of a run that is gone, or without a time."""
    words = _of(len(depth.slowest), known)
    longest = row.max_duration_ms if row is not None else None
    listed = depth.slowest[0].duration_ms if depth.slowest else None
    if longest is not None and listed is not None and longest > listed:
        return Plain(f"{words}, slower ones not listed")
    return words if depth.exact else Plain(f"{words}, perhaps not all")


def _said(row: ToolMetrics | None, depth: ToolDepth) -> Plain:
    """How many failures, and of how many no text is known."""
    if row is None or not row.error_count:
        return Plain("")
    silent = row.error_count - sum(group.count for group in depth.texts)
    words = f"{fmt.count(row.error_count)} failed"
    return Plain(words + (f" · {fmt.count(silent)} with no text" if silent > 0 and depth.texts else ""))


def _nothing_said(row: ToolMetrics | None, within: str) -> Plain:
    failed = row is not None and row.error_count > 0
    return Plain("no text of its failures is known" if failed else f"no failure {within}")
