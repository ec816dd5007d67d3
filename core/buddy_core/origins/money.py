"""What is said of a cost: how much was stated, how much was priced, by which price."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core import format as fmt
from buddy_core.metrics.looking.model import ProviderMetrics
from buddy_core.prices.rates import Price


def price_words(price: Price) -> str:
    """One price, and who says so."""
    rates = price.rates
    told = f"{_dollars(rates.input)} in, {_dollars(rates.output)} out"
    cached = ((rates.cache_read, "cache read"), (rates.cache_write, "cache write"))
    told += "".join(f", {_dollars(rate)} {words}" for rate, words in cached if rate is not None)
    if all(rate is None for rate, _ in cached):
        told += ", cache as input"
    large = f"; others above {price.large[0][0]:,} tokens of input" if price.large else ""
    return f"{price.name}: {told} per million tokens{large} ({price.origin})"


def _dollars(rate: float) -> str:
    return f"${rate:.6g}"


def cost_of_requests(row: ProviderMetrics, price: Price | None) -> str:
    """How the cost of one provider and model came about."""
    if row.total_cost is None:
        return "no request states a cost, and none could be priced"
    parts = [f"stated by {row.cost_count:,} of {fmt.plural(row.total_requests, 'request')}"]
    if row.estimated_cost is not None:
        stated = f"{fmt.cost(row.total_cost - row.estimated_cost)} {parts[0]}" if row.cost_count else ""
        priced = f"{fmt.cost(row.estimated_cost, estimated=True)} priced from the tokens of {row.estimated_count:,}"
        parts = [part for part in (stated, priced) if part]
        if price is not None:
            parts.append(price_words(price))
    return "; ".join(parts)


NO_CACHE_LOGGED = "what was read from a cache is not logged: priced as fresh input, which may be far too much"
"""Said of an estimate from tokens none of which is said to come from a cache."""


def unpriced(row: ProviderMetrics) -> Iterator[str]:
    """Answered requests whose cost nobody knows, and what the estimates of others do not take into account."""
    without = row.total_requests - row.error_count - row.cost_count - row.estimated_count
    if without > 0:
        yield f"{fmt.plural(without, 'answered request')} without a cost: none stated, no price or no tokens known"
    if row.estimated_cost and not row.cache_read_tokens:
        yield NO_CACHE_LOGGED
