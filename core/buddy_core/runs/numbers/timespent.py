"""Where the time of a run went: tools, the model, waiting, idle, and what nobody can tell.

Every moment between the run's start and its end belongs to one part, so that the parts add up to the run's
duration whatever ran at the same time:

- **tools**: at least one call is open: from its record to that of its result, or as long as the writer measured;
- **model**: else at least one request is on its way, by its latency;
- **waiting**: else a tool that asks a person is open, the agent has suggested a pause, or nothing at all is heard
  for a minute or longer (`SILENCE_MS`);
- **idle**: else. The agent itself, between two events;
- **unknown**: what would be idle or a silence, in a run of which no request says how long it took: that may
  have been the model, or nobody.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

SILENCE_MS = 60_000
"""Without any event for so long somebody was waited for."""

QUIET, SILENT, ASKED, MODEL, TOOL = range(5)
"""What a stretch of time was, the weaker first: where two things happened at once the stronger one counts."""

_MOST_WALKED = 20_000
"""Stretches that are looked at for a call that is still open; behind so many it was given up, not slow."""

ASKING_TOOLS = frozenset(
    f"{verb}{rest}"
    for verb in ("ask", "prompt", "question")
    for rest in ("", "_user", "_human", "_user_question", "_followup_question", "_question", "_permission")
) | {"request_user_input", "request_approval", "user_input", "confirm", "askuserquestion"}
"""Tools, by their names in small letters, that are done when a person has answered."""


@dataclass(frozen=True, slots=True)
class TimeSpent:
    """The parts of a run's duration, in milliseconds; they add up to `total_ms`."""

    total_ms: int
    tools_ms: int
    model_ms: int
    waiting_ms: int
    idle_ms: int
    unknown_ms: int

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """Each part with its name, in the order in which they are told."""
        told = (self.model_ms, self.tools_ms, self.waiting_ms, self.idle_ms, self.unknown_ms)
        return tuple(zip(("model", "tools", "waiting", "idle", "unknown"), told, strict=True))


class TimeSheet:
    """The time of one run as stretches that follow each other without a gap, each painted with what it was.

    Times are wall times in milliseconds. It grows by `reach`; painting near its end is cheap, as is painting what was
    painted by something stronger, so that a run of any length costs the same for each event.
    """

    def __init__(self, started_at: int) -> None:
        self.started_at = self.reached = started_at
        self._ends = array("q")
        self._kinds = bytearray()
        self._sums = [0] * 5

    def __len__(self) -> int:
        return len(self._ends)

    def reach(self, at_ms: int) -> None:
        """An event at this moment: what lies between it and the last one was quiet, or a silence."""
        length = at_ms - self.reached
        if length > 0:
            self._push(at_ms, SILENT if length >= SILENCE_MS else QUIET)

    def paint(self, begin: int, end: int, kind: int) -> None:
        """Something of this kind lasted from `begin` to `end`; outside of the sheet there is nothing to paint."""
        begin, end = max(begin, self.started_at), min(end, self.reached)
        if begin >= end:
            return
        pieces = self._taken_off(begin)
        for upto, was in reversed(pieces):
            if was < kind and self.reached < end:
                self._push(min(upto, end), kind)
            if self.reached < upto:
                self._push(upto, self._rest_of(was, upto - self.reached))

    def _taken_off(self, begin: int) -> list[tuple[int, int]]:
        """Take off everything behind `begin`, the last stretch first; the one that `begin` is in is parted there."""
        pieces = []
        while self._ends and self.reached > begin:
            upto, kind = self._pop()
            pieces.append((upto, kind))
            if self.reached < begin:
                self._push(begin, self._rest_of(kind, begin - self.reached))
        return pieces

    @staticmethod
    def _rest_of(kind: int, length: int) -> int:
        """What is left of a silence may be too short for one."""
        return QUIET if kind == SILENT and length < SILENCE_MS else kind

    def _push(self, upto: int, kind: int) -> None:
        self._sums[kind] += upto - self.reached
        self.reached = upto
        if self._kinds and self._kinds[-1] == kind:
            self._ends[-1] = upto
        else:
            self._ends.append(upto)
            self._kinds.append(kind)

    def _pop(self) -> tuple[int, int]:
        upto, kind = self._ends.pop(), self._kinds.pop()
        self.reached = self._ends[-1] if self._ends else self.started_at
        self._sums[kind] -= upto - self.reached
        return upto, kind

    def spent(self, until: int, *, open_since: int | None = None, model_known: bool) -> TimeSpent:
        """The parts up to `until`, or to what was reached; a call that is open since a moment lasts until then.

        `model_known`: some request says how long it took.
        """
        sums, until = list(self._sums), max(until, self.reached)
        since = until if open_since is None else max(open_since, self.started_at)
        if since < self.reached:
            self._repaint_open(sums, since)
        rest = min(since, until) - self.reached
        if rest > 0:
            sums[SILENT if rest >= SILENCE_MS else QUIET] += rest
        sums[TOOL] += max(0, until - max(since, self.reached))
        nothing = sums[QUIET] + sums[SILENT]
        return TimeSpent(
            total_ms=until - self.started_at,
            tools_ms=sums[TOOL],
            model_ms=sums[MODEL],
            waiting_ms=sums[ASKED] + (sums[SILENT] if model_known else 0),
            idle_ms=sums[QUIET] if model_known else 0,
            unknown_ms=0 if model_known else nothing,
        )

    def _repaint_open(self, sums: list[int], since: int) -> None:
        """In the sums, make everything from `since` on the time of a tool, as far as that is a walk and no journey."""
        index, upto = len(self._ends) - 1, self.reached
        last = max(0, index - _MOST_WALKED)
        while index >= last and upto > since:
            begin = self._ends[index - 1] if index else self.started_at
            part = upto - max(begin, since)
            sums[self._kinds[index]] -= part
            sums[TOOL] += part
            upto, index = begin, index - 1
