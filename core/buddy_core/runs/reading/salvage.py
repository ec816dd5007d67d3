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
from buddy_core.runs.records.wire import LENIENT, UNREADABLE, Dialect, Mend, R, loads

BOM = b"\xef\xbb\xbf"
MAX_ATTEMPTS = 32
"""Places tried in one line; a hostile line of thousands of beginnings costs no more than these."""

_BLANK = " \t\r\v\f"
_FILLER = re.compile(r"[ \t\r\v\f\0]*")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}\[\]:,]|[^\s\0"{}\[\]:,]+', re.DOTALL)
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
    position = start
    torn: _Torn | None = None  # the last record that began and does not close
    for _ in range(MAX_ATTEMPTS):
        begin = _next_beginning(text, start, position, shape)
        if begin is None:
            return
        if torn is None and (brace := text.find("{", start, begin)) >= 0:
            torn = _Torn(text, brace)
        end = _close(text, begin)
        if end is not None and _believable(text, torn, begin, end):
            yield begin, end
            start, position, torn = end, end, None
        else:
            position, torn = begin + 1, _Torn(text, begin) if end is None else torn


def _next_beginning(text: str, start: int, position: int, shape: re.Pattern[str]) -> int | None:
    if position == start:
        begin = _past_filler(text, start)
        if text.startswith("{", begin):
            return begin
    match = shape.search(text, position)
    return match.start() if match else None


def _past_filler(text: str, position: int) -> int:
    match = _FILLER.match(text, position)
    return match.end() if match else position


def _close(text: str, begin: int) -> int | None:
    """Where the JSON object at `begin` ends; None when it does not close or is no JSON."""
    try:
        return LENIENT.raw_decode(text, begin)[1]
    except (ValueError, RecursionError):
        return None


def _believable(text: str, torn: _Torn | None, begin: int, end: int) -> bool:
    """False for an object that may as well be part of a larger one, or of the torn record before it."""
    if text.startswith(_GOES_ON, _past_filler(text, end)):
        return False
    return torn is None or not torn.waits_at(begin) or torn.comes_before(begin, end)


class _Structure:
    """A text of JSON as far as it was read, from place to place, and no token of it twice."""

    def __init__(self, text: str, begin: int) -> None:
        self.text = text
        self.begin = begin
        self.open: list[str] = []
        """Brackets that are not closed."""
        self.last = ""
        """How the last token begins."""
        self._at = begin

    def read(self, end: int) -> None:
        """Read on up to `end`, where no token goes on: a string that is open there is the last that is read."""
        for match in _TOKEN.finditer(self.text, self._at, end):
            token = match.group()[0]
            self._at = match.end()
            if token in "{[":
                self.open.append(token)
            elif token in "}]" and self.open:
                self.open.pop()
            self.last = token


class _Torn(_Structure):
    """A record that does not close, and what stands behind it."""

    def waits_at(self, begin: int) -> bool:
        """True when it asks for a value there, so that an object could be one.

        Only `data` ever holds objects, so a record torn before it cannot.
        """
        if self.text.find('"data"', self.begin, begin) < 0:
            return False
        self.read(begin)
        return self.last in (":", "[") or (self.last == "," and self.open[-1:] == ["["])

    def comes_before(self, begin: int, end: int) -> bool:
        """True when the record there is of the same run, or neither names one, and is not older.

        What was written behind a torn record cannot be older, and a copy inside it is.
        """
        runs = _RUN_ID.search(self.text, self.begin, begin), _RUN_ID.search(self.text, begin, end)
        times = _TIME.search(self.text, self.begin, begin), _TIME.search(self.text, begin, end)
        names = [match and match.group(1) for match in runs]
        mine, its = (int(match.group(1)) if match else 0 for match in times)
        return names[0] == names[1] and (its >= mine or not its)


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
    body = _past_filler(text, start)  # a stretch ends at a brace, or with the line
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
        whole = _Structure(text, 0)
        whole.read(len(text))
        return "torn" if whole.open else "invalid"
    if alone and not isinstance(loads(text.strip(_BLANK + "\0").encode()), (dict, type(UNREADABLE))):
        return "not_object"
    return "invalid"
