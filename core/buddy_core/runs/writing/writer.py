"""One run while it is being written: its lock, its event log, its two JSON files and its artifacts."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import Any

from buddy_core.clock import Clock
from buddy_core.runs.model import EndStatus, RunMetrics, RunSummary
from buddy_core.runs.names import ARTIFACTS_NAME, EVENTS_NAME
from buddy_core.runs.pruning.strays import sweep_once
from buddy_core.runs.records.json_values import decode_object
from buddy_core.runs.records.smallfiles import (
    dump_metrics,
    dump_summary,
    increased_metrics,
    metadata_to_wire,
    metrics_with_unknown_of,
    updated_metrics,
    with_unknown_of,
)
from buddy_core.runs.writing.backlog import Backlog, Gap
from buddy_core.runs.writing.eventlog import EventLog, encode_event
from buddy_core.runs.writing.files import close_quietly, make_directory
from buddy_core.runs.writing.lock import LOCK_NAME, RunLock
from buddy_core.runs.writing.runfiles import RunFiles
from buddy_core.runs.writing.usage import UsageTally

SUMMARY_NAME = "summary.json"
METRICS_NAME = "metrics.json"

_TYPE = b'","type":"'
_TOOL_CALL = b'","type":"tool_call"'
_METRIC = b'","type":"metric"'

_open_writers: weakref.WeakSet[RunWriter] = weakref.WeakSet()


class RunWriter:
    """Writes the run of `summary` into a new directory below `root_fd`.

    All methods may be called from any thread, also from a signal handler in the midst of another one. None
    waits for `fsync`: what was written is with the kernel, and `durability_lost` tells when the disk refused
    to keep it. `emit` makes no names, so it does not wait for a file system's journal either; the others
    do, where somebody else syncs all the time (`tests/bench/writer_latency.py` measures it), but hold up no
    `emit` of another thread meanwhile. In a forked child the writer is abandoned: it writes nothing, and the
    parent's lock is not touched.

    Args:
        root_fd: The runs directory.
        summary: What is known of the run when it starts.
        clock: Where durations come from, and the times of what the writer itself records.
        durable: False leaves everything to the kernel's own write-back.
        report: Told "durability lost", once, when the disk refuses to keep what was written; in any thread.

    Raises:
        FileExistsError: The directory exists already; a writer never adopts one.
        OSError: The disk refuses.
    """

    def __init__(
        self,
        root_fd: int,
        summary: RunSummary,
        *,
        clock: Clock,
        durable: bool = True,
        report: Callable[[str], object] | None = None,
    ) -> None:
        self.run_id = summary.run_id
        self.metrics = RunMetrics()
        self.closed = False
        self.end_recorded = False
        """True once `run_end` is in the event log."""
        self.durability_lost: str | None = None
        """Why a power cut may cost what was recorded: the disk's own words. Never taken back."""
        self.gap: Gap | None = None
        """What became of events while the disk took none; None while nothing was refused."""
        self._summary = summary
        self._clock = clock
        self._report = report
        self._began_ms = clock.monotonic_ms()
        self._events = 0
        self._tool_calls = 0
        self._usage = UsageTally()
        self._artifacts: set[str] = set()
        self._backlog: Backlog | None = None
        self._guard = threading.RLock()
        dir_fd = make_directory(summary.run_id, dir_fd=root_fd)
        with ExitStack() as undo:
            undo.callback(close_quietly, dir_fd)
            self._take_back = partial(_remove, summary.run_id, root_fd, dir_fd)
            undo.callback(self._take_back)
            self._lock = RunLock(dir_fd)
            undo.callback(self._lock.release)
            self._log = EventLog(dir_fd)
            undo.callback(self._log.close)
            self._files = RunFiles(dir_fd, failed=self._lose_durability, durable=durable)
            undo.pop_all()
        _open_writers.add(self)
        sweep_once(root_fd, clock.now_ms())

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
        """Record `run_start` and the first state of both JSON files; removes the run when it cannot.

        Raises:
            OSError: The disk took not all of it.
        """
        try:
            if not self.emit("run_start", self.start_payload, self._summary.started_at):
                raise self._log.error or OSError("the disk takes no events")
            self._save_both()
        except OSError:
            self._take_back()
            self.close()
            raise

    def emit(self, kind: str, data: object, at_ms: int) -> bool:
        """Append one event that happened at `at_ms`; False when it is not safely with the kernel.

        An event that the disk refused waits, and is written when it takes events again: within the bounds of
        `backlog`, in order, and once.
        """
        line = encode_event(at_ms, self.run_id, kind, data)
        with self._guard:
            if self._backlog is None and self._log.append(line):  # which fails when closed
                self._events += 1
                if type(kind) is str:
                    if kind == "tool_call":
                        self._tool_calls += 1
                    elif kind == "metric":
                        self._usage.add(data)
                return True
            return self._append_late(line)

    def save_artifact(self, name: str, content: bytes) -> None:
        """Write an artifact under a name that was checked, and count it if it is new."""
        with self._files.guard:
            self._files.save_artifact(name, content)
            self._artifacts.add(name)
            self._summary = replace(self._summary, artifact_count=len(self._artifacts))
            self._save_summary()

    def set_metrics(self, metrics: RunMetrics) -> None:
        """Replace the totals."""
        with self._files.guard:
            self.metrics = metrics
            self._save_metrics()

    def update_metrics(self, changes: Mapping[str, Any]) -> None:
        """Set some of the totals and keep the others."""
        with self._files.guard:
            self.metrics = updated_metrics(self.metrics, changes)
            self._save_metrics()

    def add_metrics(self, amounts: Mapping[str, Any]) -> None:
        """Add to some of the totals and keep the others."""
        with self._files.guard:
            self.metrics = increased_metrics(self.metrics, amounts)
            self._save_metrics()

    def is_below(self, root_fd: int) -> bool:
        """True when the run's name in the directory open as `root_fd` still leads to what is written here."""
        return self._files.is_named(self.run_id, root_fd)

    def finish(self, status: EndStatus) -> bool:
        """Record the end, fill in what the writer itself knows, and let go of the run.

        False when the disk did not take all of it; the lock is released all the same.
        """
        now_ms = self._clock.now_ms()
        with self._guard:
            if self.closed:
                return False
            recorded = self.end_recorded = self.emit("run_end", {"status": status}, now_ms)
            with self._files.guard:
                self._summary = replace(self._summary, status=status, ended_at=now_ms)
                self.metrics = self._final_metrics()
                try:
                    self._save_both(urgent=True)
                except OSError:
                    recorded = False
            self.abandon()
        return recorded

    def close(self) -> None:
        """Let go of the run without ending it; readers will call it interrupted."""
        with self._guard:
            if not self.closed:
                self.abandon()

    def abandon(self) -> None:
        """Close every descriptor without a word, and without waiting for another thread."""
        self.closed = True
        if self._backlog is not None:
            self.gap = self._backlog.gap
        self._log.close()
        self._lock.release()
        self._files.close()

    def _append_late(self, line: bytes) -> bool:
        """Append `line` after what waits, if the disk takes it by now; the guard is held."""
        if self.closed:
            return False
        if self._backlog is not None and self._backlog.drain(self._count):
            self.gap, self._backlog = self._backlog.gap, None
            self._record("error" if self.gap.lost else "decision", _words_of(self.gap))
            if self._backlog is None and self._log.append(line):
                return self._count(line)
        if self._backlog is None:
            self._backlog = Backlog(self._log, self._clock.now_ms())
        self._backlog.hold(line)
        return False

    def _record(self, kind: str, words: Mapping[str, Any]) -> None:
        """Record what happened to the record itself."""
        self.emit(kind, words, self._clock.now_ms())

    def _count(self, line: bytes) -> bool:
        """Count an event that came late into the file; always True."""
        self._events += 1
        place = line.find(_TYPE)  # the first one is the event's own
        if line.startswith(_TOOL_CALL, place):
            self._tool_calls += 1
        elif line.startswith(_METRIC, place):
            self._usage.add((decode_object(line) or {}).get("data"))
        return True

    def _lose_durability(self, error: OSError) -> None:
        """Called in the flusher's thread. What is lost stays lost, whatever the disk says later."""
        if self.durability_lost is not None:
            return
        self.durability_lost = words = error.strerror or str(error)
        with self._files.guard:
            self._summary = replace(self._summary, extra={**self._summary.extra, "durabilityLost": words})
        if self._report is not None:
            self._report("durability lost")
        message = f"the disk refused to keep what was recorded ({words}): a power cut may cost events"
        self._record("error", {"message": message, "kind": "durability_lost"})

    def _final_metrics(self) -> RunMetrics:
        elapsed = int(self._clock.monotonic_ms() - self._began_ms)
        return replace(
            self._usage.fill(self.metrics),
            duration_ms=self.metrics.duration_ms or elapsed,
            tool_call_count=max(self.metrics.tool_call_count, self._tool_calls),
        )

    def _save_both(self, *, urgent: bool = False) -> None:
        self._save_summary(urgent=urgent)
        self._save_metrics(urgent=urgent)

    def _save_summary(self, *, urgent: bool = False) -> None:
        self._files.save(SUMMARY_NAME, self._dump_summary, urgent=urgent)
        with suppress(OSError):  # no descriptor to spare: the kernel writes the events back in its own time
            self._files.keep(EVENTS_NAME, self._log.duplicate(), urgent=urgent)

    def _save_metrics(self, *, urgent: bool = False) -> None:
        self._files.save(METRICS_NAME, self._dump_metrics, urgent=urgent)

    def _dump_summary(self) -> bytes:
        return dump_summary(with_unknown_of(self.summary, self._files.read(SUMMARY_NAME)))

    def _dump_metrics(self) -> bytes:
        return dump_metrics(metrics_with_unknown_of(self.metrics, self._files.read(METRICS_NAME)))


def _words_of(gap: Gap) -> dict[str, Any]:
    """The payload of the note that a gap leaves; `since` in wall milliseconds."""
    told = f"the disk took no events for a while ({gap.cause}): {gap.late} came late, {gap.lost} are lost"
    key = "message" if gap.lost else "description"
    return {"kind": "recording_gap", key: told, "late": gap.late, "lost": gap.lost, "since": gap.since_ms}


def _remove(run_id: str, root_fd: int, dir_fd: int) -> None:
    """Take back a run that could not begin, as far as the disk lets it; its names are known."""
    with suppress(OSError):
        for name in (EVENTS_NAME, SUMMARY_NAME, METRICS_NAME, LOCK_NAME):
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=dir_fd)
        with suppress(FileNotFoundError):
            os.rmdir(ARTIFACTS_NAME, dir_fd=dir_fd)
        os.rmdir(run_id, dir_fd=root_fd)


def _abandon_in_child() -> None:
    """After fork: the child must neither write into its parent's runs nor keep their locks alive."""
    for writer in list(_open_writers):
        writer.abandon()
    _open_writers.clear()


os.register_at_fork(after_in_child=_abandon_in_child)
