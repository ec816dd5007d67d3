"""Every number that is shown, counted again in plain Python that shares nothing with the project.

The recount reads the files with `json` alone. It runs over the project's own samples, over the sample data
where there is any, and over generated homes that resemble neither.
"""

from __future__ import annotations

import json
import math
import random
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.samples import OWN, sample_data
from tests.watching import following

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import ProviderMetrics, ToolMetrics
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.testing import RunDirectoryBuilder

MUCH_LATER = 1_790_000_000_000

Json = Any


# The recount: plain json, nothing imported from the project.


def recount_run(run: Path) -> dict[str, Json]:
    events = [json.loads(line) for line in (run / "events.jsonl").read_text("utf-8").splitlines()]
    summary = json.loads((run / "summary.json").read_text()) if (run / "summary.json").exists() else {}
    totals = json.loads((run / "metrics.json").read_text()) if (run / "metrics.json").exists() else {}
    said = [e["data"]["status"] for e in events if e["type"] == "run_end"] or [
        summary.get("status", "running")
    ]
    own = requests_of(events)
    costs = [r["cost"] for r in own if r.get("cost") is not None]
    if said[0] == "running" and own:
        totals = {}
    return {
        "status": "interrupted" if said[0] == "running" else said[0],
        "event_count": len(events),
        "tool_calls": sum(e["type"] == "tool_call" for e in events),
        "tool_failures": sum(e["type"] == "tool_result" and e["data"]["success"] is False for e in events),
        "errors": sum(e["type"] == "error" for e in events),
        "total_tokens": totals.get("totalTokens") or sum(map(tokens_of, own)) or None,
        "prompt_tokens": totals.get("promptTokens") or sum(r["promptTokens"] for r in own) or None,
        "completion_tokens": totals.get("completionTokens")
        or sum(r["completionTokens"] for r in own)
        or None,
        "total_cost": totals.get("totalCost") or (sum(costs) if costs else None),
        "parent_run_id": summary.get("metadata", {}).get("parentRolloutId"),
    }


def requests_of(events: list[Json]) -> list[Json]:
    return [e["data"] for e in events if e["type"] == "metric" and e["data"]["kind"] == "api_request"]


def tokens_of(request: Json) -> int:
    return sum(
        request.get(k, 0) for k in ("promptTokens", "completionTokens", "cacheReadTokens", "cacheWriteTokens")
    )


def recount_tools(runs: Path) -> dict[str, list[tuple[bool, float | None]]]:
    tools: dict[str, list[tuple[bool, float | None]]] = defaultdict(list)
    for file in runs.glob("run_*/events.jsonl"):
        called: dict[str, int] = {}
        for event in map(json.loads, file.read_text("utf-8").splitlines()):
            data = event["data"]
            if event["type"] == "tool_call":
                called[data["toolCallId"]] = event["ts"]
            if event["type"] == "tool_result":
                since = event["ts"] - called[data["toolCallId"]] if data["toolCallId"] in called else None
                tools[data["toolName"]].append((data["success"], data.get("durationMs", since)))
    return tools


def recount_providers(home: Path) -> dict[tuple[str, str], list[Json]]:
    providers: dict[tuple[str, str], list[Json]] = defaultdict(list)
    for file in (home / "runs").glob("run_*/events.jsonl"):
        for request in requests_of([json.loads(line) for line in file.read_text("utf-8").splitlines()]):
            providers[request["provider"], request["model"]].append(request)
    for turn in turns_of(home):
        seen = {"promptTokens": turn["inputTokens"], "completionTokens": turn["outputTokens"]}
        seen |= {"latencyMs": turn["totalMs"], "ttftMs": turn["ttftMs"], "success": True}
        providers[turn["provider"], turn["model"]].append(seen)
    return providers


def turns_of(home: Path) -> list[Json]:
    file = home / "turn-metrics.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def recount_rest(home: Path) -> tuple[int, float]:
    """Tokens and dollars of run totals that no request accounts for."""
    moments = [datetime.fromisoformat(turn["at"]).timestamp() * 1000 for turn in turns_of(home)]
    tokens, cost = 0, 0.0
    for run in (home / "runs").glob("run_*"):
        events = [json.loads(line) for line in (run / "events.jsonl").read_text("utf-8").splitlines()]
        summary, own, shown = (
            json.loads((run / "summary.json").read_text()),
            requests_of(events),
            recount_run(run),
        )
        end = summary.get("endedAt", events[-1]["ts"])
        cost += max(0.0, (shown["total_cost"] or 0) - sum(r.get("cost") or 0 for r in own))
        if not any(summary["startedAt"] - 5000 <= at <= end + 5000 for at in moments):
            tokens += max(0, (shown["total_tokens"] or 0) - sum(map(tokens_of, own)))
    return tokens, cost


# The comparison.


def read(home: Path) -> tuple[Observer, MetricsCollector]:
    clock = ManualClock(MUCH_LATER)
    collector = MetricsCollector(clock=clock)
    observer = Observer(home / "runs", collector, clock=clock)
    observer.load()
    observer.close()
    return observer, collector


def compare(home: Path, observer: Observer, collector: MetricsCollector) -> None:
    view = collector.view(Window.ALL)
    runs = {path.name: recount_run(path) for path in (home / "runs").glob("run_*")}
    shown = {
        facts.run_id: {name: getattr(facts, name) for name in next(iter(runs.values()))}
        for facts in observer.facts()
    }
    assert _rounded(shown) == _rounded(runs)
    assert {tool.name: tool.total_calls for tool in view.tools} == {
        n: len(c) for n, c in recount_tools(home / "runs").items()
    }
    for tool in view.tools:
        compare_tool(tool, recount_tools(home / "runs")[tool.name])
    again = recount_providers(home)
    assert {(p.provider, p.model) for p in view.providers} == set(again)
    for provider in view.providers:
        compare_provider(provider, again[provider.provider, provider.model])
    tokens, cost = recount_rest(home)
    asked = [request for requests in again.values() for request in requests]
    assert (view.unattributed_tokens, view.unattributed_cost) == (tokens, pytest.approx(cost))
    assert view.total_tokens == sum(map(tokens_of, asked)) + tokens
    assert (view.total_cost or 0) == pytest.approx(sum(request.get("cost") or 0 for request in asked) + cost)
    assert (view.total_requests, view.failed_requests) == (len(asked), sum(not r["success"] for r in asked))


def compare_tool(tool: ToolMetrics, calls: list[tuple[bool, float | None]]) -> None:
    took = sorted(ms for _, ms in calls if ms is not None)
    assert tool.error_count == sum(not ok for ok, _ in calls)
    assert (tool.duration_count, tool.total_duration_ms) == (len(took), pytest.approx(sum(took)))
    if not took:
        assert (tool.avg_duration_ms, tool.min_duration_ms, tool.p95_duration_ms) == (None, None, None)
        return
    assert (tool.min_duration_ms, tool.max_duration_ms) == (took[0], took[-1])
    assert tool.avg_duration_ms == pytest.approx(sum(took) / len(took))
    for share, value in (
        (0.5, tool.p50_duration_ms),
        (0.95, tool.p95_duration_ms),
        (0.99, tool.p99_duration_ms),
    ):
        near(value, took, share)


def compare_provider(provider: ProviderMetrics, requests: list[Json]) -> None:
    took = sorted(r["latencyMs"] for r in requests if r.get("latencyMs") is not None)
    first = [r["ttftMs"] for r in requests if r.get("ttftMs") is not None]
    costs = [r["cost"] for r in requests if r.get("cost") is not None]
    assert provider.total_requests == len(requests)
    assert provider.error_count == sum(not r["success"] for r in requests)
    assert provider.total_tokens == sum(map(tokens_of, requests))
    assert provider.prompt_tokens == sum(r["promptTokens"] for r in requests)
    assert provider.completion_tokens == sum(r["completionTokens"] for r in requests)
    assert provider.cache_read_tokens == sum(r.get("cacheReadTokens", 0) for r in requests)
    assert provider.total_cost == (pytest.approx(sum(costs)) if costs else None)
    assert provider.latency_count == len(took)
    assert provider.avg_latency_ms == (pytest.approx(sum(took) / len(took)) if took else None)
    assert provider.avg_ttft_ms == (pytest.approx(sum(first) / len(first)) if first else None)
    if took:
        near(provider.p50_latency_ms, took, 0.5)
        near(provider.p95_latency_ms, took, 0.95)


def near(value: float | None, exact: list[float], share: float) -> None:
    """A percentile lies between its neighbours among the exact values, give or take one percent."""
    place = share * (len(exact) - 1)
    assert value is not None
    assert exact[math.floor(place)] * 0.99 <= value <= exact[math.ceil(place)] * 1.01


def _rounded(runs: dict[str, dict[str, Json]]) -> dict[str, dict[str, Json]]:
    return {
        run_id: {name: round(value, 9) if isinstance(value, float) else value for name, value in run.items()}
        for run_id, run in runs.items()
    }


def test_the_projects_own_samples_recount() -> None:
    compare(OWN / "home", *read(OWN / "home"))


def test_the_sample_data_recounts() -> None:
    home = sample_data() / "codebuddy-home"

    compare(home, *read(home))


@pytest.mark.parametrize("seed", [1, 4, 6])
async def test_following_ends_with_the_numbers_that_loading_gives(tmp_path: Path, seed: int) -> None:
    home = generate(tmp_path, seed)
    clock = ManualClock(MUCH_LATER)
    collector = MetricsCollector(clock=clock)
    observer = Observer(home / "runs", collector, clock=clock)
    async with following(observer) as until:
        await until(lambda: 0 < observer.sources().loaded == observer.sources().total)
        assert observer.sources().turn_requests == len(turns_of(home))
        compare(home, observer, collector)


@pytest.mark.parametrize("seed", range(8))
def test_generated_homes_recount(tmp_path: Path, seed: int) -> None:
    home = generate(tmp_path, seed)

    compare(home, *read(home))


def test_reading_everything_twice_changes_no_number(tmp_path: Path) -> None:
    home = generate(tmp_path, 3)
    observer, collector = read(home)
    observer.load()

    compare(home, observer, collector)


# Homes unlike the sample data: other tools, providers, languages, orders, missing files and numbers.


def generate(tmp_path: Path, seed: int) -> Path:
    home, chance = tmp_path / "home", random.Random(seed)
    for number in range(chance.randint(3, 12)):
        one_run(home / "runs", chance, number)
    lines = [turn_line(chance) for _ in range(chance.choice([0, 1, 40]))]
    if lines:
        (home / "turn-metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return home


def one_run(root: Path, chance: random.Random, number: int) -> None:
    start = 1_700_000_000_000 + chance.randrange(1_200_000) + number
    run = RunDirectoryBuilder(
        root, started_at=start, suffix=f"{number:06x}", objective=chance.choice(["Ünïcode 任务", "", "x"])
    )
    for _ in range(chance.randrange(60)):
        run.wait(chance.randrange(4_000))
        chance.choice([_a_tool, _a_tool, _crossing_tools, _a_request, _an_error, _an_unknown_event])(
            run, chance
        )
    if chance.random() < 0.7:
        run.end(chance.choice(["completed", "failed", "cancelled"]))
    if chance.random() < 0.4:
        run.metrics(
            totalTokens=chance.randrange(10**7),
            promptTokens=chance.randrange(10**6),
            totalCost=chance.random() * 9,
        )
    if chance.random() < 0.2:
        run.without_metrics()
    run.write()


def _a_tool(run: RunDirectoryBuilder, chance: random.Random) -> None:
    failed = chance.random() < 0.3
    error = chance.choice(["exit 1", "permission denied ✗", "x" * 3000]) if failed else None
    run.tool(
        chance.choice(["bash", "mcp__db__query", "浏览", "a b"]), took_ms=chance.randrange(9**6), error=error
    )


def _crossing_tools(run: RunDirectoryBuilder, chance: random.Random) -> None:
    first, second = run.call("bash", {"n": 1}), run.call("bash", {"n": 2})
    run.wait(chance.randrange(500)).result("bash", second, took_ms=None)
    run.wait(chance.randrange(500)).result("bash", first, took_ms=chance.randrange(1000))
    run.result("blocked", "no_such_call", took_ms=None, error="not allowed")
    run.call("refused")


def _a_request(run: RunDirectoryBuilder, chance: random.Random) -> None:
    run.request(
        chance.choice(["openai", "local"]),
        chance.choice(["gpt-5.2", "qwen"]),
        prompt=chance.randrange(10**6),
        completion=chance.randrange(10**4),
        cache_read=chance.choice([0, 5_000]),
        cost=chance.choice([None, 0.0, 0.0123]),
        latency_ms=chance.choice([None, chance.randrange(1, 60_000)]),
        ttft_ms=chance.choice([None, 250]),
        success=chance.random() < 0.9,
    )


def _an_error(run: RunDirectoryBuilder, chance: random.Random) -> None:
    run.error(f"failure {chance.randrange(1000)} in /home/dev/{chance.random()}")


def _an_unknown_event(run: RunDirectoryBuilder, chance: random.Random) -> None:
    run.event(
        chance.choice(["lesson_added", "context_snapshot", "metric"]),
        {"kind": "other", "n": [1, {"a": None}]},
    )


def turn_line(chance: random.Random) -> dict[str, Json]:
    at = (
        datetime.fromtimestamp(1_700_000_000 + chance.randrange(1_500), UTC)
        .isoformat()
        .replace("+00:00", "Z")
    )
    total = chance.randrange(1, 90_000)
    counts = {"inputTokens": chance.randrange(10**5), "outputTokens": chance.randrange(10**4)}
    names = {"provider": chance.choice(["anthropic", "local"]), "model": chance.choice(["opus", "qwen"])}
    return {"version": 1, "at": at, **names, "ttftMs": total // 3, "totalMs": total, **counts}
