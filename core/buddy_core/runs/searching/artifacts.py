"""Words in the artifacts of one run: plain files only, never unpacked, read line by line up to `MAX_ARTIFACT` bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from buddy_core.runs.artifacts.files import ArtifactInfo
from buddy_core.runs.names import ARTIFACTS_NAME
from buddy_core.runs.searching.hit import MAX_CONTEXT, SearchHit, Skip, excerpt, line_around
from buddy_core.runs.searching.needle import LineTooHard, Needle
from buddy_core.safety.paths import open_beneath
from buddy_core.safety.redact import MASK, redact
from buddy_core.safety.text import plain

MAX_ARTIFACT = 64 * 1024 * 1024
"""Bytes of one artifact that are searched."""

_BLOCK = 1024 * 1024
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")


def in_artifact(
    needle: Needle, root: Path, run_id: str, info: ArtifactInfo, skip: Skip
) -> Iterator[SearchHit]:
    """The lines of one artifact that fit, from its beginning to `MAX_ARTIFACT`."""
    label = f"{run_id}: artifact {plain(info.name, limit=80)}"
    try:
        fd = open_beneath(root, run_id, ARTIFACTS_NAME, info.name)
    except (OSError, ValueError) as error:
        skip(f"{label} cannot be read: {plain(getattr(error, 'strerror', None) or error, limit=80)}")
        return
    with os.fdopen(fd, "rb", buffering=0) as file:
        head = os.pread(file.fileno(), 8192, 0)
        if head.startswith(_PACKED) or b"\0" in head:
            skip(f"{label} is not text and is left out")
            return
        if info.size > MAX_ARTIFACT:
            skip(f"{label} is searched in its first {MAX_ARTIFACT // 2**20} MB only")
        line, offset = 1, 0
        for block in _blocks(partial(file.read, _BLOCK)):
            if needle.may_be_in(block, escaped=False):
                yield from _in_block(needle, run_id, info.name, block, line, offset, label, skip)
            line += block.count(b"\n")
            offset += len(block)


def _blocks(read: Callable[[], bytes | None]) -> Iterator[bytes]:
    """Whole lines, about a megabyte at a time; a longer line comes in parts."""
    rest, seen = b"", 0
    while chunk := read():
        seen += len(chunk)
        cut = chunk.rfind(b"\n") + 1
        if cut or len(rest) >= _BLOCK:
            yield rest + chunk[:cut] if cut else rest
            rest = chunk[cut:]
        else:
            rest += chunk
        if seen >= MAX_ARTIFACT:
            break
    if rest:
        yield rest


def _in_block(
    needle: Needle, run_id: str, name: str, block: bytes, first: int, offset: int, label: str, skip: Skip
) -> Iterator[SearchHit]:
    text = block.decode("utf-8", "replace")
    at = 0
    for number, line in enumerate(text.split("\n"), first):
        try:
            if needle.fits(line):
                found = needle.first_in(line) or (0, 0)
                part, begin = line_around(line, found[0])
                masked = MASK if _inside_key(text, at) else redact(part)
                told, marks = excerpt(needle, masked, found[0] - begin)
                yield SearchHit(run_id, "artifact", name, None, number, offset, told, marks)
        except LineTooHard:
            skip(f"{label}, line {number}: takes too long with this expression and is left out")
        at += len(line) + 1


def _inside_key(text: str, at: int) -> bool:
    """True for a line between the first and the last of a private key."""
    head = text[max(0, at - MAX_CONTEXT) : at]
    begin = head.rfind("-----BEGIN ")
    return begin > head.rfind("-----END ") and "PRIVATE KEY" in head[begin : begin + 60]
