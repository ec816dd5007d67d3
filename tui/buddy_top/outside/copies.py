"""Copies of an artifact for other programs: printable, without secrets, and gone when they have been read.

A pager may obey what it is given (`less -R`, `cat`), and an editor may write; so neither gets the file itself.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from buddy_core.runs.artifacts.files import read_artifact_bytes
from buddy_core.safety.paths import real_root
from buddy_core.safety.shown import shown_lines
from buddy_top.artifacts.log import without_colours
from buddy_top.drawing import format as fmt

HALF_BYTES = 8 * 1024 * 1024
"""Of an artifact longer than twice this, its beginning and its end are copied, so much of each."""

_LONGEST_LINE = 1_000_000
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def nameless_copy(run_dir: Path, name: str) -> IO[bytes]:
    """The text of an artifact in a file that has no name, read from its beginning: for the input of a pager.

    In memory where the system can do that, so that nothing is written anywhere; else in a file without a name.

    Raises:
        OSError, BuddyError: The artifact is gone or may not be read.
    """
    file = _memory_file()
    try:
        _write(file, run_dir, name)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def named_copy(run_dir: Path, name: str) -> Path:
    """The same in a private directory of its own (0700), read-only (0400), under a name with the same ending.

    Raises:
        OSError, BuddyError: The artifact is gone, may not be read, or there is no room for a copy.
    """
    directory = Path(tempfile.mkdtemp(prefix="buddy-top-"))
    try:
        copy = directory / harmless_name(name)
        with os.fdopen(
            os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
        ) as file:
            _write(file, run_dir, name)
            os.fchmod(file.fileno(), 0o400)
    except BaseException:
        remove_copy(directory / "x")
        raise
    return copy


def remove_copy(copy: Path) -> None:
    """Take a named copy away, with its directory."""
    shutil.rmtree(copy.parent, ignore_errors=True)


def harmless_name(name: str) -> str:
    """A name that means nothing to a program or a shell, and ends as `name` does."""
    cleaned = _NOT_IN_NAMES.sub("_", name).lstrip("-._") or "artifact"
    return cleaned[-60:].lstrip("-._") or "artifact"


def _memory_file() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("buddy-top", os.MFD_CLOEXEC), "w+b")
    return tempfile.TemporaryFile()


def _write(file: IO[bytes], run_dir: Path, name: str) -> None:
    for text in _texts(real_root(run_dir.parent) / run_dir.name, name):
        for line in shown_lines(without_colours(text), limit_lines=len(text), limit_width=_LONGEST_LINE):
            file.write(line.encode() + b"\n")


def _texts(run_dir: Path, name: str) -> Iterator[str]:
    """The whole text, or its beginning, a line that says what is left out, and its end."""
    head = read_artifact_bytes(run_dir, name, limit=2 * HALF_BYTES)
    if head.size <= len(head.data):
        yield head.data.decode("utf-8", "replace")
        return
    yield head.data[:HALF_BYTES].rpartition(b"\n")[0].decode("utf-8", "replace")
    left = head.size - 2 * HALF_BYTES
    yield f"… {fmt.bytes_(left)} of {fmt.bytes_(head.size)} are left out here …"
    tail = read_artifact_bytes(run_dir, name, offset=head.size - HALF_BYTES, limit=HALF_BYTES)
    yield tail.data.partition(b"\n")[2].decode("utf-8", "replace")
