"""What the two lines at the top say, as pure functions of the snapshot: the header and the tabs."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from buddy_core.metrics.window import Window
from buddy_core.safety.text import Plain, plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Span
from buddy_top.state import Snapshot, Tab
from buddy_top.widgets.frame.header import HeaderFields
from buddy_top.widgets.frame.tabs import TabLabel

if TYPE_CHECKING:
    from buddy_top.past.view import PastView

HeaderState = Literal["live", "paused", "busy", "trouble", "past"]


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
