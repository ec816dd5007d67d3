"""The history of one runs directory, as its observer uses it: what is read is kept, what is gone is told again.

Everything here happens in the thread that reads the runs, but for the writing, which has its own. Nothing is
opened before something has to be asked or kept, and no problem stops anybody: see `RunHistory.problem`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock, SystemClock
from buddy_core.history.contribution import MERGED_AFTER_MS, Contribution, StoredUsage, Told, of_turns
from buddy_core.history.telling import Telling
from buddy_core.metrics.model import ApiRequest
from buddy_core.runs.folding.harvest import Harvest
from buddy_core.runs.folding.observed import Signature
from buddy_core.runs.names import started_at_of

if TYPE_CHECKING:
    from buddy_core.history.hourpacking import Merged
    from buddy_core.history.jobs import Job
    from buddy_core.history.known import Known
    from buddy_core.history.writer import Writer
    from buddy_core.metrics.counting.hours import HourStats

MOST_PENDING = 4_000
"""Items of one run that are held back before they are stored as a piece."""

PENDING_MS = 10_000
"""How long what a live run brings is held back, to be stored together."""

MOST_BEHIND = 400_000
"""Items that may wait for the disk, some 60 MB, before reading on waits for it too."""

AGEING_MS = 3_600_000
"""How often it is looked for what need not be told apart any more."""

CLOSING_S = 0.8
"""How long the end of the monitor may wait for the disk."""

SignatureOf = Callable[[str, bool], Signature]
"""Signature of a run's events: as they stand on the disk (True), or as far as they were read."""


class _Kept:
    """What is not stored yet of one run."""

    __slots__ = ("initial", "known", "opening", "pending", "since_ms", "usage")

    def __init__(self, *, opening: bool) -> None:
        self.pending: Contribution | None = None
        self.since_ms = 0
        self.opening = opening
        self.initial = True
        self.known: Known | None = None
        self.usage: StoredUsage | None = None


class RunHistory:
    """What runs brought, beyond their directories and this process.

    Args:
        path: The file; made when there is something to keep. It is a cache and may be thrown away.
        writes: Keep what is read; otherwise only tell what was kept. Of several processes that would write,
            the first does.
        clock: For what has to be stored before long.
    """

    def __init__(self, path: Path, *, writes: bool = True, clock: Clock | None = None) -> None:
        self.path = path
        self._clock = clock or SystemClock()
        self._writes = writes
        self._telling = Telling(path)
        self._signature_of: SignatureOf = lambda _run_id, _on_disk: Signature(-1, 0)
        self._is_left_alone: Callable[[str], bool] = lambda _run_id: False
        self._writer: Writer | None = None
        self._kept: dict[str, _Kept] = {}
        self._pending: dict[str, None] = {}  # runs with something held back
        self._told: set[str] = set()
        self._turns = Contribution()
        self._turns_since = 0
        self._aged_at = 0

    @property
    def problem(self) -> str | None:
        """What is wrong with the history, in words; None when nothing is."""
        return (self._writer.problem if self._writer is not None else None) or self._telling.problem

    @property
    def loading(self) -> bool:
        """It has not told everything yet."""
        return self._telling.loading

    @property
    def runs(self) -> int:
        """Runs that were told of."""
        return self._telling.runs

    @property
    def turns(self) -> int:
        """Turns that were told of."""
        return self._telling.turns

    @property
    def since_ms(self) -> int | None:
        """The earliest moment that was told of."""
        return self._telling.since_ms

    @property
    def behind(self) -> bool:
        """So much waits for the disk that nothing more should be read for a moment."""
        return self._writer is not None and self._writer.backlog > MOST_BEHIND

    def begin(
        self,
        root: Path,
        signature_of: SignatureOf,
        is_left_alone: Callable[[str], bool] = lambda _run_id: False,
    ) -> None:
        """Name the runs directory, without links, who knows its files, and which runs are there but not read.

        `is_left_alone` is asked from any thread.
        """
        self._telling.root = root
        self._signature_of = signature_of
        self._is_left_alone = is_left_alone

    # What is read

    def enter(self, run_id: str, *, anew: bool) -> Told | None:
        """A run is about to be read, `anew` if nothing of it was counted from its files before.

        Gives what was counted of it from the history, which `news` will hold back; None if nothing was.
        """
        if run_id in self._kept:
            return None
        told = anew and run_id in self._told
        kept = self._kept[run_id] = _Kept(opening=anew and not told)
        if told:
            return self._come_back(run_id, kept)
        if anew and self._is_merged(run_id):
            from buddy_core.history.known import Known

            kept.known = Known(everything=True)
        return None

    def news(self, run_id: str, harvest: Harvest) -> Harvest:
        """The harvest without what the history has told already."""
        kept = self._kept.get(run_id)
        return harvest if kept is None or kept.known is None else kept.known.news(harvest)

    def is_part_of_hours(self, run_id: str) -> bool:
        """True when all of a run was told with the hours, its totals included."""
        kept = self._kept.get(run_id)
        return kept is not None and kept.known is not None and kept.known.everything

    def note(self, run_id: str, harvest: Harvest, *, more: bool) -> None:
        """Keep what was counted of a run; `more` of its file is waiting to be read."""
        kept = self._kept.get(run_id)
        if kept is None or not self._writes or self.is_part_of_hours(run_id):
            return
        if harvest:
            if kept.pending is None:
                kept.pending, kept.since_ms = Contribution(), self._clock.now_ms()
                self._pending[run_id] = None
            kept.pending.take(harvest)
        first_reading_ends = kept.initial and not more
        if first_reading_ends or (kept.pending is not None and len(kept.pending) >= MOST_PENDING):
            self._store(run_id, kept, more=more)

    def settled(self, run_id: str, usage: StoredUsage, *, ended: bool) -> None:
        """Keep what a run used beyond its requests so far; once it has `ended`, everything it brought."""
        kept = self._kept.get(run_id)
        if kept is None or not self._writes or self.is_part_of_hours(run_id):
            return
        if usage != kept.usage:
            from buddy_core.history.jobs import Beyond

            kept.usage = usage
            self._put(Beyond(run_id, usage))
        if ended and kept.pending is not None:
            self._store(run_id, kept, ended=True)

    def gone(self, run_id: str) -> None:
        """The directory of a run is there no more."""
        kept = self._kept.pop(run_id, None)
        if kept is not None and kept.pending is not None:
            self._store(run_id, kept, ended=True)

    def note_turns(self, turns: Iterable[ApiRequest]) -> None:
        """Keep requests of the file of turns."""
        if self._writes:
            self._turns_since = self._turns_since if self._turns else self._clock.now_ms()
            self._turns.merge(of_turns(turns))

    def tick(self) -> None:
        """Store what has been held back long enough."""
        for run_id in [run_id for run_id in self._pending if self._is_due(self._kept[run_id].since_ms)]:
            self._store(run_id, self._kept[run_id])
        if self._turns and self._is_due(self._turns_since):
            self._store_turns()
        if not self.loading and not 0 <= self._clock.now_ms() - self._aged_at < AGEING_MS:
            self._age()

    def _is_due(self, since_ms: int) -> bool:
        return not 0 <= self._clock.now_ms() - since_ms < PENDING_MS

    def _store(self, run_id: str, kept: _Kept, *, more: bool = False, ended: bool = False) -> None:
        from buddy_core.history.jobs import Piece

        found, kept.pending = kept.pending or Contribution(), None
        self._pending.pop(run_id, None)
        signature = self._signature_of(run_id, kept.opening and more)
        last = kept.initial and not more
        self._put(Piece(run_id, found, signature, kept.opening, kept.initial, last, ended))
        kept.opening = False
        kept.initial &= more

    def _store_turns(self) -> None:
        from buddy_core.history.jobs import Turns

        turns, self._turns = self._turns, Contribution()
        self._put(Turns(turns))

    def _age(self) -> None:
        """Have the writer look, when it has nothing else to do, for what need not be told apart any more."""
        self._aged_at = self._clock.now_ms()
        if self._writes and (self._writer is not None or self.runs):
            from buddy_core.history.ageing import Ageing

            self._started_writer().rest(Ageing(self._is_there, self._clock))

    def _is_there(self, run_id: str) -> bool:
        """True for runs whose directories are there, read or not: they must stay apart from each other."""
        return run_id in self._kept or self._is_left_alone(run_id)

    def _put(self, job: Job) -> None:
        self._started_writer().put(job)

    def _started_writer(self) -> Writer:
        if self._writer is None:
            from buddy_core.history.writer import Writer

            self._writer = Writer(
                self.path, self._telling.root, self._clock, distrusted=self._telling.damaged
            )
        return self._writer

    # What is told

    def tell(self, is_counted: Callable[[str], bool]) -> Iterator[Told]:
        """Every run that is stored and not counted yet, newest first; from now on it is."""
        for told in self._telling.all_but(is_counted):
            self._told.add(told.run_id)
            yield told

    def tell_hours(self) -> Iterator[tuple[int | None, HourStats]]:
        """Runs that are long gone, hour by hour since the epoch; None for what has no time."""
        return self._telling.hours()

    def tell_merged(self) -> Merged | None:
        """What is known of these runs beside their hours; to be counted before."""
        return self._telling.merged()

    def tell_turns(self, in_file: Iterable[ApiRequest]) -> list[ApiRequest]:
        """The last that is told: turns that are not in the file any more. Those that only it has are stored."""
        gone, fresh = self._telling.turns_beyond(list(in_file))
        if fresh and self._writes:
            self._turns.merge(fresh)
            self._store_turns()
        self._age()
        return gone

    def close(self) -> None:
        """Store what is left, in a second at most, and let go of all files."""
        self._telling.end()
        for run_id in tuple(self._pending):
            self._store(run_id, self._kept[run_id])
        if self._turns:
            self._store_turns()
        if self._writer is not None:
            self._writer.close(CLOSING_S)

    def _come_back(self, run_id: str, kept: _Kept) -> Told | None:
        """A run whose directory was away when the history was told."""
        from buddy_core.history.known import Known

        told = self._telling.one(run_id)
        # What cannot be told from what is counted is not counted: once too little beats twice.
        kept.known = Known.of(told.found) if told is not None else Known(everything=True)
        return told

    def _is_merged(self, run_id: str) -> bool:
        """Asked only of runs that are old enough: a start among young runs waits for nothing."""
        if (started_at_of(run_id) or 0) > self._clock.now_ms() - MERGED_AFTER_MS:
            return False
        return self._telling.is_merged(run_id)


def reading_history(path: Path | None, clock: Clock) -> RunHistory | None:
    """A history that tells and keeps nothing; None without a path."""
    return None if path is None else RunHistory(path, writes=False, clock=clock)
