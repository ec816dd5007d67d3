"""Unknown is never 0: what nobody logged is shown as `–` on every pane, and what was 0 is shown as 0."""

from __future__ import annotations

import re
from pathlib import Path

from tests.tui.monitor import NOW, Monitor, cell_words, monitor

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.panes.overview.tiles import TILES

WIDE = (200, 60)
ZERO = re.compile(r"(?<![\d.,])(\$0\.00|0 ms|0\.0 s|0 %|0/min)(?![\d.])")
"""How a measured nothing is written, but for whole numbers, which count things."""


def nothing_logged(folder: Path) -> Path:
    """A run with tool calls whose model use nobody wrote down."""
    runs = folder / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000, objective="Quiet")
    for number in range(3):
        run.tool("bash", {"command": f"make {number}"}, took_ms=1_000)
    run.write()
    return runs


def cell(seen: Monitor, column: str) -> str:
    """What stands in a column of the first row of the table that has the keyboard."""
    return cell_words(seen.table, str(seen.cursor), column)


async def test_a_run_without_logged_usage_shows_a_dash_for_tokens_and_cost(tmp_path: Path) -> None:
    async with monitor(nothing_logged(tmp_path), size=WIDE) as seen:
        assert cell(seen, "tokens") == "–", "running now"
        assert cell(seen, "cost") == "–"
        await seen.go("runs")
        assert cell(seen, "tokens") == "–"
        assert cell(seen, "cost") == "–"
        assert cell(seen, "tools") == "3"
        assert cell(seen, "failed") == "0", "that nothing failed is known"


async def test_the_tiles_and_the_header_show_a_dash_and_say_why(tmp_path: Path) -> None:
    async with monitor(nothing_logged(tmp_path), size=WIDE) as seen:
        assert seen.app.snapshot is not None
        tiles = {name: facts(seen.app.snapshot).value for name, facts in TILES.items()}
        assert tiles == {"tokens": "–", "cost": "–", "tool calls": "3", "response": "–", "errors": "0"}
        top = "\n".join(seen.lines[2:8])
        assert top.count("not logged") == 3
        assert "no requests" in top
        assert re.search(r"all\s+– ", seen.header)
        assert not ZERO.search(seen.text)


async def test_calls_whose_length_nobody_knows_have_no_times(tmp_path: Path) -> None:
    """A result without its call and without a duration: there is nothing to measure."""
    runs = tmp_path / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000)
    run.event("tool_result", {"toolName": "bash", "toolCallId": "lost", "success": True}).write()
    async with monitor(runs, size=WIDE, tab="tools") as seen:
        assert cell(seen, "calls") == "1"
        for title in ("avg", "p50", "p95", "max", "total"):
            assert cell(seen, title) == "–", title
        assert not ZERO.search("\n".join(seen.lines[2:-1]))
        assert "no duration is known" in seen.text


async def test_requests_that_state_nothing_show_dashes(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000, objective="Terse")
    run.event("metric", {"kind": "api_request", "provider": "acme", "model": "terse-1", "success": True})
    run.tool("bash", {"command": "make"}).write()
    async with monitor(runs, size=WIDE, tab="providers") as seen:
        for title in ("cost", "avg", "p95", "ttft"):
            assert cell(seen, title) == "–", title
        for title in ("prompt", "completion", "cache", "tokens"):
            assert cell(seen, title) == "–", title
        assert cell(seen, "requests") == "1"
        await seen.go("overview")
        assert not ZERO.search("\n".join(seen.lines[2:8]).replace("req. 0 %", ""))
        await seen.go("run")
        await seen.press("v")
        assert "tokens        –" in seen.text


async def test_a_cost_that_is_stated_as_nothing_is_shown_as_nothing(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000, objective="Local")
    run.request("ollama", "llama", prompt=10, completion=5, cost=0.0, latency_ms=100).write()
    async with monitor(runs, size=WIDE, tab="providers") as seen:
        assert cell(seen, "cost") == "$0.00"
        assert cell(seen, "tokens") == "15"
        assert cell(seen, "failed").replace("%", "").strip() in ("0", "")


async def test_a_cost_known_in_part_is_a_lower_bound(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000, objective="Half")
    run.request("acme", "half-1", cost=0.5, latency_ms=100).request("acme", "half-1", latency_ms=100).write()
    async with monitor(runs, size=WIDE, tab="providers") as seen:
        assert cell(seen, "cost") == "≥$0.50"


async def test_a_run_that_ended_with_zeros_beside_tool_calls_was_not_logged(tmp_path: Path) -> None:
    """The original writer leaves zeros in `metrics.json` when nobody counted."""
    runs = tmp_path / "runs"
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000, objective="Zeros")
    run.tool("bash", {"command": "make"}).end().metrics(totalTokens=0, totalCost=0, toolCallCount=0).write()
    async with monitor(runs, size=WIDE, tab="runs") as seen:
        assert cell(seen, "tokens") == "–"
        assert cell(seen, "cost") == "–"
        assert cell(seen, "tools") == "1"
        await seen.press("enter", "v")
        assert "tokens        –  not logged" in seen.text
        assert "cost          –  not logged" in seen.text


async def test_a_pane_without_rows_says_so_in_words_and_shows_no_number(tmp_path: Path) -> None:
    async with monitor(nothing_logged(tmp_path), size=WIDE, tab="providers") as seen:
        assert "no model requests in the last 24 hours" in seen.text
        assert "no model selected" in seen.text
        assert not ZERO.search("\n".join(seen.lines[2:-1]))
