"""Prices of one model, and what tokens cost at them."""

from __future__ import annotations

from dataclasses import dataclass

PER = 1_000_000
"""Prices are for so many tokens."""


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars per million tokens. The four kinds of tokens exclude each other, as they do in `ApiRequest`."""

    input: float
    output: float
    cache_read: float | None = None
    """None: such tokens cost what input costs."""
    cache_write: float | None = None
    """None: such tokens cost what input costs."""

    def of(self, prompt: int, completion: int, cache_read: int, cache_write: int) -> float:
        """US dollars for so many tokens."""
        read = self.input if self.cache_read is None else self.cache_read
        written = self.input if self.cache_write is None else self.cache_write
        dollars = prompt * self.input + completion * self.output
        if cache_read or cache_write:
            dollars += cache_read * read + cache_write * written
        return dollars / PER


@dataclass(frozen=True, slots=True)
class Price:
    """The prices of one model at one time."""

    rates: Rates
    origin: str
    """Who says so, in words: the path of a file, or a package and its version."""
    name: str
    """The entry it was found under: a model, or a pattern that fits it."""
    large: tuple[tuple[int, Rates], ...] = ()
    """Other rates of single requests whose input, caches included, has more tokens than this; ascending."""

    def of_request(self, prompt: int, completion: int, cache_read: int, cache_write: int) -> float:
        """US dollars for one request: a large one may cost more for every token."""
        rates = self.rates
        if self.large:
            whole = prompt + cache_read + cache_write
            for above, dearer in self.large:
                if whole > above:
                    rates = dearer
        return rates.of(prompt, completion, cache_read, cache_write)

    def of_many(self, prompt: int, completion: int) -> float:
        """US dollars for the tokens of any number of requests, none of which counts as large."""
        return self.rates.of(prompt, completion, 0, 0)
