"""A line to type a time of the run into."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from buddy_core.runs.timeline.index.eventindex import EventIndex
from buddy_core.runs.timeline.index.moments import moment_in_run
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.screens.card import Card
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.text.lines import Lines

_FORMS = Plain("14:05   +3m20s   -30s   50%   2026-01-08 14:05")


def ask_for_moment(app: App[object], index: EventIndex, events: int, go: Callable[[int], None]) -> None:
    """Ask for a time within the first `events` of a run, and go there."""

    def answered(at_ms: int | None) -> None:
        if at_ms is not None:
            go(at_ms)

    begin, end = index.first_at or index.times[0], index.times[events - 1]
    app.push_screen(MomentScreen(begin, end), answered)


class MomentScreen(Card[int | None]):
    """Answers with the time that was typed, in ms since the epoch, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "back", show=False)]

    def __init__(self, begin_ms: int, end_ms: int) -> None:
        super().__init__()
        self._begin_ms = begin_ms
        self._end_ms = end_ms

    def compose(self) -> ComposeResult:
        """The field, and what can be typed into it."""
        with Panel(classes="menu -wide") as panel:
            panel.set_title(Plain("go to a time"))
            span = f"{fmt.clock(self._begin_ms)} – {fmt.clock(self._end_ms)}"
            panel.set_summary(Plain(span))
            self.field = Input(compact=True)
            self.note = Lines(1)
            yield self.field
            yield self.note

    def on_mount(self) -> None:
        """Type at once."""
        self.note.set_lines([_note(wrong=False)])
        self.field.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.note.set_lines([_note(wrong=False)])

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value.strip():
            self.dismiss(None)
            return
        at_ms = moment_in_run(event.value, self._begin_ms, self._end_ms)
        if at_ms is None:
            self.note.set_lines([_note(wrong=True)])
        else:
            self.dismiss(at_ms)


def _note(*, wrong: bool) -> Cell:
    lead = (Span(Plain("no such time; try  "), "warn"),) if wrong else ()
    return (*lead, Span(_FORMS, "dim"))
