"""The rows that are listed, to be read one by one where the screen is not: for a single event, or for a file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from buddy_core.runs.timeline.index.eventindex import EventIndex
from buddy_core.runs.timeline.index.rowmaker import RowMaker
from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_top.run_view.timeline.sight import Sight

_AT_ONCE = 200


class ShownRows:
    """What a timeline listed at one moment. Reading a row opens its run's file; safe to use from several threads."""

    def __init__(
        self, run_dir: Path, index: EventIndex, sight: Sight, known: Mapping[int, TimelineRow]
    ) -> None:
        self._index = index
        self._sight = sight
        self._known = known
        self._maker = RowMaker(run_dir.parent, run_dir.name)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sight)

    def known(self, place: int) -> TimelineRow | None:
        """The row at a place if nothing needs to be read for it."""
        return self._known.get(self._sight.row(place))

    def read(self, place: int) -> TimelineRow:
        """The row at a place."""
        return next(self.read_all(place, place + 1))

    def read_all(self, first: int, last: int) -> Iterator[TimelineRow]:
        """The rows at some places, read a few at a time."""
        for begin in range(first, last, _AT_ONCE):
            numbers = [self._sight.row(place) for place in range(begin, min(last, begin + _AT_ONCE))]
            with self._lock:
                rows = self._maker.rows(self._index, numbers)
            yield from rows

    def close(self) -> None:
        """Let go of the file; reading opens it again."""
        with self._lock:
            self._maker.close()


class KnownRows(ShownRows):
    """Rows that are all there."""

    def __init__(self, rows: Sequence[TimelineRow]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def known(self, place: int) -> TimelineRow | None:
        """The row at a place."""
        return self._rows[place]

    def read_all(self, first: int, last: int) -> Iterator[TimelineRow]:
        """The rows at some places."""
        return iter(self._rows[first:last])

    def close(self) -> None:
        """There is no file."""


class Written(Sequence[Any]):
    """Something of each of some rows, made while it is gone through: a line of a table, a record."""

    def __init__(self, rows: ShownRows, places: range, of: Callable[[TimelineRow], Any]) -> None:
        self._rows = rows
        self._places = places
        self._of = of

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from map(self._of, self._rows.read_all(self._places.start, self._places.stop))
        finally:
            self._rows.close()

    @overload
    def __getitem__(self, index: int) -> Any: ...  # noqa: ANN401

    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        return self._of(self._rows.read(self._places[index]))
