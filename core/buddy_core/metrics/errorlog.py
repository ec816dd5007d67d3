"""The newest errors themselves, whole, in the order they happened."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from typing import Any

from buddy_core.metrics.model import ErrorRecord

LONGEST_MESSAGE = 8_000
"""Characters of an error message that are kept."""

LONGEST_STACK = 32_000
"""Characters of a stack that are kept."""

MOST_CONTEXT = 32
"""Entries of a context that are kept."""


def trimmed(record: ErrorRecord) -> ErrorRecord:
    """The record with texts of a size that can be kept; an ordinary one is returned as it is."""
    stack, context = record.stack, record.context
    small = len(record.message) <= LONGEST_MESSAGE and (stack is None or len(stack) <= LONGEST_STACK)
    if small and (context is None or _is_small(context)):
        return record
    return ErrorRecord(
        timestamp=record.timestamp,
        type=record.type,
        message=_cut(record.message, LONGEST_MESSAGE),
        stack=None if stack is None else _cut(stack, LONGEST_STACK),
        context=None if context is None else _small(context),
        run_id=record.run_id,
    )


class ErrorLog:
    """At most `most` errors: the newest by their own time, whatever order they were recorded in.

    History is read newest run first, so the order of arrival says nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = max(0, most)
        self._records: list[ErrorRecord] = []

    def add(self, record: ErrorRecord) -> None:
        """Keep the record if it is among the newest."""
        records = self._records
        if not records or record.timestamp >= records[-1].timestamp:
            records.append(record)
        elif len(records) >= self._most and record.timestamp < records[0].timestamp:
            return
        else:
            insort(records, record, key=_time_of)
        if len(records) > self._most:
            del records[0]

    def newest(self, limit: int) -> list[ErrorRecord]:
        """The newest `limit`, oldest first."""
        return self._records[-limit:] if limit > 0 else []

    def newest_first(self) -> list[ErrorRecord]:
        """Everything kept."""
        return self._records[::-1]


def _time_of(record: ErrorRecord) -> int:
    return record.timestamp


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _is_small(context: Mapping[str, Any]) -> bool:
    return len(context) <= MOST_CONTEXT and all(
        not isinstance(value, str) or len(value) <= LONGEST_MESSAGE for value in context.values()
    )


def _small(context: Mapping[str, Any]) -> dict[str, Any]:
    items = list(context.items())[:MOST_CONTEXT]
    return {key: _cut(value, LONGEST_MESSAGE) if isinstance(value, str) else value for key, value in items}
