"""Lines of an event file as crashes, short writes and rotation leave them, made of real records by chance.

Each signature is one way in which records come to stand on damaged lines. What must be had from it is known from
how it was made: the records that stand there whole, and no other.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

RUN = "run_mk000000_aaaaaa"
_TIME = re.compile(rb'^\{"ts":\d+,"runId":"[^"]*"')
_RUBBISH = (
    b"warning: disk almost full ",
    b"Killed",
    b"}",
    b'"',
    b"\\",
    b"\xff\xfe",
    b"12,",
    b"null",
    "żółć ".encode(),
)


class Splice(NamedTuple):
    """Damaged lines, and what stands in them."""

    text: bytes
    """Ends with a newline."""
    dug: tuple[bytes, ...] = ()
    """Records on damaged lines, in order."""
    whole: tuple[bytes, ...] = ()
    """Records on lines of their own, which come after the others."""


class Quarry:
    """Gives records of the usual writer, each with a time of its own that no other has.

    Args:
        lines: Lines of real event files; their times and run ids are replaced.
        chance: Where every choice comes from.
    """

    def __init__(self, lines: Iterable[bytes], chance: random.Random) -> None:
        self._lines = [line for line in lines if _TIME.match(line)]
        self._now = 1_767_890_000_000
        self.chance = chance
        self.named = True
        """Records name their run, as those of nearly all writers do."""

    def record(self) -> bytes:
        """One record."""
        self._now += 1
        head = b'{"ts":%d' % self._now + (b',"runId":"%s"' % RUN.encode() if self.named else b"")
        return _TIME.sub(lambda _: head, self.chance.choice(self._lines))

    def holder(self) -> bytes:
        """A record of a tool that read an event log: older records stand in it as objects, and as text."""
        inner = [json.loads(self.record()) for _ in range(self.chance.randint(1, 4))]
        self._now += 1
        data = {
            "toolName": "view_log",
            "args": {"deep": inner[0]},
            "output": inner,
            "text": json.dumps(inner),
        }
        named = {"runId": RUN} if self.named else {}
        event = {"ts": self._now, **named, "type": "tool_result", "data": data}
        return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()

    def torn(self, record: bytes) -> tuple[bytes, bytes]:
        """The record in two; half of the tears are where the structure changes, which is hardest."""
        at = self.chance.randint(1, len(record) - 1)
        if self.chance.random() < 0.5:
            places = [one.end() for one in re.finditer(rb'[{}\[\]:,"]', record)]
            at = min(max(1, self.chance.choice(places)), len(record) - 1)
        return record[:at], record[at:]

    def head(self) -> bytes:
        """The beginning of a record."""
        return self.torn(self.record())[0]


Signature = Callable[[Quarry], Splice]


def _torn_and_next(quarry: Quarry) -> Splice:
    torn, record = quarry.head(), quarry.record()
    return Splice(torn + record + b"\n", (record,))


def _several_on_a_line(quarry: Quarry) -> Splice:
    found = tuple(quarry.record() for _ in range(quarry.chance.randint(2, 5)))
    return Splice(quarry.chance.choice((b"", b" ", b"\r", b"\t")).join(found) + b"\n", found)


def _two_torn_and_next(quarry: Quarry) -> Splice:
    torn, record = quarry.head() + quarry.head(), quarry.record()
    return Splice(torn + record + b"\n", (record,))


def _between_two_torn(quarry: Quarry) -> Splice:
    before, record, after = quarry.head(), quarry.record(), quarry.head()
    return Splice(before + record + after + b"\n", (record,))


def _next_torn(quarry: Quarry) -> Splice:
    record, after = quarry.record(), quarry.head()
    return Splice(record + after + b"\n", (record,))


def _written_again(quarry: Quarry) -> Splice:
    record = quarry.record()
    return Splice(quarry.torn(record)[0] + record + b"\n", (record,))


def _another_in_between(quarry: Quarry) -> Splice:
    (before, after), record = quarry.torn(quarry.record()), quarry.record()
    return Splice(before + record + b"\n" + after + b"\n", (record,))


def _torn_and_nul(quarry: Quarry) -> Splice:
    torn, record = quarry.head(), quarry.record()
    return Splice(torn + bytes(quarry.chance.randint(1, 600)) + record + b"\n", (record,))


def _within_nul(quarry: Quarry) -> Splice:
    record, more = quarry.record(), bytes(quarry.chance.choice((0, 0, 1, 300)))
    return Splice(bytes(quarry.chance.randint(1, 600)) + record + more + b"\n", (record,))


def _behind_rubbish(quarry: Quarry) -> Splice:
    record = quarry.record()
    return Splice(quarry.chance.choice(_RUBBISH) + record + b"\n", (record,))


def _torn_next_and_rubbish(quarry: Quarry) -> Splice:
    torn, record = quarry.head(), quarry.record()
    return Splice(torn + record + quarry.chance.choice(_RUBBISH[:2]) + b"\n", (record,))


def _end_of_a_record(quarry: Quarry) -> Splice:
    _, tail = quarry.torn(quarry.record())
    record = quarry.record()
    return Splice(tail + b"\n" + record + b"\n", (), (record,))


def _end_of_a_record_and_next(quarry: Quarry) -> Splice:
    _, tail = quarry.torn(quarry.record())
    record = quarry.record()
    return Splice(tail + record + b"\n", (record,))


def _repaired(quarry: Quarry) -> Splice:
    torn, record = quarry.head(), quarry.record()
    return Splice(torn + b"\n" + record + b"\n", (), (record,))


def _torn_holder(quarry: Quarry) -> Splice:
    torn, _ = quarry.torn(quarry.holder())
    record = quarry.record()
    return Splice(torn + b"\n" + record + b"\n", (), (record,))


def _torn_holder_and_next(quarry: Quarry) -> Splice:
    torn, _ = quarry.torn(quarry.holder())
    record = quarry.record()
    return Splice(torn + record + b"\n", (record,))


def _end_of_a_holder(quarry: Quarry) -> Splice:
    _, tail = quarry.torn(quarry.holder())
    record = quarry.record()
    return Splice(tail + b"\n" + record + b"\n", (), (record,))


def _damaged_holder(quarry: Quarry) -> Splice:
    record, more = quarry.holder(), quarry.record()
    return Splice(bytes(3) + record + more + b"\n", (record, more))


SIGNATURES: dict[str, Signature] = {
    "torn, next": _torn_and_next,
    "several on a line": _several_on_a_line,
    "torn, torn, next": _two_torn_and_next,
    "torn, next, torn": _between_two_torn,
    "next, torn": _next_torn,
    "torn, the same again": _written_again,
    "torn, another, its end": _another_in_between,
    "torn, NUL, next": _torn_and_nul,
    "NUL, next, NUL": _within_nul,
    "rubbish, next": _behind_rubbish,
    "torn, next, rubbish": _torn_next_and_rubbish,
    "end of one": _end_of_a_record,
    "end of one, next": _end_of_a_record_and_next,
    "torn, newline": _repaired,
    "torn log of logs": _torn_holder,
    "torn log of logs, next": _torn_holder_and_next,
    "end of a log of logs": _end_of_a_holder,
    "damaged log of logs": _damaged_holder,
}
"""Every way in which lines are damaged, by what stands on the line."""


def real_lines(*folders: Path) -> list[bytes]:
    """Every line of the event files below the folders."""
    files = (path for folder in folders for path in sorted(folder.glob("*/events.jsonl")))
    return [line for path in files for line in path.read_bytes().split(b"\n") if line]
