"""The archive: how a run comes into the directory of kept runs, whole or not at all, and how it leaves.

A copy is made under another name, written through to the disk, and renamed at last: the kernel refuses that where a
kept run stands already, so none is ever overwritten. Whoever makes a copy holds a lock on its directory; what was
left behind by one who was killed has no lock, and is swept away by the next. Secrets stay as they were recorded:
directories are 0700, files 0600.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from buddy_core.clock import Clock, SystemClock
from buddy_core.errors import KeepFailed, KeptRunDamaged, RunLocked, RunNotFound, StoreUnavailable
from buddy_core.runs.keeping.copying import COPYING, held, new_directory, sweep, write_packed, write_whole
from buddy_core.runs.keeping.kept import KeptRuns
from buddy_core.runs.keeping.manifest import FORMAT, MANIFEST_NAME, Manifest, encode_manifest
from buddy_core.runs.keeping.pack import PACKED_NAME, Packed, digests
from buddy_core.runs.keeping.survey import Parts, RunChanged, Survey, survey, told_path
from buddy_core.runs.names import is_run_id
from buddy_core.runs.query.candidate import Candidate
from buddy_core.runs.query.scan import read_once
from buddy_core.runs.writing.files import open_root
from buddy_core.safety.paths import real_root
from buddy_core.safety.text import plain

_TRIES = 3
YOUNG_MS = 1_000
"""A run without an end that changed so lately is left alone: a lock held here could keep its writer from starting."""


class KeepOutcome(msgspec.Struct, frozen=True):
    """What became of a wish to keep a run."""

    run_id: str
    state: Literal["kept", "already"]
    manifest: Manifest


class Archive(KeptRuns):
    """The kept runs in `root`, which is made when the first run is kept; it may be the user's own link."""

    def __init__(self, root: Path, *, clock: Clock | None = None) -> None:
        super().__init__(root)
        self._clock = clock or SystemClock()

    def keep(self, runs_dir: Path, run_id: str) -> KeepOutcome:
        """Copy the run `run_id` of `runs_dir`, or find that just this copy is kept already.

        Raises:
            RunNotFound: There is no such run, or it was removed while it was copied.
            RunLocked: It is being recorded.
            KeepFailed: It changes, cannot be read or written, or another copy of it is kept.
        """
        if not is_run_id(run_id):
            raise RunNotFound(f"{plain(run_id, limit=60)} is no run id: nothing was kept")
        root = real_root(runs_dir)
        if real_root(self.root).is_relative_to(root):
            raise KeepFailed(f"the archive {self.root} lies in the runs directory: name another place for it")
        try:
            before: frozenset[Parts] = frozenset()
            for _ in range(_TRIES):
                found = survey(root, run_id)
                if not before <= found.lasting:
                    raise RunNotFound(f"{run_id} is being removed: nothing was kept")
                before = found.lasting
                with suppress(RunChanged):
                    return self._keep_now(root, found)
            raise KeepFailed(f"{run_id} changes while it is copied: nothing was kept")
        except KeptRunDamaged as error:
            raise KeepFailed(
                f"{error}; “buddy-top run unkeep {run_id}” makes room for a sound one"
            ) from error
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not os.path.lexists(root / run_id):
                raise RunNotFound(f"{run_id} is not in {runs_dir} (any more): nothing was kept") from None
            raise KeepFailed(f"{run_id} cannot be kept: {error.strerror or error}") from error

    def holds(self, runs_dir: Path, run_id: str) -> bool:
        """True when the run is kept as it is, going by names, sizes and times; raises `KeptRunDamaged`."""
        if run_id not in self:
            return False
        try:
            found = survey(real_root(runs_dir), run_id)
        except (OSError, KeepFailed):
            return False
        now = {(file.told, file.size, file.mtime_ns) for file in found.files}
        return now == {(file.name, file.size, file.mtime_ns) for file in self.manifest(run_id).files}

    def remove(self, run_id: str) -> None:
        """Remove a kept run, damaged or not; it is gone at once or, when this is killed, at the next time.

        Raises:
            RunNotFound: It is not kept.
            KeepFailed: The archive cannot be written.
        """
        if run_id not in self:
            raise RunNotFound(f"{plain(run_id, limit=60)} is not kept in {self.root}")
        root_fd = self._writable()
        try:
            others = {*os.listdir(self.root / run_id)} - {MANIFEST_NAME, PACKED_NAME}  # noqa: PTH208
            if others:
                raise KeepFailed(f"{run_id} in {self.root} is more than a kept copy: remove it by hand")
            os.rename(run_id, f"{COPYING}{os.urandom(8).hex()}", src_dir_fd=root_fd, dst_dir_fd=root_fd)
            os.fsync(root_fd)
            sweep(root_fd)
        except OSError as error:
            raise KeepFailed(f"{run_id} cannot be removed: {error.strerror or error}") from error
        finally:
            os.close(root_fd)

    def _keep_now(self, root: Path, found: Survey) -> KeepOutcome:
        """One attempt; what the manifest says, what is copied and what is there in the end are the same state."""
        candidate = read_once(root, found.run_id, now_ms=self._clock.now_ms())
        self._demand_over(candidate, found)
        with held(root, found.run_id):
            if found.run_id in self:
                return self._already(root, found.run_id)
            return self._copied(root, candidate, found)

    def _demand_over(self, candidate: Candidate, found: Survey) -> None:
        """Raise `RunLocked` for a run that lives, or has begun so lately that its writer may not hold its lock yet."""
        facts = candidate.facts
        if facts.live:
            raise RunLocked(f"{facts.run_id} is still being recorded: keep it when it has ended")
        newest_ms = max((file.mtime_ns // 1_000_000 for file in found.files), default=0)
        if facts.status == "interrupted" and abs(self._clock.now_ms() - newest_ms) < YOUNG_MS:
            raise RunLocked(f"{facts.run_id} has only just begun, or just broken off: try again in a moment")

    def _copied(self, root: Path, candidate: Candidate, found: Survey) -> KeepOutcome:
        root_fd = self._writable()
        try:
            sweep(root_fd)
            with new_directory(root_fd) as (name, fd):
                packed = write_packed(fd, root, found)
                manifest = self._manifest(root, candidate, found, packed)
                write_whole(fd, MANIFEST_NAME, encode_manifest(manifest))
                os.fsync(fd)
                if survey(root, found.run_id) != found:
                    raise RunChanged
                return self._published(root_fd, name, manifest, root)
        finally:
            os.close(root_fd)

    def _published(self, root_fd: int, name: str, manifest: Manifest, root: Path) -> KeepOutcome:
        """Give the finished copy its name; where another one was faster, that one counts."""
        try:
            os.rename(name, manifest.run_id, src_dir_fd=root_fd, dst_dir_fd=root_fd)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            return self._already(root, manifest.run_id)
        os.fsync(root_fd)
        return KeepOutcome(manifest.run_id, "kept", manifest)

    def _manifest(self, root: Path, candidate: Candidate, found: Survey, packed: Packed) -> Manifest:
        return Manifest(
            format=FORMAT,
            run_id=candidate.facts.run_id,
            kept_at=self._clock.now_ms(),
            source=os.fsencode(root).decode("utf-8", "replace"),
            packed_size=packed.size,
            packed_sha256=packed.sha256,
            files=packed.files,
            directories=tuple(map(told_path, found.directories)),
            left_out=found.left_out,
            facts=candidate.facts,
            tools=candidate.tools,
            errors=candidate.errors,
        )

    def _already(self, root: Path, run_id: str) -> KeepOutcome:
        """Compare the run with the copy that is kept of it, byte for byte by their digests."""
        manifest = self.manifest(run_id)
        if not manifest.same_files(digests(root, survey(root, run_id))):
            raise KeepFailed(
                f"another copy of {run_id} is kept, and the run has changed since: the kept copy stays as it is "
                f"(“buddy-top run unkeep {run_id}” removes it)"
            )
        return KeepOutcome(run_id, "already", manifest)

    def _writable(self) -> int:
        """A descriptor of the archive's directory, made when it is missing."""
        try:
            return open_root(self.root)
        except StoreUnavailable as error:
            reason = getattr(error.__cause__, "strerror", None) or str(error)
            raise KeepFailed(f"the archive {self.root} cannot be used: {reason}") from error
