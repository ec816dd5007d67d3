"""Runs: every run there is, newest first, and the selected one beside the list."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from msgspec.structs import replace
from textual.app import ComposeResult

from buddy_core.runs.facts import RunFacts
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.listing.model import Listing, ListWants
from buddy_top.messages import OpenRun, WantsChanged
from buddy_top.panes.columns.fields import Field, Order
from buddy_top.panes.runs.fields import RUN_FIELDS, unread_cells, without_events
from buddy_top.panes.tablepane import TablePane
from buddy_top.panes.words import no_match
from buddy_top.run_view.view import RunDetailView
from buddy_top.state import Snapshot, Tab, Wants
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Table

if TYPE_CHECKING:
    from buddy_core.origins.model import Origin
    from buddy_core.runs.catalog.asking.pages import SortKey
    from buddy_core.runs.query.model import Query
    from buddy_core.runs.query.parser import Problem
    from buddy_top.commands import Need
    from buddy_top.export.documents import Document
    from buddy_top.export.sheet import Sheet
    from buddy_top.frame.workspace import Workspace
    from buddy_top.listing.filter_advice import Advice, Adviser

R = RunFacts

MOST_EXPORTED = 10_000
"""Runs written to one file; the command line writes any number."""

MARGIN = 128
"""Lines above and below those in sight that are read beforehand: a held key moves some thirty a second."""

_STEP = 64
"""What is in sight is asked for in steps of so many lines, so that moving by one asks for nothing."""


class RunsPane(TablePane[RunFacts]):
    """The list of runs; live ones on top, forks under their parents, enter opens one full screen."""

    TAB = Tab.RUNS
    ORDER = Order("started", True)
    DETAIL_BELOW = False
    FIELDS: ClassVar[Sequence[Field[R]]] = RUN_FIELDS

    def __init__(self) -> None:
        super().__init__()
        self.as_tree = True
        self.fitting: Query | None = None
        """What the list is filtered by: of a text with a mistake in it, what was in force before."""
        self.problem: Problem | None = None
        """The first mistake in the filter."""
        self.kept = False
        """The runs of the archive are listed, not those that are recorded."""
        self._listing: Listing | None = None
        self._asked = (0, 0)
        self._sought: str | None = None

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

    def key_of(self, row: R) -> str:
        """The run id."""
        return row.run_id

    def wants(self, base: Wants) -> Wants:
        """The run under the cursor, and the lines in sight."""
        self._asked = self._in_sight()
        wants = replace(base, run_id=self.table.cursor_key, listing=self.list_wants(*self._asked))
        return self.detail.wants(wants)

    def list_wants(self, first: int, last: int) -> ListWants:
        """The list as it was last chosen, with these lines of it."""
        sort = {"tools": "calls"}.get(self.order.key, self.order.key)
        return ListWants(
            self.fitting,
            cast("SortKey", sort),
            self.order.descending,
            self.as_tree,
            first,
            last,
            kept=self.kept,
        )

    def show(self, snapshot: Snapshot) -> None:
        """Hand over the ids; of the lines in sight those are read that are not known."""
        self._snapshot = snapshot
        listing = self._listing = snapshot.listing or self._listing
        if listing is None:
            self.table.set_empty(Plain("reading …"))
            return
        self._total = listing.total
        self.table.set_empty(self._empty_words(listing))
        self.table.set_source(listing.ids, self._render_row)
        self._go_to_sought(listing)
        if listing.current:
            self._show_summary(listing)
        self.detail.show(snapshot, self.selected)

    def _empty_words(self, listing: Listing) -> Plain:
        if listing.searching:
            return Plain("searching …")
        none = "no runs are kept: K keeps the run under the cursor" if self.kept else "no runs yet"
        return no_match(self._filter) if listing.total and self._filter else Plain(none)

    def _show_summary(self, listing: Listing) -> None:
        """How many there are and match, and how far the reading is."""
        self.panel.set_title(Plain("Kept runs" if self.kept else "Runs"))
        words = fmt.plural(listing.total, "run")
        if self.fitting is not None:
            matched = f"{fmt.count(len(listing.ids))} of {fmt.count(listing.total)} match"
            told = f": {shown(self._filter.strip(), limit=40)}" if self.problem is None else ""
            words = Plain(matched + told)
        parts = [words, *(shown(part, limit=100) for part in (listing.progress, listing.problem) if part)]
        self.panel.set_summary(Plain(" · ".join(parts)))

    def _render_row(self, index: int) -> list[Cell]:
        listing, snapshot = self._listing, self._snapshot
        if listing is None or snapshot is None:
            return []
        run_id = listing.ids[index]
        run = snapshot.by_id.get(run_id)
        if run is None:
            self._read_what_is_in_sight()
            return unread_cells(run_id, snapshot.taken_at)
        cells = self._row_cells(run)
        if run_id in listing.partial and not run.live:
            cells = without_events(cells)
        if run_id in snapshot.kept and not self.kept:
            cells[-1] = (Span(Plain("kept "), "ok"), *cells[-1])
        elif run_id in snapshot.leaving:
            cells[-1] = (Span(Plain("leaves next "), "warn"), *cells[-1])
        depth = min(listing.depths.get(run_id, 0), 4)
        if depth:
            branch = Plain("  " * (depth - 1) + "└ ")
            cells[-1] = (Span(branch, "dim"), *cells[-1])
        return cells

    def _in_sight(self) -> tuple[int, int]:
        """The lines to be read: those in sight, and a margin."""
        top, page = self.table.top, self.table.page or 40
        first = top // _STEP * _STEP - MARGIN
        return max(0, first), first + 2 * MARGIN + _STEP * (page // _STEP + 2)

    def _read_what_is_in_sight(self) -> None:
        if self._asked != self._in_sight():
            self._asked = self._in_sight()
            self.post_message(WantsChanged())

    @property
    def selected(self) -> R | None:
        """The run under the cursor; None while it has not been read."""
        key, snapshot = self.table.cursor_key, self._snapshot
        return None if key is None or snapshot is None else snapshot.by_id.get(key)

    @property
    def there(self) -> frozenset[Need]:
        """A filter, and numbers as soon as there is a run."""
        there: set[Need] = {"filter"} if self._filter else set()
        if self._total:
            there.add("numbers")
        return frozenset(there)

    @property
    def adviser(self) -> Adviser:
        """The language of filters, completed with the names that runs have."""
        return self._advise

    def _advise(self, text: str, cursor: int | None) -> Advice:
        from buddy_top.listing.filter_advice import advise

        return advise(text, cursor, self._snapshot.names if self._snapshot is not None else None)

    def origin_of(self, row: R, snapshot: Snapshot) -> Origin:
        """Where the numbers of a row come from."""
        from buddy_top.panes.origins import of_run

        return of_run(row, snapshot)

    async def step_view(self, step: int) -> None:
        """Timeline, metrics or artifacts."""
        await self.detail.step_view(step)

    def set_filter(self, text: str) -> None:
        """List what fits, as soon as it is known; a text with a mistake in it leaves the list as it is."""
        from buddy_core.runs.query.model import Word
        from buddy_core.runs.query.parser import parse

        self._filter = text
        parsed = parse(text)
        self.problem = parsed.problems[0] if parsed.problems else None
        if self.problem is None:
            self.fitting = parsed.query if parsed.query.terms else None
        words = (term for term in parsed.query.terms if not term.negated)
        marked = " ".join(term.condition.text for term in words if isinstance(term.condition, Word))
        self.table.highlight_matches(marked, each_word=True)
        self._ask_anew()

    def set_order(self, order: Order) -> None:
        """Sort by another column or the other way round; the cursor stays on its row."""
        super().set_order(order)
        self.post_message(WantsChanged())

    def toggle_grouping(self) -> None:
        """Tree or flat list."""
        self.as_tree = not self.as_tree
        self._ask_anew()

    def toggle_kept(self) -> None:
        """The runs of the archive, or those that are recorded."""
        self.kept = not self.kept
        self._listing = None
        self.table.marks = ()
        self.table.set_source([], self._render_row)
        self._ask_anew()

    def _ask_anew(self) -> None:
        self.redraw()
        self.post_message(WantsChanged())

    def reveal(self, key: str) -> None:
        """Put the cursor on a run as soon as it is listed, dropping a filter that hides it."""
        listing = self._listing
        if self._filter and (listing is None or key not in listing.ids):
            self.set_filter("")
        self.table.follow = False
        self._sought = key
        if listing is not None:
            self._go_to_sought(listing)

    def _go_to_sought(self, listing: Listing) -> None:
        if self._sought is not None and (self.table.move_to(self._sought) or listing.settled):
            self._sought = None

    def sheet(self) -> Sheet | None:
        """The first rows, as far as they have been read."""
        ids = () if self._listing is None else self._listing.ids[:MARGIN]
        by_id = {} if self._snapshot is None else self._snapshot.by_id
        return self.sheet_of([by_id[run_id] for run_id in ids if run_id in by_id])

    async def whole_sheet(self) -> Sheet | None:
        """All rows that are listed, at most `MOST_EXPORTED` of them; raises LookupError when they cannot be read."""
        ids = () if self._listing is None else self._listing.ids
        feed = cast("Workspace", self.app).feed
        runs = await asyncio.wrap_future(feed.read_runs(ids[:MOST_EXPORTED]))
        sheet = await asyncio.to_thread(self.sheet_of, runs)
        return replace(sheet, of=len(ids)) if len(ids) > MOST_EXPORTED else sheet

    def on_table_opened(self, event: Table.Opened) -> None:
        """Open the run under the cursor full screen."""
        if event.table is self.table and event.key is not None:
            self.post_message(OpenRun(event.key))
