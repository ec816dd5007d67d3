"""What a run cost: what its files state; else what its requests, or its totals, are priced at."""

from __future__ import annotations

from typing import NamedTuple

from buddy_core.runs.folding.facts import RunFiles, RunUsage, model_of

_A_MICRODOLLAR = 1e-6
_A_THOUSANDTH = 1e-3


class RunCost(NamedTuple):
    """US dollars; None is not known."""

    total: float | None
    estimated: float | None = None
    """Part of the total that was priced from tokens; None: nothing was."""


def cost_of(files: RunFiles, usage: RunUsage, turn_model: str | None) -> RunCost:
    """The cost of a run whose files state `usage`.

    A total that is more than its requests state covers all of them: then none is estimated.
    """
    sums = files.fold.sums
    if states_more(usage.cost, sums.cost):
        return RunCost(usage.cost)
    estimated = sums.estimate
    if estimated is None and usage.cost is None:
        estimated = price_of_totals(files, usage, turn_model)
    return RunCost(usage.cost) if estimated is None else RunCost((usage.cost or 0.0) + estimated, estimated)


def states_more(total: float | None, by_requests: float | None) -> bool:
    """True when a run's total says more than its requests do; totals are often rounded sums of theirs."""
    own = by_requests or 0.0
    return (total or 0.0) - own > max(_A_MICRODOLLAR, own * _A_THOUSANDTH)


def price_of_totals(files: RunFiles, usage: RunUsage, turn_model: str | None) -> float | None:
    """US dollars for the tokens of a run that logged no request.

    None unless the model is known and every token is known as prompt or completion.
    """
    prices, model = files.fold.prices, model_of(files, turn_model)
    prompt, completion = usage.prompt_tokens or 0, usage.completion_tokens or 0
    if prices is None or model is None or files.fold.sums.requests or not usage.total_tokens:
        return None
    price = prices.find(None, model, files.fold.last_at or 0)
    if price is None or usage.total_tokens != prompt + completion:
        return None
    return price.of_many(prompt, completion)
