"""A run that was counted from the history and whose directory is there again: what of its files is news?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from buddy_core.history.contribution import Contribution
from buddy_core.history.packing import clean
from buddy_core.metrics.recording.batch import ModelKey, RequestRow, ToolColumn
from buddy_core.runs.folding.harvest import Harvest


@dataclass(slots=True)
class Known:
    """Everything counted of one run as a multiset; each item holds one of its likes back, once."""

    everything: bool = False
    """Nothing in the files is news: the run is counted in hours, and cannot be told from others there."""
    items: Counter[tuple[Any, ...]] = field(default_factory=Counter)

    @classmethod
    def of(cls, found: Contribution) -> Known:
        """What is counted in a contribution. Names are compared as they are stored, errors by time and type."""
        known = cls()
        for name, column in found.tools.items():
            calls = zip(column.at_ms, column.duration_ms, column.ok, strict=True)
            known.items.update((name, *call) for call in calls)
        for key, rows in found.rows.items():
            known.items.update((*key, *row) for row in rows)
        known.items.update(("error", error.type, error.timestamp) for error in found.errors)
        return known

    def news(self, harvest: Harvest) -> Harvest:
        """The harvest without what is counted already; errors of tools are then among the others."""
        if self.everything:
            return Harvest()
        reasons = [error for _, _, error in harvest.tool_errors]
        return Harvest(
            tools={
                name: calls
                for name, column in harvest.tools.items()
                if (calls := self._calls(name, column)).ok
            },
            errors=[
                error
                for error in harvest.errors + reasons
                if self._is_new(("error", clean(error.type), error.timestamp))
            ],
            requests={
                key: found for key, rows in harvest.requests.items() if (found := self.new_rows(key, rows))
            },
            values=harvest.values,
        )

    def new_rows(self, key: ModelKey, rows: list[RequestRow]) -> list[RequestRow]:
        """The requests that are news."""
        names = (clean(key[0]), clean(key[1]))
        return [row for row in rows if self._is_new((*names, *row))]

    def _calls(self, name: str, column: ToolColumn) -> ToolColumn:
        found, stored = ToolColumn(), clean(name)
        for row, call in enumerate(zip(column.at_ms, column.duration_ms, column.ok, strict=True)):
            if self._is_new((stored, *call)):
                found.add(*call)
                found.calls += column.calls[row : row + 1]
        return found

    def _is_new(self, item: tuple[Any, ...]) -> bool:
        return not take_one(self.items, item)


def take_one(items: Counter[tuple[Any, ...]], item: tuple[Any, ...]) -> bool:
    """Take one of the like of `item` away; False when there is none left."""
    left = items.get(item, 0)
    if left:
        items[item] = left - 1
    return left > 0
