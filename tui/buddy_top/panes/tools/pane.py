"""Tools: what the agent calls, how often it fails and how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.events import DescendantFocus
from textual.widget import Widget

from buddy_core.metrics.looking.model import ToolMetrics
from buddy_core.metrics.looking.wilson import wilson_interval, wilson_lower_bound
from buddy_core.metrics.tools import reliability_score
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.panes.alone import ALONE
from buddy_top.panes.columns.cells import failures_cell, number_cell
from buddy_top.panes.columns.fields import Field, Order
from buddy_top.panes.columns.kinds import age_field, count_field, name_field, number_field, trend_field
from buddy_top.panes.tablepane import TablePane
from buddy_top.panes.tools.detail import ToolDetail
from buddy_top.panes.words import in_part, nothing_in
from buddy_top.state import Snapshot, Tab, Wants
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Column, Table

if TYPE_CHECKING:
    from buddy_core.origins.model import Origin

T = ToolMetrics


def _success_cell(row: T) -> Cell:
    if row.total_calls == 0:
        return number_cell(fmt.UNKNOWN)
    share = 100.0 * row.success_count / row.total_calls
    ink = "value" if share >= 98 else "warn" if share >= 90 else "bad"
    return (Span(fmt.percent(share), ink),)


def _interval_cell(row: T) -> Cell:
    """Between what and what the true rate lies, in 95 of 100 such cases."""
    low, high = wilson_interval(row.success_count, row.total_calls)
    return (Span(Plain(f"{100 * low:.0f}–{100 * high:.0f} %"), "dim"),)


def _score(row: T) -> float:
    return reliability_score(row.success_count, row.total_calls, row.avg_duration_ms)


def _score_cell(row: T) -> Cell:
    score = _score(row)
    return (Span(Plain(f"{score:.2f}"), "value" if score >= 0.9 else "warn" if score >= 0.7 else "bad"),)


def _success_rank(row: T) -> float:
    """What sorting by success uses: one good call must not outrank 98 of 100."""
    return wilson_lower_bound(row.success_count, row.total_calls)


def _total_ms(row: T) -> float | None:
    return row.total_duration_ms if row.duration_count else None


class ToolsPane(TablePane[ToolMetrics]):
    """One row for each tool, with the selected one in depth below."""

    TAB = Tab.TOOLS
    ORDER = Order("calls", True)
    FIELDS: ClassVar[Sequence[Field[T]]] = (
        # Tools of one server share their beginnings, and differ at their ends.
        name_field("tool", 18, lambda r: r.name, grow=2, ink="strong", cut="name"),
        count_field("calls", 7, lambda r: r.total_calls),
        Field(
            Column("success", Plain("success"), 7, align="right"),
            lambda r, _: _success_cell(r),
            _success_rank,
            descending=False,
        ),
        Field(
            Column("interval", Plain("interval"), 8, align="right", priority=6),
            lambda r, _: _interval_cell(r),
            _success_rank,
            descending=False,
        ),
        Field(
            Column("failed", Plain("failed"), 6, align="right"),
            lambda r, _: failures_cell(r.error_count, 6),
            lambda r: r.error_count,
        ),
        number_field("avg", 7, lambda r: r.avg_duration_ms, fmt.duration, priority=4),
        number_field("p50", 7, lambda r: r.p50_duration_ms, fmt.duration, priority=5),
        number_field("p95", 7, lambda r: r.p95_duration_ms, fmt.duration),
        number_field("max", 7, lambda r: r.max_duration_ms, fmt.duration, priority=3),
        number_field("total", 7, _total_ms, fmt.duration, priority=8),
        Field(
            Column("score", Plain("score"), 5, align="right", priority=2),
            lambda r, _: _score_cell(r),
            _score,
            descending=False,
        ),
        age_field("last", 5, lambda r: r.last_executed_at, priority=1),
    )

    def __init__(self) -> None:
        super().__init__()
        self.fields = (*self.FIELDS, trend_field(self.trend_of, priority=1))

    def compose(self) -> ComposeResult:
        """The table above, the selected row in depth below."""
        with Panel(id="tools-list") as self.panel:
            yield self.table
        self.more = ToolDetail()
        yield self.more

    def rows_of(self, snapshot: Snapshot) -> Sequence[T]:
        """Every tool with a finished call in the window."""
        return snapshot.view.tools

    def key_of(self, row: T) -> str:
        """The tool's name."""
        return row.name

    def wants(self, base: Wants) -> Wants:
        """The detail of the row under the cursor."""
        key = self.table.cursor_key
        return replace(base, series=("tool", key) if key is not None else None, trends="tool")

    def failing(self, row: T) -> bool:
        """Some of its calls failed."""
        return row.error_count > 0

    def origin_of(self, row: T, snapshot: Snapshot) -> Origin:
        """Where the numbers of a row come from."""
        from buddy_top.panes.origins import of_tool

        return of_tool(row, snapshot)

    def empty_words(self, snapshot: Snapshot) -> Plain:
        """Why there may be no calls."""
        return nothing_in(snapshot, "no tool has finished")

    def show_more(self, snapshot: Snapshot) -> None:
        """The panel's words and the selected row in depth."""
        view = snapshot.view
        failing = sum(1 for row in view.tools if row.error_count)
        self.panel.set_title(Plain("Tools"))
        words = f"{fmt.plural(len(view.tools), 'tool')}{in_part(snapshot)} · {fmt.plural(view.total_tool_calls, 'call')}"
        words += f" · {failing} failing" if failing else ""
        self.panel.set_summary(Plain(words))
        self.more.show(snapshot, self.selected)

    @property
    def stations(self) -> Sequence[Widget]:
        """The table and the lists, also those that come into sight only when they are entered."""
        return () if self.query(f".{ALONE}") else (self.table, *(one.table for one in self.more.lists))

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Bring the list that has the keyboard into sight."""
        self.more.attend(event.widget)

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter goes on into the lists, whose rows lead into runs."""
        if event.table is self.table:
            self.more.focus_lists()
