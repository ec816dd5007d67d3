"""The words of all runs, searched as they are: blocks of many runs' words, end to end.

Behind the words of each run stands its number, in digits made of bytes that no UTF-8 text has: one expression finds
a text and tells whose it is, without a step of Python for each find. A block is never changed. What was
indexed since the last block was made stands run by run in `word`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3

RUNS_IN_BLOCK = 2_000

_END = b"\x1f"
_DIGITS, _COMMA = bytes(range(0xF5, 0xFF)), b"\xff"
_WRITTEN = bytes.maketrans(b"0123456789", _DIGITS)
_READ = bytes.maketrans(_DIGITS + _COMMA, b"0123456789,")
_OWNER = rb"[^\x1f]*\x1f([\xf5-\xfe]+)"
_OWNERS = re.compile(_OWNER)
_INSERT_BLOCK = "INSERT INTO wordblock(first, last, runs, text) VALUES(?, ?, ?, ?)"


def pack(connection: sqlite3.Connection) -> None:
    """Make blocks of the words that stand run by run, as many as can be full. Inside a transaction."""
    (waiting,) = connection.execute("SELECT count(*) FROM word").fetchone()
    while waiting >= RUNS_IN_BLOCK:
        rows = connection.execute(
            "SELECT num, text FROM word ORDER BY num LIMIT ?", (RUNS_IN_BLOCK,)
        ).fetchall()
        _add_block(connection, rows)
        connection.execute("DELETE FROM word WHERE num <= ?", (rows[-1][0],))
        waiting -= len(rows)


def add(connection: sqlite3.Connection, rows: Sequence[tuple[int, bytes]]) -> None:
    """Take the words of many runs, at once as a block where they are enough for a half of one. Inside a transaction."""
    if 2 * len(rows) >= RUNS_IN_BLOCK:
        _add_block(connection, rows)
    else:
        connection.executemany("INSERT INTO word VALUES(?, ?)", rows)


def drop_unused(connection: sqlite3.Connection) -> None:
    """Let go of blocks of whose runs none is left. Inside a transaction."""
    connection.execute(
        "DELETE FROM wordblock WHERE NOT EXISTS (SELECT 1 FROM run WHERE num BETWEEN first AND last)"
    )


def _add_block(connection: sqlite3.Connection, rows: Sequence[tuple[int, bytes]]) -> None:
    text = b"".join(words + _END + _digits(num) for num, words in rows)
    connection.execute(_INSERT_BLOCK, (rows[0][0], rows[-1][0], len(rows), text))


class Found(NamedTuple):
    """Runs by their numbers, also some that are gone."""

    nums: str
    """As a JSON array."""
    number: int
    others: bool
    """True when it is all the other runs that were found: the shorter list is told."""


def find(connection: sqlite3.Connection, wanted: Sequence[str], without: Sequence[str] = ()) -> Found:
    """The runs in whose words all of these folded texts stand, which are not empty, and none of the others."""
    sought, unwanted = [text.encode() for text in wanted], [text.encode() for text in without]
    found: list[bytes] = []
    runs = 0
    for text, held in _pieces(connection):
        runs += held
        if all(part in text for part in sought):
            found += _in_block(text, sought, unwanted)
    if 2 * len(found) <= runs:
        return Found(_json(found), len(found), others=False)
    taken = set(found)
    others = [num for text, _ in _pieces(connection) for num in _OWNERS.findall(text) if num not in taken]
    return Found(_json(others), len(others), others=True)


def _pieces(connection: sqlite3.Connection) -> Iterator[tuple[bytes, int]]:
    """The text of every block and how many runs it is of; those that stand alone as a block of their own."""
    yield from connection.execute("SELECT text, runs FROM wordblock")
    rows = connection.execute("SELECT num, text FROM word").fetchall()
    yield b"".join(words + _END + _digits(num) for num, words in rows), len(rows)


def _in_block(text: bytes, sought: Sequence[bytes], unwanted: Sequence[bytes]) -> Collection[bytes]:
    if len(sought) == 1 and not unwanted:
        return _owners(text, sought[0])
    found = set(_owners(text, sought[0]))
    for part in sought[1:]:
        found.intersection_update(_owners(text, part))
    for part in unwanted:
        found.difference_update(_owners(text, part))
    return found


def _owners(text: bytes, part: bytes) -> list[bytes]:
    return re.findall(re.escape(part) + _OWNER, text) if part in text else []


def _digits(num: int) -> bytes:
    return (b"%d" % num).translate(_WRITTEN)


def _json(nums: Collection[bytes]) -> str:
    return f"[{_COMMA.join(nums).translate(_READ).decode()}]"
