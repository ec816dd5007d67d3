"""Keeping the newest runs: which of the others are over, and how they leave.

Age is the time in a run's id, never what a file inside claims. An id from the future (more than a day
ahead of the clock) is the first to go, so that nobody can drive real runs out with one. A run is over when
its lock is free; where there is none (the original writer takes no lock), when its end is recorded or it
has not grown for an hour. Everything else is live, and stays however many there are.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from buddy_core.runs.model import EndStatus
from buddy_core.runs.names import EVENTS_NAME, age_key, is_run_id
from buddy_core.runs.pruning.trash import OutOfTime, Patience, Trash, explain
from buddy_core.runs.records.json_values import count_of, decode_object
from buddy_core.runs.records.smallfiles import MAX_RECORD_BYTES
from buddy_core.runs.watching.liveness import INTERRUPTED_AFTER_MS
from buddy_core.runs.watching.mounts import holding_mounts
from buddy_core.runs.writing.lock import LOCK_NAME
from buddy_core.safety.paths import open_at

_DAY_MS = 86_400_000
_TAIL_BYTES = 64 * 1024
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What one prune did."""

    removed: tuple[str, ...] = ()
    """Runs that are gone from the runs directory, oldest first."""
    live: int = 0
    """Runs beyond the limit that are being recorded and stay."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """What should have gone and could not, by run id (or `.trash`), and why."""
    finished: bool = True
    """False when the time was over before every run was looked at; the next prune goes on."""
    leftover: int = 0
    """Pieces that still lie in `.trash/`."""


class _LiveRun(Exception):
    """The run is being recorded."""


def prune_below(
    root_fd: int, keep: int | None, *, root: Path, now_ms: int, patience: Patience
) -> PruneReport:
    """Take the runs beyond the newest `keep` out of the directory open as `root_fd`, and empty the trash.

    With None for `keep` no run is taken, and only the trash is emptied. `root` is its real path, by which mounts are known. Never raises for what it finds: see the report.
    """
    try:
        surplus = [] if keep is None else _surplus(root_fd, keep, now_ms, patience)
        if not surplus and not Trash.exists(root_fd):
            return PruneReport()
        with Trash(root_fd) as trash:
            return _Prune(root_fd, trash, now_ms, patience).run(
                surplus, holding_mounts(root) if surplus else ()
            )
    except OutOfTime:
        return PruneReport(finished=False)
    except OSError as error:
        return PruneReport(problems={".trash": explain(error)})


class _Prune:
    """One pass over the surplus."""

    def __init__(self, root_fd: int, trash: Trash, now_ms: int, patience: Patience) -> None:
        self._root_fd = root_fd
        self._trash = trash
        self._now_ms = now_ms
        self._patience = patience
        self._removed: list[str] = []
        self._problems: dict[str, str] = {}
        self._live = 0

    def run(self, surplus: list[str], mounted: frozenset[str] | tuple[str, ...]) -> PruneReport:
        """Take what is over, oldest first, then empty the trash."""
        finished = True
        for run_id in surplus:
            if self._patience.over:
                finished = False
                break
            if run_id in mounted:
                self._problems[run_id] = "something is mounted in it"
            else:
                self._take(run_id)
                self._patience.rest()
        self._trash.empty(self._patience)
        problems = {**self._trash.problems, **self._problems}
        return PruneReport(tuple(self._removed), self._live, problems, finished, len(self._trash.contents()))

    def _take(self, run_id: str) -> None:
        try:
            fd = os.open(run_id, _DIRECTORY, dir_fd=self._root_fd)
        except FileNotFoundError:
            return  # another prune was faster
        except OSError as error:
            self._problems[run_id] = explain(error)
            return
        try:
            with _closed_run(fd, self._now_ms):
                self._trash.take(run_id, fd)
            self._removed.append(run_id)
        except _LiveRun:
            self._live += 1
        except FileNotFoundError:
            pass
        except OSError as error:
            self._problems[run_id] = explain(error)
        finally:
            os.close(fd)


def _surplus(root_fd: int, keep: int, now_ms: int, patience: Patience) -> list[str]:
    """The ids beyond the newest `keep`, oldest first."""
    found: list[str] = []
    with os.scandir(root_fd) as entries:
        for entry in entries:
            if is_run_id(entry.name) and entry.is_dir(follow_symlinks=False):
                found.append(entry.name)
                if len(found) % 256 == 0 and patience.over:
                    raise OutOfTime
    if len(found) <= keep:
        return []
    found.sort(key=lambda run_id: age_key(run_id, now_ms))
    return found[: len(found) - keep]


@contextmanager
def _closed_run(run_fd: int, now_ms: int) -> Iterator[None]:
    """Hold the lock of the run open as `run_fd` for the body; raises `_LiveRun` when it is not over."""
    try:
        lock = os.open(LOCK_NAME, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=run_fd)
    except FileNotFoundError:
        if not is_over(run_fd, now_ms):
            raise _LiveRun from None
        yield
        return
    try:
        _try_lock(lock)
        yield
    finally:
        os.close(lock)


def _try_lock(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise _LiveRun from None
        raise


def is_over(run_fd: int, now_ms: int) -> bool:
    """For a run without a lock: has it said that it ended, or not grown for an hour?"""
    summary = decode_object(_read(run_fd, "summary.json", MAX_RECORD_BYTES)) or {}
    last_at, ended = _last_words(_read(run_fd, EVENTS_NAME, _TAIL_BYTES))
    if ended or summary.get("status") in get_args(EndStatus):
        return True
    times = [at for at in (last_at, _grew_at(run_fd)) if at is not None and at <= now_ms + _DAY_MS]
    return now_ms - max(times, default=0) >= INTERRUPTED_AFTER_MS


def _last_words(tail: bytes) -> tuple[int | None, bool]:
    """When the last readable event happened, and whether a run's end is among the last events."""
    last_at, ended = None, False
    for line in reversed(tail.splitlines()[-200:]):
        event = decode_object(line)
        if event is not None:
            last_at = last_at if last_at is not None else count_of(event.get("ts"))
            ended = ended or event.get("type") == "run_end"
    return last_at, ended


def _grew_at(run_fd: int) -> int | None:
    """When the events last grew, or the directory changed that has none, in milliseconds since the epoch."""
    try:
        found = os.stat(EVENTS_NAME, dir_fd=run_fd, follow_symlinks=False)
    except OSError:
        found = os.fstat(run_fd)
    return found.st_mtime_ns // 1_000_000


def _read(run_fd: int, name: str, most: int) -> bytes:
    """The last `most` bytes of a plain file of the run; nothing when there is none."""
    try:
        fd = open_at(run_fd, name)
    except OSError:
        return b""
    try:
        return os.pread(fd, most, max(0, os.fstat(fd).st_size - most))
    except OSError:
        return b""
    finally:
        os.close(fd)
