"""Which records of a file were already recorded, so that reading it again records nothing twice."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from struct import pack

BLOCK = 2_048
"""Records in one piece of memory: what a run leaves is just what the next one needs, and no hole stays between."""


class SeenRecords:
    """A multiset of record identities, kept over every replacement of the file they came from.

    As long as a file only grows, every record is fresh and this costs eight bytes a record. After
    `restart` each record is first looked for among those recorded before: two equal lines are two records,
    but the same line read again is not.
    """

    __slots__ = ("_expected", "_full", "_recorded")

    def __init__(self) -> None:
        self._full: list[array[int]] = []  # of `BLOCK` records each
        self._recorded = array("q")  # the latest
        self._expected: Counter[int] | None = None

    def __len__(self) -> int:
        return BLOCK * len(self._full) + len(self._recorded)

    def restart(self) -> None:
        """The file begins anew: what was recorded may come again."""
        counted = Counter(self._recorded)
        for block in self._full:
            counted.update(block)
        self._expected = counted or None

    def sift(self, identities: Sequence[int]) -> list[bool] | None:
        """Say of each record whether it is to be recorded, and remember those; None when all are."""
        if self._expected is None:
            # As one piece of memory: an array takes four times as long to be told one number after the other.
            self._recorded.frombytes(pack(f"{len(identities)}q", *identities))
            self._set_apart()
            return None
        expected = self._expected
        fresh = [self._is_fresh(identity, expected) for identity in identities]
        self._set_apart()
        return fresh

    def _set_apart(self) -> None:
        """Put what fills a block into one: a single array that grows and grows is moved, and leaves holes behind."""
        latest = self._recorded
        if len(latest) >= BLOCK:
            whole = len(latest) // BLOCK * BLOCK
            self._full += (latest[start : start + BLOCK] for start in range(0, whole, BLOCK))
            self._recorded = latest[whole:]

    def _is_fresh(self, identity: int, expected: Counter[int]) -> bool:
        left = expected.get(identity, 0)
        if left:
            expected[identity] = left - 1
            return False
        self._recorded.append(identity)
        return True
