"""Which errors concern a model provider: those whose context names it, and those whose message begins with its name.

A failed request says no more than that it failed; what went wrong stands in an `error` recorded beside it,
if anybody recorded one. Errors whose context names a provider or a model are counted once more for what they
name, so that the numbers of a window stay exact even where one kind of error befalls several models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from buddy_core.metrics.counting.room import Room
from buddy_core.metrics.counting.series import ErrorSeries
from buddy_core.metrics.model import ErrorRecord

MOST_KINDS = 500
"""Kinds of errors counted for providers and models, of all of them together; later kinds are in the list of
errors only."""

_LONGEST_NAME = 200

Subject = tuple[str, str]
"""Provider and model as an error names them; empty where it names only the other."""


class Blame:
    """Errors by what their context names. The collector's lock is held around every call."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._by_subject: dict[Subject, dict[str, ErrorSeries]] = {}
        self._kinds = 0
        self._named: set[str] = set()
        """Fingerprints of errors that named somebody: their messages are not asked any more."""

    def note(self, record: ErrorRecord, key: str, of_tool: bool, now_ms: int) -> None:
        """Count an error with the fingerprint `key` for whom its context names, if anybody."""
        subject = _subject_of(record.context)
        if subject is None:
            return
        kinds = self._by_subject.get(subject, {})
        series = kinds.get(key)
        if series is None:
            if self._kinds >= MOST_KINDS:
                return
            self._kinds += 1
            self._named.add(key)
            series = kinds[key] = ErrorSeries(key, record.type, record, self._room)
            self._by_subject[subject] = kinds
        series.version += 1
        series.note(record)
        for stats in series.tiers.buckets(record.timestamp, now_ms):
            stats.add(record.timestamp, of_tool)

    def concerning(
        self, provider: str, model: str, everything: Iterable[ErrorSeries]
    ) -> tuple[ErrorSeries, ...]:
        """What concerns one model; `everything` is every group of errors there is. One kind may be in two series."""
        return (*self._blamed(provider, model), *self._by_message(provider, everything))

    def _blamed(self, provider: str, model: str) -> Iterator[ErrorSeries]:
        for subject in ((provider, model), (provider, ""), ("", model)):
            yield from self._by_subject.get(subject, {}).values()

    def _by_message(self, provider: str, everything: Iterable[ErrorSeries]) -> Iterator[ErrorSeries]:
        """All errors of a group begin alike, so one message speaks for all of them."""
        name = provider.casefold()
        for series in everything:
            if series.key not in self._named and _begins_with(series.latest.message, name):
                yield series


def _subject_of(context: Mapping[str, Any] | None) -> Subject | None:
    if not context:
        return None
    provider, model = _name(context.get("provider")), _name(context.get("model"))
    return (provider, model) if provider or model else None


def _name(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_NAME else ""


def _begins_with(message: str, name: str) -> bool:
    """True for `Anthropic: overloaded` and `anthropic answered 529`, not for `anthropics`."""
    size = len(name)
    if not size or message[:size].casefold() != name:
        return False
    return not message[size : size + 1].isalnum()
