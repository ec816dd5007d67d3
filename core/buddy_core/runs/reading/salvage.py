"""What can be had from a line that the strict decoder refuses.

Only a newline separates lines, so one line may hold a torn record with the next one spliced into it, two
records, a run of NUL bytes, or plain rubbish. The line is cut into pieces that cover each of its bytes
exactly once: intact records, and what lies between them with the reason it is skipped.

A record in the middle of a line must have the writer's shape and must close, and what follows it must not go on
like the inside of a larger object. Behind a record torn where a value is due it must be of the same run and not
older. So an object inside a record, intact or torn at either end, is never taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic

from buddy_core.runs.reading.accounting import Reason, Repair
from buddy_core.runs.reading.wire import LENIENT, UNREADABLE, Dialect, Mend, R, loads

BOM = b"\xef\xbb\xbf"
MAX_ATTEMPTS = 32
"""Places tried in one line; a hostile line of thousands of beginnings costs no more than these."""

_BLANK = " \t\r\v\f"
_FILLER = re.compile(r"[ \t\r\v\f\0]*")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*("?)|[{}\[\]:,]|[^\s\0"{}\[\]:,]+', re.DOTALL)
_RUN_ID = re.compile(r'"runId": ?"([^"\\]{0,80})"')
_TIME = re.compile(r'"ts": ?(\d{1,19})\b', re.ASCII)
_GOES_ON = (",", "}", "]")
"""What follows an object that stands inside another one, unless that one is torn right behind it."""

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""Each escape in turn, so that an escaped backslash never shifts the next; group 1 is half a character."""


@dataclass(frozen=True, slots=True)
class Piece(Generic[R]):
    """Bytes `start` to `end` of a line: a record, or the reason why they are none."""

    start: int
    end: int
    record: R | None = None
    reason: Reason | None = None


def dissect(
    line: bytes, dialect: Dialect[R], previous: R | None, mend: Mend, *, file_start: bool = False
) -> list[Piece[R]]:
    """Cut one line (without its newline) into pieces; `previous` is the record before it in the file.

    A byte order mark is one only at `file_start`.
    """
    text = line.decode("latin-1")  # one character a byte: positions stay byte positions
    start = len(BOM) if file_start and line.startswith(BOM) else 0
    pieces: list[Piece[R]] = [Piece(0, start, reason="bom")] if start else []
    for begin, end in _objects(text, start, dialect.shape):
        found = _decode(line[begin:end], dialect, previous, mend)
        if found is None:
            continue
        pieces += _gap(text, start, begin)
        pieces.append(Piece(begin, end, found))
        start, previous = end, found
    return pieces + _gap(text, start, len(text), alone=not any(piece.record for piece in pieces))


def _objects(text: str, start: int, shape: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Where the objects that may be records begin and end, left to right, never one inside another."""
    position, torn = start, -1  # where the last record began that does not close
    for _ in range(MAX_ATTEMPTS):
        begin = _next_beginning(text, start, position, shape)
        if begin is None:
            return
        if torn < 0:
            torn = text.find("{", start, begin)
        end = _close(text, begin)
        if end is not None and _believable(text, torn, begin, end):
            yield begin, end
            start, position, torn = end, end, -1
        else:
            position, torn = begin + 1, begin if end is None else torn


def _next_beginning(text: str, start: int, position: int, shape: re.Pattern[str]) -> int | None:
    if position == start:
        begin = _past_filler(text, start)
        if text.startswith("{", begin):
            return begin
    match = shape.search(text, position)
    return match.start() if match else None


def _past_filler(text: str, position: int, end: int | None = None) -> int:
    match = _FILLER.match(text, position, len(text) if end is None else end)
    return match.end() if match else position


def _close(text: str, begin: int) -> int | None:
    """Where the JSON object at `begin` ends; None when it does not close or is no JSON."""
    try:
        return LENIENT.raw_decode(text, begin)[1]
    except (ValueError, RecursionError):
        return None


def _believable(text: str, torn: int, begin: int, end: int) -> bool:
    """False for an object that may as well be part of a larger one.

    A record that began at `torn` is torn before it; -1 for none.
    """
    if text.startswith(_GOES_ON, _past_filler(text, end)):
        return False
    if torn < 0 or not _may_nest(prefix := text[torn:begin]):
        return True
    found = text[begin:end]
    return _same_run(prefix, found) and not _earlier(found, prefix)


def _may_nest(torn: str) -> bool:
    """True when the torn record asks for a value next, so that an object could be one.

    Only `data` ever holds objects, so a record torn before it cannot.
    """
    if '"data"' not in torn:
        return False
    stack, _, last = _state(torn)
    return last in (":", "[") or (last == "," and stack[-1:] == ["["])


def _state(text: str) -> tuple[list[str], bool, str]:
    """Open brackets, whether a string is open, and how the last token begins, at the end of `text`."""
    stack: list[str] = []
    last, in_string = "", False
    for match in _TOKEN.finditer(text):
        token = match.group()[0]
        in_string = token == '"' and not match.group(1)
        if token in "{[":
            stack.append(token)
        elif token in "}]" and stack:
            stack.pop()
        last = token
    return stack, in_string, last


def _same_run(prefix: str, record: str) -> bool:
    """True when both name the same run, or neither names any."""
    torn, found = _RUN_ID.search(prefix), _RUN_ID.search(record)
    return (torn and torn.group(1)) == (found and found.group(1))


def _earlier(record: str, prefix: str) -> bool:
    """True when `record` is older than the torn one: what was written behind that cannot be, a copy inside it is."""
    torn, found = _TIME.search(prefix), _TIME.search(record)
    return torn is not None and found is not None and int(found.group(1)) < int(torn.group(1))


def _decode(raw: bytes, dialect: Dialect[R], previous: R | None, mend: Mend) -> R | None:
    text, repairs = repair(raw)
    try:
        record: R | None = dialect.strict(text)
    except (ValueError, RecursionError):
        record = dialect.loose(text, previous, mend)
    if record is not None:
        for kind in repairs:
            mend(kind)
    return record


def repair(raw: bytes) -> tuple[bytes, list[Repair]]:
    """Make valid UTF-8 without halves of surrogate pairs out of `raw`, marking each with U+FFFD."""
    repairs: list[Repair] = []
    whole = _ESCAPE.sub(lambda match: rb"\ufffd" if match.group(1) else match.group(), raw)
    if whole != raw:
        repairs.append("surrogate")
    try:
        whole.decode()
    except UnicodeDecodeError:
        whole = whole.decode("utf-8", "replace").encode()
        repairs.append("utf8")
    return whole, repairs


def _gap(text: str, start: int, end: int, *, alone: bool = False) -> list[Piece[Any]]:
    """The pieces of a stretch without a record; `alone` when the whole line has none."""
    if start == end:
        return []
    body = _past_filler(text, start, end)
    nul = text.rfind("\0", start, body) + 1
    pieces: list[Piece[Any]] = [Piece(start, nul, reason="nul")] if nul else []
    rest = nul or start
    if body < end:
        pieces.append(Piece(rest, end, reason=_reason(text[body:end], alone)))
    elif rest < end:
        pieces.append(Piece(rest, end, reason="blank"))
    return pieces


def _reason(text: str, alone: bool) -> Reason:
    if text.startswith("{"):
        stack, in_string, _ = _state(text)
        return "torn" if stack or in_string else "invalid"
    if alone and not isinstance(loads(text.strip(_BLANK + "\0").encode()), (dict, type(UNREADABLE))):
        return "not_object"
    return "invalid"
