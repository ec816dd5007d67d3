"""The part of `buddy-top config` about prices: which are known, and who says so."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from buddy_core.prices.package import PACKAGE, installed_version
from buddy_core.prices.table import PriceEntry, PriceTable
from buddy_core.safety.columns import Column, lay_out
from buddy_core.safety.text import plain
from buddy_top.config.load import Choices

_COLUMNS = (
    Column("price of", limit=60),
    Column("input", right=True),
    Column("output", right=True),
    Column("cache read", right=True),
    Column("cache write", right=True),
    Column("provider", limit=40),
    Column("from", limit=200),
)

SAMPLE = (
    "",
    "# Prices of models, in US dollars per million tokens, for what states no cost. A name is matched before a",
    "# pattern; “provider/model” works too. cache_read and cache_write: like input, when left out. provider: any.",
    f"# What is not listed is looked up in the package {PACKAGE}, if it is installed, and else stays unknown.",
    '# [prices."claude-sonnet-*"]',
    "# input = 3.0",
    "# output = 15.0",
    "# cache_read = 0.3",
    "# cache_write = 3.75",
    '# provider = "anthropic"',
)
"""What a sample of the configuration file says of prices."""


def price_lines(choices: Choices, width: int | None) -> Iterator[str]:
    """The user's prices, the most exact first, and where others come from."""
    yield ""
    if not choices.value("estimate", bool):
        yield "prices  not used: estimate is false, so a cost that nobody states stays unknown"
        return
    entries = PriceTable(choices.file.prices).entries
    yield from lay_out(_COLUMNS, [_cells(entry) for entry in entries], width=width) if entries else ()
    version = installed_version()
    others = "of other models" if entries else "of models"
    if version is not None:
        yield f"prices {others} come from {PACKAGE} {plain(version)}; a model it does not know stays unknown"
    else:
        yield f"prices {others} are unknown; “pip install 'buddy-top[prices]'” brings those of {PACKAGE}"


def price_entries(choices: Choices) -> dict[str, Any]:
    """The same for JSON; US dollars per million tokens."""
    entries = PriceTable(choices.file.prices).entries
    version = installed_version()
    return {
        "entries": [
            {
                "model": one.pattern,
                "provider": one.provider,
                **dataclasses.asdict(one.rates),
                "origin": one.origin,
            }
            for one in entries
        ],
        "package": None if version is None else f"{PACKAGE} {version}",
    }


def _cells(entry: PriceEntry) -> tuple[str, ...]:
    rates = entry.rates
    kinds = (rates.input, rates.output, rates.cache_read, rates.cache_write)
    told = ("as input" if dollars is None else f"{dollars:.6g}" for dollars in kinds)
    return (plain(entry.pattern), *told, plain(entry.provider or "any"), plain(entry.origin))
