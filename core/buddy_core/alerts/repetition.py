"""Going round in circles: the same tool, the same arguments, the same result, again and again in one run."""

from __future__ import annotations

from collections.abc import Iterable

from buddy_core.alerts.calls import CallReader, Finished
from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import Repetition
from buddy_core.runs.records.wire import WireEvent
from buddy_core.runs.toolargs import key_argument


class RepetitionDetector:
    """Counts how often the last finished call of one run came in a row; fed with the run's events in order."""

    def __init__(self, run_id: str, limits: Limits) -> None:
        self._run_id = run_id
        self._limits = limits
        self._calls = CallReader()
        self._last: Finished | None = None
        self._times = 0
        self._since_ms = 0

    def feed(self, events: Iterable[WireEvent]) -> list[Finished]:
        """Take events; the calls that they finished."""
        finished = list(self._calls.feed(events))
        for call in finished:
            self.count(call)
        return finished

    def count(self, call: Finished) -> bool:
        """Count one finished call; True when just this one made it too many."""
        same = call.sameness is not None and self._last is not None and call.sameness == self._last.sameness
        self._times = self._times + 1 if same else 1
        self._last = call
        if self._times == self._limits.repeats:
            self._since_ms = call.ended_at
        return self._times == self._limits.repeats

    @property
    def calls(self) -> CallReader:
        """The calls of the run, also those that are still open."""
        return self._calls

    @property
    def repetition(self) -> Repetition | None:
        """What the run does over and over at present; None when it does not."""
        last = self._last
        if last is None or self._times < self._limits.repeats:
            return None
        argument = key_argument(last.tool, last.args)
        return Repetition(self._run_id, last.tool, argument, self._times, self._since_ms)
