"""The header: where it reads, whether it is live, what runs, the window, what it costs, the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
from textual import events
from textual.message import Message

from buddy_core.safety.text import Plain
from buddy_core.signs import STATE_SIGNS
from buddy_top.drawing.cells import Span, cut_left
from buddy_top.drawing.states import PAST, PAUSED, STATE_INKS
from buddy_top.widgets.frame.line import FrameLine, Piece, blank, words

LEAST_PATH = 12
"""Columns below which a shortened path says nothing any more."""

ALERTS = "alerts"
"""What a click on their number means."""

USE = "use"
"""What a click on what the monitor uses means."""

_NOTHING = Plain("")


class HeaderFields(msgspec.Struct, frozen=True):
    """What the header says; an empty text is left out."""

    path: Plain = _NOTHING
    demo: bool = False
    """It is the demonstration, and its directory is nobody's; said in the place of the path."""
    state: Literal["live", "paused", "busy", "trouble", "past"] = "live"
    state_words: Plain = _NOTHING
    """`live`, `paused, 214 events behind`, `reading 12 of 30 runs`, `polling`, `no such directory`."""
    state_short: Plain = _NOTHING
    """The same in fewer letters, for where room is short; empty where there are none to spare."""
    running: int = 0
    stalled: int = 0
    alerts: int = 0
    alerts_bad: bool = False
    """One of them at least is more than a hint."""
    windows: tuple[tuple[str, bool], ...] = ()
    """Every window in its order, and whether it is the chosen one."""
    cost: Plain = _NOTHING
    cost_rate: Plain = _NOTHING
    clock: Plain = _NOTHING
    use: tuple[Span, ...] = ()
    """What the monitor itself uses, the most telling first; empty while that is not asked for."""


_STATE_SIGNS = {
    "live": (STATE_SIGNS["running"], "ok"),
    "paused": (PAUSED, "warn"),
    "busy": ("◌", "info"),
    "trouble": ("▲", "bad"),
    "past": (PAST, "warn"),
}


class HeaderLine(FrameLine):
    """One line of facts; a click on a window of time chooses it."""

    class WindowClicked(Message):
        """The window `name` was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class AlertsClicked(Message):
        """The number of alerts was clicked."""

    class UseClicked(Message):
        """What the monitor itself uses was clicked."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._fields = HeaderFields()

    def set_fields(self, fields: HeaderFields) -> None:
        """Show these facts."""
        if fields != self._fields:
            self._fields = fields
            self.update_pieces()

    def pieces(self, width: int) -> tuple[Piece, ...]:
        """As many facts as fit."""
        return header_pieces(self._fields, width)

    def on_click(self, event: events.Click) -> None:
        """Choose the window under the mouse, or look at the alerts."""
        target = self.target_at(event.x)
        if target == ALERTS:
            self.post_message(self.AlertsClicked())
        elif target == USE:
            self.post_message(self.UseClicked())
        elif target is not None:
            self.post_message(self.WindowClicked(target))


def header_pieces(fields: HeaderFields, width: int) -> tuple[Piece, ...]:
    """The header in `width` columns: short of room it loses the clock, the path, the burn rate, and so on down `_STEPS`.

    Alerts are never given up. The path is shortened from its left before it is dropped. Left and right groups keep to their edges, so
    that nothing moves while numbers change.
    """
    for step in _STEPS if fields.use else _STEPS_WITHOUT_USE:
        left = _left(fields, step.without, "")
        right = _right(fields, step)
        room = width - _width(left) - _width(right) - 4
        path = "" if "path" in step.without else fields.path
        least = len(path) + 3 if step.use > _SHORT_USE else min(len(path), LEAST_PATH) + 3
        if path and room >= least:
            left = _left(fields, step.without, cut_left(path, room - 3))
        elif path or room < 0:
            continue
        gap = width - _width(left) - _width(right) - 1
        return (*left, blank(gap), *right, blank(1))
    return tuple(_left(fields, _STEPS[-1].without, ""))


class _Step(NamedTuple):
    """How much is said where there is so much room and no more."""

    without: frozenset[str]
    """What is left out."""
    use: int
    """How many of the words about the monitor itself are said."""


_SHORT_USE = 2
"""Words about the monitor itself, processor and memory, that go before the full path; further ones come after it."""


_FALLS: tuple[str | int, ...] = (
    "clock",
    2,
    "path",
    "rate",
    "short",
    "others",
    1,
    "words",
    0,
    "counts",
    "demo",
)
"""What goes, one after the other; a number is how many words about the monitor itself stay."""


def _steps() -> list[_Step]:
    """From everything down to what the numbers mean."""
    without: frozenset[str] = frozenset()
    steps = [_Step(without, 99), _Step(without, 3)]
    for fall in (*_FALLS, "cost", "windows"):
        use = fall if isinstance(fall, int) else steps[-1].use
        without |= frozenset() if isinstance(fall, int) else {fall}
        steps.append(_Step(without, use))
    return steps


_STEPS = _steps()
_STEPS_WITHOUT_USE = [_Step(without, 0) for without in dict.fromkeys(step.without for step in _STEPS)]


def _width(pieces: list[Piece]) -> int:
    return sum(piece.width for piece in pieces)


def _left(fields: HeaderFields, dropped: frozenset[str], path: str) -> list[Piece]:
    sign, ink = _STATE_SIGNS[fields.state]
    pieces = [blank(1), words("buddy-top", "strong"), blank(2)]
    if fields.demo and "demo" not in dropped:
        path = Plain("demo")
    if path:
        pieces += [words(path, "label"), blank(3)]
    told = fields.state_short if fields.state_short and "short" in dropped else fields.state_words
    pieces += [words(f"{sign} ", ink), Piece((Span(told, ink),))]
    if "counts" not in dropped:
        for number, word, state in (
            (fields.running, "running", "running"),
            (fields.stalled, "stalled", "stalled"),
        ):
            if number:
                short = "words" in dropped
                counted = f"{STATE_SIGNS[state]} {number:,}" if short else f"{number:,} {word}"
                pieces += [blank(2), words(counted, STATE_INKS[state])]
    if fields.alerts:
        noun = "alert" if fields.alerts == 1 else "alerts"
        ink = "bad" if fields.alerts_bad else "warn"
        pieces += [blank(2), words(f"▲ {fields.alerts:,} {noun}", ink, ALERTS)]
    return pieces


def _right(fields: HeaderFields, step: _Step) -> list[Piece]:
    dropped = step.without
    groups: list[list[Piece]] = []
    if use := fields.use[: step.use]:
        groups.append(_use(use))
    if "windows" not in dropped and fields.windows:
        shown = [window for window in fields.windows if window[1] or "others" not in dropped]
        groups.append(_windows(shown))
    money = []
    if fields.cost and "cost" not in dropped:
        money.append(words(fields.cost, "strong"))
        if fields.cost_rate and "rate" not in dropped:
            money += [blank(2), words(fields.cost_rate, "label")]
        groups.append(money)
    if fields.clock and "clock" not in dropped:
        groups.append([words(fields.clock, "dim")])
    pieces: list[Piece] = []
    for group in groups:
        pieces += [blank(3), *group] if pieces else group
    return pieces


def _use(spans: Sequence[Span]) -> list[Piece]:
    """`cpu  0.8 %  88.3 MB`: a click explains the numbers."""
    pieces: list[Piece] = []
    for span in spans:
        pieces += [blank(2)] if pieces else []
        pieces.append(Piece((span,), USE))
    return pieces


def _windows(windows: Sequence[tuple[str, bool]]) -> list[Piece]:
    """`15m 1h [24h] 7d all`: the brackets say which is chosen where colour cannot."""
    pieces: list[Piece] = []
    for name, chosen in windows:
        spans = (Span(Plain(f"[{name}]"), "accent"),) if chosen else (Span(Plain(f" {name} "), "dim"),)
        pieces.append(Piece(spans, name))
    return pieces
