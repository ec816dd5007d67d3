"""Prices of the user's own: `[prices]` of the configuration file, and the table they become a part of."""

from __future__ import annotations

import argparse
import difflib
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.prices.rates import Rates
from buddy_core.prices.table import PriceEntry, PriceTable
from buddy_top.config.errors import BadConfig

if TYPE_CHECKING:
    from buddy_top.config.load import Choices

_KINDS = ("input", "output", "cache_read", "cache_write")
_NEEDED = ("input", "output")
_MOST = 1_000_000.0  # a dollar a token
_LONGEST = 256
_EXAMPLE = '[prices."claude-*"] with input = 3.0 and output = 15.0'


def read_prices(path: Path, table: object) -> tuple[PriceEntry, ...]:
    """The entries of `[prices]`, each named by a model or a pattern.

    Raises:
        BadConfig: An entry is no price; the message says which, and what it may say.
    """
    if not isinstance(table, dict):
        raise BadConfig(f"{path}: prices must be tables such as {_EXAMPLE}")
    return tuple(_entry(path, str(pattern), given) for pattern, given in table.items())


def price_table(entries: Sequence[PriceEntry] | None) -> PriceTable | None:
    """The user's prices, and where they say nothing those of the package, if it is installed; None for None."""
    if entries is None:
        return None
    from buddy_core.prices.package import PackagePrices

    return PriceTable(entries, PackagePrices())


def chosen_prices(choices: Choices) -> tuple[PriceEntry, ...] | None:
    """The user's prices; None when nothing shall be estimated."""
    return choices.file.prices if choices.value("estimate", bool) else None


def prices_for(args: argparse.Namespace, environ: Mapping[str, str] | None = None) -> PriceTable | None:
    """The table that a command is to estimate costs by; None when it is not to."""
    from buddy_top.config.load import gather

    return price_table(chosen_prices(gather(args, os.environ if environ is None else environ)))


def _entry(path: Path, pattern: str, given: object) -> PriceEntry:
    where = f'{path}: prices."{pattern}"'
    if not pattern.strip() or len(pattern) > _LONGEST:
        raise BadConfig(f"{where}: is no name of a model, and no pattern")
    if not isinstance(given, dict):
        raise BadConfig(f"{where}: must be a table such as {_EXAMPLE}")
    for name in given:
        if name not in (*_KINDS, "provider"):
            raise BadConfig(f"{where}: there is no price {name!r}{_meant(name)}")
    for name in _NEEDED:
        if name not in given:
            raise BadConfig(f"{where}: {name} is missing (US dollars per million tokens)")
    rates = Rates(**{kind: _dollars(where, kind, given[kind]) for kind in _KINDS if kind in given})
    return PriceEntry(pattern.strip(), rates, _provider(where, given.get("provider")), str(path))


def _dollars(where: str, kind: str, given: object) -> float:
    value = float(given) if isinstance(given, int | float) and not isinstance(given, bool) else math.nan
    if not 0 <= value <= _MOST:
        raise BadConfig(f"{where}: {kind}: {given!r} is no amount of dollars per million tokens, 0 or more")
    return value


def _provider(where: str, given: object) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or not given.strip():
        raise BadConfig(f"{where}: provider: {given!r} is no name")
    return given.strip()


def _meant(name: str) -> str:
    known = (*_KINDS, "provider")
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"
