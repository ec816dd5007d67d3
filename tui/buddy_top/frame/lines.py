"""What the lines around the panes say, as pure functions of the snapshot: header, tabs, footer, size."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textual.screen import Screen
from textual.widget import Widget

from buddy_core.metrics.window import Window
from buddy_core.safety.text import Plain, plain
from buddy_top.commands import COMMANDS, Command, Need, Place, commands_at, footer_at, possible
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Span
from buddy_top.state import Snapshot, Tab
from buddy_top.widgets.headerline import HeaderFields
from buddy_top.widgets.tabline import TabLabel

if TYPE_CHECKING:
    from buddy_top.past.view import PastView

HeaderState = Literal["live", "paused", "busy", "trouble", "past"]

_AXIS_COLUMNS = 10
"""Columns of a full-width chart that are not slices of time: border, padding and the axis."""

_ACTIONS: dict[str, list[Command]] = {}
for _command in COMMANDS:
    _ACTIONS.setdefault(_command.action.split("(")[0], []).append(_command)


def action_is_at(action: str, place: Place, *, past: bool = False) -> bool:
    """True when some command with this action works at `place`, or when it is no command of ours.

    `past` says that the past is looked at. Travelling begins in a run.
    """
    commands = _ACTIONS.get(action)
    return commands is None or any(
        place in command.places and (command.needs is None or command.needs in possible(place, past=past))
        for command in commands
    )


def slices_for(width: int) -> int:
    """One slice of time for each column a full-width chart has."""
    return max(20, min(240, width - _AXIS_COLUMNS))


def any_activity(snapshot: Snapshot) -> bool:
    """True when something happened within the window."""
    view = snapshot.view
    return bool(view.total_requests or view.total_tool_calls or view.total_errors or view.unattributed_tokens)


def footer_keys(
    place: Place,
    commands: Sequence[Command] = COMMANDS,
    *,
    there: Container[Need] | None = None,
    empty: bool = False,
) -> list[tuple[str, str, str]]:
    """Key, word and action of what the footer shows; `empty` is said while there is no run at all."""
    shown = footer_at(place, commands, there)
    if empty:
        shown = [
            command for command in commands_at(place, commands) if command.id in ("demo", "help", "quit")
        ]
    return [(command.key_text, command.word, command.action) for command in shown]


def step_focus(screen: Screen[object], pane: Widget, step: int, chain: Sequence[Widget] = ()) -> None:
    """Move the focus by `step` among the widgets of `pane` that take the keyboard, going round.

    A `chain` names them, also those that only come into sight when they have it.
    """
    chain = chain or [widget for widget in screen.focus_chain if pane in widget.ancestors]
    if chain:
        focused = screen.focused
        at = chain.index(focused) if focused is not None and focused in chain else -step
        screen.set_focus(chain[(at + step) % len(chain)])  # at once: the next key may be here already


def first_fields(runs_dir: Path, window: Window, *, home: Path | None, demo: bool = False) -> HeaderFields:
    """What the header says before anything was read: where it looks, and how far back."""
    return HeaderFields(
        path=Plain("") if demo else _short_path(runs_dir, home),
        demo=demo,
        state="busy",
        state_words=Plain("reading"),
        windows=tuple(windows_line(window)),
    )


def windows_line(chosen: Window) -> list[tuple[str, bool]]:
    """The windows in their order, and whether each is the chosen one."""
    return [(window.value, window is chosen) for window in Window]


def header_fields(
    snapshot: Snapshot,
    window: Window,
    *,
    home: Path | None,
    demo: bool = False,
    tz: tzinfo | None = None,
    playing: str = "",
    now_ms: int | None = None,
    use: tuple[Span, ...] = (),
) -> HeaderFields:
    """The header's facts. A demonstration says that it is one in the place of its temporary directory.

    The clock has no seconds, for a line that changes every second is never at rest.
    """
    state, state_words = _state(snapshot)
    state_short = Plain("")
    if snapshot.past is not None:
        state, state_words, state_short = (
            "past",
            *past_words(snapshot.past, now_ms or snapshot.taken_at, playing, tz),
        )
    rate = None if snapshot.view.total_cost is None else snapshot.state.cost_per_hour
    estimated = snapshot.state.estimated_cost_per_hour is not None
    return HeaderFields(
        path=Plain("") if demo else _short_path(snapshot.sources.runs_dir, home),
        demo=demo,
        state=state,
        state_words=state_words,
        state_short=state_short,
        running=snapshot.running,
        stalled=snapshot.stalled,
        alerts=len(snapshot.alerts),
        alerts_bad=any(alert.severity == "bad" for alert in snapshot.alerts),
        windows=tuple(windows_line(window)),
        cost=fmt.cost_of(snapshot.view),
        cost_rate=fmt.cost_rate(rate, estimated=estimated) if rate is not None else Plain(""),
        clock=fmt.clock(snapshot.taken_at, tz, seconds=False),
        use=use,
    )


def _state(snapshot: Snapshot) -> tuple[HeaderState, Plain]:
    from buddy_core.runs.watching.census import NOT_THERE_YET

    sources = snapshot.sources
    if snapshot.paused:
        words = f"paused, {fmt.plural(snapshot.behind, 'change')} behind" if snapshot.behind else "paused"
        return "paused", Plain(words)
    if sources.problem == NOT_THERE_YET:
        return "busy", Plain("waiting for the first run")
    if sources.problem:
        return "trouble", plain(sources.problem, limit=60)
    if sources.loaded < sources.total:
        return "busy", Plain(f"reading {sources.loaded:,} of {sources.total:,} runs")
    if sources.history_loading:
        return "busy", Plain("reading the history")
    polling = ", polling" if sources.mode == "polling" else ""
    if sources.unreadable:
        return "trouble", Plain(f"live{polling}, {fmt.plural(sources.unreadable, 'run')} unreadable")
    return "live", Plain(f"live{polling}")


def past_words(past: PastView, now_ms: int, playing: str, tz: tzinfo | None = None) -> tuple[Plain, Plain]:
    """Which moment is shown, in full and in short; `playing` says how fast time goes on, empty while it stands."""
    at = past.moment.at_ms
    when = fmt.clock(at, tz)
    if fmt.day(at, tz) != fmt.day(now_ms, tz):
        when = Plain(f"{fmt.day(at, tz)} {when}")
    full = f"the past: {when} · event {past.events:,} of {past.total:,}"
    short = f"past {when} · {past.events:,}/{past.total:,}"
    if playing:
        full, short = f"{full} · ▶ {playing}", f"{short} ▶ {playing.split(',')[0]}"
    if past.reading is not None and past.reading[1]:
        full += f" · reading {past.reading[0]:,} of {fmt.plural(past.reading[1], 'run')}"
        short += " …"
    return Plain(full), Plain(short)


def _short_path(path: Path, home: Path | None) -> Plain:
    text = str(path)
    if home is not None and path.is_relative_to(home):
        text = "~/" + str(path.relative_to(home))
    return plain(text)


def tab_labels(snapshot: Snapshot | None) -> list[TabLabel]:
    """The five tabs; errors and runs carry how many there are."""
    counts = _counts(snapshot)
    return [
        TabLabel(
            tab.value,
            Plain(str(tab.number)),
            Plain(tab.value.capitalize()),
            counts.get(tab),
            "bad" if tab is Tab.ERRORS else "dim",
        )
        for tab in Tab
    ]


def _counts(snapshot: Snapshot | None) -> dict[Tab, Plain]:
    if snapshot is None:
        return {}
    view = snapshot.view
    counts = {
        Tab.PROVIDERS: len(view.providers),
        Tab.TOOLS: len(view.tools),
        Tab.ERRORS: view.total_errors,
        Tab.RUNS: snapshot.sources.found,
    }
    return {tab: fmt.count(count) for tab, count in counts.items() if count}
