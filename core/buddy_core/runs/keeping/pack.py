"""The files of a run as one `tar` in one `xz`: what any system can unpack, also without this program.

Preset 1 of xz: on real runs 10 to 11 times smaller at 24 MB a second, and read back at 200 MB a second. (gzip: 6 to 9
times at 70; zstd, which would be one more dependency, 11 to 13 times at 93.) The modules for it are imported when
something is packed or unpacked, not before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, cast

from buddy_core.errors import KeptRunDamaged
from buddy_core.runs.keeping.manifest import KeptFile, Manifest, real_parts
from buddy_core.runs.keeping.survey import FoundFile, RunChanged, Survey
from buddy_core.safety.paths import open_beneath

if TYPE_CHECKING:
    import tarfile

PACKED_NAME = "run.tar.xz"
"""Name of the packed files beside their manifest."""

_PRESET = 1
_BLOCK = 1024 * 1024


class Packed(NamedTuple):
    """What was written."""

    files: tuple[KeptFile, ...]
    size: int
    sha256: str


def pack(root: Path, found: Survey, target: IO[bytes]) -> Packed:
    """Write every file of `found` into `target`.

    Raises:
        RunChanged: A file is not as it was found.
        OSError: A file cannot be read, or `target` cannot be written.
    """
    import lzma
    import tarfile

    written = _Counted(target)
    files: list[KeptFile] = []
    with (
        lzma.open(cast(IO[bytes], written), "wb", preset=_PRESET, check=lzma.CHECK_CRC64) as compressed,
        tarfile.open(
            fileobj=compressed,
            mode="w|",
            format=tarfile.PAX_FORMAT,
            encoding="utf-8",
            errors="surrogateescape",
        ) as tar,
    ):
        for parts in found.directories:
            tar.addfile(_entry((found.run_id, *parts), tarfile.DIRTYPE, 0o700))
        for file in found.files:
            with _opened(root, found.run_id, file) as source:
                entry = _entry((found.run_id, *file.parts), tarfile.REGTYPE, 0o600)
                entry.size, entry.mtime = file.size, file.mtime_ns // 1_000_000_000
                tar.addfile(entry, cast(IO[bytes], source))
                files.append(source.kept())
    return Packed(tuple(files), written.size, written.digest.hexdigest())


def digests(root: Path, found: Survey) -> tuple[KeptFile, ...]:
    """What `pack` would write of every file, without writing it; raises as it does."""
    files: list[KeptFile] = []
    for file in found.files:
        with _opened(root, found.run_id, file) as source:
            for size in (*[_BLOCK] * (file.size // _BLOCK), file.size % _BLOCK):
                source.read(size)
            files.append(source.kept())
    return tuple(files)


@contextmanager
def _opened(root: Path, run_id: str, file: FoundFile) -> Iterator[_Source]:
    """The file, if it is still the one that was found."""
    fd = open_beneath(root, run_id, *file.parts)
    with os.fdopen(fd, "rb", buffering=0) as opened:
        status = os.fstat(fd)
        if (status.st_ino, status.st_size, status.st_mtime_ns) != (file.inode, file.size, file.mtime_ns):
            raise RunChanged
        yield _Source(cast(IO[bytes], opened), file)


def _entry(parts: tuple[str, ...], kind: bytes, mode: int) -> tarfile.TarInfo:
    import tarfile

    entry = tarfile.TarInfo("/".join(parts))
    entry.type, entry.mode = kind, mode
    return entry


class _Counted:
    """Passes on what is written, counts it and takes its digest; closing it closes nothing."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self.size = 0
        self.digest = sha256()

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        self._target.write(data)
        self.size += len(data)
        self.digest.update(data)
        return len(data)


class _Source:
    """Reads a file that must have as many bytes as are asked for, and takes their digest."""

    def __init__(self, opened: IO[bytes], file: FoundFile) -> None:
        self._opened = opened
        self._file = file
        self._digest = sha256()

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes; raises `RunChanged` where there are fewer."""
        parts: list[bytes] = []
        while size:
            data = self._opened.read(min(size, _BLOCK))
            if not data:
                raise RunChanged
            parts.append(data)
            size -= len(data)
        whole = b"".join(parts)
        self._digest.update(whole)
        return whole

    def kept(self) -> KeptFile:
        """The file as a manifest tells it, once all of it has been read."""
        return KeptFile(self._file.told, self._file.size, self._digest.hexdigest(), self._file.mtime_ns)


def check_packed(source: IO[bytes], manifest: Manifest) -> None:
    """Read the packed files as they stand, and leave `source` at its beginning.

    Raises:
        KeptRunDamaged: They are not the bytes that were written.
    """
    digest, size = sha256(), 0
    while data := source.read(_BLOCK):
        digest.update(data)
        size += len(data)
        if size > manifest.packed_size:
            break
    if size != manifest.packed_size:
        what = "shorter" if size < manifest.packed_size else "longer"
        raise _damage(manifest, f"{PACKED_NAME} is {what} than what was written")
    if digest.hexdigest() != manifest.packed_sha256:
        raise _damage(manifest, f"{PACKED_NAME} is not what was written")
    source.seek(0)


def unpacked(source: IO[bytes], manifest: Manifest) -> Iterator[tuple[KeptFile, Iterator[bytes]]]:
    """Each file of the manifest with its bytes in blocks, which must be taken before the next file.

    Raises:
        KeptRunDamaged: What is packed is not what the manifest says, found at the latest with the last block.
    """
    import lzma
    import tarfile

    try:
        with (
            lzma.open(source) as plain,
            tarfile.open(fileobj=plain, mode="r|", encoding="utf-8", errors="surrogateescape") as tar,
        ):
            entries = (entry for entry in tar if not entry.isdir())
            for file in manifest.files:
                entry = next(entries, None)
                name = "/".join((manifest.run_id, *real_parts(file.name)))
                if entry is None or not entry.isreg() or (entry.name, entry.size) != (name, file.size):
                    raise _damage(manifest, f"{file.name} is missing in it")
                yield file, _blocks(tar, entry, file, manifest)
    except (lzma.LZMAError, tarfile.TarError, EOFError) as error:
        raise _damage(manifest, str(error) or "it cannot be unpacked") from None


def _blocks(
    tar: tarfile.TarFile, entry: tarfile.TarInfo, file: KeptFile, manifest: Manifest
) -> Iterator[bytes]:
    source = tar.extractfile(entry)
    digest = sha256()
    while source is not None and (data := source.read(_BLOCK)):
        digest.update(data)
        yield data
    if digest.hexdigest() != file.sha256:
        raise _damage(manifest, f"{file.name} is not what was copied")


def _damage(manifest: Manifest, reason: str) -> KeptRunDamaged:
    return KeptRunDamaged(f"the kept copy of {manifest.run_id} is damaged: {reason}")
