"""Words found in the events and artifacts of all runs, newest run first.

Nothing is held but one block of one file. Events are searched as they were meant, with their JSON read, so a
line break or `é` is found however it is written. Artifacts are opened as plain files only, never unpacked,
and read up to `MAX_ARTIFACT` bytes. What is shown of a find is masked like everything that leaves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

from buddy_core.runs.artifacts import ARTIFACTS_NAME, ArtifactInfo, list_artifacts
from buddy_core.runs.lookup import find_run, run_ids
from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.reading.tail import FileTail
from buddy_core.runs.reading.wire import payload
from buddy_core.runs.searching.needle import BadPattern, LineTooHard, Needle
from buddy_core.runs.timeline.event_words import tool_name
from buddy_core.safety.paths import directory_beneath, open_beneath, read_at, real_root
from buddy_core.safety.redact import MASK, redact, redact_value
from buddy_core.safety.text import plain

__all__ = ["MAX_ARTIFACT", "BadPattern", "SearchHit", "content_finder", "search_runs"]

MAX_ARTIFACT = 64 * 1024 * 1024
"""Bytes of one artifact that are searched."""

MAX_EXCERPT = 200
"""Characters of a line that are told, around the first find."""

_BLOCK = 1024 * 1024
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")
_CONTEXT = 4_000
_MAX_LEAVES = 20_000

Place = Literal["events", "artifacts", "all"]
Skip = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One event, or one line of an artifact, in which everything that was searched for stands."""

    run_id: str
    source: Literal["event", "artifact"]
    name: str
    """The event's type or the tool's name; of an artifact its file name. Observed and hostile, like `text`."""
    at_ms: int | None
    """Wall time of the event; None for artifacts."""
    line: int | None
    """Line of the artifact, from 1; None for events."""
    offset: int
    """Byte at which the event, or the artifact's block, begins in its file."""
    text: str
    """The line around the first find, at most `MAX_EXCERPT` characters, secrets masked."""
    marks: tuple[tuple[int, int], ...]
    """Where in `text` the finds are; empty when all of them are inside a secret."""


class _Piece(NamedTuple):
    """A text of an event, with the name it stands under."""

    name: str
    text: str


def search_runs(
    words: Sequence[str],
    *,
    runs_dir: Path,
    run_id: str | None = None,
    among: Collection[str] | None = None,
    place: Place = "all",
    regex: bool = False,
    ignore_case: bool | None = None,
    limit: int = 0,
    on_skip: Skip | None = None,
) -> Iterator[SearchHit]:
    """Yield what is found, newest run first, a run's events before its artifacts; at most `limit` (0: all).

    Every word must be in the same event, or in the same line of an artifact. Only the run `run_id` is searched, or
    those whose ids are in `among`, or all. `ignore_case=None` means: unless
    a word has a capital letter. `on_skip` is told in words what was not searched, and why.

    Raises:
        BadPattern: Nothing to search for, or an expression that cannot be used.
        RunNotFound: There is no such run.
        StoreUnavailable: The runs directory cannot be read.
    """
    needle = Needle(words, regex=regex, ignore_case=ignore_case)
    chosen = run_ids(runs_dir) if run_id is None else [find_run(runs_dir, run_id)]
    if among is not None:
        chosen = [one for one in chosen if one in among]
    hits = _hits(needle, real_root(runs_dir), chosen, place, on_skip or (lambda _words: None))
    return islice(hits, limit or None)


def content_finder(root: Path) -> Callable[[str, str], bool]:
    """Answers whether a run beneath `root` (a real path) holds a text in one event or one line of an artifact.

    Capitals mean nothing. The text may be anything but empty.
    """
    needles: dict[str, Needle] = {}

    def holds(run_id: str, text: str) -> bool:
        needle = needles.get(text)
        if needle is None:
            needle = needles[text] = Needle([text], ignore_case=True)
        if _is_surely_not_in(needle, root, run_id):
            return False
        return next(_hits(needle, root, [run_id], "all", lambda _words: None), None) is not None

    return holds


def _is_surely_not_in(needle: Needle, root: Path, run_id: str) -> bool:
    """True when the bytes of the events show it and there are no artifacts: most runs are asked this, and are small."""
    try:
        with directory_beneath(root, run_id) as run_fd:
            events = read_at(run_fd, EVENTS_NAME, _BLOCK)
            if len(events) > _BLOCK or needle.may_be_in(events, escaped=True):
                return False
            os.stat(ARTIFACTS_NAME, dir_fd=run_fd, follow_symlinks=False)
    except FileNotFoundError as missing:
        return bool(missing.filename == ARTIFACTS_NAME)
    except OSError:
        return False
    return False


def _hits(needle: Needle, root: Path, chosen: Sequence[str], place: Place, skip: Skip) -> Iterator[SearchHit]:
    for run_id in chosen:
        if place != "artifacts" and _events_may_have(needle, root, run_id):
            yield from _in_events(needle, root, run_id, skip)
        if place != "events":
            for info in list_artifacts(root / run_id):
                yield from _in_artifact(needle, root, run_id, info, skip)


# Events


def _events_may_have(needle: Needle, root: Path, run_id: str) -> bool:
    """False when the bytes of the event file show that no event can fit: reading no JSON is ten times faster.

    A file with holes is left to the reader that knows how to pass over them, one that cannot be read too.
    """
    try:
        fd = open_beneath(root, run_id, EVENTS_NAME)
    except OSError:
        return True
    with os.fdopen(fd, "rb", buffering=0) as file:
        status = os.fstat(fd)
        if status.st_blocks * 512 < status.st_size:
            return True
        rest = b""
        while chunk := file.read(_BLOCK):
            cut = chunk.rfind(b"\n") + 1
            if needle.may_be_in(rest + chunk[:cut], escaped=True) or len(rest) > _BLOCK:
                return True
            rest = chunk[cut:] if cut else rest + chunk
    return needle.may_be_in(rest, escaped=True)


def _in_events(needle: Needle, root: Path, run_id: str, skip: Skip) -> Iterator[SearchHit]:
    tail = FileTail(root, run_id, EVENTS_NAME)
    try:
        while True:
            change = tail.poll()
            for event, offset in zip(change.batch.events, change.batch.offsets, strict=True):
                raw = bytes(event.data)
                if needle.may_be_in(raw + event.type.encode("utf-8", "replace"), escaped=True):
                    hit = _event_hit(needle, run_id, event.type, event.ts, offset, payload(event.data), skip)
                    if hit is not None:
                        yield hit
            if change.problem is not None:
                skip(f"{run_id}: its events cannot be read: {change.problem}")
            if not change.more:
                return
    finally:
        tail.close()


def _event_hit(
    needle: Needle, run_id: str, kind: str, at_ms: int, offset: int, data: Mapping[str, object], skip: Skip
) -> SearchHit | None:
    named = kind in ("tool_call", "tool_result")
    pieces = [_Piece("", f"{kind} {tool_name(data)}" if named else kind), *_pieces(data)]
    try:
        if not needle.fits("\n".join(f"{piece.name}: {piece.text}" for piece in pieces)):
            return None
        text, marks = _told(needle, pieces)
    except LineTooHard:
        skip(f"{run_id}: an event takes too long with this expression and is left out")
        return None
    name = tool_name(data) if named else kind
    return SearchHit(run_id, "event", name, at_ms, None, offset, text, marks)


def _pieces(data: Mapping[str, object]) -> Iterator[_Piece]:
    """Every text and number in a payload with the name it stands under; nothing is recursive here."""
    todo: list[tuple[str, object]] = [("", data)]
    for _ in range(_MAX_LEAVES):
        if not todo:
            return
        name, value = todo.pop()
        if isinstance(value, Mapping):
            todo.extend((str(key), item) for key, item in reversed(list(value.items())))
        elif isinstance(value, list):
            todo.extend((name, item) for item in reversed(value))
        elif value is not None:
            yield _Piece(name, str(value))


def _told(needle: Needle, pieces: Sequence[_Piece]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The line of the first piece with a find; where only a name fits, the piece under that name."""
    for piece in pieces:
        found = needle.first_in(piece.text)
        if found is not None:
            line, begin = _line_around(piece.text, found[0])
            masked = redact_value(line, name=piece.name or None)
            return _excerpt(needle, str(masked), found[0] - begin)
    named = next((piece for piece in pieces if needle.first_in(piece.name) is not None), pieces[0])
    return _excerpt(needle, f"{named.name}: {redact_value(named.text[:_CONTEXT], name=named.name)}", 0)


def _line_around(text: str, at: int) -> tuple[str, int]:
    """The line of `text` that holds the place `at`, cut to some thousand characters, and where it begins."""
    begin = max(text.rfind("\n", 0, at) + 1, at - _CONTEXT)
    end = text.find("\n", at)
    return text[begin : min(end if end >= 0 else len(text), at + _CONTEXT)], begin


def _excerpt(needle: Needle, line: str, near: int) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The part of a masked line that is told, and the finds in it."""
    if len(line) > MAX_EXCERPT:
        found = needle.first_in(line[max(0, near - MAX_EXCERPT) :])
        at = near if found is None else found[0] + max(0, near - MAX_EXCERPT)
        begin = max(0, min(at - MAX_EXCERPT // 3, len(line) - MAX_EXCERPT))
        line = ("…" if begin else "") + line[begin : begin + MAX_EXCERPT - 2] + "…"
    text = str(plain(line.strip(), limit=MAX_EXCERPT + 2))
    return text, needle.all_in(text)


# Artifacts


def _in_artifact(
    needle: Needle, root: Path, run_id: str, info: ArtifactInfo, skip: Skip
) -> Iterator[SearchHit]:
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
                part, begin = _line_around(line, found[0])
                masked = MASK if _inside_key(text, at) else redact(part)
                told, marks = _excerpt(needle, masked, found[0] - begin)
                yield SearchHit(run_id, "artifact", name, None, number, offset, told, marks)
        except LineTooHard:
            skip(f"{label}, line {number}: takes too long with this expression and is left out")
        at += len(line) + 1


def _inside_key(text: str, at: int) -> bool:
    """True for a line between the first and the last of a private key."""
    head = text[max(0, at - _CONTEXT) : at]
    begin = head.rfind("-----BEGIN ")
    return begin > head.rfind("-----END ") and "PRIVATE KEY" in head[begin : begin + 60]
