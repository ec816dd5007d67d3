"""Artifacts: the files an agent leaves beside its events, listed and read within bounds.

A name that is to be written is checked before any system call; a name that is read is opened beneath the
runs root without following links. Nothing is ever decompressed.

What may be written: one plain file name of at most 200 bytes that means the same on every system and nothing
to a shell. Letters, marks, digits and symbols of any language, single spaces, and of ASCII punctuation
`. _ - + , = @ # ^ ~ ( ) [ ] { }`; not beginning with one of those (but `_`, `(` or `[`) nor with a mark, not
ending in a dot or a space; in composed form (NFC); without invisible characters and what looks like a
separator; and no name of a Windows device, whatever its extension. The same must hold for what the name
becomes in compatibility form (NFKC), in which `COM¹` is COM1 and `．．` is two dots. What may be read is any
single path component: other writers are freer.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from buddy_core.errors import BadArtifactName
from buddy_core.runs.names import ARTIFACTS_NAME as ARTIFACTS_NAME  # noqa: PLC0414 - named here before
from buddy_core.safety.paths import BadName, check_name, directory_beneath, open_beneath

PREVIEW_BYTES = 256 * 1024
"""How much of an artifact a preview reads unless told otherwise."""

MAX_LISTED = 1_000
"""Artifacts of one run that are listed at most; where a list is so long there may be more."""

_CHUNK = 256 * 1024
_MAX_ENTRIES = 10_000
"""Entries of a directory that are looked at to find them."""

_MAX_NAME_BYTES = 200
_MAX_MARKS = 8
_SHELL = frozenset("/\\:*?\"<>|%$`;&!'")
_SEPARATORS = frozenset("∕⁄⧸⧹⟋⟍╱╲﹨∖")
_FRACTION = "\N{FRACTION SLASH}"  # what ½ becomes; by itself it is refused
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_FORBIDDEN = _SHELL | _SEPARATORS | _BLANK
_NOT_FIRST = frozenset(".-+,=@#^~{ ")
_NOT_LAST = frozenset(". ")
_SELECTORS = ((0x180B, 0x180F), (0xFE00, 0xFE0E), (0xE0000, 0xE0FFF))
_RESERVED = frozenset(
    [
        "CON",
        "PRN",
        "AUX",
        "NUL",
        "CONIN$",
        "CONOUT$",
        "CLOCK$",
        *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10)),
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
        BadArtifactName: It breaks the rule at the head of this module.
    """
    reason = _objection(name) if isinstance(name, str) else "is no text"
    if reason is not None:
        raise BadArtifactName(
            f"artifact name {str(name)[:60]!r} {reason}; use one plain name such as plan.md"
        )
    return name


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


def check_component(name: str) -> str:
    """Return `name` when it is one path component, however odd: what may be read.

    Raises:
        BadArtifactName: It leads to another directory, or is no text.
    """
    try:
        return check_name(name)
    except (BadName, TypeError, AttributeError) as error:
        raise BadArtifactName(f"artifact name {str(name)[:60]!r} is not one plain file name") from error


def _objection(name: str) -> str | None:
    if len(name) > _MAX_NAME_BYTES or len(name.encode("utf-8", "replace")) > _MAX_NAME_BYTES:
        return "is too long"
    if objection := _objection_as_written(name):
        return objection
    if name.isascii():
        return None
    if not unicodedata.is_normalized("NFC", name):
        return "is not in composed form (NFC)"
    if _piles_marks(name):
        return "piles up combining marks"
    return _objection_as_written(unicodedata.normalize("NFKC", name).replace(_FRACTION, "1"))


def _objection_as_written(name: str) -> str | None:
    if not name:
        return "is empty"
    if not name.isprintable() or not _FORBIDDEN.isdisjoint(name) or _selects_variants(name):
        return "has a character that file names must not have"
    if name[0] in _NOT_FIRST or name[-1] in _NOT_LAST or unicodedata.category(name[0]).startswith("M"):
        return "begins or ends with a character that means something to a shell or a system"
    if "  " in name:
        return "has two spaces in a row"
    return "is reserved" if name.split(".")[0].strip().upper() in _RESERVED else None


def _selects_variants(name: str) -> bool:
    """True for characters that are not seen, and of which two names could differ."""
    return not name.isascii() and any(low <= ord(sign) <= high for sign in name for low, high in _SELECTORS)


def _piles_marks(name: str) -> bool:
    piled = 0
    for sign in name:
        piled = piled + 1 if unicodedata.category(sign).startswith("M") else 0
        if piled > _MAX_MARKS:
            return True
    return False


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
