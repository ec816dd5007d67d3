"""Artifacts: the files an agent leaves beside its events, listed and read within bounds.

A name that is read may be odd, and is opened beneath the runs root without following links. Nothing is ever
decompressed.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from buddy_core.runs.artifacts.names import check_component
from buddy_core.runs.names import ARTIFACTS_NAME
from buddy_core.safety.paths import directory_beneath, open_beneath

PREVIEW_BYTES = 256 * 1024
"""How much of an artifact a preview reads unless told otherwise."""

MAX_LISTED = 1_000
"""Artifacts of one run that are listed at most; where a list is so long there may be more."""

_CHUNK = 256 * 1024
_MAX_ENTRIES = 10_000
"""Entries of a directory that are looked at to find them."""


@dataclass(frozen=True, slots=True)
class ArtifactInfo:
    """One artifact as a list shows it."""

    name: str
    """As found on the disk; hostile text like everything else there."""
    size: int
    """Bytes."""
    modified_at: int
    """Wall time in milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class ArtifactText:
    """The beginning of an artifact, decoded for a person to read."""

    text: str
    """Empty for binary files; bytes that are no UTF-8 are replaced."""
    size: int
    """Bytes of the whole file, however much was read."""
    truncated: bool
    binary: bool


def list_artifacts(run_dir: Path) -> tuple[ArtifactInfo, ...]:
    """The plain files in the run's `artifacts/`, by name; links and directories are left out.

    At most `MAX_LISTED` of them, the first that the directory tells of, whatever else is in it (case 38). A run
    without artifacts has none; a directory that cannot be read neither.
    """
    try:
        with directory_beneath(run_dir.parent, run_dir.name, ARTIFACTS_NAME) as directory:
            return _list(directory)
    except OSError:
        return ()


@dataclass(frozen=True, slots=True)
class ArtifactBytes:
    """A part of an artifact as it stands on the disk."""

    data: bytes
    size: int
    """Bytes of the whole file when it was read."""


def read_artifact_bytes(
    run_dir: Path, name: str, *, offset: int = 0, limit: int = PREVIEW_BYTES
) -> ArtifactBytes:
    """At most `limit` bytes from `offset` on, however long the file is; blocks, so not for a thread that draws.

    Raises:
        BadArtifactName: `name` is no single path component.
        OSError: It is gone, no plain file, or may not be read.
    """
    fd = open_beneath(run_dir.parent, run_dir.name, ARTIFACTS_NAME, check_component(name))
    try:
        size = os.fstat(fd).st_size
        parts: list[bytes] = []
        while limit > 0 and (part := os.pread(fd, min(limit, _CHUNK), offset)):
            parts.append(part)
            offset += len(part)
            limit -= len(part)
    finally:
        os.close(fd)
    return ArtifactBytes(b"".join(parts), size)


async def read_artifact(run_dir: Path, name: str, limit: int = PREVIEW_BYTES) -> ArtifactText:
    """At most `limit` bytes of the artifact `name`, for a preview.

    Raises:
        BadArtifactName: `name` is no single path component.
        OSError: It is gone, no plain file, or may not be read.
    """
    import aiofiles  # brings asyncio, which those who only record or list need not load

    fd = open_beneath(run_dir.parent, run_dir.name, ARTIFACTS_NAME, check_component(name))
    size = os.fstat(fd).st_size
    async with aiofiles.open(fd, "rb", buffering=0) as file:
        data = await file.read(limit)
    return artifact_text(data, size)


def artifact_text(data: bytes, size: int) -> ArtifactText:
    """Decode the first bytes of a file of `size` bytes; a NUL among them makes it binary."""
    binary = b"\0" in data[:8192]
    text = "" if binary else data.decode("utf-8", "replace")
    return ArtifactText(text=text, size=size, truncated=size > len(data), binary=binary)


def _list(directory: int) -> tuple[ArtifactInfo, ...]:
    readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
    try:
        with os.scandir(readable) as entries:
            found = (info for entry in islice(entries, _MAX_ENTRIES) if (info := _info(entry)))
            return tuple(sorted(islice(found, MAX_LISTED), key=lambda info: info.name))
    finally:
        os.close(readable)


def _info(entry: os.DirEntry[str]) -> ArtifactInfo | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return ArtifactInfo(entry.name, status.st_size, status.st_mtime_ns // 1_000_000)
