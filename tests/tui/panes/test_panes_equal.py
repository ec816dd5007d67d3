"""The same state is the same numbers everywhere: on the screen, in the JSON document and in plain text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.samples import OWN
from tests.tui.monitor import NOW, Monitor, cell_words, monitor, samples

from buddy_core import format as fmt
from buddy_core.metrics.window import Window
from buddy_top.cli.once_lines import picture
from buddy_top.export.documents import once_document, to_text
from buddy_top.panes.overview.tiles import TILES

WIDE = (240, 70)
SOURCES = ("samples", "own", "damaged")


def runs_of(source: str, folder: Path) -> Path:
    """The sample runs of the library, or those that come with the tests."""
    if source == "samples":
        return samples(folder)
    return OWN / "home" / "runs" if source == "own" else OWN / "damaged"


def document_of(seen: Monitor) -> dict[str, Any]:
    """What `--once --json` prints of the state on the screen."""
    feed = seen.feed
    return json.loads(to_text(once_document(feed.collector, feed.observer, seen.app.window, now_ms=NOW)))  # type: ignore[no-any-return]


def plain_text_of(seen: Monitor) -> str:
    """What `--once` prints of it."""
    return "\n".join(picture(seen.feed.collector, seen.feed.observer, seen.app.window, now_ms=NOW))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("window", [Window.M15, Window.H24, Window.ALL])
async def test_tiles_header_and_tabs(window: Window, source: str, tmp_path: Path) -> None:
    async with monitor(runs_of(source, tmp_path), size=WIDE, window=window) as seen:
        totals, text = document_of(seen)["totals"], plain_text_of(seen)
        snapshot = seen.app.snapshot
        assert snapshot is not None
        big = {name: facts(snapshot).value for name, facts in TILES.items()}
        assert big == {
            "tokens": fmt.tokens_full(totals["total_tokens"]),
            "cost": fmt.cost(totals["total_cost"]),
            "tool calls": fmt.count(totals["total_tool_calls"]),
            "response": fmt.duration(totals["avg_latency_ms"]),
            "errors": fmt.count(totals["total_errors"]),
        }
        assert f" {fmt.cost(totals['total_cost'])} " in seen.header
        for said in (
            f"{big['tokens']} tokens",
            f"cost {big['cost']}",
            f"{fmt.plural(totals['total_tool_calls'], 'tool call')} ({totals['failed_tool_calls']:,} failed)",
            fmt.plural(totals["total_errors"], "error"),
            f"response {big['response']} avg, {fmt.duration(totals['p95_latency_ms'])} p95",
        ):
            assert said in text
        document = document_of(seen)
        for number, (name, count) in enumerate(
            {
                "Providers": len(document["providers"]),
                "Tools": len(document["tools"]),
                "Errors": totals["total_errors"],
            }.items(),
            start=2,
        ):
            assert f" {number} {name}{f' {count}' if count else ''} " in seen.lines[1]


@pytest.mark.parametrize("source", SOURCES)
async def test_providers(source: str, tmp_path: Path) -> None:
    async with monitor(runs_of(source, tmp_path), size=WIDE, window=Window.ALL, tab="providers") as seen:
        rows, text = document_of(seen)["providers"], plain_text_of(seen)
        assert len(seen.table.keys) == len(rows)
        for row in rows:
            key = f"{row['provider']}/{row['model']}"
            shown = {column: cell_words(seen.table, key, column) for column in _PROVIDER_COLUMNS}
            cache = (
                None
                if row["cache_read_tokens"] is None
                else row["cache_read_tokens"] + row["cache_write_tokens"]
            )
            assert {**shown, "cost": shown["cost"].removeprefix("≥")} == {
                "requests": fmt.count(row["total_requests"]),
                "prompt": fmt.tokens(row["prompt_tokens"]),
                "completion": fmt.tokens(row["completion_tokens"]),
                "cache": fmt.tokens(cache),
                "tokens": fmt.tokens(row["total_tokens"]),
                "cost": fmt.cost(row["total_cost"]),
                "avg": fmt.duration(row["avg_latency_ms"]),
                "p95": fmt.duration(row["p95_latency_ms"]),
                "ttft": fmt.duration(row["avg_ttft_ms"]),
            }
            line = next(
                line for line in text.splitlines() if line.split()[:2] == [row["provider"], row["model"]]
            )
            for column in ("requests", "prompt", "completion", "cache", "avg", "p95", "ttft"):
                assert shown[column] in line, column


_PROVIDER_COLUMNS = ("requests", "prompt", "completion", "cache", "tokens", "cost", "avg", "p95", "ttft")


@pytest.mark.parametrize("source", SOURCES)
async def test_tools(source: str, tmp_path: Path) -> None:
    async with monitor(runs_of(source, tmp_path), size=WIDE, window=Window.ALL, tab="tools") as seen:
        rows, text = document_of(seen)["tools"], plain_text_of(seen)
        assert len(seen.table.keys) == len(rows)
        for row in rows:
            shown = {
                column: cell_words(seen.table, row["name"], column)
                for column in ("calls", "failed", "avg", "p50", "p95", "max")
            }
            assert shown == {
                "calls": fmt.count(row["total_calls"]),
                "failed": fmt.count(row["error_count"]),
                "avg": fmt.duration(row["avg_duration_ms"]),
                "p50": fmt.duration(row["p50_duration_ms"]),
                "p95": fmt.duration(row["p95_duration_ms"]),
                "max": fmt.duration(row["max_duration_ms"]),
            }
            line = next(line for line in text.splitlines() if line.split()[:1] == row["name"].split()[:1])
            for words in shown.values():
                assert words in line


@pytest.mark.parametrize("source", SOURCES)
async def test_errors(source: str, tmp_path: Path) -> None:
    async with monitor(runs_of(source, tmp_path), size=WIDE, window=Window.ALL, tab="errors") as seen:
        groups = document_of(seen)["error_groups"]
        assert list(seen.table.keys) == [group["fingerprint"] for group in groups]
        for group in groups:
            assert cell_words(seen.table, group["fingerprint"], "count") == fmt.count(group["count"])
            assert cell_words(seen.table, group["fingerprint"], "runs") == fmt.count(len(group["run_ids"]))
            assert cell_words(seen.table, group["fingerprint"], "last") == fmt.age(
                max(0, NOW - group["last_at"])
            )


@pytest.mark.parametrize("source", SOURCES)
async def test_runs(source: str, tmp_path: Path) -> None:
    async with monitor(runs_of(source, tmp_path), size=WIDE, window=Window.ALL, tab="runs") as seen:
        runs, text = document_of(seen)["runs"], plain_text_of(seen)
        assert sorted(seen.table.keys) == sorted(run["run_id"] for run in runs)
        for run in runs:
            shown = {
                column: cell_words(seen.table, run["run_id"], column)
                for column in ("status", "tokens", "cost", "tools", "failed")
            }
            assert shown == {
                "status": shown["status"],
                "tokens": fmt.tokens(run["total_tokens"]),
                "cost": fmt.cost(run["total_cost"]),
                "tools": fmt.count(run["tool_calls"]),
                "failed": fmt.count(run["tool_failures"] + run["errors"]),
            }
            assert shown["status"].endswith(run["status"])
            line = next(line for line in text.splitlines() if run["run_id"] in line)
            for word in (run["status"], shown["tokens"], shown["cost"], shown["tools"]):
                assert word in line


async def test_the_detail_of_a_run_says_what_its_row_says(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=WIDE, window=Window.ALL, tab="runs") as seen:
        for run in document_of(seen)["runs"]:
            await seen.app.open_run(run["run_id"])
            await seen.settle()
            if seen.app.run_page is not None and seen.app.run_page.detail.view != "metrics":
                await seen.press("v")
            for label, value in (
                ("tokens", fmt.tokens_full(run["total_tokens"])),
                ("cost", fmt.cost(run["total_cost"])),
                ("model", run["model"] or fmt.UNKNOWN),
                ("events", fmt.count(run["event_count"])),
                ("tool calls", f"{run['tool_calls']}  {run['tool_failures']} failed"),
                ("error events", fmt.count(run["errors"])),
            ):
                assert f" {label:<14}{value}" in seen.text, (run["objective"], label)
