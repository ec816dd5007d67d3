"""Each number of a request and of a tool call unknown in turn: `–` on the screen and in plain text, null in JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.tui.monitor import NOW, Monitor, cell_words, monitor

from buddy_core.metrics.window import Window
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli.once_lines import picture
from buddy_top.export.documents import once_document, to_text
from buddy_top.panes.overview.tiles import TILES

WIDE = (220, 60)

FULL = {"promptTokens": 900, "completionTokens": 100, "cost": 0.25, "latencyMs": 840, "ttftMs": 90}
FULL |= {"cacheReadTokens": 700, "cacheWriteTokens": 300}

CHARTS = {"latency": "no response time is known", "tokens": "no tokens are known"}
"""What a chart says in place of columns of no height."""

UNKNOWN: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], str | None]] = {
    "cost": (("cost",), ("total_cost",), ("cost",), "cost"),
    "latency": (
        ("latencyMs", "ttftMs"),
        ("avg_latency_ms", "p50_latency_ms", "p95_latency_ms"),
        ("avg", "p95"),
        "response",
    ),
    "first token": (("ttftMs",), ("avg_ttft_ms",), ("ttft",), None),
    "cache": (
        ("cacheReadTokens", "cacheWriteTokens"),
        ("cache_read_tokens", "cache_write_tokens"),
        ("cache",),
        None,
    ),
    "tokens": (
        ("promptTokens", "completionTokens", "cacheReadTokens", "cacheWriteTokens", "cost"),
        ("total_tokens", "prompt_tokens", "completion_tokens"),
        ("tokens", "prompt", "completion"),
        "tokens",
    ),
}
"""What is left out of the record, and what is unknown then: names in JSON, columns on the screen, the tile."""


def asked(folder: Path, *left_out: str, also: int = 0) -> Path:
    """A run with one request that does not state these, and so many that state everything."""
    run = RunDirectoryBuilder(folder / "runs", started_at=NOW - 60_000, objective="Ask")
    names = {"kind": "api_request", "provider": "acme", "model": "one", "success": True}
    for number in range(also + 1):
        run.event("metric", names | {k: v for k, v in FULL.items() if number or k not in left_out})
    run.write()
    return folder / "runs"


def document_of(seen: Monitor) -> dict[str, Any]:
    feed = seen.feed
    made = once_document(feed.collector, feed.observer, Window.H24, now_ms=NOW)
    return json.loads(to_text(made))  # type: ignore[no-any-return]


def plain_of(seen: Monitor) -> str:
    return "\n".join(picture(seen.feed.collector, seen.feed.observer, Window.H24, now_ms=NOW))


@pytest.mark.parametrize("what", UNKNOWN)
async def test_what_no_request_states_is_unknown_everywhere(what: str, tmp_path: Path) -> None:
    left_out, names, columns, tile = UNKNOWN[what]
    async with monitor(asked(tmp_path, *left_out), size=WIDE, tab="providers") as seen:
        document = document_of(seen)
        [row] = document["providers"]
        assert {name: row[name] for name in names} == dict.fromkeys(names)
        for name in {"total_cost", "total_tokens", "avg_latency_ms", "p95_latency_ms"} & set(names):
            assert document["totals"][name] is None
        for column in columns:
            assert cell_words(seen.table, "acme/one", column).strip() == "–", column
        line = next(line for line in plain_of(seen).splitlines() if line.startswith("acme"))
        assert line.count("–") >= len(
            {"prompt", "completion", "cache", "cost", "avg", "p95", "ttft"} & set(columns)
        )
        assert not re.search(r"\$0\.00|(?<!\d)0 ms", line)
        if tile is not None:
            await seen.go("overview")
            assert seen.app.snapshot is not None
            assert TILES[tile](seen.app.snapshot).value == "–"
            assert TILES[tile](seen.app.snapshot).note[0].text == "not logged"


@pytest.mark.parametrize("what", UNKNOWN)
async def test_neither_charts_nor_the_views_of_a_run_show_nought_for_it(what: str, tmp_path: Path) -> None:
    async with monitor(asked(tmp_path, *UNKNOWN[what][0]), size=WIDE, tab="providers") as seen:
        assert {name: words in seen.text for name, words in CHARTS.items()} == {n: n == what for n in CHARTS}
        await seen.go("run")
        row = next(line for line in seen.lines if "api request" in line)
        assert not re.search(r"(?<![\d+.])0(?![\d.])", row), row
        for view in range(3):
            text, _, spent = seen.text.partition("where the time went")  # of a minute, none may be waiting
            assert "$0.00" not in text, view
            assert not re.search(r"(?<!\d)0 ms|(?:tokens|prompt|completion|other|cache) +0\b", text), view
            assert ("no request says how long it took" in spent) == (what == "latency" and view == 1)
            await seen.press("v")


@pytest.mark.parametrize("what", UNKNOWN)
async def test_what_one_request_of_two_states_is_that_and_no_average_with_nought(
    what: str, tmp_path: Path
) -> None:
    left_out, names, _, _ = UNKNOWN[what]
    async with monitor(asked(tmp_path, *left_out, also=1), size=WIDE, tab="providers") as seen:
        [row] = document_of(seen)["providers"]
        stated = {"total_cost": 0.25, "avg_latency_ms": 840.0, "avg_ttft_ms": 90.0, "total_tokens": 2_000}
        for name in set(names) & set(stated):
            assert row[name] == pytest.approx(stated[name], rel=0.01), name
        if "total_cost" in names:
            assert cell_words(seen.table, "acme/one", "cost").strip() == "≥$0.25"


async def test_rates_of_nothing_are_unknown(tmp_path: Path) -> None:
    """No request: no rate of failures; tools alone: no tokens and no cost, neither as a sum nor as a rate."""
    RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 60_000, objective="Quiet").tool("bash").write()
    async with monitor(tmp_path / "runs", size=WIDE) as seen:
        document = document_of(seen)
        for name in ("total_tokens", "total_cost", "avg_latency_ms", "p95_latency_ms", "error_rate"):
            assert document["totals"][name] is None, name
        for name in ("total_tokens", "total_cost", "avg_response_time_ms", "error_rate"):
            assert document["state"][name] is None, name
        for name in ("tokens_per_minute", "cost_per_hour"):
            assert document["state"][name] is None, name
        assert "$0.00" not in seen.text
        assert "– tokens · cost –" in plain_of(seen)
        [run] = document["runs"]
        assert (run["total_tokens"], run["total_cost"]) == (None, None)


async def test_an_hour_after_a_run_that_logged_nothing_its_rate_is_no_nought_either(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 3_600_000, objective="Quiet")
    run.tool("bash").end().write()
    async with monitor(tmp_path / "runs", size=WIDE) as seen:
        assert "$0.00" not in seen.header
        assert "$0.00" not in seen.text
