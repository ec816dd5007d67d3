"""`RunStore`: how an agent records its runs, in the original Code Buddy's format."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from buddy_core.clock import Clock, SystemClock
from buddy_core.errors import RunClosed, RunNotFound, StoreUnavailable
from buddy_core.runs.artifacts import ARTIFACTS_NAME, check_artifact_name
from buddy_core.runs.files import open_root
from buddy_core.runs.json_values import text_of
from buddy_core.runs.listeners import Listeners
from buddy_core.runs.model import EndStatus, RunEvent, RunMetadata, RunMetrics, RunRecord, RunSummary
from buddy_core.runs.names import is_run_id, new_run_id
from buddy_core.runs.reader import read_events, read_run, read_small_file, read_summary, run_ids
from buddy_core.runs.records import metadata_of, metadata_to_wire
from buddy_core.runs.writer import RunWriter
from buddy_core.settings import Settings

MAX_TEXT_ARTIFACT_BYTES = 16 * 1024 * 1024
"""Longer artifacts are not returned as text; read them in parts with `read_artifact`."""

_MAX_OBJECTIVE = 10_000
_MAX_REMEMBERED = 1_000


class RunStore:
    """Records runs below one directory and reads them back. All methods may be called from any thread.

    Nothing is made on the disk before the first `start_run`, so a store that only reads never writes.

    Args:
        runs_dir: Where run directories live; `$CODEBUDDY_RUNS_DIR`, else `~/.codebuddy/runs` by default.
        clock: Where event times and durations come from.
        settings: The environment, already read.
        new_id: Makes the id of a run that starts at a wall time; replaced where runs must be repeatable.
        durable: False skips fsync of the JSON files, for runs that need not survive a power cut.
    """

    def __init__(
        self,
        runs_dir: Path | str | None = None,
        *,
        clock: Clock | None = None,
        settings: Settings | None = None,
        new_id: Callable[[int], str] = new_run_id,
        durable: bool = True,
    ) -> None:
        if settings is None or runs_dir is not None:
            settings = Settings.from_env(runs_dir=runs_dir)
        self.runs_dir: Path = settings.runs_dir
        self._homeless = settings.home is None and runs_dir is None and not settings.runs_dir.exists()
        self._clock = clock or SystemClock()
        self._new_id = new_id
        self._durable = durable
        self._writers: dict[str, RunWriter] = {}
        self._ended: dict[str, None] = {}
        self._refused: Counter[str] = Counter()
        self._listeners = Listeners()
        self._guard = threading.Lock()

    @property
    def current_run_id(self) -> str | None:
        """The run that was started last and has not ended."""
        with self._guard:
            return next(reversed(self._writers), None)

    @property
    def refused(self) -> Mapping[str, int]:
        """How many events and ends were not recorded, by reason."""
        return dict(self._refused)

    @property
    def listener_failures(self) -> int:
        """How many times a listener raised."""
        return self._listeners.failures

    def add_listener(self, callback: Callable[[RunEvent], object]) -> Callable[[], None]:
        """Call `callback` with every event that this store records from now on, `run_start` and `run_end` too.

        It is called in the thread that emits, after the event was acknowledged, with the payload as it was
        handed in. One that raises is isolated, and left out after ten failures in a row. The result takes it
        back.
        """
        return self._listeners.add(callback)

    def start_run(self, objective: str, metadata: RunMetadata | Mapping[str, Any] | None = None) -> str:
        """Begin a run and return its id; its lock is held until it ends or the process does.

        Raises:
            StoreUnavailable: The runs directory cannot be written.
        """
        words = (text_of(objective) or "")[:_MAX_OBJECTIVE]
        root_fd = self._open_root()
        try:
            writer = self._new_writer(root_fd, words, metadata_of(metadata))
            writer.begin()
        except OSError as error:
            raise StoreUnavailable(f"cannot record below {self.runs_dir}: {error}") from error
        finally:
            os.close(root_fd)
        with self._guard:
            self._writers[writer.run_id] = writer
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
            RunNotFound: This store never started that run.
            ValueError: `status` is none of the three words.
        """
        if status not in get_args(EndStatus):
            raise ValueError(f"status must be one of {', '.join(get_args(EndStatus))}")
        with self._guard:
            writer = self._writers.pop(run_id, None)
            if writer is not None:
                self._remember_ended(run_id)
        if writer is not None:
            self._finish(writer, status)
        elif run_id in self._ended:
            self._refuse("run has ended")
        else:
            raise RunNotFound(f"this store is not writing a run {run_id[:40]!r}")

    def emit(self, run_id: str, type: str, data: object) -> bool:
        """Append an event; True means that it survives the death of this process. Never raises.

        False is counted in `refused`: the run is unknown or has ended, or the disk takes no more.
        """
        if not isinstance(run_id, str):  # annotations do not stop a caller
            return self._refuse("unknown run")
        writer = self._writers.get(run_id)
        if writer is None:
            return self._refuse("run has ended" if run_id in self._ended else "unknown run")
        at_ms = self._clock.now_ms()
        if not writer.emit(type, data, at_ms=at_ms):
            return self._refuse("run has ended" if writer.closed else "write failed")
        if self._listeners:
            self._listeners.tell(at_ms, type, run_id, data)
        return True

    def append_event(self, type: str, data: object) -> bool:
        """Append an event to the current run; without one nothing happens, and that is no error."""
        run_id = self.current_run_id
        return run_id is not None and self.emit(run_id, type, data)

    def save_artifact(self, run_id: str, name: str, content: str | bytes) -> Path:
        """Write a file into the run's `artifacts/`, replacing one of the same name, and say so in an event.

        Raises:
            BadArtifactName: `name` is no plain file name; nothing was touched.
            RunNotFound, RunClosed: The run is unknown or has ended.
            StoreUnavailable: The disk refuses.
        """
        check_artifact_name(name)
        writer = self._writer(run_id)
        data = content.encode("utf-8", "replace") if isinstance(content, str) else bytes(content)
        with self._disk_errors():
            writer.save_artifact(name, data)
        path = self.runs_dir / run_id / ARTIFACTS_NAME / name
        self.emit(run_id, "patch_created", {"artifact": name, "path": str(path)})
        return path

    def update_metrics(self, run_id: str, **partial: float) -> None:
        """Set some totals of the run, under the names of `RunMetrics`; raises like `save_artifact`."""
        with self._disk_errors():
            self._writer(run_id).update_metrics(partial)

    def save_metrics(self, run_id: str, metrics: RunMetrics) -> None:
        """Replace the totals of the run; raises like `save_artifact`."""
        with self._disk_errors():
            self._writer(run_id).set_metrics(metrics)

    def get_run(self, run_id: str) -> RunRecord | None:
        """What the files of a run say; of one that this store is writing, what it is at this moment."""
        record = read_run(self.runs_dir, run_id)
        writer = self._writers.get(run_id)
        if record is None or writer is None:
            return record
        return replace(record, summary=writer.summary, metrics=writer.metrics)

    def list_runs(self, limit: int = 20) -> list[RunSummary]:
        """The newest runs; only as many summaries are read as are returned."""
        newest = run_ids(self.runs_dir)[: max(0, limit)]
        return [
            writer.summary if (writer := self._writers.get(run_id)) else read_summary(self.runs_dir, run_id)
            for run_id in newest
        ]

    def get_events(self, run_id: str) -> list[RunEvent]:
        """Every event of a run that can be read, oldest first; none when there is no such run."""
        return read_events(self.runs_dir, run_id) if is_run_id(run_id) else []

    def get_artifact(self, run_id: str, name: str) -> str | None:
        """The text of an artifact; None when there is none, or it is longer than 16 MiB.

        Raises:
            BadArtifactName: `name` is no plain file name.
        """
        check_artifact_name(name)
        if not is_run_id(run_id):
            return None
        data = read_small_file(self.runs_dir, run_id, ARTIFACTS_NAME, name, limit=MAX_TEXT_ARTIFACT_BYTES)
        return None if data is None else data.decode("utf-8", "replace")

    @contextmanager
    def run(self, objective: str, metadata: RunMetadata | Mapping[str, Any] | None = None) -> Iterator[Run]:
        """Record the body of a `with` statement as a run.

        It ends completed, failed when an exception leaves it (which becomes an `error` event), cancelled
        when it is interrupted (Ctrl-C, a cancelled task, an exit).
        """
        run = Run(self, self.start_run(objective, metadata))
        status: EndStatus = "cancelled"
        try:
            yield run
            status = "completed"
        except Exception as error:
            run.emit("error", {"message": f"{type(error).__name__}: {error}"})
            status = "failed"
            raise
        finally:
            self.end_run(run.run_id, status)

    def close(self) -> None:
        """Let go of every run that has not ended; readers will call those interrupted."""
        with self._guard:
            writers = list(self._writers.values())
            for run_id in self._writers:
                self._remember_ended(run_id)
            self._writers.clear()
        for writer in writers:
            writer.close()

    def _finish(self, writer: RunWriter, status: EndStatus) -> None:
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
        """A writer in a directory of its own; an id that is taken is never adopted, another one is tried."""
        for _ in range(100):
            now_ms = self._clock.now_ms()
            summary = RunSummary(
                self._new_id(now_ms), objective, "running", started_at=now_ms, metadata=metadata
            )
            try:
                return RunWriter(root_fd, summary, clock=self._clock, durable=self._durable)
            except FileExistsError:
                continue
        raise StoreUnavailable(f"no free run id in {self.runs_dir}")

    def _refuse(self, reason: str) -> bool:
        """Count what was not recorded; always False."""
        with self._guard:
            self._refused[reason] += 1
        return False

    def _remember_ended(self, run_id: str) -> None:
        """Keep the id, so that late events can be told from unknown runs; the oldest are forgotten."""
        self._ended[run_id] = None
        if len(self._ended) > _MAX_REMEMBERED:
            del self._ended[next(iter(self._ended))]

    def _writer(self, run_id: str) -> RunWriter:
        writer = self._writers.get(run_id)
        if writer is not None and not writer.closed:
            return writer
        if writer is not None or run_id in self._ended:
            raise RunClosed(f"run {run_id} has ended; nothing more can be recorded into it")
        raise RunNotFound(f"this store is not writing a run {run_id[:40]!r}")

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnavailable(f"cannot record below {self.runs_dir}: {error}") from error


class Run:
    """A run inside `with store.run(...)`: the store's methods without the id."""

    def __init__(self, store: RunStore, run_id: str) -> None:
        self.store = store
        self.run_id = run_id

    def emit(self, type: str, data: object) -> bool:
        """As `RunStore.emit`."""
        return self.store.emit(self.run_id, type, data)

    def save_artifact(self, name: str, content: str | bytes) -> Path:
        """As `RunStore.save_artifact`."""
        return self.store.save_artifact(self.run_id, name, content)

    def update_metrics(self, **partial: float) -> None:
        """As `RunStore.update_metrics`."""
        self.store.update_metrics(self.run_id, **partial)
