"""`RunStore`: how an agent records its runs, in the original Code Buddy's format."""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, get_args

from buddy_core.clock import Clock, SystemClock
from buddy_core.errors import RunClosed, RunLocked, RunNotFound, StoreUnavailable
from buddy_core.runs.artifacts.names import check_artifact_name
from buddy_core.runs.model import EndStatus, RunEvent, RunMetadata, RunMetrics, RunSummary
from buddy_core.runs.names import ARTIFACTS_NAME, is_run_id, new_run_id
from buddy_core.runs.pruning.housekeeping import Housekeeper
from buddy_core.runs.pruning.prune import PruneReport
from buddy_core.runs.reading.reader import read_summary
from buddy_core.runs.records.json_values import text_of
from buddy_core.runs.records.smallfiles import metadata_of, metadata_to_wire, metrics_of
from buddy_core.runs.store import active
from buddy_core.runs.store.listeners import EndListeners, Listeners
from buddy_core.runs.store.open_runs import OpenRuns
from buddy_core.runs.store.run_context import Run, recorded_run
from buddy_core.runs.store.store_reading import RunReading
from buddy_core.runs.watching.liveness import lock_state
from buddy_core.runs.writing.files import open_root
from buddy_core.runs.writing.writer import RunWriter
from buddy_core.safety.paths import real_root
from buddy_core.settings import Settings

MAX_RUNS = 30
"""How many runs are kept unless told otherwise; the original keeps as many."""

CLOSE_WAIT_S = 0.25
"""How long `RunStore.close` waits for a prune."""

_MAX_OBJECTIVE = 10_000
_MAX_TRIES = 100
_BURST_MS = 1_000  # further back a clock was set, and ids follow it
_END_WORDS = get_args(EndStatus)
_stores: weakref.WeakSet[RunStore] = weakref.WeakSet()


class RunStore(RunReading):
    """Records runs below one directory and reads them back. All methods may be called from any thread.

    Nothing is made on the disk before the first `start_run`, so a store that only reads never writes.
    After `fork()` the child's copy has no run open: the parent's runs stay the parent's.

    Args:
        runs_dir: Where run directories live; `$CODEBUDDY_RUNS_DIR`, else `~/.codebuddy/runs` by default.
        max_runs: How many runs a start keeps (None: all); see `prune`.
        clock: Where event times and durations come from.
        settings: The environment, already read.
        new_id: Makes the id of a run that starts at a wall time; replaced where runs must be repeatable.
        durable: False skips fsync of the JSON files, for runs that need not survive a power cut.
    """

    def __init__(
        self,
        runs_dir: Path | str | None = None,
        *,
        max_runs: int | None = MAX_RUNS,
        clock: Clock | None = None,
        settings: Settings | None = None,
        new_id: Callable[[int], str] = new_run_id,
        durable: bool = True,
    ) -> None:
        if settings is None or runs_dir is not None:
            settings = Settings.from_env(runs_dir=runs_dir)
        self._open = OpenRuns()
        clock = clock or SystemClock()
        # The user's own link is followed once.
        super().__init__(real_root(settings.runs_dir), clock, self._open.writers)
        self._now_ms = clock.now_ms
        self._homeless = settings.homeless
        self._new_id = new_id
        self._durable = durable
        self._refused: Counter[str] = Counter()
        self._listeners = Listeners()
        self._end_listeners = EndListeners()
        self._housekeeper = Housekeeper(self.runs_dir, max_runs, self._clock)
        self._last_id_ms = -_BURST_MS
        self._guard = threading.RLock()
        _stores.add(self)

    @classmethod
    def get_instance(cls) -> RunStore:
        """The store of this process, made at the first call; `reset_run_store` lets go of it."""
        return active.shared_store(cls)

    @property
    def current_run_id(self) -> str | None:
        """The open run that was started last: in this thread or asyncio task, or else anywhere."""
        return self._open.current

    @property
    def refused(self) -> Mapping[str, int]:
        """How many events and ends were not recorded, by reason, and in how many runs "durability lost"."""
        return dict(self._refused)

    @property
    def listener_failures(self) -> int:
        """How many times a listener raised, or listeners were left out that were called from within each other."""
        return self._listeners.failures + self._listeners.suppressed

    @property
    def prune_problems(self) -> Mapping[str, int]:
        """What stood in the way of pruning, in words, and how often."""
        return self._housekeeper.problems

    def is_open(self, run_id: str) -> bool:
        """True while this store is recording the run."""
        return run_id in self._writers

    def started_at(self, run_id: str) -> int | None:
        """When an open run of this store began, in wall milliseconds; None for any other."""
        writer = self._writers.get(run_id)
        return None if writer is None else writer.summary.started_at

    def add_end_listener(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Call `callback` with the id of each run just before its end is recorded, for last words about it.

        One that raises is isolated. The result takes it back.
        """
        return self._end_listeners.add(callback)

    def add_listener(self, callback: Callable[[RunEvent], object]) -> Callable[[], None]:
        """Call `callback` with every event that this store records from now on, `run_start` and `run_end` too.

        It is called in the thread that emits, after the event was acknowledged, with the payload as it was
        handed in. One that raises is isolated, and left out after ten failures in a row. The result takes it
        back.
        """
        return self._listeners.add(callback)

    def start_run(self, objective: str, metadata: RunMetadata | Mapping[str, Any] | None = None) -> str:
        """Begin a run and return its id; its lock is held until it ends or the process does.

        Older runs beyond `max_runs` go, as far as that takes a few milliseconds; a thread does the rest.

        Raises:
            StoreUnavailable: The runs directory cannot be written.
        """
        words = (text_of(objective) or "")[:_MAX_OBJECTIVE]
        root_fd = self._open_root()
        try:
            writer = self._new_writer(root_fd, words, metadata_of(metadata))
            writer.begin()
            self._open.add(writer)
            self._housekeeper.run_started(root_fd)
        except OSError as error:
            raise StoreUnavailable(f"cannot record below {self.runs_dir}: {error}") from error
        finally:
            os.close(root_fd)
        active.run_started(self)
        self._listeners.tell(writer.summary.started_at, "run_start", writer.run_id, writer.start_payload)
        return writer.run_id

    def fork_run(
        self,
        parent_run_id: str,
        reason: str,
        overrides: RunMetadata | Mapping[str, Any] | None = None,
    ) -> str:
        """Begin a run that continues another one with its objective and metadata, changed by `overrides`.

        Raises:
            RunNotFound: The parent does not exist.
            StoreUnavailable: The runs directory cannot be written.
        """
        parent = self.get_run(parent_run_id)
        if parent is None:
            raise RunNotFound(f"no run {parent_run_id[:40]!r} to fork in {self.runs_dir}")
        inherited = metadata_to_wire(parent.summary.metadata) | metadata_to_wire(metadata_of(overrides))
        inherited |= {"parentRolloutId": parent_run_id, "forkReason": reason}
        run_id = self.start_run(f"[fork:{reason}] {parent.summary.objective}", inherited)
        self.emit(run_id, "decision", {"kind": "fork", "parentRunId": parent_run_id, "reason": reason})
        return run_id

    def end_run(self, run_id: str, status: EndStatus) -> None:
        """End a run. The first end wins; another one is counted in `refused` and changes nothing.

        Raises:
            RunNotFound: There is no such run, or its writer is gone without having ended it.
            RunLocked: Another process is recording it.
            ValueError: `status` is none of the three words.
        """
        if status not in _END_WORDS:
            raise ValueError(f"status must be one of {', '.join(_END_WORDS)}")
        if run_id in self._writers:
            self._end_listeners.tell(run_id)
        writer = self._open.pop(run_id)
        if writer is not None:
            self._finish(writer, status)
        elif isinstance(error := self._why_closed(run_id), RunClosed):
            self._refuse("run has ended")
        else:
            raise error

    def emit(self, run_id: str, type: str, data: object, *, at_ms: int | None = None) -> bool:
        """Append an event; True means that it survives the death of this process. Never raises.

        It happens now, or at the wall time `at_ms` when it is told of later. False is counted in `refused`:
        the run is unknown or has ended, or the disk takes no more. What the disk refused waits, at most
        1,000 events and 1 MiB a run, and is written in order when it takes events again, with a note that says
        how many came late or are lost; so it need not be emitted again.
        """
        try:
            writer = self._writers[run_id]
        except Exception:  # noqa: BLE001  annotations do not stop a caller: it may be no id, and not even a key
            return self._refuse_closed(run_id)
        if at_ms is None:
            at_ms = self._now_ms()
        if not writer.emit(type, data, at_ms):
            return self._refuse("run has ended" if writer.closed else "write failed")
        if self._listeners.everybody:
            self._listeners.tell(at_ms, type, writer.run_id, data)
        return True

    def append_event(self, type: str, data: object) -> bool:
        """Append an event to the current run; without one nothing happens, and that is no error."""
        run_id = self._open.current
        return run_id is not None and self.emit(run_id, type, data)

    def save_artifact(self, run_id: str, name: str, content: str | bytes) -> Path:
        """Write a file into the run's `artifacts/`, replacing one of the same name, and say so in an event.

        Raises:
            BadArtifactName: `name` is no plain file name; nothing was touched.
            RunNotFound, RunClosed, RunLocked: The run is unknown, has ended, is another process's.
            StoreUnavailable: The disk refuses.
        """
        check_artifact_name(name)
        writer = self._writer(run_id)
        data = content.encode("utf-8", "replace") if isinstance(content, str) else bytes(memoryview(content))
        with self._disk_errors():
            writer.save_artifact(name, data)
        path = self.runs_dir / run_id / ARTIFACTS_NAME / name
        self.emit(run_id, "patch_created", {"artifact": name, "path": str(path)})
        return path

    def update_metrics(self, run_id: str, **partial: float) -> None:
        """Set some totals of the run, under the names of `RunMetrics`; raises like `save_artifact`."""
        with self._disk_errors():
            self._writer(run_id).update_metrics(partial)

    def add_metrics(self, run_id: str, **amounts: float) -> None:
        """Add to some totals of the run in one step, whoever else does at once; raises like `save_artifact`."""
        with self._disk_errors():
            self._writer(run_id).add_metrics(amounts)

    def save_metrics(self, run_id: str, metrics: RunMetrics | Mapping[str, Any]) -> None:
        """Replace the totals of the run (of a mapping, what it does not name is 0); raises like `save_artifact`."""
        with self._disk_errors():
            self._writer(run_id).set_metrics(metrics_of(metrics))

    def run(
        self, objective: str, metadata: RunMetadata | Mapping[str, Any] | None = None
    ) -> AbstractContextManager[Run]:
        """Record the body of a `with` statement as a run.

        It ends completed, failed when an exception leaves it (which becomes an `error` event), cancelled
        when it is interrupted (Ctrl-C, a cancelled task, a closed generator, an exit). Runs may be nested.
        """
        return recorded_run(self, objective, metadata)

    def prune(self) -> PruneReport:
        """Keep the newest `max_runs` and every run that is being recorded; remove the others now.

        `start_run` does the same by itself. A run goes into `.trash/` in one step and is then taken apart;
        what cannot be removed is told in the report and tried again by the next prune.

        Raises:
            StoreUnavailable: There is no runs directory, or it cannot be opened.
        """
        try:
            root_fd = os.open(self.runs_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise StoreUnavailable(f"cannot prune {self.runs_dir}: {error.strerror}") from error
        try:
            return self._housekeeper.prune(root_fd)
        finally:
            os.close(root_fd)

    def wait_for_prune(self, timeout_s: float) -> bool:
        """Wait for the thread that tidies up after `start_run`; False when it is still at work then."""
        return self._housekeeper.wait(timeout_s)

    def close(self) -> None:
        """Let go of every run that has not ended; readers will call those interrupted.

        A prune that is still at work has a quarter of a second to finish; the next one goes on.
        """
        for writer in self._open.drain():
            writer.close()
        self._housekeeper.wait(CLOSE_WAIT_S)
        active.closed(self)

    def _finish(self, writer: RunWriter, status: EndStatus) -> None:
        if not self._writers:
            active.nothing_open(self)
        if not writer.finish(status):
            self._refuse("write failed")
        if writer.end_recorded:
            ended_at = writer.summary.ended_at or self._clock.now_ms()
            self._listeners.tell(ended_at, "run_end", writer.run_id, {"status": status})

    def _open_root(self) -> int:
        if self._homeless:
            raise StoreUnavailable("HOME names no directory: set CODEBUDDY_RUNS_DIR to record runs")
        return open_root(self.runs_dir)

    def _new_writer(self, root_fd: int, objective: str, metadata: RunMetadata) -> RunWriter:
        """A writer in a directory of its own; an id that is taken is never adopted, another one is tried.

        So is a directory that a prune carried off before its lock was held.
        """
        for _ in range(_MAX_TRIES):
            now_ms = self._clock.now_ms()
            run_id = self._new_id(self._id_time(now_ms))
            summary = RunSummary(run_id, objective, "running", started_at=now_ms, metadata=metadata)
            try:
                writer = RunWriter(
                    root_fd, summary, clock=self._clock, durable=self._durable, report=self._refuse
                )
            except (FileExistsError, FileNotFoundError, RunLocked):
                continue
            if writer.is_below(root_fd):
                return writer
            writer.close()
        raise StoreUnavailable(f"no free run id in {self.runs_dir}")

    def _id_time(self, now_ms: int) -> int:
        """The time for an id: runs that start in one millisecond get successive ones, so that ids keep their order."""
        with self._guard:
            burst = 0 <= self._last_id_ms - now_ms < _BURST_MS
            self._last_id_ms = self._last_id_ms + 1 if burst else now_ms
            return self._last_id_ms

    def _refuse(self, reason: str) -> bool:
        """Count what was not recorded; always False."""
        with self._guard:
            self._refused[reason] += 1
        return False

    def _refuse_closed(self, run_id: str) -> bool:
        """Count an event of a run that this store is not writing; always False."""
        try:
            ended = self._open.has_ended(run_id)
        except Exception:  # noqa: BLE001  it cannot even be looked up
            ended = False
        return self._refuse("run has ended" if ended else "unknown run")

    def _writer(self, run_id: str) -> RunWriter:
        writer = self._writers.get(run_id)
        if writer is not None and not writer.closed:
            return writer
        raise self._why_closed(run_id)

    def _why_closed(self, run_id: str) -> RunNotFound | RunClosed | RunLocked:
        """What to raise for a run that this store is not writing; the disk is asked about those of others."""
        if self._open.has_ended(run_id) or run_id in self._writers:
            return RunClosed(f"run {run_id} has ended; nothing more can be recorded into it")
        if isinstance(run_id, str) and is_run_id(run_id):
            if read_summary(self.runs_dir, run_id).status in _END_WORDS:
                return RunClosed(f"run {run_id} has ended; nothing more can be recorded into it")
            if lock_state(self.runs_dir / run_id) == "held":
                return RunLocked(f"another process is recording run {run_id}")
        return RunNotFound(f"this store is not writing a run {str(run_id)[:40]!r}")

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnavailable(f"cannot record below {self.runs_dir}: {error}") from error

    def _forget_in_child(self) -> None:
        self._guard = threading.RLock()
        self._open.forget_in_child()
        self._listeners.forget_in_child()
        self._end_listeners.forget_in_child()
        self._housekeeper.forget_in_child()


def _forget_in_child() -> None:
    """After fork: the child's stores have no run open, and no lock that a thread of the parent held."""
    for store in list(_stores):
        store._forget_in_child()


os.register_at_fork(after_in_child=_forget_in_child)
