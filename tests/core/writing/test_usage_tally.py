"""What the requests of a run add up to while it is written, and what of it stands in its totals at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from buddy_core.runs.model import RunMetrics
from buddy_core.runs.writing.usage import UsageTally

REQUEST = {
    "kind": "api_request",
    "promptTokens": 1_000,
    "completionTokens": 200,
    "cacheReadTokens": 30,
    "cacheWriteTokens": 4,
    "cost": 0.5,
}


def tallied(*payloads: object) -> UsageTally:
    tally = UsageTally()
    for payload in payloads:
        tally.add(payload)
    return tally


def sums(tally: UsageTally) -> tuple[int, int, int, float]:
    return tally.total_tokens, tally.prompt_tokens, tally.completion_tokens, tally.cost


def test_requests_are_summed_with_what_came_from_a_cache_in_the_total_alone() -> None:
    assert sums(tallied()) == (0, 0, 0, 0.0)
    assert sums(tallied(REQUEST)) == (1_234, 1_000, 200, 0.5)
    assert sums(tallied(REQUEST, REQUEST, REQUEST)) == (3_702, 3_000, 600, 1.5)


@pytest.mark.parametrize("left_out", ["promptTokens", "completionTokens", "cacheReadTokens", "cost"])
def test_what_a_request_does_not_say_adds_nothing(left_out: str) -> None:
    less = {name: value for name, value in REQUEST.items() if name != left_out}
    total, prompt, completion, cost = sums(tallied(REQUEST, less))
    assert prompt == 2_000 - (1_000 if left_out == "promptTokens" else 0)
    assert completion == 400 - (200 if left_out == "completionTokens" else 0)
    assert cost == 1.0 - (0.5 if left_out == "cost" else 0)
    assert total == prompt + completion + 68 - (30 if left_out == "cacheReadTokens" else 0)


class Broken(Mapping[str, Any]):
    """A request that cannot be read."""

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError("no")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("no")

    def __len__(self) -> int:
        raise RuntimeError("no")

    def __repr__(self) -> str:
        return "broken"


@pytest.mark.parametrize("payload", [None, 5, [REQUEST], {}, REQUEST | {"kind": "other"}, Broken()], ids=repr)
def test_what_is_no_request_adds_nothing_and_raises_nothing(payload: object) -> None:
    """Case 18."""
    assert sums(tallied(payload)) == (0, 0, 0, 0.0)


def test_what_nobody_stated_is_filled_in() -> None:
    filled = tallied(REQUEST).fill(RunMetrics(tool_call_count=3))
    assert filled == RunMetrics(
        total_tokens=1_234, prompt_tokens=1_000, completion_tokens=200, total_cost=0.5, tool_call_count=3
    )


@pytest.mark.parametrize("stated", ["total_tokens", "prompt_tokens", "completion_tokens"])
def test_tokens_are_either_all_as_stated_or_all_as_counted(stated: str) -> None:
    metrics = RunMetrics(**{stated: 7})  # type: ignore[arg-type]
    filled = tallied(REQUEST).fill(metrics)
    assert (filled.total_tokens, filled.prompt_tokens, filled.completion_tokens) == (
        metrics.total_tokens, metrics.prompt_tokens, metrics.completion_tokens,
    )  # fmt: skip
    assert filled.total_cost == 0.5


def test_a_cost_that_was_stated_stays_and_the_tokens_are_filled_in() -> None:
    filled = tallied(REQUEST).fill(RunMetrics(total_cost=9.0))
    assert (filled.total_cost, filled.total_tokens) == (9.0, 1_234)
