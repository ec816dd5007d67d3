"""Which rows of a run's timeline are listed, in what places: all of them, some folded away, or those that match.

None of it is a list of rows: a place is turned into a row, and a row into its place, by halving.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol, overload

from buddy_core.runs.timeline.timeline import TimelineRow


class Sight(Protocol):
    """The rows that are listed, by their places from the top."""

    def __len__(self) -> int:
        """How many are listed."""
        ...

    def row(self, place: int) -> int:
        """The number of the row at a place."""
        ...

    def place(self, row: int) -> int:
        """The place of a row; of one that is not listed, that of the row before it. 0 where there is none."""
        ...


class AllRows:
    """Every row at the place of its number."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    def row(self, place: int) -> int:
        """The same."""
        return place

    def place(self, row: int) -> int:
        """The same, as far as there are rows."""
        return max(min(row, self._rows - 1), 0)


class SomeRows:
    """The first `count` of `numbers`, which are in order."""

    def __init__(self, numbers: Sequence[int], count: int) -> None:
        self._numbers = numbers
        self._count = min(count, len(numbers))

    def __len__(self) -> int:
        return self._count

    def row(self, place: int) -> int:
        """The number that stands there."""
        return self._numbers[place]

    def place(self, row: int) -> int:
        """Found by halving."""
        return max(bisect_right(self._numbers, row, 0, self._count) - 1, 0)


class RowKeys(Sequence[str]):
    """What a table knows rows by: their numbers, made into text when they are asked for."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self._count = len(sight)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return str(self._sight.row(index % self._count))

    def find_key(self, key: str) -> int | None:
        """The place of a key, found by halving; None where it is not listed."""
        if not key.isdecimal() or not self._count:
            return None
        place = self._sight.place(int(key))
        return place if self._sight.row(place) == int(key) else None


class NewestKeys(list[str]):
    """Keys of rows that were read from the end of a file that is not indexed yet: where their records begin."""

    def __init__(self, rows: Sequence[TimelineRow]) -> None:
        super().__init__(f"@{row.offset}" for row in rows)
