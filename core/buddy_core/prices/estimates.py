"""What was estimated for one run, kept so that it can be taken back when the run says what it cost after all."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from buddy_core.prices.table import PriceTable

if TYPE_CHECKING:
    from buddy_core.metrics.recording.batch import ModelKey, RequestRow

Amount = tuple[int, float]
"""Wall time in milliseconds, and US dollars."""


class Estimates:
    """Times and dollars by provider and model; under None those of totals that belong to no request."""

    __slots__ = ("_columns",)

    def __init__(self) -> None:
        self._columns: dict[ModelKey | None, tuple[array[int], array[float]]] = {}

    def __bool__(self) -> bool:
        return bool(self._columns)

    def add(self, key: ModelKey | None, amounts: Iterable[Amount]) -> None:
        """Keep what was estimated; 16 bytes each."""
        for at_ms, dollars in amounts:
            column = self._columns.get(key)
            if column is None:
                column = self._columns[key] = (array("q"), array("d"))
            column[0].append(at_ms)
            column[1].append(dollars)

    def extend(self, more: Estimates) -> None:
        """Keep everything that `more` holds, too."""
        for key, amounts in more.by_model():
            self.add(key, amounts)

    def by_model(self) -> Iterator[tuple[ModelKey | None, list[Amount]]]:
        """Each provider and model with what was estimated for it."""
        for key, (times, dollars) in self._columns.items():
            yield key, list(zip(times, dollars, strict=True))

    def total(self, key: ModelKey) -> float | None:
        """Everything that was estimated for one provider and model; None: nothing was."""
        column = self._columns.get(key)
        return sum(column[1]) if column is not None else None

    def take_between(self, first_ms: int, last_ms: int) -> Estimates:
        """Those of a span of time, both ends included; they are not here any more."""
        taken = Estimates()
        for key, amounts in tuple(self.by_model()):
            inside = [amount for amount in amounts if first_ms <= amount[0] <= last_ms]
            if inside:
                taken.add(key, inside)
                del self._columns[key]
                self.add(key, (amount for amount in amounts if not first_ms <= amount[0] <= last_ms))
        return taken


def amounts_of(prices: PriceTable, key: ModelKey, rows: Sequence[RequestRow]) -> list[Amount]:
    """Times and dollars of those requests that state no cost, whose tokens and price are known."""
    provider, model = key
    found: list[Amount] = []
    for at_ms, prompt, completion, read, written, cost, _, _, _ in rows:
        if cost is None:
            dollars = prices.of_request(provider, model, at_ms, prompt, completion, read, written)
            if dollars is not None:
                found.append((at_ms, dollars))
    return found


def estimates_of(prices: PriceTable, requests: Mapping[ModelKey, Sequence[RequestRow]]) -> Estimates:
    """The same of requests to any number of models."""
    estimates = Estimates()
    for key, rows in requests.items():
        estimates.add(key, amounts_of(prices, key, rows))
    return estimates
