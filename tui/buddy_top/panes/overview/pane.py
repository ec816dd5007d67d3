"""Overview: one look answers whether it is all right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from buddy_core.runs.facts import RunFacts
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.messages import OpenRun, OpenTab
from buddy_top.panes.alone import is_alone
from buddy_top.panes.base import Pane
from buddy_top.panes.columns.cells import age_cell, failures_cell, name_cell, number_cell
from buddy_top.panes.overview.activity import ActivityChart
from buddy_top.panes.overview.budget import BudgetLine
from buddy_top.panes.overview.running import RUNNING, running_cells
from buddy_top.panes.overview.tiles import TILES
from buddy_top.panes.overview.welcome import welcome_lines
from buddy_top.panes.providers.words import cost_text, provider_key
from buddy_top.panes.words import kind_words, nothing_in, within
from buddy_top.state import Snapshot, Tab
from buddy_top.widgets.charts.tile import Tile
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Column, Table
from buddy_top.widgets.text.view import TextView

if TYPE_CHECKING:
    from buddy_core.origins.model import Origin
    from buddy_top.commands import Need

_LONGEST_LIST = 50
"""Rows in a top list; the tab it opens has all of them."""

_TOOLS = (
    Column("tool", Plain("tool"), 9, grow=1, cut="name"),
    Column("calls", Plain("calls"), 5, align="right"),
    Column("failed", Plain("failed"), 6, align="right"),
    Column("avg", Plain("avg"), 7, align="right", priority=1),
)
_PROVIDERS = (
    Column("model", Plain("model"), 12, grow=1),
    Column("tokens", Plain("tokens"), 7, align="right"),
    Column("cost", Plain("cost"), 8, align="right", priority=2),
    Column("p95", Plain("p95"), 7, align="right", priority=1),
)
_ERRORS = (
    Column("count", Plain("n"), 4, align="right"),
    Column("message", Plain("message"), 10, grow=1),
    Column("last", Plain("last"), 5, align="right"),
)


class TopList(Panel):
    """A short table in a panel; enter opens its tab at the row."""

    def __init__(self, tab: Tab, title: str, columns: Sequence[Column], *, id: str) -> None:
        super().__init__(title=Plain(title), id=id)
        self._opens = tab
        self.table = Table(*columns)

    def compose(self) -> ComposeResult:
        """The table."""
        yield self.table

    def on_table_opened(self, event: Table.Opened) -> None:
        """Go to the tab that has the whole story."""
        event.stop()
        self.post_message(OpenTab(self._opens, event.key))


class OverviewPane(Pane):
    """Tiles, activity, what runs now, and three short lists."""

    TAB = Tab.OVERVIEW

    def __init__(self) -> None:
        super().__init__(id=self.TAB.value)
        self.tiles = {name: Tile(Plain(name), id=f"tile-{name.replace(' ', '-')}") for name in TILES}
        self.budget = BudgetLine()
        self.chart = ActivityChart()
        self.running = Table(*RUNNING, empty=Plain("no run is at work"))
        self.tools = TopList(Tab.TOOLS, "Tools", _TOOLS, id="top-tools")
        self.providers = TopList(Tab.PROVIDERS, "Models", _PROVIDERS, id="top-providers")
        self.errors = TopList(Tab.ERRORS, "Errors", _ERRORS, id="top-errors")
        self._live: Sequence[RunFacts] = ()

    def compose(self) -> ComposeResult:
        """Tiles above, then the chart, then lists."""
        self.welcome = TextView(id="welcome")
        yield self.welcome
        with Horizontal(id="tiles"):
            yield from self.tiles.values()
        yield self.budget
        self.chart_panel = Panel(self.chart, title=Plain("Activity"), id="activity")
        yield self.chart_panel
        self.running_panel = Panel(self.running, title=Plain("Running now"), id="running")
        yield self.running_panel
        with Horizontal(id="tops"):
            yield self.tools
            yield self.providers
            yield self.errors

    def show(self, snapshot: Snapshot) -> None:
        """Draw everything; each part repaints only what differs. Without any run a card says how to begin."""
        empty = snapshot.is_empty
        if empty is not self.has_class("-empty"):
            self.set_class(empty, "-empty")
            self.focus_main()  # what had the keyboard is hidden now
        if empty:
            self.welcome.set_lines(welcome_lines(snapshot))
            return
        for name, facts_of in TILES.items():
            self.tiles[name].show(facts_of(snapshot))
        self.budget.show_budgets(snapshot.budgets)
        self.chart.show_snapshot(snapshot)
        self.chart_panel.set_summary(Plain(f"tool calls and requests {within(snapshot)}"))
        self._show_running(snapshot)
        self._show_tools(snapshot)
        self._show_providers(snapshot)
        self._show_errors(snapshot)

    @property
    def there(self) -> frozenset[Need]:
        """Numbers, unless a card says how to begin."""
        numbers: frozenset[Need] = frozenset() if self.has_class("-empty") else frozenset({"numbers"})
        return super().there | numbers

    def origins(self, snapshot: Snapshot, focused: Widget | None) -> list[Origin]:
        """The tiles first, unless the cursor was put into a list; then its row."""
        from buddy_top.panes import origins

        view, whole = snapshot.view, super().origins(snapshot, focused)
        if focused is self.running:
            return [
                *whole,
                *(
                    origins.of_run(run, snapshot)
                    for run in self._live
                    if run.run_id == self.running.cursor_key
                ),
            ]
        if focused is self.tools.table:
            key = self.tools.table.cursor_key
            return [*(origins.of_tool(row, snapshot) for row in view.tools if row.name == key), *whole]
        if focused is self.providers.table:
            key = self.providers.table.cursor_key
            return [
                *(origins.of_provider(row, snapshot) for row in view.providers if provider_key(row) == key),
                *whole,
            ]
        key = self.errors.table.cursor_key if focused is self.errors.table else None
        return [*(origins.of_group(row, snapshot) for row in view.errors if row.fingerprint == key), *whole]

    def focus_main(self) -> None:
        """The keyboard starts in what runs now."""
        (self.welcome if self.has_class("-empty") else self.running).focus()

    def _show_running(self, snapshot: Snapshot) -> None:
        live = self._live = snapshot.at_work
        words = fmt.plural(len(live), "run")
        if snapshot.stalled:
            words = Plain(f"{words} · {snapshot.stalled} stalled")
        self.running_panel.set_summary(words)
        alone = is_alone(self.running_panel)
        self.running.styles.height = "1fr" if alone else max(2, min(len(live) + 1, 9))
        now, told = snapshot.taken_at, {alert.run_id for alert in snapshot.alerts}
        self.running.set_source(
            [run.run_id for run in live],
            lambda i: running_cells(live[i], now, told=live[i].run_id in told),
        )

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter on a running run opens it."""
        if event.table is self.running:
            self.post_message(OpenRun(event.key))

    def _show_tools(self, snapshot: Snapshot) -> None:
        rows = snapshot.view.tools[:_LONGEST_LIST]
        self.tools.set_summary(fmt.plural(len(snapshot.view.tools), "tool"))
        self.tools.table.set_empty(Plain("no tool has finished"))
        self.tools.table.set_source(
            [row.name for row in rows],
            lambda i: (
                name_cell(rows[i].name),
                number_cell(fmt.count_within(5, rows[i].total_calls)),
                failures_cell(rows[i].error_count, 6),
                number_cell(fmt.duration(rows[i].avg_duration_ms), "label"),
            ),
        )

    def _show_providers(self, snapshot: Snapshot) -> None:
        rows = snapshot.view.providers[:_LONGEST_LIST]
        self.providers.set_summary(fmt.plural(snapshot.view.total_requests, "request"))
        self.providers.table.set_empty(Plain("no model requests"))
        self.providers.table.set_source(
            [provider_key(row) for row in rows],
            lambda i: (
                name_cell(rows[i].model),
                number_cell(fmt.tokens(rows[i].total_tokens if rows[i].tokens_logged else None)),
                number_cell(cost_text(rows[i])),
                number_cell(fmt.duration(rows[i].p95_latency_ms), "label"),
            ),
        )

    def _show_errors(self, snapshot: Snapshot) -> None:
        rows = snapshot.view.errors[:_LONGEST_LIST]
        now = snapshot.taken_at
        self.errors.set_summary(fmt.plural(snapshot.view.total_errors, "error"))
        self.errors.table.set_empty(nothing_in(snapshot, "no errors"))
        self.errors.table.set_source(
            [row.fingerprint for row in rows],
            lambda i: (
                number_cell(fmt.count_within(4, rows[i].count), "bad"),
                name_cell(kind_words(rows[i].fingerprint, rows[i].latest.message)),
                age_cell(rows[i].last_at, now),
            ),
        )
