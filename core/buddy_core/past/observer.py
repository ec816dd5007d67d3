"""An observer of what stood in a runs directory at a moment: its runs, its events and model requests of then.

It is the observer of the present with other sources, so every number comes about as it does there. Nothing is
written, and what only the history knows is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from buddy_core.clock import ManualClock
from buddy_core.errors import BuddyError
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.model import ApiRequest
from buddy_core.observing.observer import Observer
from buddy_core.observing.sources import SourceStatus
from buddy_core.past.cut import CutFile
from buddy_core.past.moment import Believed, PastMoment
from buddy_core.past.run import PastRun
from buddy_core.runs.folding.observed import ObservedRun
from buddy_core.runs.folding.turnfile import TurnFile
from buddy_core.runs.folding.turns import RunSpan, TurnBook, TurnDialect, iso_ms, span_of, turn_requests
from buddy_core.runs.names import started_at_of
from buddy_core.runs.reading.accounting import Accounting
from buddy_core.runs.records.payloads import TurnLine
from buddy_core.runs.watching.watch import DirectoryChange, RunsWatch

Cancelled = Callable[[], bool]
"""Asked now and then: True when nobody wants the answer any more."""


class Abandoned(BuddyError):
    """Somebody asked for another moment before this one was reached."""


class PastObserver(Observer):
    """What was there at `moment`, of the runs `run_ids`; it can go on to later moments, and never back.

    Args:
        runs_dir: Where run directories live.
        run_ids: Those that are looked at, in any order.
        collector: Is told what happened up to the moment; its clock must be `clock`.
        clock: Is set to the moment.
        now_ms: The present: later times in files are not believed.
        turn_metrics: As for an observer of the present.
        left: Runs that had begun and are not among `run_ids`, newest first.
    """

    def __init__(
        self,
        runs_dir: Path,
        run_ids: list[str],
        collector: MetricsCollector,
        *,
        clock: ManualClock,
        now_ms: int,
        moment: PastMoment,
        turn_metrics: Path | None = None,
        left: Sequence[str] = (),
    ) -> None:
        self._left_out = tuple(left)
        super().__init__(
            runs_dir, collector, clock=clock, turn_metrics=turn_metrics, watch=RunsWatch(runs_dir)
        )
        self.moment = moment
        self._now_ms = now_ms
        self._manual = clock
        self._turn_cut = PastTurns(self._turn_file.path, now_ms)
        self._turn_file = self._turn_cut
        self._coming = sorted(run_ids, key=_began, reverse=True)  # the next one last
        self._open: dict[str, PastRun] = {}
        self._entered: list[ApiRequest] = []  # turns, with the runs they were joined to
        self._by_turns: dict[str, bool] = {}  # of runs that were settled: whether turns had their tokens

    def go(self, moment: PastMoment, *, cancelled: Cancelled = bool) -> None:
        """Read on to a moment that is not earlier.

        Raises:
            Abandoned: `cancelled` said so; `go` to the same or a later moment finishes the work.
        """
        self.moment = moment
        self._manual.set_wall(moment.at_ms)
        touched = [run_id for run_id, run in self._open.items() if run.advance(moment)]
        self._take(DirectoryChange(added=self._begun(moment.at_ms), touched=frozenset(touched)))
        while self._queue:
            if cancelled():
                raise Abandoned("another moment was asked for")
            self._read_next(1)
        for run_id in [run_id for run_id, run in self._open.items() if run.finished]:
            del self._open[run_id]
        self._dirty |= self._roster.live
        self._turn_cut.advance(moment.at_ms)
        self._turns_changed = self._turn_cut.due
        self._finish(final=True)
        while self._turns_changed:
            self._finish(final=True)

    @property
    def still_true(self) -> bool:
        """False when turns would be joined otherwise by an observer that looked at this moment for the first time.

        A run that begins or is given up after a turn was joined may change whose turn that is; then everything
        has to be read anew.
        """
        if not self._entered:
            return True
        book = TurnBook()
        spans = {run.run_id: span_of(run) for run in self._roster}
        joined = book.enter([replace(turn, run_id=None) for turn in self._entered], spans.values())
        return (
            book.ambiguous == self._turns.ambiguous
            and [turn.run_id for turn in joined] == [turn.run_id for turn in self._entered]
            and all(
                self._turns.overlaps(spans[run]) == by for run, by in self._by_turns.items() if run in spans
            )
        )

    def events_of(self, run_id: str) -> int:
        """How many events of a run have happened."""
        run = self._runs.get(run_id)
        return run.events if isinstance(run, PastRun) else 0

    @property
    def counted(self) -> tuple[int, int]:
        """Runs read to the moment, and runs that had begun by it."""
        return len(self._runs) - len(self._queue), len(self._runs)

    def _enter_turns(self, requests: list[ApiRequest]) -> None:
        self._entered += TurnBook().enter(requests, map(span_of, self._roster))
        super()._enter_turns(requests)

    def _settle_run(self, run_id: str, span: RunSpan, *, by_turns: bool, ended: bool) -> None:
        self._by_turns[run_id] = by_turns
        super()._settle_run(run_id, span, by_turns=by_turns, ended=ended)

    def _look_at_sources(self) -> SourceStatus:
        before = _began(self._left_out[0])[0] if self._left_out else None
        found = super()._look_at_sources()
        return replace(found, left_alone=len(self._left_out), left_before_ms=before)

    def _begun(self, at_ms: int) -> tuple[str, ...]:
        found = []
        while self._coming and _began(self._coming[-1])[0] <= at_ms:
            found.append(self._coming.pop())
        return tuple(reversed(found))

    def _follower(self, run_id: str) -> ObservedRun:
        seen = self._ingest.record_of(run_id).seen
        listed_above = self._ingest.listed_above
        now_ms, moment = self._now_ms, self.moment
        run = PastRun(self.runs_dir, run_id, seen, self._prices, listed_above, now_ms=now_ms, moment=moment)
        self._open[run_id] = run
        return run


class PastTurns(TurnFile):
    """`turn-metrics.jsonl` up to a moment."""

    def __init__(self, path: Path, now_ms: int) -> None:
        super().__init__(path)
        self._cut: CutFile[TurnLine] = CutFile(
            self._root,
            path.name,
            dialect=TurnDialect(),
            time_of=lambda line: iso_ms(line.at),
            believed=Believed(0, now_ms),
        )

    @property
    def due(self) -> bool:
        """True when there is more to read."""
        return self._cut.due

    @property
    def accounting(self) -> Accounting:
        """What of it could not be read."""
        return self._cut.accounting

    def advance(self, at_ms: int) -> None:
        """Go on to a moment."""
        self._cut.advance(at_ms)

    def read(self) -> tuple[list[ApiRequest], bool]:
        """The next turns up to the moment, and whether there are more."""
        change = self._cut.poll()
        requests = turn_requests(change.batch.events, after=self._last_at)
        if requests:
            self._last_at = requests[-1].at_ms
        return requests, change.more


def _began(run_id: str) -> tuple[int, str]:
    return started_at_of(run_id) or 0, run_id
