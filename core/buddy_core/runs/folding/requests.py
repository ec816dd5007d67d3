"""The model requests of one run: each as a row for the collector, all of them as sums, and which models they asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from buddy_core.metrics.recording.batch import ModelKey, RequestRow
from buddy_core.runs.records.payloads import MAX_NAME, UNNAMED, MetricData, bounded, is_sound

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

_MAX_MODELS = 100


@dataclass(slots=True)
class RequestSums:
    """What a run's own `api_request` events add up to."""

    requests: int = 0
    total_tokens: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    """None until one of them states a cost."""
    costs: int = 0
    """How many do."""
    estimate: float | None = None
    """What those without a cost were priced at; None while none was."""
    estimates: int = 0
    """How many were."""

    def add_estimate(self, dollars: float | None) -> None:
        """Count what a request that states no cost was priced at; None: nobody knows."""
        if dollars is not None:
            self.estimate = (self.estimate or 0.0) + dollars
            self.estimates += 1

    def add_rows(self, rows: Sequence[RequestRow]) -> None:
        """Count any number of requests."""
        tokens, prompts, completions, cost, costs = 0, 0, 0, self.cost, 0
        for _, prompt, completion, read, written, dollars, _, _, _ in rows:
            tokens += prompt + completion + read + written
            prompts += prompt
            completions += completion
            if dollars is not None:
                cost = (cost or 0.0) + dollars
                costs += 1
        self.requests += len(rows)
        self.total_tokens += tokens
        self.prompt_tokens += prompts
        self.completion_tokens += completions
        self.cost = cost
        self.costs += costs


def count_requests(
    found: Iterable[tuple[int, MetricData]],
    sums: RequestSums,
    models: Counter[str],
    *,
    prices: PriceTable | None,
    harvested: dict[ModelKey, list[RequestRow]] | None,
) -> None:
    """Add requests, each with its time, to `sums` and `models`; those that are new go to `harvested` as well.

    One that states no cost is priced, where there are `prices`, and that is kept apart from what is stated.
    """
    rows: list[RequestRow] = []
    for ts, one in found:
        if not is_sound(one):
            one = bounded(one)
        prompt, completion, cost = one.prompt_tokens, one.completion_tokens, one.cost
        read, written = one.cache_read_tokens, one.cache_write_tokens
        provider, model = one.provider or UNNAMED, one.model or UNNAMED
        if len(provider) > MAX_NAME or len(model) > MAX_NAME:
            provider, model = provider[:MAX_NAME], model[:MAX_NAME]
        if cost is None and prices is not None:
            tokens = (prompt, completion, read, written)
            sums.add_estimate(prices.of_request(provider, model, ts, *tokens))
        if model in models or len(models) < _MAX_MODELS:
            models[model] += 1
        row = ts, prompt, completion, read, written, cost, one.latency_ms, one.ttft_ms, one.success
        rows.append(row)
        if harvested is not None:
            harvested.setdefault((provider, model), []).append(row)
    sums.add_rows(rows)
