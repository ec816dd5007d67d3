"""One event of a run in full, over the timeline it comes from."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from buddy_core.errors import BuddyError
from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_core.safety.redact import redact
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_core.signs import STATE_SIGNS
from buddy_top.drawing import format as fmt
from buddy_top.run_view.timeline.event_text import Record, failed_words, raw, read_event, readable, records_of
from buddy_top.screens.card import Card
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.text.view import TextView

if TYPE_CHECKING:
    from buddy_top.export.sheet import Sheet
    from buddy_top.run_view.timeline.shown_rows import ShownRows


class EventScreen(Card[TimelineRow | None]):
    """The event of one row; `→` and `←` go to the next and the previous row, `J` shows the record itself.

    It is left with the row that was shown last.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "leave", "back", show=False),
        Binding("right,l", "step(1)", "next", show=False),
        Binding("left,h", "step(-1)", "previous", show=False),
        Binding("J", "toggle_raw", "raw", show=False),
        Binding("y,Y", "copy", "copy", show=False),
        Binding("x", "export", "export", show=False),
    ]

    def __init__(self, run_dir: Path, rows: ShownRows, at: int, *, as_raw: bool = False) -> None:
        super().__init__()
        self._run_dir = run_dir
        self._rows = rows
        self._at = at
        self._raw = as_raw
        self._row = rows.known(at)
        self._records: tuple[Record, ...] = ()

    def compose(self) -> ComposeResult:
        """One panel with the text."""
        with Panel(classes="card") as self.panel:
            self.text = TextView()
            yield self.text

    def on_mount(self) -> None:
        """Read the first one."""
        self.text.focus()
        self._read()

    def on_unmount(self) -> None:
        """Let go of the file."""
        self._rows.close()

    @property
    def row(self) -> TimelineRow | None:
        """The row that is shown; None until the first has been read."""
        return self._row

    def action_step(self, step: int) -> None:
        """The next row of the timeline, or the one before."""
        at = self._at + step
        if 0 <= at < len(self._rows):
            self._at = at
            self._read()

    def action_leave(self) -> None:
        """Back to the timeline, with the row that was shown last."""
        self.dismiss(self.row)

    def action_toggle_raw(self) -> None:
        """Readable, or as it stands in the file."""
        self._raw = not self._raw
        self._draw()

    def action_copy(self) -> None:
        """Copy the text, secrets masked."""
        self.app.copy_to_clipboard(redact(self.text.words())[: 64 * 1024])
        self.panel.set_summary(Plain("copied"))

    def action_export(self) -> None:
        """Write the event that is shown to a file: its words, or its records as they stand."""
        from buddy_top.export.actions import choose_export
        from buddy_top.frame.workspace import Workspace

        if isinstance(self.app, Workspace):
            choose_export(self.app, self._sheet)

    def _sheet(self) -> Sheet:
        from buddy_top.export.sheet import Sheet

        lines = [(line,) for line in self.text.words().splitlines()]
        return Sheet(title="event", columns=("event",), lines=lines, records=records_of(self._records))

    def _read(self) -> None:
        self.run_worker(self._read_and_draw(self._at), exclusive=True, group="event")

    async def _read_and_draw(self, at: int) -> None:
        self._row = await asyncio.to_thread(self._rows.read, at)
        try:
            self._records = await asyncio.to_thread(read_event, self._run_dir, self._row)
        except (OSError, BuddyError) as error:
            self._records = ()
            self._announce(self._row)
            self.text.set_lines(failed_words(error), keep_scroll=False)
            return
        self._draw()

    def _draw(self) -> None:
        if self._row is None:
            return
        self._announce(self._row)
        lines = raw(self._records) if self._raw else readable(self._records, self._row)
        self.text.set_lines(lines, keep_scroll=False)

    def _announce(self, row: TimelineRow) -> None:
        took = "" if row.duration_ms is None else f" · {fmt.duration(row.duration_ms)}"
        self.panel.set_title(
            Plain(
                f"{STATE_SIGNS[row.state]} {shown(row.title, limit=40)} · {fmt.relative(row.since_start_ms)}{took}"
            )
        )
        form = "readable" if self._raw else "raw"
        self.panel.set_summary(Plain(f"{self._at + 1:,} of {len(self._rows):,} · ← → · J {form} · esc"))
