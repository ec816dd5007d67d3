"""The price table: what the user says first, then what a package knows, else nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from buddy_core.prices.rates import Price, Rates

MOST_REMEMBERED = 4_096
"""Models whose price is remembered; an input that names more makes it forget all of them at once."""

_SPECIAL = "*?["


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """What the user says of one model, or of all models that a pattern fits."""

    pattern: str
    """A model, or `provider/model`; `*`, `?` and `[…]` stand for what they stand for in file names. Case is ignored."""
    rates: Rates
    provider: str | None = None
    """Only for this provider; None: for any."""
    origin: str = ""
    """Who says so: the path of the file."""

    def fits(self, provider: str | None, model: str) -> bool:
        """True when the entry is about this model. `provider` is None where nobody knows it."""
        if self.provider is not None and self.provider.casefold() != (provider or "").casefold():
            return False
        pattern, model = self.pattern.casefold(), model.casefold()
        if fnmatchcase(model, pattern):
            return True
        return provider is not None and fnmatchcase(f"{provider.casefold()}/{model}", pattern)

    @property
    def closeness(self) -> tuple[bool, int, bool]:
        """Larger is more exact: a name before patterns, more letters before fewer, one provider before any."""
        exact = not any(sign in self.pattern for sign in _SPECIAL)
        letters = sum(letter not in _SPECIAL for letter in self.pattern)
        return exact, letters, self.provider is not None


class PriceSource(Protocol):
    """Something that knows prices, such as a package."""

    def find(self, provider: str | None, model: str) -> PricedModel | None:
        """The model; None when it is not known. `provider` is None where nobody knows it."""
        ...


class PricedModel(Protocol):
    """One model of a source."""

    changes: bool
    """True when the price depends on the time."""

    def at(self, at_ms: int) -> Price | None:
        """The price at a wall time in milliseconds; None where it is not a price by the token."""
        ...


class PriceTable:
    """Finds prices, and what tokens cost by them.

    May be asked from any thread. A `source` is asked once for each model that no entry fits; the first
    question may take it half a second, in which it loads what it knows.
    """

    def __init__(self, entries: Iterable[PriceEntry] = (), source: PriceSource | None = None) -> None:
        self.entries = tuple(sorted(entries, key=lambda entry: entry.closeness, reverse=True))
        """The user's own, the most exact first."""
        self._source = source
        self._known: dict[tuple[str | None, str], PricedModel | Price | None] = {}

    def find(self, provider: str | None, model: str, at_ms: int) -> Price | None:
        """The price of a model at a wall time in milliseconds; None when nobody knows it."""
        key = (provider, model)
        try:
            found = self._known[key]
        except KeyError:
            found = self._look_up(provider, model)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = found
        return found if found is None or isinstance(found, Price) else found.at(at_ms)

    def of_request(
        self,
        provider: str | None,
        model: str,
        at_ms: int,
        prompt: int,
        completion: int,
        cache_read: int = 0,
        cache_write: int = 0,
    ) -> float | None:
        """US dollars for one request; None when its tokens or the price are not known."""
        if not (prompt or completion or cache_read or cache_write):
            return None
        price = self.find(provider, model, at_ms)
        return None if price is None else price.of_request(prompt, completion, cache_read, cache_write)

    def _look_up(self, provider: str | None, model: str) -> PricedModel | Price | None:
        for entry in self.entries:
            if entry.fits(provider, model):
                return Price(entry.rates, entry.origin, entry.pattern)
        found = None if self._source is None else self._source.find(provider, model)
        return found if found is None or found.changes else found.at(0)
