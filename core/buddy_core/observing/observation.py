"""Everything that stands in a runs directory, as far as it has been read.

An observation reads each run's files, tells the collector what happened in them, and keeps one `RunFacts` a run for
whoever shows lists. It never writes. Files of runs are read by threads of its own, since a disk may stop answering;
all else is done by the thread that calls `load` and `tick`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock, SystemClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.model import ApiRequest
from buddy_core.observing.company import Company
from buddy_core.observing.ingest import Ingest
from buddy_core.observing.readingqueue import RUNS_AT_ONCE, ReadingQueue, ReadRun
from buddy_core.observing.sourcelook import ReadSoFar, look_at_sources
from buddy_core.observing.sources import SourceStatus
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.folding.facts import unread_facts
from buddy_core.runs.folding.harvest import Harvest
from buddy_core.runs.folding.observed import ObservedRun, Reading
from buddy_core.runs.folding.roster import Roster
from buddy_core.runs.folding.turnfile import TurnFile
from buddy_core.runs.folding.turns import (
    JOIN_MARGIN_MS,
    TURN_METRICS,
    RunSpan,
    TurnBook,
    span_of,
    spans_around,
)
from buddy_core.runs.folding.uses import ModelUse, with_namers
from buddy_core.runs.query.gleaned import Gleaned
from buddy_core.runs.reading.garbage import without_collection
from buddy_core.runs.watching.census import NOT_THERE_YET
from buddy_core.runs.watching.leftalone import LeftAlone
from buddy_core.runs.watching.watch import DirectoryChange, RunsWatch
from buddy_core.safety.paths import real_root

if TYPE_CHECKING:
    from buddy_core.history.keeper import RunHistory

READ_BYTES = 1024 * 1024
"""Read from one run before others have their turn."""

_LOOKS, _LOOK_AGAIN_S = 3, 0.05
"""A directory that cannot be listed is looked at so often, and so soon again, before that is told."""

LIVE_EVENTS = 512
"""A larger batch is counted as a whole, and subscribers hear of it once."""


class Observation:
    """Reads one runs directory on behalf of one collector.

    Args:
        runs_dir: Where run directories live; it need not exist yet. A symbolic link is followed once, now.
        collector: Is told everything once, with the times at which it happened. Where it was given prices, runs
            that state no cost are priced by the same.
        clock: Decides what is stalled, and what lies in the future.
        turn_metrics: The original writer's file of model requests; beside the runs directory by default.
        watch: How changes are noticed; made here unless given.
        watch_runs: So many runs are read, the newest by their ids, and besides whatever appears or grows while it is
            watched; the others are left alone and counted in `sources`. 0: all are read.
        history: Tells of runs that are gone, and keeps what is read; closed with the observer.
    """

    def __init__(
        self,
        runs_dir: Path | str,
        collector: MetricsCollector,
        *,
        clock: Clock | None = None,
        turn_metrics: Path | None = None,
        watch: RunsWatch | None = None,
        watch_runs: int = 0,
        history: RunHistory | None = None,
    ) -> None:
        self.runs_dir = real_root(Path(runs_dir))
        """The directory itself, without links; `sources()` has the name it was given."""
        self.version = 0
        """Grows with every change of what `facts` or `sources` say."""
        self._named_dir = Path(runs_dir)
        self._clock = clock or SystemClock()
        self._ingest = Ingest(collector)
        self._prices = collector.prices
        self._history = history
        self._runs, self._left = Company(self._follower), LeftAlone()
        if history is not None:
            history.begin(self.runs_dir, self._runs.signature, self._left.__contains__)
        self._turn_file = TurnFile(turn_metrics or self._named_dir.parent / TURN_METRICS)
        self._turns = TurnBook()
        self._turns_changed = False
        self._file_turns: list[ApiRequest] = []  # until the history has told of others
        self._watch = watch or RunsWatch(
            self.runs_dir, extra_file=self._turn_file.path, newest=watch_runs, clock=self._clock
        )
        self._roster = Roster()
        self._queue = ReadingQueue(self._runs, self._clock)
        self._dirty: set[str] = set()  # runs whose facts must be made anew
        self._leaving: frozenset[str] = frozenset()  # runs whose directories are gone
        self._unsettled: set[str] = set()  # runs whose totals may hold more than is recorded
        self._caught_up = False
        self._problem: str | None = None
        self.gleaned = Gleaned()
        """What filters ask of the runs that are read."""
        self.stirs = 0
        """How often a run has grown that had been silent, see `Reading.stirs`."""
        self._attended: frozenset[str] = frozenset()
        self.on_directory: Callable[[DirectoryChange], None] | None = None
        """Told of every change of the directory, in the thread that follows it, before anything of it is read."""
        self._following = False
        self._sources = self._look_at_sources()

    def facts(self) -> tuple[RunFacts, ...]:
        """Every run that is read, newest first, as of the last change or tick."""
        return self._roster.facts

    def by_id(self) -> Mapping[str, RunFacts]:
        """The same by run id; nobody may change it, and a later change is in another one."""
        return self._roster.by_id

    def at_work(self) -> tuple[RunFacts, ...]:
        """Those that are running or stalled, newest first, as of the same moment."""
        return self._roster.at_work

    def sources(self) -> SourceStatus:
        """What is being read, as of the last change or tick."""
        return self._sources

    @property
    def waiting(self) -> int:
        """Runs that have grown and were not read to their ends yet."""
        return len(self._queue)

    def model_uses(self, provider: str, model: str, since_ms: int = 0) -> tuple[ModelUse, ...]:
        """Runs that used a model at or after a moment, the latest request first.

        A run that only says it used the model comes by its last event, with no request, tokens or cost; it
        does not say by which provider. Runs whose directories are gone are not among them.
        """
        found = self._ingest.uses_of(provider, model, since_ms)
        return with_namers(found, self._ingest.uses, self.by_id(), model, since_ms)

    def run_dir(self, run_id: str) -> Path:
        """Where the files of a run are."""
        return self.runs_dir / run_id

    def load(self) -> None:
        """Read everything there is, once; calling it again reads what was added."""
        self._look_everywhere()
        for _ in range(_LOOKS - 1):
            if self._problem in (None, NOT_THERE_YET):
                break
            time.sleep(_LOOK_AGAIN_S)  # descriptors come and go, and nobody looks again later
            self._look_everywhere()
        self._take_back()
        while self._queue or self._turns_changed:
            while self._queue:
                self._read_next()
                while self._history is not None and self._history.behind:
                    time.sleep(0.002)
            self._finish(final=True)
        for _ in self._tell():
            pass
        self._finish(final=True)

    def tick(self) -> bool:
        """Conclude the statuses of live runs anew; True when anything changed."""
        before = self.version
        self._runs.tick(self._clock.now_ms())
        if not self._following:
            for run in self._at_work():
                run.ask()
        self._dirty |= self._roster.live.union(self._queue.hanging)
        self._finish(final=False)
        return self.version != before

    def close(self) -> None:
        """Let go of all files; whoever wants to read on makes another observer."""
        if self._history is not None:
            self._history.close()
        self._queue.close()
        self._runs.close()
        self._turn_file.close()

    def _tell(self) -> Iterator[int]:
        """Count what the history tells of runs and turns that are gone; gives the items of each run."""
        if self._history is None or not self._history.loading:
            return
        yield from self._ingest.recount_all(self._history, self._is_counted)
        turns, self._file_turns = self._file_turns, []
        self._enter_turns(turns + self._history.tell_turns(turns))
        self._ingest.all_recounted()

    def _is_counted(self, run_id: str) -> bool:
        return run_id in self._runs or run_id in self._left or self._ingest.has_counted(run_id)

    def _look_everywhere(self) -> None:
        self._take(self._watch.scan())
        self._queue.add(self._runs)
        self._turns_changed = True

    def _take(self, change: DirectoryChange) -> None:
        """Note what has to be read; nothing is read here."""
        self._problem = change.problem
        self._turns_changed |= change.extra
        if self.on_directory is not None:
            self.on_directory(change)
        self._leaving = (self._leaving | frozenset(change.removed)) - frozenset(change.added)
        self._let_leave()
        self._left.add(change.left_alone)
        come = (*change.added, *self._left.take(change.touched))
        self._runs.expect(come)
        self._queue.add(come)
        self._queue.add_changed(run_id for run_id in change.touched if run_id in self._runs)

    def _let_leave(self) -> None:
        """Forget runs that are gone; one that hangs is kept until what it brings has been counted."""
        going = self._leaving.difference(self._queue.hanging)
        self._leaving -= going
        for run_id in going:
            self._forget(run_id)

    def _take_back(self) -> None:
        """Record what was brought by hands that came back after all."""
        self._take_in(self._queue.returned())
        self._let_leave()

    def _follower(self, run_id: str) -> ObservedRun:
        seen, listed_above = self._ingest.record_of(run_id).seen, self._ingest.listed_above
        return ObservedRun(self.runs_dir, run_id, seen, self._prices, listed_above)

    def _forget(self, run_id: str) -> None:
        self._left.discard(run_id)
        if self._runs.remove(run_id):
            self._ingest.run_gone(run_id)
            self._roster.remove(run_id)
            self._queue.forget(run_id)
            self.gleaned.forget(run_id)
            self._unsettled.discard(run_id)
            if self._history is not None:
                self._history.gone(run_id)

    def _at_work(self) -> list[ObservedRun]:
        """Runs that are live and answer."""
        runs = (self._runs.get(run_id) for run_id in self._roster.live.difference(self._queue.hanging))
        return [run for run in runs if run is not None]

    @without_collection()  # around the whole of it: what was read is let go of before anybody looks for cycles
    def _read_next(self, most: int = RUNS_AT_ONCE) -> int:
        """Read a piece of each of the next runs in the queue; gives how many these were."""
        trip = self._queue.begin(self._read_run, self._enter, LIVE_EVENTS, most)
        return self._take_in(self._queue.end(trip, self._queue.hands.wait(trip)))

    def _read_run(self, run: ObservedRun) -> Reading:
        """Everything for which files of a run are touched; called by a hand."""
        now_ms = self._clock.now_ms()
        run.refresh(now_ms=now_ms)
        reading = run.read(now_ms=now_ms, budget_bytes=READ_BYTES, watching=self._caught_up)
        run.ask()
        return reading

    def _enter(self, run_id: str) -> None:
        """Before a run is read: what the history has told of it already must not be counted twice."""
        if self._history is None:
            return
        told = self._history.enter(run_id, anew=not self._ingest.has_counted(run_id))
        if told is not None:
            self._ingest.begin_with(told)

    def _take_in(self, read: Iterable[ReadRun]) -> int:
        """Record what was read of some runs; gives how many these were."""
        runs = 0
        for run, reading in read:
            self.stirs += reading.stirs
            live = self._caught_up and reading.events <= LIVE_EVENTS
            self.gleaned.add(run.run_id, reading.harvest, run.files.fold)
            self._deliver(run.run_id, reading.harvest, live=live, more=reading.more)
            self._dirty.add(run.run_id)
            self._unsettled.add(run.run_id)
            runs += 1
        self._dirty.update(self._queue.hanging)
        return runs

    def _deliver(self, run_id: str, harvest: Harvest, *, live: bool, more: bool) -> None:
        if self._history is not None:
            harvest = self._history.news(run_id, harvest)
        if harvest:
            self._ingest.deliver(run_id, harvest, live=live)
        if self._history is not None:
            self._history.note(run_id, harvest, more=more)

    def _finish(self, *, final: bool) -> None:
        """After reading: join the turns, settle the totals, publish, and watch the live runs closely."""
        self._publish()
        if self._history is not None:
            self._history.tick()
        if not self._queue:
            self._read_turns()
            self._publish()  # what is settled may rest, and then tells nothing more
            if not self._turns_changed and not (self._history is not None and self._history.loading):
                self._settle(final=final)
        if self._roster.live != self._attended:
            self._attended = self._roster.live
            self._watch.attend(self._attended)

    def _read_turns(self) -> None:
        if not self._turns_changed:
            return
        requests, self._turns_changed = self._turn_file.read()
        if self._history is not None and self._history.loading:
            self._file_turns += requests  # whose they are depends on runs that are gone, too
            return
        if requests:
            self._enter_turns(requests)
        if self._history is not None:
            self._history.note_turns(requests)

    def _enter_turns(self, requests: list[ApiRequest]) -> None:
        """Join requests to the runs that are there, and record them."""
        spans = [*spans_around(self._roster, requests), *self._ingest.gone_spans]
        joined = [
            turn if turn.run_id is None or turn.run_id in self._runs else replace(turn, run_id=None)
            for turn in self._turns.enter(requests, spans)
        ]
        self._ingest.deliver_turns(joined, live=self._caught_up and len(joined) <= LIVE_EVENTS)
        owners = {turn.run_id for turn in joined if turn.run_id is not None}
        self._queue.add(owner for owner in owners if not self._runs.stir(owner))
        self._dirty |= owners
        if self._prices is not None:
            self._unsettled |= owners  # what a run states takes the place of what its turns were priced at

    def _settle(self, *, final: bool) -> None:
        """Record the totals that no request accounts for.

        The turns of a run may come later than its totals, so where there is a file of turns the tokens
        of a run that is followed wait until the last of its turns could have come.
        """
        now_ms, turns_may_come = self._clock.now_ms(), not final and self._turn_file.present
        for run_id in tuple(self._unsettled):
            facts = self._roster.get(run_id)
            if facts is None or run_id in self._queue:
                continue
            span = span_of(facts)
            waiting = turns_may_come and now_ms <= span.ended_at + JOIN_MARGIN_MS
            by_turns = waiting or self._turns.overlaps(span)
            self._settle_run(run_id, span, by_turns=by_turns, ended=not facts.live)
            if not waiting:
                self._unsettled.discard(run_id)
                if not facts.live:
                    self._runs.over(run_id, facts.last_event_at or facts.started_at, now_ms=now_ms)

    def _settle_run(self, run_id: str, span: RunSpan, *, by_turns: bool, ended: bool) -> None:
        history = self._history
        run = self._runs.get(run_id)
        if run is None or (history is not None and history.is_part_of_hours(run_id)):
            return
        files = run.files
        self._ingest.settle(files, tokens_by_turns=by_turns, turns_of=span)
        if history is not None:
            history.settled(run_id, self._ingest.stored_usage(files, span), ended=ended)

    def _publish(self) -> None:
        now_ms, polling = self._clock.now_ms(), self._watch.mode == "polling"
        busy = self._dirty & self._queue.out
        for run_id in self._dirty - busy:
            run, stalled = self._runs.get(run_id), self._queue.stalled_words(run_id)
            if stalled is not None:
                known = self._roster.get(run_id) or unread_facts(run_id, now_ms)
                self._roster.put(replace(known, problem=stalled))
            elif run is not None:
                model = self._turns.model_of(run_id)
                self._roster.put(run.facts(now_ms=now_ms, turn_model=model, polling=polling))
        self._dirty = busy
        changed = self._roster.rebuild(now_ms)
        sources = self._look_at_sources()
        if changed or sources != self._sources:
            self._sources = sources
            self.version += 1

    def _loaded(self) -> int:
        """Runs read to their ends; once everything has been read, what grows since is no more than that."""
        waiting = 0 if self._caught_up else len(self._queue)
        return min(len(self._roster), len(self._runs) - waiting)

    def _look_at_sources(self) -> SourceStatus:
        loaded, total, unreadable = self._loaded(), len(self._runs), self._queue.unreadable
        so_far = ReadSoFar(
            self._named_dir, self._problem, loaded, total, self._left, self._roster, unreadable
        )
        return look_at_sources(so_far, self._watch, self._turn_file, self._turns, self._history)
