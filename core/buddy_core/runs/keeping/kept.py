"""The kept runs of an archive as they are read: listed, verified to the last byte, and unpacked where nobody else may enter.

Each has a directory of its own with a manifest and one packed file. One that is damaged is listed with what is wrong
with it, and never handed out.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from buddy_core.errors import BuddyError, KeepFailed, KeptRunDamaged, RunNotFound
from buddy_core.runs.keeping.manifest import MANIFEST_NAME, KeptFile, Manifest, decode_manifest, real_parts
from buddy_core.runs.keeping.pack import PACKED_NAME, check_packed, unpacked
from buddy_core.runs.names import is_run_id
from buddy_core.runs.reading.reader import read_small_file, run_ids
from buddy_core.runs.searching.search import content_finder
from buddy_core.safety.paths import open_beneath, real_root, stat_beneath
from buddy_core.safety.text import plain

_MAX_MANIFEST = 64 * 1024 * 1024


class KeptRun(msgspec.Struct, frozen=True):
    """One entry of the archive."""

    run_id: str
    manifest: Manifest | None
    """None where it is damaged."""
    problem: str | None = None
    """Why it cannot be read."""


class KeptRuns:
    """The kept runs in `root`, which need not exist yet and may be the user's own link."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __contains__(self, run_id: str) -> bool:
        """True when a copy of the run is kept, damaged or not."""
        try:
            return is_run_id(run_id) and stat.S_ISDIR(stat_beneath(real_root(self.root), run_id).st_mode)
        except OSError:
            return False

    def ids(self) -> list[str]:
        """The ids of all kept runs, newest first by the time in the id; none where there is no archive."""
        return run_ids(real_root(self.root))

    def kept(self) -> list[KeptRun]:
        """Every kept run, newest first; damaged ones with what is wrong with them."""
        return [self._entry(run_id) for run_id in self.ids()]

    def manifest(self, run_id: str) -> Manifest:
        """The manifest of a kept run. Raises `RunNotFound` or `KeptRunDamaged`."""
        if run_id not in self:
            raise RunNotFound(f"{plain(run_id, limit=60)} is not kept in {self.root}")
        data = read_small_file(real_root(self.root), run_id, MANIFEST_NAME, limit=_MAX_MANIFEST)
        if data is None:
            raise KeptRunDamaged(f"the kept copy of {run_id} is damaged: its manifest is missing")
        return decode_manifest(data, run_id)

    def verify(self, run_id: str) -> Manifest:
        """Read a kept run to its last byte. Raises `RunNotFound` or `KeptRunDamaged`."""
        manifest = self.manifest(run_id)
        for _, blocks in self._files(manifest):
            for _ in blocks:
                pass
        return manifest

    @contextmanager
    def opened(self, run_id: str) -> Iterator[Path]:
        """A private runs directory that holds this run alone, unpacked, verified, and removed at the end.

        Raises:
            RunNotFound: It is not kept.
            KeptRunDamaged: It is not what was written.
            KeepFailed: There is no room to unpack it.
        """
        manifest = self.manifest(run_id)
        with ExitStack() as stack:
            try:
                private = stack.enter_context(tempfile.TemporaryDirectory(prefix="buddy-top-"))
                runs_dir = Path(private) / "runs"
                self._unpack(manifest, runs_dir / run_id)
            except OSError as error:
                raise KeepFailed(f"{run_id} cannot be unpacked: {error.strerror or error}") from error
            yield runs_dir

    def holds_text(self, run_id: str, text: str) -> bool:
        """True when the kept run holds the text in an event or an artifact; it is unpacked for that."""
        with self.opened(run_id) as runs_dir:
            return content_finder(runs_dir)(run_id, text)

    def _entry(self, run_id: str) -> KeptRun:
        try:
            return KeptRun(run_id, self.manifest(run_id))
        except BuddyError as error:
            return KeptRun(run_id, None, str(error))

    def _files(self, manifest: Manifest) -> Iterator[tuple[KeptFile, Iterator[bytes]]]:
        try:
            fd = open_beneath(real_root(self.root), manifest.run_id, PACKED_NAME)
        except OSError:
            raise KeptRunDamaged(
                f"the kept copy of {manifest.run_id} is damaged: {PACKED_NAME} is missing"
            ) from None
        with os.fdopen(fd, "rb", buffering=0) as source:
            check_packed(source, manifest)
            yield from unpacked(source, manifest)

    def _unpack(self, manifest: Manifest, run_dir: Path) -> None:
        """Below `run_dir`, which nobody else may enter; its names were those of one directory before."""
        run_dir.mkdir(mode=0o700, parents=True)
        for name in manifest.directories:
            run_dir.joinpath(*real_parts(name)).mkdir(mode=0o700, parents=True, exist_ok=True)
        for file, blocks in self._files(manifest):
            with open(run_dir.joinpath(*real_parts(file.name)), "xb") as target:  # noqa: PTH123
                target.writelines(blocks)
                target.flush()
                os.utime(target.fileno(), ns=(file.mtime_ns, file.mtime_ns))
