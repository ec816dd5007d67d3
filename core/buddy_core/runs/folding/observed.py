"""One run as a reader follows it: its event file, its two JSON files, its artifacts, and what they say."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from buddy_core.runs.facts import Integrity, RunFacts
from buddy_core.runs.folding.facts import RunFiles, build_facts, has_ended, recorded_status, started_at
from buddy_core.runs.folding.fold import RunFold
from buddy_core.runs.folding.harvest import Harvest, ListedAbove
from buddy_core.runs.folding.seen import SeenRecords
from buddy_core.runs.model import RunMetrics, RunSummary
from buddy_core.runs.names import ARTIFACTS_NAME
from buddy_core.runs.reading.accounting import Accounting
from buddy_core.runs.reading.descriptors import OUT_OF_DESCRIPTORS, SHARED
from buddy_core.runs.reading.jsonl import Batch
from buddy_core.runs.reading.recordfile import RecordFile
from buddy_core.runs.reading.tail import BUDGET, Change, Tail, Taker
from buddy_core.runs.records.smallfiles import parse_metrics, parse_summary
from buddy_core.runs.records.typed import TYPED_EVENTS, TypedEvent
from buddy_core.runs.watching.liveness import LockState, conclude_status, lock_state
from buddy_core.safety.paths import directory_beneath

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

EVENTS = "events.jsonl"
SUMMARY = "summary.json"
METRICS = "metrics.json"

SILENT_MS = 250
"""A run that grows after so long without growing is one that somebody may be waiting for."""

CHUNK = 128 * 1024
"""Bytes that are decoded, folded and let go of at once: with all that is made of them they fit a processor's cache."""

_COARSE_MS = 100  # file times move in steps of some milliseconds


class EventSource(Protocol):
    """Where a run's events come from: its file as it grows, or that part of it which was there at a moment."""

    @property
    def accounting(self) -> Accounting:
        """Of all that was read."""
        ...

    def poll(self, budget_bytes: int = BUDGET) -> Change[TypedEvent]:
        """What is new, up to about that many bytes. Never raises `OSError`."""
        ...

    def pass_on(self, budget_bytes: int, take: Taker[TypedEvent]) -> Change[TypedEvent]:
        """Hand `take` what is new, up to about that many bytes; the change has no records. Never raises `OSError`."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class Reading(NamedTuple):
    """What one look at a run's event file brought."""

    harvest: Harvest
    events: int
    """Records read, whether fresh or not."""
    more: bool
    """There is more to read at once."""
    stirs: bool = False
    """The run grew while it was watched, for the first time in `SILENT_MS`."""


class Signature(NamedTuple):
    """What tells whether a run's events are still those that were read."""

    size: int
    """Bytes of the event file."""
    mtime_ns: int


class ObservedRun:
    """Follows the run `run_id` beneath `root`; `seen` outlives it and keeps records from counting twice.

    `listed_above` is asked for the milliseconds that a call of a tool, up to a moment, must have taken for its argument
    to be of use. Without it no argument is.
    """

    def __init__(
        self,
        root: Path,
        run_id: str,
        seen: SeenRecords,
        prices: PriceTable | None = None,
        listed_above: ListedAbove = lambda _tool, _at_ms: math.inf,
    ) -> None:
        self.run_id = run_id
        self._prices = prices
        self._listed_above = listed_above
        self._root = root
        self._tail: EventSource = self._source(root, run_id)
        self._seen = seen
        self._summary: RecordFile[RunSummary] = RecordFile(SUMMARY, lambda data: parse_summary(data, run_id))
        self._metrics: RecordFile[RunMetrics] = RecordFile(METRICS, parse_metrics)
        self._artifacts_at: int | None = None
        self._grew_at: int | None = None
        self._whole = False  # the file, as it is now, was read to its end
        self._resumed: tuple[int, int] | None = None  # inode and size of what was read of it before
        self._lock: LockState = "none"
        self._seen.restart()
        self.files = RunFiles(RunFold(run_id, prices))

    def _source(self, root: Path, run_id: str) -> EventSource:
        return Tail(root, run_id, EVENTS, dialect=TYPED_EVENTS, chunk=CHUNK, places=False)

    def refresh(self, *, now_ms: int) -> None:
        """Read the JSON files and list the artifacts, before the events: a total must never be newer."""
        try:
            with directory_beneath(self._root, self.run_id) as run_fd:
                self._summary.refresh(run_fd)
                self._metrics.refresh(run_fd)
                listed = self._artifacts_changed(run_fd, now_ms)
        except OSError as error:
            if error.errno in OUT_OF_DESCRIPTORS and SHARED:
                SHARED.clear()
                self.refresh(now_ms=now_ms)
            return  # the directory is gone; the watch will say so
        self.files = self.files._replace(summary=self._summary.value, metrics=self._metrics.value)
        if listed:
            from buddy_core.runs.artifacts.files import list_artifacts  # many runs have none

            artifacts = list_artifacts(self._root / self.run_id)
            self.files = self.files._replace(artifacts=tuple(artifact.name for artifact in artifacts))

    def _artifacts_changed(self, run_fd: int, now_ms: int) -> bool:
        """True when the directory of artifacts is not as it was, or so new that its time proves nothing."""
        try:
            changed_at = os.stat(ARTIFACTS_NAME, dir_fd=run_fd, follow_symlinks=False).st_mtime_ns
        except FileNotFoundError:
            changed_at = None
        before, self._artifacts_at = self._artifacts_at, changed_at
        young = changed_at is not None and now_ms - changed_at // 1_000_000 < _COARSE_MS
        return changed_at != before or young

    def read(self, *, now_ms: int, budget_bytes: int, watching: bool) -> Reading:
        """Read on in the event file; growth seen while `watching` counts as a sign of life.

        What stood in a file when it was first read, or took its place, is history: an old run that is
        copied or moved into the directory does not come to life by that.
        """
        harvest, events, anew = Harvest(), 0, False

        def take(batch: Batch[TypedEvent], reset: bool) -> None:
            nonlocal events, anew
            if reset:
                anew = True
                self._begin_anew()
            events += len(batch.events)
            fresh = self._seen.sift(batch.identities)
            self.files.fold.feed(batch, now_ms=now_ms, fresh=fresh, harvest=harvest)
            harvest.let_go_of_calls(self._listed_above)

        change = self._tail.pass_on(budget_bytes, take)
        if change.reset:
            self._begin_anew()
        reset = anew or change.reset
        grew = events and watching and not reset and (self._whole or self._is_beyond(change.accounting))
        stirs = bool(grew) and abs(now_ms - (self._grew_at or 0)) >= SILENT_MS
        if grew:
            self._grew_at = now_ms
        self._whole = not change.more and change.problem is None and change.accounting.seen > 0
        self.files = self.files._replace(
            integrity=self._integrity(change.accounting, change.problem, more=change.more),
            problem=change.problem,
        )
        if self._whole and has_ended(self.files):
            self._tail.close()  # most likely for good
        return Reading(harvest, events, change.more, stirs)

    def _begin_anew(self) -> None:
        """What was read of the file is void: another one took its place."""
        self._seen.restart()
        self.files = self.files._replace(fold=RunFold(self.run_id, self._prices))

    def _is_beyond(self, account: Accounting) -> bool:
        """True when more of a file was read than before it was let go."""
        if self._resumed is None or account.seen <= self._resumed[1]:
            return False
        whole = self._inode() == self._resumed[0]
        self._resumed = None
        return whole

    def whole_file(self) -> tuple[int, int] | None:
        """Inode of the event file and how much of it was read, for `resume`; None unless it was read to its end."""
        inode = self._inode()
        return (inode, self._tail.accounting.seen) if self._whole and inode is not None else None

    def resume(self, inode: int, size: int) -> None:
        """So much of the file was read by another that is no more: only what comes behind is a sign of life."""
        self._resumed = inode, size

    def _inode(self) -> int | None:
        try:
            return (self._root / self.run_id / EVENTS).lstat().st_ino
        except OSError:
            return None

    def ask(self) -> None:
        """Ask for the writer's lock, while it has not said how the run ended."""
        self._lock = "none" if has_ended(self.files) else lock_state(self._root / self.run_id)

    def facts(self, *, now_ms: int, turn_model: str | None, polling: bool) -> RunFacts:
        """The run as of `now_ms`, by its files as last read and its lock as last asked for; no file is touched."""
        status = conclude_status(
            recorded_status(self.files),
            lock=self._lock,
            now_ms=now_ms,
            last_activity_ms=self._last_activity(now_ms),
        )
        return build_facts(self.files, status=status, turn_model=turn_model, polling=polling)

    def signature(self, *, on_disk: bool) -> Signature:
        """Of the event file as it stands, or (not `on_disk`) as far as it was read; never of a file that is gone."""
        try:
            found = (self._root / self.run_id / EVENTS).lstat()
        except OSError:
            return Signature(-1, 0)
        return Signature(found.st_size if on_disk else self._tail.accounting.seen, found.st_mtime_ns)

    def close(self) -> None:
        """Let go of the event file."""
        self._tail.close()

    def _last_activity(self, now_ms: int) -> int | None:
        start = started_at(self.files)
        signs = (self.files.fold.last_at, self._grew_at, start if start <= now_ms else None)
        return max((sign for sign in signs if sign is not None), default=None)

    def _integrity(self, account: Accounting, problem: str | None, *, more: bool) -> Integrity:
        """With `more` to read, what is pending is a piece that was cut in the reading, and no damage."""
        notes = [*account.notes]
        if foreign := self.files.fold.foreign_records:
            notes.append(
                f"{foreign:,} events name another run" if foreign > 1 else "1 event names another run"
            )
        problems = (problem, self._summary.problem, self._metrics.problem)
        notes += [problem for problem in problems if problem is not None]
        return Integrity(
            account.skipped_lines, account.recovered_lines, 0 if more else account.pending, tuple(notes)
        )
