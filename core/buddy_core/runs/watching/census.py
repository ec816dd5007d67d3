"""Which runs does a directory hold, and whose files have changed since the last look?

Sizes are the truth: a run is compared by inode, size and times of its directory and its three files. A
look at 500 idle runs is 500 entries of one directory listing, and that only when the directory itself has
changed; their files are looked at a slice at a time.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

from buddy_core.runs.names import is_run_id
from buddy_core.runs.reading.descriptors import OUT_OF_DESCRIPTORS, SHARED
from buddy_core.safety.paths import entries_beneath, real_root

FILES = ("events.jsonl", "summary.json", "metrics.json")
"""What of a run is compared."""

NOT_THERE_YET = "the runs directory does not exist yet"
"""The one problem that is none: it is waited for."""

BASELINE = 2000
"""Newest runs whose files are noted when they are first seen; older ones when their slice comes."""

_QUIET_SWEEPS = 2

_Mark: TypeAlias = tuple[int, int, int, int] | None
"""Inode, size, modification and change time; None for a file that is not there."""

_COARSE_NS = 2_000_000_000
"""So much older than the clock may a time be that a file system writes now."""

_SKEW_NS = 3_600_000_000_000
"""So wrong may the clock be that a file server dates by: to look twice at a run that is read costs little."""


class _Marks(NamedTuple):
    """One run as it was at the last check; small, for there may be a hundred thousand of them."""

    inode: int | None
    """Of its directory; None when that is not there."""
    files: int
    """A digest of the marks of its files."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """Who came and who left."""

    added: tuple[str, ...] = ()
    """Newest first."""
    removed: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()
    """Who came together with more newer ones than are wanted; the newest first."""


NOBODY = Attendance()

_UNSEEN = _Marks(None, 0)
"""Of a run that is left alone, until its files are looked at for the first time."""


class Census:
    """The runs beneath `named`, which may be the user's symbolic link and need not exist yet.

    Of runs that come at once the `newest` so many are `added`, and the others left alone; 0: none is.
    """

    def __init__(self, named: Path, extra: Path | None = None, *, newest: int = 0) -> None:
        self.root = real_root(named)
        self.problem: str | None = None
        """Why the directory cannot be listed, in a few words."""
        self.rejected = 0
        """Entries called `run_…` that are no run ids, or no directories of their own."""
        self._named = named
        self._extra = extra
        self._extra_mark = _mark(str(extra)) if extra is not None else None
        self._runs: dict[str, _Marks | None] = {}
        self._root_mark: _Mark = None
        self._quiet = 0  # sweeps in which the root has not changed
        self._newest = newest
        self._began_ns = time.time_ns()  # as file times are: what is younger was written before our eyes
        self._round: Iterator[str] = iter(())

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._runs

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def root_inode(self) -> int | None:
        """Of the directory as last listed; None when there was none."""
        return self._root_mark[0] if self._root_mark else None

    def inode_of(self, run_id: str) -> int | None:
        """Of the run's directory as last seen; None when it was not looked at."""
        marks = self._runs.get(run_id)
        return marks.inode if marks is not None else None

    def attend(self, *, force: bool = False, sweep: bool = True) -> Attendance:
        """List the directory if it has changed, and say who came and who left.

        File times are coarse, so after a change it is listed again until two sweeps found it unchanged.
        """
        mark = _mark(str(self.root))
        if mark is None:
            self.root = real_root(self._named)
        self._quiet = self._quiet + sweep if mark == self._root_mark else 0
        if self._quiet > _QUIET_SWEEPS and not force:
            return NOBODY
        self._root_mark = mark
        return self._replace(self._list())

    def check(self, run_ids: Iterable[str]) -> frozenset[str]:
        """Those of `run_ids` whose files are not as they were at the last check."""
        return frozenset(run_id for run_id in run_ids if run_id in self._runs and self._check(run_id))

    def check_slice(self, size: int) -> frozenset[str]:
        """`check` for the next `size` runs, round and round."""
        chosen = list(islice(self._round, size))
        if not chosen:
            self._round = iter(tuple(self._runs))
            chosen = list(islice(self._round, size))
        return self.check(chosen)

    def check_all(self) -> frozenset[str]:
        """`check` for every run."""
        return self.check(list(self._runs))

    def check_extra(self) -> bool:
        """True when the extra file is not as it was at the last check."""
        if self._extra is None:
            return False
        before, self._extra_mark = self._extra_mark, _mark(str(self._extra))
        return before != self._extra_mark

    def _check(self, run_id: str) -> bool:
        marks, written_ns = self._look(run_id)
        before, self._runs[run_id] = self._runs[run_id], marks
        if marks.inode is None:
            self._quiet = 0  # its directory is gone: list again
        if (
            before is None or before is _UNSEEN
        ):  # nobody knows how it was, but what grew since we began is young
            return written_ns >= self._began_ns - (_COARSE_NS if before is _UNSEEN else _SKEW_NS)
        return before != marks

    def _look(self, run_id: str) -> tuple[_Marks, int]:
        """The marks of a run, and when its files were last written (ns since the epoch)."""
        directory = f"{self.root}/{run_id}"
        mark = _mark(directory)  # its times change with every file; they tell nothing
        files = tuple(_mark(f"{directory}/{name}") for name in FILES)
        written_ns = max((found[2] for found in files if found is not None), default=0)
        return _Marks(None if mark is None else mark[0], hash(files)), written_ns

    def _list(self) -> set[str]:
        names: set[str] = set()
        rejected, known = 0, self._runs
        try:
            for entry in entries_beneath(self.root):
                name = entry.name
                if name.startswith("run_"):
                    if (name in known or is_run_id(name)) and entry.is_dir(follow_symlinks=False):
                        names.add(name)
                    else:
                        rejected += 1
        except OSError as error:
            if error.errno in OUT_OF_DESCRIPTORS and SHARED:
                SHARED.clear()
                return self._list()
            return self._fail(error)
        self.problem, self.rejected = None, rejected
        return names

    def _fail(self, error: OSError) -> set[str]:
        self._quiet = 0
        if isinstance(error, FileNotFoundError):
            self.problem = NOT_THERE_YET
            return set()
        gone = isinstance(error, NotADirectoryError)
        words = "is not a directory" if gone else (error.strerror or "").lower()
        self.problem = f"the runs directory cannot be read: {words}"
        return set() if gone else set(self._runs)  # what cannot be listed at the moment is not gone

    def _replace(self, names: set[str]) -> Attendance:
        removed = tuple(self._runs.keys() - names)
        for run_id in removed:
            del self._runs[run_id]
        come = sorted(names - self._runs.keys(), reverse=True)
        come.sort(key=len, reverse=True)  # a longer number is a later time
        added = come[: self._newest] if self._newest else come
        left_alone = come[len(added) :]
        for position, run_id in enumerate(added):
            self._runs[run_id] = self._look(run_id)[0] if position < BASELINE else None
        self._runs.update(dict.fromkeys(left_alone, _UNSEEN))
        if not come and not removed:
            return NOBODY
        return Attendance(tuple(added), removed, tuple(left_alone))


def _mark(path: str) -> _Mark:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    if stat.S_ISDIR(found.st_mode):
        return found.st_ino, 0, found.st_mtime_ns, found.st_ctime_ns
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
