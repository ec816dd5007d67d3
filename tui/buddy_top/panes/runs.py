"""Runs: every run there is, newest first, and the selected one beside the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult

from buddy_core.runs.model import RunFacts
from buddy_core.safety.text import Plain
from buddy_top import format as fmt
from buddy_top.cells import Cell, Span
from buddy_top.messages import OpenRun
from buddy_top.panes.base import TablePane
from buddy_top.panes.cells import failures_cell, number_cell, run_cell
from buddy_top.panes.family import as_families
from buddy_top.panes.fields import Field, Order
from buddy_top.panes.kinds import count_field, number_field
from buddy_top.run_view.heading import took, took_ms
from buddy_top.run_view.view import RunDetailView
from buddy_top.state import Snapshot, Tab, Wants
from buddy_top.states import status_cell
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table import Column, Table

if TYPE_CHECKING:
    from buddy_core.origins.model import Origin
    from buddy_top.documents import Document

R = RunFacts


STATUS_ORDER = ("running", "stalled", "interrupted", "failed", "cancelled", "completed")
"""What needs a person first."""


def _rank(run: R) -> int:
    return STATUS_ORDER.index(run.status)


class RunsPane(TablePane[RunFacts]):
    """The list of runs; live ones on top, forks under their parents, enter opens one full screen."""

    TAB = Tab.RUNS
    ORDER = Order("started", True)
    DETAIL_BELOW = False
    FIELDS: ClassVar[Sequence[Field[R]]] = (
        Field(
            Column("sign", Plain(""), 1, sortable=False),
            lambda r, _: status_cell(r.status, False),
            _rank,
            still=True,
        ),
        Field(
            Column("status", Plain("status"), 11, priority=9),
            lambda r, _: status_cell(r.status)[1:],
            _rank,
            False,
            still=True,
        ),
        Field(
            Column("started", Plain("started"), 12, align="right"),
            lambda r, now: number_cell(fmt.date_time(r.started_at, now), "label"),
            lambda r: r.started_at,
        ),
        Field(
            Column("took", Plain("took"), 7, align="right"),
            lambda r, now: number_cell(took(r, now)),
            lambda r: r.duration_ms,
            moving=took_ms,
        ),
        number_field("tokens", 7, lambda r: r.total_tokens, fmt.tokens, priority=3),
        Field(
            Column("cost", Plain("cost"), 8, align="right", priority=2),
            lambda r, _: number_cell(fmt.cost_of(r)),
            lambda r: r.total_cost,
            still=True,
        ),
        count_field("tools", 5, lambda r: r.tool_calls, priority=1),
        Field(
            Column("failed", Plain("fail"), 4, align="right", priority=1),
            lambda r, _: failures_cell(r.tool_failures + r.errors, 4),
            lambda r: r.tool_failures + r.errors,
            still=True,
        ),
        Field(
            Column("objective", Plain("objective"), 16, grow=1),
            lambda r, _: run_cell(r),
            lambda r: r.objective.casefold(),
            False,
            still=True,
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self.as_tree = True
        self._depths: dict[str, int] = {}
        self._leaving: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """List and detail; the style sheet puts them side by side or one above the other."""
        with Panel(id="runs-list") as self.panel:
            yield self.table
        self.detail = RunDetailView(id="runs-detail")
        yield self.detail

    def record_of(self, row: R) -> Document:
        """As `run list --json` writes it."""
        from buddy_core.runs.viewing.entries import run_entry

        return run_entry(row)

    def rows_of(self, snapshot: Snapshot) -> Sequence[R]:
        """Every run, whatever the window: the window is about numbers, this list is about runs."""
        self._leaving = snapshot.leaving
        return snapshot.runs

    def key_of(self, row: R) -> str:
        """The run id."""
        return row.run_id

    def text_of(self, row: R) -> str:
        """Objective, id, status, tags, model and artifacts."""
        parts = (row.objective, row.run_id, row.status, row.model or "", *row.tags, *row.artifacts)
        return " ".join(parts)

    def reorder(self, rows: list[R]) -> list[R]:
        """Live runs on top, then forks under their parents."""
        if self.order.key == "started" and self.order.descending:
            rows = sorted(rows, key=lambda run: not run.live)
        if not self.as_tree:
            self._depths = {}
            return rows
        families = as_families(rows)
        self._depths = {run.run_id: depth for run, depth in families}
        return [run for run, _ in families]

    def _render_row(self, index: int) -> list[Cell]:
        cells: list[Cell] = super()._render_row(index)
        run = self._rows[index]
        if run.run_id in self._leaving:
            cells[-1] = (Span(Plain("leaves next "), "warn"), *cells[-1])
        depth = min(self._depths.get(run.run_id, 0), 4)
        if depth:
            branch = Plain("  " * (depth - 1) + "└ ")
            cells[-1] = (Span(branch, "dim"), *cells[-1])
        return cells

    def wants(self, base: Wants) -> Wants:
        """The run under the cursor."""
        return self.detail.wants(replace(base, run_id=self.table.cursor_key))

    def origin_of(self, row: R, snapshot: Snapshot) -> Origin:
        """Where the numbers of a row come from."""
        from buddy_top.panes.origins import of_run

        return of_run(row, snapshot)

    def empty_words(self, snapshot: Snapshot) -> Plain:
        """Nothing recorded yet."""
        return Plain("no runs yet")

    async def step_view(self, step: int) -> None:
        """Timeline, metrics or artifacts."""
        await self.detail.step_view(step)

    def toggle_grouping(self) -> None:
        """Tree or flat list."""
        self.as_tree = not self.as_tree
        self.redraw()

    def show_more(self, snapshot: Snapshot) -> None:
        """The panel's words and the selected run."""
        self.panel.set_title(Plain("Runs"))
        found = (
            f"{fmt.count(len(self._rows))} of {fmt.count(self._total)} match"
            if self.filter_text
            else fmt.plural(self._total, "run")
        )
        if snapshot.sources.loaded < snapshot.sources.total:
            found = f"reading {snapshot.sources.loaded} of {snapshot.sources.total} …"
        self.panel.set_summary(Plain(found))
        self.detail.show(snapshot, self.selected)

    def on_table_opened(self, event: Table.Opened) -> None:
        """Open the run under the cursor full screen."""
        if event.table is self.table and event.key is not None:
            self.post_message(OpenRun(event.key))
