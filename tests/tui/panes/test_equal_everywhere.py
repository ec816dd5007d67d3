"""One state, seen four ways: the screen, `--json`, `--once` and `/metrics` say the same of every number.

The state is told to the test by itself, so that all four agreeing on something wrong is seen too.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.tui.monitor import NOW, Monitor, cell_words, monitor

from buddy_core import format as fmt
from buddy_core.metrics.window import Window
from buddy_core.prometheus.exporter import PrometheusExporter
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli.once_lines import picture
from buddy_top.commands import Place
from buddy_top.export.documents import once_document, to_text
from buddy_top.panes.overview.tiles import TILES

MINUTE, HOUR = 60_000, 3_600_000
AGES = {Window.M15: 5 * MINUTE, Window.H1: 40 * MINUTE, Window.H24: 9 * HOUR, Window.D7: 80 * HOUR,
        Window.ALL: 400 * HOUR}  # fmt: skip
"""How old the run is that only this window and the wider ones hold."""

PROVIDERS = {"acme/large": 3, "acme/small": 1, "other/large": 1}
"""Requests to each model in every run; the last of the first one fails."""


def state(folder: Path) -> Path:
    """Five runs that do the same at different times: requests, tools, failures, errors, numbers of their own."""
    for age in AGES.values():
        run = RunDirectoryBuilder(folder / "runs", started_at=NOW - age, objective=f"{age // MINUTE} minutes")
        for key, times in PROVIDERS.items():
            for number in range(times):
                run.request(
                    *key.split("/"),
                    prompt=1_000,
                    completion=200,
                    cache_read=50,
                    cost=0.25,
                    latency_ms=400 + 300 * number,
                    ttft_ms=90,
                    success=number < 2,
                )
        run.tool("bash", took_ms=700).tool("bash", took_ms=1_900, error="exit 1").tool("grep", took_ms=20)
        run.error("the disk is full")
        run.event("metric", {"kind": "value", "name": "queue_depth", "value": 4, "labels": {"queue": "mail"}})
        run.end().write()
    return folder / "runs"


@dataclass
class Views:
    """The same moment, four times."""

    screen: Monitor
    document: dict[str, Any]
    plain: str
    scraped: dict[str, float]
    """Samples of `/metrics` by name, without those of a bucket; the values of all labels added up."""
    by_label: dict[tuple[str, str], float]
    """The same by name and each single value of a label."""
    runs: int
    """Runs that the window holds."""


@asynccontextmanager
async def views_of(folder: Path, window: Window) -> AsyncIterator[Views]:
    async with monitor(state(folder), size=(240, 70), window=window) as seen:
        collector, observer = seen.feed.collector, seen.feed.observer
        document = json.loads(to_text(once_document(collector, observer, window, now_ms=NOW)))
        text = "\n".join(picture(collector, observer, window, now_ms=NOW))
        total: dict[str, float] = {}
        labelled: dict[tuple[str, str], float] = {}
        for family in text_string_to_metric_families(PrometheusExporter(collector).export()):
            for sample in family.samples:
                total[sample.name] = total.get(sample.name, 0.0) + sample.value
                for value in sample.labels.values():
                    key = (sample.name, value)
                    labelled[key] = labelled.get(key, 0.0) + sample.value
        held = list(AGES).index(window) + 1
        yield Views(seen, document, text, total, labelled, held)


@pytest.mark.parametrize("window", list(Window))
async def test_the_screen_and_both_pictures_agree_on_every_number_of_a_window(
    window: Window, tmp_path: Path
) -> None:
    async with views_of(tmp_path, window) as views:
        totals_agree(views)
        for place, agree in AGREE.items():
            await views.screen.go(place)
            agree(views)


def totals_agree(views: Views) -> None:
    runs, totals, plain = views.runs, views.document["totals"], views.plain
    told = {
        "total_tokens": 5 * 1_250 * runs,
        "prompt_tokens": 5_000 * runs,
        "completion_tokens": 1_000 * runs,
        "cache_tokens": 250 * runs,
        "total_cost": 1.25 * runs,
        "total_requests": 5 * runs,
        "failed_requests": runs,
        "total_tool_calls": 3 * runs,
        "failed_tool_calls": runs,
        "total_errors": 2 * runs,
        "avg_latency_ms": 580.0,
        "latency_count": 5 * runs,
        "error_rate": 20.0,
    }
    assert {name: totals[name] for name in told} == told
    snapshot = views.screen.app.snapshot
    assert snapshot is not None
    for name, words in {
        "tokens": fmt.tokens_full(told["total_tokens"]),
        "cost": fmt.cost(told["total_cost"]),
        "tool calls": fmt.count(3 * runs),
        "response": fmt.duration(580),
        "errors": fmt.count(2 * runs),
    }.items():
        assert str(TILES[name](snapshot).value) == words
        assert f" {words} " in views.screen.text
    for said in (
        f"{6_250 * runs:,} tokens · cost {fmt.cost(1.25 * runs)} · {5 * runs} requests ({runs} failed)",
        f"{3 * runs} tool calls ({runs} failed) · {2 * runs} errors",
        f"response 580 ms avg, {fmt.duration(totals['p95_latency_ms'])} p95",
    ):
        assert said in plain
    assert f"p95 {fmt.duration(totals['p95_latency_ms'])}" in views.screen.text


async def test_what_prometheus_scrapes_is_the_window_of_everything(tmp_path: Path) -> None:
    async with views_of(tmp_path, Window.ALL) as views:
        totals, scraped = views.document["totals"], views.scraped
        for sample, value in {
            "codebuddy_tokens_total": totals["total_tokens"],
            "codebuddy_cost_usd_total": totals["total_cost"],
            "codebuddy_provider_requests_total": totals["total_requests"],
            "codebuddy_api_request_duration_seconds_count": totals["latency_count"],
            "codebuddy_api_request_duration_seconds_sum": totals["avg_latency_ms"] * totals["latency_count"] / 1e3,
            "codebuddy_tool_calls_total": totals["total_tool_calls"],
            "codebuddy_errors_total": totals["total_errors"],
            "codebuddy_error_rate_percent": totals["error_rate"],
        }.items():  # fmt: skip
            assert math.isclose(scraped[sample], value), sample
        by_label = views.by_label
        assert by_label["codebuddy_provider_requests_total", "error"] == totals["failed_requests"]
        assert by_label["codebuddy_tool_calls_total", "error"] == totals["failed_tool_calls"]
        assert by_label["codebuddy_tokens_total", "prompt"] == totals["prompt_tokens"]
        assert by_label["codebuddy_tokens_total", "completion"] == totals["completion_tokens"]
        assert by_label["codebuddy_tokens_total", "cache_read"] == totals["cache_tokens"]
        for tool in views.document["tools"]:
            assert by_label["codebuddy_tool_calls_total", tool["name"]] == tool["total_calls"]
            seconds = by_label["codebuddy_tool_duration_seconds_sum", tool["name"]]
            assert math.isclose(seconds, tool["total_duration_ms"] / 1e3)
        for model in ("small", "large"):
            rows = [row for row in views.document["providers"] if row["model"] == model]
            requests = sum(row["total_requests"] for row in rows)
            assert by_label["codebuddy_provider_requests_total", model] == requests
            assert math.isclose(
                by_label["codebuddy_cost_usd_total", model], sum(row["total_cost"] for row in rows)
            )


async def test_numbers_that_agents_name_themselves_are_scraped(tmp_path: Path) -> None:
    async with views_of(tmp_path, Window.ALL) as views:
        [name] = {name for name, label in views.by_label if label == "mail"}
        assert "queue_depth" in name


def models_agree(views: Views) -> None:
    rows = {f"{row['provider']}/{row['model']}": row for row in views.document["providers"]}
    assert {key: row["total_requests"] for key, row in rows.items()} == {
        key: times * views.runs for key, times in PROVIDERS.items()
    }
    table = views.screen.table
    assert sorted(table.keys) == sorted(rows)
    for key, row in rows.items():
        wanted = {
            "requests": fmt.count(row["total_requests"]),
            "prompt": fmt.tokens(row["prompt_tokens"]),
            "completion": fmt.tokens(row["completion_tokens"]),
            "tokens": fmt.tokens(row["total_tokens"]),
            "cost": fmt.cost(row["total_cost"]),
            "avg": fmt.duration(row["avg_latency_ms"]),
            "p95": fmt.duration(row["p95_latency_ms"]),
            "ttft": fmt.duration(row["avg_ttft_ms"]),
            "errors": fmt.share(row["error_count"], row["total_requests"]),
        }
        known = {column.key for column in table.columns}
        assert set(wanted) - {"errors"} <= known
        for column in set(wanted) & known:
            assert cell_words(table, key, column).strip() == wanted[column], (key, column)
        line = line_of(views.plain, *key.split("/"))
        told = [wanted[name] for name in ("requests", "prompt", "completion", "cost", "avg", "p95", "ttft")]
        assert all(words in line for words in (*told, fmt.count(row["error_count"]))), key


def tools_agree(views: Views) -> None:
    rows = {row["name"]: row for row in views.document["tools"]}
    counts = {name: (row["total_calls"], row["error_count"]) for name, row in rows.items()}
    assert counts == {"bash": (2 * views.runs, views.runs), "grep": (views.runs, 0)}
    for name, row in rows.items():
        wanted = {
            "calls": fmt.count(row["total_calls"]),
            "failed": fmt.count(row["error_count"]),
            "avg": fmt.duration(row["avg_duration_ms"]),
            "p50": fmt.duration(row["p50_duration_ms"]),
            "p95": fmt.duration(row["p95_duration_ms"]),
            "max": fmt.duration(row["max_duration_ms"]),
        }
        for column, words in wanted.items():
            assert cell_words(views.screen.table, name, column).strip() == words, (name, column)
        assert all(words in line_of(views.plain, name) for words in wanted.values())


def errors_agree(views: Views) -> None:
    groups = {group["fingerprint"]: group for group in views.document["error_groups"]}
    assert sorted(group["count"] for group in groups.values()) == [views.runs, views.runs]
    assert sorted(views.screen.table.keys) == sorted(groups)
    for key, group in groups.items():
        assert cell_words(views.screen.table, key, "count") == fmt.count(group["count"])
        assert re.search(rf"(?m)^ *{group['count']} .* {re.escape(group['message'])}", views.plain)
    assert f" 4 Errors {2 * views.runs} " in views.screen.lines[1]


def line_of(text: str, *begins: str) -> str:
    """The line of plain text whose first words are these."""
    return next(line for line in text.splitlines() if tuple(line.split()[: len(begins)]) == begins)


AGREE: dict[Place, Callable[[Views], None]] = {
    "providers": models_agree,
    "tools": tools_agree,
    "errors": errors_agree,
}
"""What is looked at on each tab."""
