"""Errors: what went wrong, grouped by cause, with the whole text of the selected one beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from msgspec.structs import replace
from textual.app import ComposeResult

from buddy_core.metrics.counting.fingerprint import fingerprint
from buddy_core.metrics.looking.model import ErrorGroup, Trend
from buddy_core.metrics.model import ErrorRecord
from buddy_core.runs.timeline.around import Moment
from buddy_core.safety.text import Plain, plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell
from buddy_top.messages import OpenRun
from buddy_top.panes.columns.fields import Field, Order
from buddy_top.panes.columns.kinds import age_field, count_field, name_field, trend_field
from buddy_top.panes.errors.detail import ErrorDetail
from buddy_top.panes.errors.text import error_lines
from buddy_top.panes.tablepane import TablePane
from buddy_top.panes.words import kind_words, within
from buddy_top.state import Snapshot, Tab, Wants
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Table

if TYPE_CHECKING:
    from buddy_core.origins.model import Origin
    from buddy_top.export.documents import Document


class ErrorRow(msgspec.Struct, frozen=True):
    """A group of like errors, or one of them: the table lists both the same way."""

    key: str
    type: str
    count: int
    first_at: int
    last_at: int
    run_ids: tuple[str, ...]
    latest: ErrorRecord

    @property
    def message(self) -> str:
        """The latest message's first words say it."""
        return kind_words(self.key, self.latest.message)

    @property
    def moment(self) -> Moment | None:
        """Where its events are looked for; None when it belongs to no run."""
        latest = self.latest
        return None if latest.run_id is None else Moment(latest.run_id, latest.timestamp, latest.message)

    @classmethod
    def of_group(cls, group: ErrorGroup) -> ErrorRow:
        """A group as it stands."""
        return cls(
            group.fingerprint,
            group.type,
            group.count,
            group.first_at,
            group.last_at,
            group.run_ids,
            group.latest,
        )

    @classmethod
    def of_record(cls, record: ErrorRecord, index: int) -> ErrorRow:
        """One error; `index` counts from the oldest retained one, so that keys survive new arrivals."""
        runs = (record.run_id,) if record.run_id is not None else ()
        key = f"{record.timestamp} {index} {record.type}"
        return cls(key, record.type, 1, record.timestamp, record.timestamp, runs, record)


class ErrorsPane(TablePane[ErrorRow]):
    """Groups of errors, latest first; `t` lists them one by one."""

    TAB = Tab.ERRORS
    ORDER = Order("last", True)
    LIST_PART = 0.4
    FIELDS: ClassVar[Sequence[Field[ErrorRow]]] = (
        count_field("count", 6, lambda r: r.count, ink="bad"),
        age_field("last", 5, lambda r: r.last_at),
        age_field("first", 5, lambda r: r.first_at, priority=2),
        count_field("runs", 5, lambda r: len(r.run_ids), priority=1),
        name_field("type", 12, lambda r: r.type, ink="label"),
        name_field("message", 26, lambda r: r.message, grow=1),
    )

    def __init__(self) -> None:
        super().__init__()
        self.fields = (*self.FIELDS[:4], trend_field(self.trend_of, priority=3, ink="bad"), *self.FIELDS[4:])
        self.grouped = True
        self._shown: str | None = None

    def compose(self) -> ComposeResult:
        """The table, and the selected error in depth."""
        with Panel(id="errors-list") as self.panel:
            yield self.table
        self.more = ErrorDetail()
        yield self.more

    def rows_of(self, snapshot: Snapshot) -> Sequence[ErrorRow]:
        """Groups, or single errors newest first."""
        if self.grouped:
            return [ErrorRow.of_group(group) for group in snapshot.view.errors]
        newest_first = snapshot.recent_errors
        return [ErrorRow.of_record(e, len(newest_first) - i) for i, e in enumerate(newest_first)]

    def key_of(self, row: ErrorRow) -> str:
        """The fingerprint, or the error's own key."""
        return row.key

    def text_of(self, row: ErrorRow) -> str:
        """Type, message and runs."""
        return f"{row.type} {row.message} {' '.join(row.run_ids)}"

    def name_of(self, row: ErrorRow) -> str:
        """The whole message."""
        return row.message

    def record_of(self, row: ErrorRow) -> Document:
        """The row, with its latest error whole."""
        from buddy_core.runs.viewing.entries import fields_of

        return {**fields_of(row), "latest": fields_of(row.latest)}

    def wants(self, base: Wants) -> Wants:
        """The trend and the records of the group under the cursor, or of the one its error belongs to."""
        row = self.selected
        key = self.table.cursor_key if self.grouped else None if row is None else _kind_of(row)
        return replace(
            base,
            series=("error", key) if key is not None else None,
            trends="error",
            around=row.moment if row is not None and self.more.shows_around else None,
        )

    def trend_of(self, row: ErrorRow) -> Trend | None:
        """Of its kind."""
        trends = self._snapshot.trends if self._snapshot is not None else {}
        return trends.get(row.key if self.grouped else _kind_of(row))

    def set_filter(self, text: str) -> None:
        """Filter, and mark in the text what was looked for."""
        super().set_filter(text)
        self.more.text.highlight_matches(text, each_word=True)

    def failing(self, row: ErrorRow) -> bool:
        """Each of them is a failure."""
        return True

    def origin_of(self, row: ErrorRow, snapshot: Snapshot) -> Origin:
        """Where the numbers of a row come from."""
        from buddy_core.origins.errors import origin_of_errors

        title, numbers = f"{row.type} {row.message}", (row.count, row.first_at, row.last_at, len(row.run_ids))
        slice_ms = snapshot.series.bucket_ms if snapshot.series is not None else 0
        view, sources = snapshot.view, snapshot.sources
        return origin_of_errors(title, *numbers, view, sources, grouped=self.grouped, slice_ms=slice_ms)

    def empty_words(self, snapshot: Snapshot) -> Plain:
        """Good news, and how far it reaches."""
        return Plain(f"no errors {within(snapshot)}")

    def toggle_grouping(self) -> None:
        """Groups, or one row for each error."""
        self.grouped = not self.grouped
        self.redraw()

    def show_more(self, snapshot: Snapshot) -> None:
        """The panel's words, the trend and the whole text."""
        view = snapshot.view
        self.panel.set_title(Plain("Errors" if self.grouped else "Errors, one by one"))
        kinds = f"{fmt.plural(len(view.errors), 'kind')} · " if view.errors else ""
        self.panel.set_summary(Plain(f"{kinds}{fmt.count(view.total_errors)} {within(snapshot)}"))
        more, row = self.more, self.selected
        more.chart_panel.set_title(Plain("Trend" if self.grouped else "Trend of its kind"))
        if row is None or snapshot.wants.series == ("error", row.key if self.grouped else _kind_of(row)):
            more.chart.show_snapshot(snapshot)
        more.text_panel.set_title(
            plain(row.type, limit=40) if row is not None else Plain("no error selected")
        )
        opens = row is not None and row.latest.run_id in snapshot.by_id
        more.text_panel.set_summary(Plain("enter opens the run" if opens else ""))
        run = snapshot.by_id.get(row.latest.run_id or "") if row is not None else None
        more.around.show(
            row.moment if row is not None else None, snapshot.around, run, selected=row is not None
        )
        more.show_runs(
            snapshot, row.run_ids if row is not None else (), row.latest if row is not None else None
        )
        key = row.key if row is not None else None
        story = self._story(row, snapshot) if row is not None else []
        more.text.set_lines(story, keep_scroll=key == self._shown)
        self._shown = key

    def _story(self, row: ErrorRow, snapshot: Snapshot) -> list[Cell]:
        runs = [snapshot.by_id[run_id] for run_id in row.run_ids if run_id in snapshot.by_id]
        return error_lines(
            row.latest,
            count=row.count,
            first_at=row.first_at,
            runs=() if self.more.lists_runs else runs,
            now_ms=snapshot.taken_at,
        )

    def on_table_opened(self, event: Table.Opened) -> None:
        """Go to the run in which the selected error happened last, at that moment."""
        row = self.selected
        if event.table is self.table and row is not None and row.latest.run_id is not None:
            self.post_message(OpenRun(row.latest.run_id, row.latest.timestamp))


def _kind_of(row: ErrorRow) -> str:
    """The key of the group a single error belongs to."""
    return fingerprint(row.type, row.message)
