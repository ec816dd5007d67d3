"""What a tool says when it fails: its error texts, counted for each window, those that differ only in numbers as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from buddy_core.metrics.counting.room import Room
from buddy_core.metrics.counting.series import ErrorSeries
from buddy_core.metrics.model import ErrorRecord

MOST_TEXTS = 50
"""Texts a tool remembers; the one unseen for longest is forgotten for a new one."""

LEAST_TEXTS = 5
"""The same once all tools together have used up their room."""

LONGEST = 1_000
"""Characters kept of a text."""


class FailureTexts:
    """The error texts of one tool. The collector's lock is held around every call."""

    __slots__ = ("_by_key", "_room", "forgotten")

    def __init__(self, room: Room) -> None:
        self._room = room
        self._by_key: dict[str, ErrorSeries] = {}
        self.forgotten = 0
        """Texts given up for newer ones: a long window may have had them more often."""

    def note(self, record: ErrorRecord, key: str, now_ms: int) -> None:
        """Count the error of a failed call, whose fingerprint is `key`."""
        series = self._by_key.get(key)
        if series is None:
            self._make_room()
            if len(record.message) > LONGEST:
                record = replace(record, message=record.message[: LONGEST - 1] + "…")
            series = self._by_key[key] = ErrorSeries(key, record.type, record, self._room)
            self._room.texts -= 1
        series.version += 1
        series.note(record)
        for stats in series.tiers.buckets(record.timestamp, now_ms):
            stats.add(record.timestamp, True)

    def series(self) -> Iterable[ErrorSeries]:
        """The texts that are remembered."""
        return self._by_key.values()

    def _make_room(self) -> None:
        if len(self._by_key) >= (MOST_TEXTS if self._room.texts > 0 else LEAST_TEXTS):
            gone = min(self._by_key, key=lambda key: self._by_key[key].latest.timestamp)
            self._by_key.pop(gone).tiers.close()
            self._room.texts += 1
            self.forgotten += 1
