"""Prices that the package `genai-prices` ships (extra `[prices]`).

Only what is bundled with it is looked at: nothing here asks a network, and its updater is never started.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from buddy_core.prices.rates import Price, Rates
from buddy_core.runs.records.payloads import UNNAMED

if TYPE_CHECKING:
    from types import ModuleType

PACKAGE = "genai-prices"
_MODULE = "genai_prices"

_QUARTER_MS = 15 * 60_000
"""Prices by the time of day begin and end on quarters of an hour."""

_MOST_QUARTERS = 1_024

_ALIASES = {"grok": "x-ai", "claude": "anthropic", "gemini": "google"}
"""What agents call providers that the package knows by another name."""

_KINDS = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok")


def is_installed() -> bool:
    """True when the package can be imported; it is not imported for that."""
    return importlib.util.find_spec(_MODULE) is not None


def installed_version() -> str | None:
    """The version of the installed package, without importing it; None where there is none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return None


class PackagePrices:
    """The prices of the package, loaded when the first is asked for (half a second)."""

    def __init__(self) -> None:
        self._module: ModuleType | None = None
        self._failed = False

    def find(self, provider: str | None, model: str) -> PackageModel | None:
        """The model; None where the package does not know it, or cannot be used.

        A provider that has a name is taken at its word: the same model elsewhere may cost something else, or
        nothing. Without one the model alone decides, as far as the package can tell whose it is.
        """
        module = self._load()
        if module is None or model == UNNAMED:
            return None
        known_as = None if provider in (None, UNNAMED) else _ALIASES.get(provider.lower(), provider)
        try:
            found = module.calc_price(module.Usage(), model, provider_id=known_as)
        except Exception:  # noqa: BLE001 - a package of another version is no reason to show no numbers at all
            return None
        return PackageModel(module, found.model, f"{PACKAGE} {module.__version__}")

    def _load(self) -> ModuleType | None:
        if self._module is None and not self._failed:
            try:
                self._module = importlib.import_module(_MODULE)
            except Exception:  # noqa: BLE001 - the same for one that is not there, or is damaged
                self._failed = True
        return self._module


class PackageModel:
    """One model of the package."""

    def __init__(self, module: ModuleType, model: Any, origin: str) -> None:  # noqa: ANN401 - the package's own
        self._module = module
        self._model = model
        self._origin = origin
        self._by_quarter: dict[int, Price | None] = {}
        self.changes = isinstance(getattr(model, "prices", None), list)
        """True when the price depends on the time: it was lowered, or is lower by night."""

    def at(self, at_ms: int) -> Price | None:
        """The price at a wall time in milliseconds; None where it is not a price by the token."""
        quarter = at_ms // _QUARTER_MS
        if quarter not in self._by_quarter:
            if len(self._by_quarter) >= _MOST_QUARTERS:
                self._by_quarter.clear()
            self._by_quarter[quarter] = self._look_up(quarter * _QUARTER_MS)
        return self._by_quarter[quarter]

    def _look_up(self, at_ms: int) -> Price | None:
        try:
            found = self._model.get_prices(datetime.fromtimestamp(at_ms / 1000, UTC))
            return price_of({kind: getattr(found, kind) for kind in _KINDS}, self._origin, self._model.id)
        except Exception:  # noqa: BLE001 - the same
            return None


def price_of(prices: Mapping[str, Any], origin: str, name: str) -> Price | None:
    """A price from those of the package: numbers, or objects with `base` and `tiers` of `start` and `price`.

    None where input has no price by the token. Output without one (embeddings) costs nothing.
    """
    if prices["input_mtok"] is None:
        return None
    starts = sorted({tier.start for value in prices.values() for tier in getattr(value, "tiers", ())})
    large = tuple((start, _rates(prices, start)) for start in starts)
    return Price(_rates(prices, None), origin, name, large)


def _rates(prices: Mapping[str, Any], above: int | None) -> Rates:
    """The rates of requests whose input is just above so many tokens; None: of small ones."""
    values = [_value(prices[kind], above) for kind in _KINDS]
    return Rates(values[0] or 0.0, values[1] or 0.0, values[2], values[3])


def _value(value: Any, above: int | None) -> float | None:  # noqa: ANN401 - a number or the package's own
    if value is None or not hasattr(value, "base"):
        return None if value is None else float(value)
    reached = [tier.price for tier in value.tiers if above is not None and tier.start <= above]
    return float(reached[-1] if reached else value.base)
