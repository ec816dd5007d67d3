"""The words of all runs, searched as they are: blocks of many runs' words, end to end.

A block is never changed. What was indexed since the last block was made stands run by run in `word`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3

RUNS_IN_BLOCK = 2_000

_SEPARATOR = b"\x1f"


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
    blocks = connection.execute("SELECT id, nums FROM wordblock").fetchall()
    for number, nums in blocks:
        numbers = _numbers(nums)
        ask = "SELECT 1 FROM run WHERE num BETWEEN ? AND ? LIMIT 1"
        if not numbers or connection.execute(ask, (numbers[0], numbers[-1])).fetchone() is None:
            connection.execute("DELETE FROM wordblock WHERE id=?", (number,))


def _add_block(connection: sqlite3.Connection, rows: Sequence[tuple[int, bytes]]) -> None:
    nums = array("q", (num for num, _ in rows))
    ends = array("q", accumulate(len(text) + 1 for _, text in rows))
    text = b"".join(text + _SEPARATOR for _, text in rows)
    connection.execute(
        "INSERT INTO wordblock(nums, ends, text) VALUES(?, ?, ?)", (nums.tobytes(), ends.tobytes(), text)
    )


class Found(NamedTuple):
    """Runs by their numbers, also some that are gone."""

    nums: list[int]
    others: bool
    """True when it is all the other runs that were found: the shorter list is told."""


def find(connection: sqlite3.Connection, wanted: str) -> Found:
    """The runs in whose words this folded text, which is not empty, stands."""
    sought = wanted.encode()
    rows = connection.execute("SELECT num, instr(text, ?) FROM word", (sought,)).fetchall()
    everywhere = [num for num, _ in rows]
    found = [num for num, place in rows if place]
    for nums, ends, text in connection.execute("SELECT nums, ends, text FROM wordblock"):
        numbers = _numbers(nums)
        everywhere += numbers
        if (at := text.find(sought)) >= 0:
            found += _in_block(numbers, _numbers(ends), text, sought, at)
    if 2 * len(found) <= len(everywhere):
        return Found(found, others=False)
    return Found(list(set(everywhere).difference(found)), others=True)


def _in_block(nums: array[int], ends: array[int], text: bytes, sought: bytes, at: int) -> list[int]:
    found = []
    while at >= 0:
        run = bisect_right(ends, at)
        found.append(nums[run])
        at = text.find(sought, ends[run])
    return found


def _numbers(data: bytes) -> array[int]:
    numbers = array("q")
    numbers.frombytes(data)
    return numbers
