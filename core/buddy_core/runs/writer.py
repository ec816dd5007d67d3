"""One run while it is being written: its lock, its event log, its two JSON files and its artifacts."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from buddy_core.clock import Clock
from buddy_core.runs.artifacts import ARTIFACTS_NAME
from buddy_core.runs.eventlog import EventLog, encode_event
from buddy_core.runs.files import make_directory, replace_file
from buddy_core.runs.lock import RunLock
from buddy_core.runs.model import EndStatus, RunMetrics, RunSummary
from buddy_core.runs.records import (
    dump_metrics,
    dump_summary,
    increased_metrics,
    metadata_to_wire,
    updated_metrics,
)

_open_writers: weakref.WeakSet[RunWriter] = weakref.WeakSet()


class RunWriter:
    """Writes the run of `summary` into a new directory below `root_fd`.

    All methods may be called from any thread. In a forked child the writer is abandoned: it writes nothing,
    and the parent's lock is not touched.

    Raises:
        FileExistsError: The directory exists already; a writer never adopts one.
        OSError: The disk refuses.
    """

    def __init__(self, root_fd: int, summary: RunSummary, *, clock: Clock, durable: bool = True) -> None:
        self.run_id = summary.run_id
        self.metrics = RunMetrics()
        self.closed = False
        self.end_recorded = False
        """True once `run_end` is in the event log."""
        self._summary = summary
        self._clock = clock
        self._durable = durable
        self._began_ms = clock.monotonic_ms()
        self._events = 0
        self._tool_calls = 0
        self._artifacts: set[str] = set()
        self._guard = threading.Lock()
        self._dir_fd = make_directory(summary.run_id, dir_fd=root_fd)
        with ExitStack() as undo:
            undo.callback(os.close, self._dir_fd)
            self._lock = RunLock(self._dir_fd)
            undo.callback(self._lock.release)
            self._log = EventLog(self._dir_fd)
            undo.callback(self._log.close)
            self._artifacts_fd = make_directory(ARTIFACTS_NAME, dir_fd=self._dir_fd)
            undo.pop_all()
        _open_writers.add(self)

    @property
    def summary(self) -> RunSummary:
        """The summary as of now, with every event counted."""
        return replace(self._summary, event_count=self._events)

    @property
    def start_payload(self) -> dict[str, Any]:
        """What `run_start` carries: the objective, and the metadata where there is any."""
        metadata = metadata_to_wire(self._summary.metadata)
        objective = {"objective": self._summary.objective}
        return {**objective, "metadata": metadata} if metadata else {**objective}

    def begin(self) -> None:
        """Record `run_start` and the first state of both JSON files; closes the writer when it cannot.

        Raises:
            OSError: The disk took not all of it.
        """
        try:
            if not self.emit("run_start", self.start_payload, at_ms=self._summary.started_at):
                raise OSError("the disk takes no events")
            with self._guard:
                self._save_both()
        except OSError:
            self.close()
            raise

    def emit(self, type: str, data: object, *, at_ms: int) -> bool:
        """Append one event that happened at `at_ms`; False when it is not safely with the kernel."""
        if self.closed:
            return False
        line = encode_event(at_ms, self.run_id, type, data)
        with self._guard:
            return not self.closed and self._append(type, line)

    def save_artifact(self, name: str, content: bytes) -> None:
        """Write an artifact under a name that was checked, and count it if it is new."""
        with self._guard:
            replace_file(name, content, dir_fd=self._artifacts_fd, durable=False)
            self._artifacts.add(name)
            self._summary = replace(self._summary, artifact_count=len(self._artifacts))
            self._save_summary()

    def set_metrics(self, metrics: RunMetrics) -> None:
        """Replace the totals."""
        with self._guard:
            self.metrics = metrics
            self._save_metrics()

    def update_metrics(self, changes: Mapping[str, Any]) -> None:
        """Set some of the totals and keep the others."""
        with self._guard:
            self.metrics = updated_metrics(self.metrics, changes)
            self._save_metrics()

    def add_metrics(self, amounts: Mapping[str, Any]) -> None:
        """Add to some of the totals and keep the others."""
        with self._guard:
            self.metrics = increased_metrics(self.metrics, amounts)
            self._save_metrics()

    def is_below(self, root_fd: int) -> bool:
        """True when the run's name in the directory open as `root_fd` still leads to what is written here."""
        try:
            found = os.stat(self.run_id, dir_fd=root_fd, follow_symlinks=False)
        except OSError:
            return False
        own = os.fstat(self._dir_fd)
        return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)

    def finish(self, status: EndStatus) -> bool:
        """Record the end, fill in what the writer itself knows, and let go of the run.

        False when the disk did not take all of it; the lock is released all the same.
        """
        if self.closed:
            return False
        now_ms = self._clock.now_ms()
        with self._guard:
            recorded = self.end_recorded = self._append(
                "run_end", encode_event(now_ms, self.run_id, "run_end", {"status": status})
            )
            self._summary = replace(self._summary, status=status, ended_at=now_ms)
            self.metrics = self._final_metrics()
            try:
                self._save_both()
            except OSError:
                recorded = False
            self.abandon()
        return recorded

    def close(self) -> None:
        """Let go of the run without ending it; readers will call it interrupted."""
        if not self.closed:
            with self._guard:
                self.abandon()

    def abandon(self) -> None:
        """Close every descriptor without a word, and without waiting for another thread."""
        self.closed = True
        self._log.close()
        self._lock.release()
        for fd in (self._artifacts_fd, self._dir_fd):
            if fd >= 0:
                os.close(fd)
        self._artifacts_fd = self._dir_fd = -1

    def _append(self, type: str, line: bytes) -> bool:
        recorded = self._log.append(line)
        if recorded:
            self._events += 1
            self._tool_calls += type == "tool_call"
        return recorded

    def _final_metrics(self) -> RunMetrics:
        elapsed = int(self._clock.monotonic_ms() - self._began_ms)
        return replace(
            self.metrics,
            duration_ms=self.metrics.duration_ms or elapsed,
            tool_call_count=max(self.metrics.tool_call_count, self._tool_calls),
        )

    def _save_both(self) -> None:
        self._save_summary()
        self._save_metrics()

    def _save_summary(self) -> None:
        data = dump_summary(self.summary)
        replace_file("summary.json", data, dir_fd=self._dir_fd, durable=self._durable)

    def _save_metrics(self) -> None:
        data = dump_metrics(self.metrics)
        replace_file("metrics.json", data, dir_fd=self._dir_fd, durable=self._durable)


def _abandon_in_child() -> None:
    """After fork: the child must neither write into its parent's runs nor keep their locks alive."""
    for writer in list(_open_writers):
        writer.abandon()
    _open_writers.clear()


os.register_at_fork(after_in_child=_abandon_in_child)
