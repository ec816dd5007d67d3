"""The runs that wait to be read, and their reading by hands: a file that does not answer keeps no other run waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

from buddy_core.clock import Clock
from buddy_core.observing.company import Company
from buddy_core.runs.folding.observed import ObservedRun, Reading
from buddy_core.runs.reading.hands import Errand, Hands, Piece
from buddy_core.runs.watching.troubles import Troubles, stalled_words

RUNS_AT_ONCE = 16
"""Most runs that are read before others of the loop have their turn."""

ReadRun: TypeAlias = Piece[ObservedRun, Reading]
"""A run of which a piece was read, and what that brought."""

Trip: TypeAlias = Errand[ObservedRun, Reading]


class _Hanging(NamedTuple):
    run: ObservedRun
    since_ms: float
    trip: Trip


class ReadingQueue:
    """In order, each run once. Only one thread uses it; the hands touch nothing but the runs they were given.

    It counts as empty (`not queue`) when there is nothing that can be read now.
    """

    def __init__(self, runs: Company, clock: Clock, hands: Hands | None = None) -> None:
        self._runs, self._clock = runs, clock
        self._waiting: dict[str, None] = {}
        self._hanging: dict[str, _Hanging] = {}
        self._out: frozenset[str] = frozenset()
        self._troubles = Troubles()
        self._asking: Errand[ObservedRun, None] = Errand((), lambda run: run.ask(), lambda _: False)
        self._asking.over.set_result(None)
        self.hands = hands or Hands()
        """Do all reading of runs."""

    def __bool__(self) -> bool:
        return bool(self._waiting) and self.hands.free

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, run_id: object) -> bool:
        """Not all of it is read: it waits, it is being read just now, or it hangs."""
        return run_id in self._waiting or run_id in self._out or run_id in self._hanging

    @property
    def hanging(self) -> Iterable[str]:
        """Runs whose files do not answer at present."""
        return self._hanging.keys()

    @property
    def out(self) -> frozenset[str]:
        """Runs that a hand may be reading just now: nobody else touches them."""
        return self._out

    @property
    def unreadable(self) -> int:
        """How many of all runs cannot be read at present, for whatever reason."""
        return len(self._hanging.keys()) + len(self._troubles)

    def add(self, run_ids: Iterable[str]) -> None:
        """These are to be read; one that hangs will be anyway, when it is back."""
        self._waiting.update(dict.fromkeys(run_id for run_id in run_ids if run_id not in self._hanging))

    def add_changed(self, run_ids: Iterable[str]) -> None:
        """The same for runs in which something has changed, but for those that failed a moment ago."""
        now_ms = self._clock.monotonic_ms()
        self.add(run_id for run_id in run_ids if self._troubles.is_worth_a_try(run_id, now_ms))

    def add_due(self) -> bool:
        """The same for those that failed a while ago; True when there is one."""
        due = self._troubles.due(self._clock.monotonic_ms())
        self.add(due)
        return bool(due)

    def forget(self, run_id: str) -> None:
        """The run is gone. One that hangs must have come back before: what it brings has been noted as seen."""
        self._waiting.pop(run_id, None)
        self._troubles.forget(run_id)

    def close(self) -> None:
        """Let the hands go; what those may still bring that hang is dropped."""
        for run, _, trip in self._hanging.values():
            trip.over.add_done_callback(lambda _, run=run: run.close())  # type: ignore[misc]
        self.hands.close()

    def stalled_words(self, run_id: str) -> str | None:
        """`stalled 5 s`, for a run whose file has not answered for so long; None for any other."""
        hanging = self._hanging.get(run_id)
        return None if hanging is None else stalled_words(self._clock.monotonic_ms() - hanging.since_ms)

    async def ask(self, runs: Sequence[ObservedRun]) -> None:
        """Have the locks of these runs asked for, unless somebody who was sent to ask is not back yet."""
        if runs and self._asking.over.done():
            self._asking = Errand(runs, lambda run: run.ask(), lambda _: False)
            await self.hands.wait_for(self._asking)

    def begin(
        self,
        read: Callable[[ObservedRun], Reading],
        enter: Callable[[str], None],
        events: int,
        most: int = RUNS_AT_ONCE,
    ) -> Trip:
        """Take the next runs out of the queue, for a hand to read until one of them had more than so many events.

        `enter` is told of each beforehand, perhaps more than once.
        """
        run_ids = list(islice(self._waiting, most))
        for run_id in run_ids:
            del self._waiting[run_id]
            enter(run_id)
        self._out = frozenset(run_ids)
        return Errand([self._runs.wake(run_id) for run_id in run_ids], read, lambda it: it.events > events)

    def end(self, trip: Trip, hanging: ObservedRun | None) -> Iterator[ReadRun]:
        """What a trip has brought; what it did not come to is in the queue again, before all others."""
        done, steps, self._out = trip.take(), trip.steps, frozenset()
        if hanging is not None:
            since_ms = self._clock.monotonic_ms() - 1000 * self.hands.patience_s
            self._hanging[hanging.run_id] = _Hanging(hanging, since_ms, trip)
        left = [run.run_id for run in trip.items[steps:] if run is not hanging]
        self._waiting = dict.fromkeys(left) | self._waiting
        yield from self._noted(done)

    def returned(self) -> Iterator[ReadRun]:
        """What was brought by hands that came back after all; the runs are read on when they are due again."""
        for run_id, (_, _, trip) in tuple(self._hanging.items()):
            if trip.over.done():
                del self._hanging[run_id]
                yield from self._noted(trip.take(), late=True)

    def _noted(self, pieces: Iterable[ReadRun], *, late: bool = False) -> Iterator[ReadRun]:
        """What is left of a run is in the queue behind all others, unless it was late, and so waited for in vain."""
        for piece in pieces:
            run, reading = piece
            failed = late or run.files.problem is not None
            self._troubles.note(run.run_id, failed=failed, now_ms=self._clock.monotonic_ms())
            if reading.more and not late:
                self._waiting[run.run_id] = None
            yield piece
