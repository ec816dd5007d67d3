"""The events of one run: what is damaged, what does not fit together, and what the clock did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from buddy_core import format as fmt
from buddy_core.runs.checkup.finding import Finding
from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.reading.accounting import Accounting
from buddy_core.runs.reading.tail import FileTail
from buddy_core.runs.records.wire import WireEvent, payload
from buddy_core.runs.timeline.event_words import call_id, text, tool_name
from buddy_core.safety.text import plain

KNOWN_TYPES = frozenset(
    (
        "run_start",
        "run_end",
        "step_start",
        "step_end",
        "tool_call",
        "tool_result",
        "decision",
        "error",
        "patch_created",
        "patch_applied",
        "metric",
        "lesson_added",
        "lesson_candidate_proposed",
        "skill_selected",
        "pause_suggested",
        "context_snapshot",
    )
)
"""What a writer is known to send; others are kept and shown all the same."""

FUTURE_MS = 5 * 60_000
"""Clocks of two machines may differ by this much; an event further ahead is from a wrong one."""

_LOSSES = ("torn record", "no JSON", "no record", "too long")
"""Words of the notes that mean that something recorded is gone; of what else was skipped nothing is missed."""

_MAX_OPEN = 100_000
_MAX_TYPES = 1_000
_SHOWN = 5


class Census:
    """What one pass over the events of a run counted."""

    def __init__(self, now_ms: int) -> None:
        self.events = 0
        self.last_at = 0
        self.said_end: str | None = None
        """The status of the last `run_end`."""
        self.after_end = 0
        self.strays = 0
        """Records that claim another run."""
        self.unanswered: dict[str | int, str] = {}
        """Calls without a result, by id, with their tool."""
        self.uncalled = 0
        self.types: Counter[str] = Counter()
        self.backwards = 0
        self.furthest_back_ms = 0
        self.future = 0
        self._now_ms = now_ms

    def take(self, event: WireEvent, run_id: str) -> None:
        """Count one event, in the order of the file."""
        self.events += 1
        self.strays += event.run_id not in (None, run_id)
        self._note_time(event.ts)
        if event.type not in KNOWN_TYPES and (event.type in self.types or len(self.types) < _MAX_TYPES):
            self.types[event.type] += 1
        if event.type == "tool_call":
            self._call(payload(event.data))
        elif event.type == "tool_result":
            self._result(payload(event.data))
        elif event.type == "run_end":
            self.said_end, self.after_end = text(payload(event.data).get("status")) or "completed", 0
        elif self.said_end is not None:
            self.after_end += 1

    def _note_time(self, at_ms: int) -> None:
        if at_ms < self.last_at:
            self.backwards += 1
            self.furthest_back_ms = max(self.furthest_back_ms, self.last_at - at_ms)
        self.last_at = max(self.last_at, at_ms)
        self.future += at_ms > self._now_ms + FUTURE_MS

    def _call(self, data: dict[str, object]) -> None:
        if len(self.unanswered) < _MAX_OPEN:
            self.unanswered[call_id(data) or self.events] = tool_name(data)

    def _result(self, data: dict[str, object]) -> None:
        key = call_id(data)
        if key is None or key not in self.unanswered:
            name = tool_name(data)
            same = (
                k
                for k, tool in self.unanswered.items()
                if tool == name and (key is None or isinstance(k, int))
            )
            key = next(same, None)  # type: ignore[assignment]
        if key is None:
            self.uncalled += 1
        else:
            del self.unanswered[key]


def take_census(root: Path, run_id: str, *, now_ms: int) -> tuple[Census, Accounting]:
    """Read all events of a run once; a file that is replaced meanwhile is counted from its beginning."""
    tail = FileTail(root, run_id, EVENTS_NAME)
    census = Census(now_ms)
    try:
        while True:
            change = tail.poll()
            if change.reset:
                census = Census(now_ms)
            for event in change.batch.events:
                census.take(event, run_id)
            if not change.more:
                return census, change.accounting
    finally:
        tail.close()


def damage(run_id: str, account: Accounting, *, live: bool) -> Iterator[Finding]:
    """Lines that could not be read as they stand."""
    for note in account.notes:
        if any(words in note for words in _LOSSES):
            yield Finding(run_id, "problem", "lost", note, "would go on without: it cannot be had back")
        else:
            yield Finding(run_id, "note", "damaged", note, "would show what can be read")
    if account.pending and not live:
        told = f"the last line breaks off after {fmt.plural(account.pending, 'byte')}"
        yield Finding(run_id, "problem", "torn", told, "would end it with a line break, and count it as torn")


def contradictions(run_id: str, census: Census, *, live: bool) -> Iterator[Finding]:
    """Events that do not fit together."""
    if census.unanswered and not live:
        calls = fmt.plural(len(census.unanswered), "call has", "calls have")
        names = Counter(census.unanswered.values()).most_common(_SHOWN)
        told = (
            f"{calls} no result: {', '.join(f'{plain(name, limit=40)} × {count}' for name, count in names)}"
        )
        yield Finding(run_id, "note", "no_result", told, "would show them as refused")
    if census.uncalled:
        told = f"{fmt.plural(census.uncalled, 'result has', 'results have')} no call"
        yield Finding(run_id, "note", "no_call", told, "would show them by themselves")
    if census.strays:
        told = f"{fmt.plural(census.strays, 'record claims', 'records claim')} to belong to another run"
        yield Finding(run_id, "warning", "run_id", told, "would believe the directory's name")
    if census.after_end:
        told = f"{fmt.plural(census.after_end, 'event comes', 'events come')} after the end of the run"
        yield Finding(run_id, "note", "late", told, "would show them where they are")
    if census.types:
        names = census.types.most_common(_SHOWN)
        more = len(census.types) - _SHOWN
        told = ", ".join(f"{plain(name or '(none)', limit=40)} × {count}" for name, count in names)
        told = f"{fmt.plural(census.types.total(), 'event')} of unknown type: {told}" + (
            f" and {more} more" if more > 0 else ""
        )
        yield Finding(run_id, "note", "unknown_type", told, "would show them with their data")


def clock_trouble(run_id: str, census: Census) -> Iterator[Finding]:
    """Times that go back or lie ahead."""
    if census.backwards:
        back = f"at most {fmt.duration(census.furthest_back_ms)}"
        told = f"the clock goes back before {fmt.plural(census.backwards, 'event')} ({back})"
        yield Finding(run_id, "note", "clock_back", told, "would keep the order of the file")
    if census.future:
        told = f"{fmt.plural(census.future, 'event lies', 'events lie')} in the future"
        yield Finding(run_id, "warning", "clock_ahead", told, "would show their times as recorded")
