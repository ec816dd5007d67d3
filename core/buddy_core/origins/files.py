"""Which files were read, over which stretch of time, and what could not be had of them."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core import format as fmt
from buddy_core.metrics.looking.model import WindowView
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import SourceStatus

_GRAIN = {Window.D7: "hour"}


def span_of(view: WindowView) -> str:
    """From when to when, exactly."""
    until = _exact(view.taken_at)
    if view.since_ms is None:
        return f"everything up to {until}, also what has no believable time"
    grain = _GRAIN.get(view.window, "minute")
    return f"{_exact(view.since_ms)} to {until} ({view.window.value}, begun on the whole {grain})"


def _exact(ms: int) -> str:
    at = fmt.local(ms)
    return str(fmt.UNKNOWN) if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def files_of(sources: SourceStatus, *, turns: bool) -> Iterator[str]:
    """The files behind every number; with `turns` also the one that only knows model requests."""
    read = f"{sources.loaded:,} of {sources.total:,} runs read"
    yield f"{sources.runs_dir}: events.jsonl, summary.json, metrics.json; {read}"
    if turns and sources.turn_metrics is not None:
        told = fmt.plural(sources.turn_requests, "request")
        yield f"{sources.turn_metrics}: {told}, with tokens and times, never a cost"
    if sources.history is not None and (sources.history_runs or sources.history_turns):
        kept = fmt.plural(sources.history_runs, "run") + " that are gone"
        if sources.history_turns:
            kept += f", {fmt.plural(sources.history_turns, 'request')} that are in no file any more"
        since = "" if sources.history_since_ms is None else f", since {_exact(sources.history_since_ms)}"
        yield f"{sources.history}: {kept}{since}"


def missing_of(sources: SourceStatus, *, turns: bool) -> Iterator[str]:
    """What could not be read, or belongs to nobody."""
    if sources.problem:
        yield sources.problem
    if sources.loaded < sources.total:
        yield f"{fmt.plural(sources.total - sources.loaded, 'run')} not read yet"
    if sources.unreadable:
        yield f"{fmt.plural(sources.unreadable, 'run')} that cannot be read at present; it is tried again"
    if sources.left_alone:
        older = fmt.plural(sources.left_alone, "older run")
        yield f"{older} left alone, all numbers are of {sources.part_of(None)} (watch_runs = 0 reads all)"
    if sources.history_loading:
        yield "the history is not read to its end yet"
    if sources.history_problem:
        yield f"history: {sources.history_problem}"
    if sources.skipped_lines or sources.recovered_lines:
        skipped = f"{fmt.plural(sources.skipped_lines, 'damaged line')} skipped"
        yield f"{skipped}, {fmt.plural(sources.recovered_lines, 'record')} recovered, in all files together"
    if sources.rejected_names:
        yield f"{fmt.plural(sources.rejected_names, 'entry', 'entries')} called run_… that hold no run"
    if turns and sources.ambiguous_turns:
        told = fmt.plural(sources.ambiguous_turns, "request")
        yield f"{told} of the turns could be of more than one run: counted here, in no run"
