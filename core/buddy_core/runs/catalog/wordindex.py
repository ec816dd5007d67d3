"""The words of all runs, searched as they are: blocks of many runs' words, end to end.

A block is never changed. What was indexed since the last block was made stands run by run in `word`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

RUNS_IN_BLOCK = 2_000

_SEPARATOR = b"\x1f"


def pack(connection: sqlite3.Connection, *, least: int = RUNS_IN_BLOCK) -> None:
    """Make blocks of the words that stand run by run, when there are `least` of them. Inside a transaction."""
    (waiting,) = connection.execute("SELECT count(*) FROM word").fetchone()
    while waiting >= least:
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


def find(connection: sqlite3.Connection, wanted: str) -> list[int]:
    """Numbers of all runs in whose words this folded text stands, also of some that are gone; not empty text."""
    sought = wanted.encode()
    found = [num for (num,) in connection.execute("SELECT num FROM word WHERE instr(text, ?)", (sought,))]
    for nums, ends, text in connection.execute("SELECT nums, ends, text FROM wordblock"):
        at = text.find(sought)
        if at >= 0:
            found += _in_block(_numbers(nums), _numbers(ends), text, sought, at)
    return found


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
