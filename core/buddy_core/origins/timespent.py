"""Where the parts of a run's time come from, and its numbers over time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from buddy_core import format as fmt
from buddy_core.origins.model import Figure, Origin
from buddy_core.runs.folding.turns import TURN_METRICS
from buddy_core.runs.numbers.runnumbers import RunNumbers
from buddy_core.runs.numbers.timespent import SILENCE_MS

_HOW = {
    "model": "at least one request on its way, by its latency, and no tool at work",
    "tools": "at least one call open: as long as its result says, else from its record to that of its result",
    "waiting": "a tool that asks a person, a suggested pause, or {silence} and longer without any event; nothing at work",
    "idle": "the rest: the agent itself, between two events",
    "unknown": "no request says how long it took, so what is no tool may have been the model, or nobody",
}


def origin_of_time(numbers: RunNumbers, runs_dir: Path) -> Origin:
    """The parts of the bar, and what the charts are made of."""
    own = f"{runs_dir / numbers.run_id / 'events.jsonl'}"
    turns = f"{runs_dir.parent / TURN_METRICS}: turns that lie in this run and in no other"
    return Origin(
        title="where the time went",
        about="one run",
        span="from its start to its end, its last event, or now; every moment is in one part, so that they add up",
        figures=tuple(_figures(numbers)),
        files=(own, turns) if numbers.from_turns else (own,),
        missing=tuple(_missing(numbers)),
    )


def _figures(numbers: RunNumbers) -> Iterator[Figure]:
    silence = fmt.duration(SILENCE_MS)
    for name, value in numbers.spent.parts:
        if value or name != "unknown":
            how = _HOW[name].format(silence=silence)
            yield Figure(name, name, str(fmt.duration(value)), "derived", how)


def _missing(numbers: RunNumbers) -> Iterator[str]:
    if silent := numbers.requests - numbers.timed_requests:
        yield f"{fmt.plural(silent, 'request')} that do not say how long they took"
    if numbers.unpriced:
        yield f"{fmt.plural(numbers.unpriced, 'request')} whose cost nobody knows"
    if open_calls := sum(use.open for use in numbers.tools):
        yield f"{fmt.plural(open_calls, 'call')} without a result: how long they took is known of none"
    if numbers.reading:
        yield "events that are still being read"
