"""What the `api_request` events of a run add up to while it is written, for its `metrics.json` at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from buddy_core.runs.model import RunMetrics
from buddy_core.runs.records.json_values import count_of, number_of

API_REQUEST: Final = "api_request"
"""The `kind` of a `metric` event that tells of one model request."""

_CACHED = ("cacheReadTokens", "cacheWriteTokens")


class UsageTally:
    """Tokens and US dollars of one run's requests, summed up as readers of its events do."""

    __slots__ = ("completion_tokens", "cost", "prompt_tokens", "total_tokens")

    def __init__(self) -> None:
        self.total_tokens = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.cost = 0.0

    def add(self, data: object) -> None:
        """Count the payload of a `metric` event; one of another kind counts nothing. Never raises."""
        try:
            if isinstance(data, Mapping) and data.get("kind") == API_REQUEST:
                self._add_request(data)
        except Exception:  # noqa: BLE001 - any object may be handed in, and its methods may do anything
            return

    def fill(self, metrics: RunMetrics) -> RunMetrics:
        """`metrics`, with what nobody stated taken from here: the tokens all together, and the cost."""
        if not (metrics.total_tokens or metrics.prompt_tokens or metrics.completion_tokens):
            metrics = replace(
                metrics,
                total_tokens=self.total_tokens,
                prompt_tokens=self.prompt_tokens,
                completion_tokens=self.completion_tokens,
            )
        return metrics if metrics.total_cost else replace(metrics, total_cost=self.cost)

    def _add_request(self, data: Mapping[str, Any]) -> None:
        prompt = count_of(data.get("promptTokens")) or 0
        completion = count_of(data.get("completionTokens")) or 0
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        self.total_tokens += prompt + completion + sum(count_of(data.get(name)) or 0 for name in _CACHED)
        self.cost += number_of(data.get("cost")) or 0.0
