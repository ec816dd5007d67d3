"""Calls that waited too long, gone through for stored runs: when would each have stood out?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import Alert, Known
from buddy_core.alerts.rules import slow


class Wait(NamedTuple):
    """One call from its beginning to its result, or to the end of what is known of it."""

    run_id: str
    tool: str
    since_ms: int
    until_ms: int
    """The moment at which it was over."""


class Spell(NamedTuple):
    """For so long a call stood out, by what was known of its tool at the time."""

    from_ms: int
    until_ms: int
    known: Known
    waited_ms: int
    """How long the call had waited when it began to stand out."""


class Experience:
    """How long one tool had taken at most, as of any moment."""

    def __init__(self, durations: Iterable[tuple[int, float]], limits: Limits) -> None:
        """`durations` are the ends of calls, ascending, and how long each took."""
        self._ends: list[int] = []
        self._longest: list[float] = []
        self._turns: list[int] = []
        for count, (ended_at, took_ms) in enumerate(durations, start=1):
            longest = max(took_ms, self._longest[-1]) if self._longest else took_ms
            if count == limits.wait_known or not self._longest or longest > self._longest[-1]:
                self._turns.append(ended_at)
            self._ends.append(ended_at)
            self._longest.append(longest)

    def known(self, at_ms: int) -> Known | None:
        """What was known at a moment; None before the first call had ended."""
        count = bisect_right(self._ends, at_ms)
        return Known(count, self._longest[count - 1]) if count else None

    def next_turn(self, after_ms: int) -> int | None:
        """When, after a moment, something became known that lets a call stand out or no longer do so."""
        index = bisect_right(self._turns, after_ms)
        return self._turns[index] if index < len(self._turns) else None


def spells(wait: Wait, experience: Experience, limits: Limits) -> Iterator[Spell]:
    """When the call stood out. While it waits others end, and one that took longer makes it ordinary again."""
    at_ms = wait.since_ms + limits.wait_ms + 1
    while at_ms < wait.until_ms:
        known, turn = experience.known(at_ms), experience.next_turn(at_ms)
        until_ms = wait.until_ms if turn is None else min(turn, wait.until_ms)
        if known is not None and known.calls >= limits.wait_known:
            from_ms = max(at_ms, wait.since_ms + int(limits.wait_limit_ms(known.longest_ms)) + 1)
            if from_ms < until_ms:
                yield Spell(from_ms, until_ms, known, from_ms - wait.since_ms)
        at_ms = until_ms


def slow_calls(waits: Iterable[Wait], experience: Experience, limits: Limits) -> Iterator[Alert]:
    """The alerts of one tool in one run; while one call stands out another does not fire again."""
    found = ((spell, wait) for wait in waits for spell in spells(wait, experience, limits))
    silent_until = -1
    for spell, wait in sorted(found, key=lambda pair: pair[0].from_ms):
        if spell.from_ms > silent_until:
            yield slow(wait.tool, wait.run_id, spell.from_ms, spell.waited_ms, spell.known)
        silent_until = max(silent_until, spell.until_ms)
