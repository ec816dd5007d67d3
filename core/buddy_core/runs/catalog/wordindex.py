"""The words of all runs, searched as they are: blocks of many runs' words, end to end.

A block is never changed. What was indexed since the last block was made stands run by run in `word`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
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
        nums = array("q", (num for num, _ in rows))
        ends = array("q", accumulate(len(text) + 1 for _, text in rows))
        text = b"".join(text + _SEPARATOR for _, text in rows)
        connection.execute(
            "INSERT INTO wordblock(nums, ends, text) VALUES(?, ?, ?)", (nums.tobytes(), ends.tobytes(), text)
        )
        connection.execute("DELETE FROM word WHERE num <= ?", (nums[-1],))
        waiting -= len(rows)


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
