"""Which records of a file were already recorded, so that reading it again records nothing twice."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from struct import pack


class SeenRecords:
    """A multiset of record identities, kept over every replacement of the file they came from.

    As long as a file only grows, every record is fresh and this costs eight bytes a record. After
    `restart` each record is first looked for among those recorded before: two equal lines are two records,
    but the same line read again is not.
    """

    __slots__ = ("_expected", "_recorded")

    def __init__(self) -> None:
        self._recorded = array("q")
        self._expected: Counter[int] | None = None

    def __len__(self) -> int:
        return len(self._recorded)

    def restart(self) -> None:
        """The file begins anew: what was recorded may come again."""
        self._expected = Counter(self._recorded) if self._recorded else None

    def sift(self, identities: Sequence[int]) -> list[bool] | None:
        """Say of each record whether it is to be recorded, and remember those; None when all are."""
        if self._expected is None:
            # As one piece of memory: an array takes four times as long to be told one number after the other.
            self._recorded.frombytes(pack(f"{len(identities)}q", *identities))
            return None
        return [self._is_fresh(identity, self._expected) for identity in identities]

    def _is_fresh(self, identity: int, expected: Counter[int]) -> bool:
        left = expected.get(identity, 0)
        if left:
            expected[identity] = left - 1
            return False
        self._recorded.append(identity)
        return True
