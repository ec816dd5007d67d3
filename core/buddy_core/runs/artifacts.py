"""Artifacts: the files an agent leaves beside its events, listed and read within bounds.

A name that is to be written is checked before any system call; a name that is read is opened beneath the
runs root without following links. Nothing is ever decompressed.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from buddy_core.errors import BadArtifactName
from buddy_core.safety.paths import directory_beneath, open_beneath

ARTIFACTS_NAME = "artifacts"
"""Name of the directory of artifacts inside a run's directory."""

PREVIEW_BYTES = 256 * 1024
"""How much of an artifact a preview reads unless told otherwise."""

_MAX_LISTED = 1_000
_MAX_NAME_BYTES = 200
_FORBIDDEN = frozenset('/\\:*?"<>|%')
_RESERVED = frozenset(
    [
        "CON",
        "PRN",
        "AUX",
        "NUL",
        "CONIN$",
        "CONOUT$",
        "CLOCK$",
        *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)),
    ]
)


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


def check_artifact_name(name: str) -> str:
    """Return `name` when it is one plain file name, on every system and in every shell.

    Raises:
        BadArtifactName: It has a separator, a control or invisible character, a leading dot or dash,
            is reserved, empty or longer than 200 bytes.
    """
    reason = _objection(name) if isinstance(name, str) else "is no text"
    if reason is not None:
        raise BadArtifactName(
            f"artifact name {str(name)[:60]!r} {reason}; use one plain name such as plan.md"
        )
    return name


def list_artifacts(run_dir: Path) -> tuple[ArtifactInfo, ...]:
    """The plain files in the run's `artifacts/`, by name; links and directories are left out.

    Bounded to the first thousand. A run without artifacts has none; a directory that cannot be read neither.
    """
    try:
        with directory_beneath(run_dir.parent, run_dir.name, ARTIFACTS_NAME) as directory:
            return _list(directory)
    except OSError:
        return ()


async def read_artifact(run_dir: Path, name: str, limit: int = PREVIEW_BYTES) -> ArtifactText:
    """At most `limit` bytes of the artifact `name`, for a preview.

    Raises:
        BadArtifactName: `name` is no single path component.
        OSError: It is gone, no plain file, or may not be read.
    """
    import aiofiles  # brings asyncio, which those who only record or list need not load

    fd = open_beneath(run_dir.parent, run_dir.name, ARTIFACTS_NAME, _component(name))
    size = os.fstat(fd).st_size
    async with aiofiles.open(fd, "rb", buffering=0) as file:
        data = await file.read(limit)
    return artifact_text(data, size)


def artifact_text(data: bytes, size: int) -> ArtifactText:
    """Decode the first bytes of a file of `size` bytes; a NUL among them makes it binary."""
    binary = b"\0" in data[:8192]
    text = "" if binary else data.decode("utf-8", "replace")
    return ArtifactText(text=text, size=size, truncated=size > len(data), binary=binary)


def _component(name: str) -> str:
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise BadArtifactName(f"artifact name {name[:60]!r} is not one plain file name")
    return name


def _objection(name: str) -> str | None:
    if not name or not name.isprintable() or not _FORBIDDEN.isdisjoint(name):
        return "has a character that file names must not have" if name else "is empty"
    if name[0] in ".-~ " or name[-1] in ". ":
        return "begins or ends with a character that means something to a shell"
    if len(name.encode()) > _MAX_NAME_BYTES:
        return "is too long"
    return "is reserved" if name.split(".")[0].upper() in _RESERVED else None


def _list(directory: int) -> tuple[ArtifactInfo, ...]:
    readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
    try:
        with os.scandir(readable) as entries:
            found = (_info(entry) for entry in islice(entries, _MAX_LISTED))
            return tuple(sorted((info for info in found if info), key=lambda info: info.name))
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
