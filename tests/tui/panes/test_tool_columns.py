"""How far a tool can be trusted, and which model the money goes to: the columns that judge."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.monitor import NOW, cell_words, monitor

from buddy_core.metrics.tools import reliability_score
from buddy_core.testing import RunDirectoryBuilder


def runs_of(root: Path, outcomes: dict[str, tuple[int, int]]) -> Path:
    """One run in which each tool was called so many times well and so many times badly."""
    run = RunDirectoryBuilder(root, started_at=NOW - 600_000)
    for name, (good, bad) in outcomes.items():
        for index in range(good + bad):
            run.tool(name, took_ms=3_000, error=None if index < good else "it broke")
    run.end().write()
    return root


async def test_one_good_call_proves_little_and_sorts_below_many(tmp_path: Path) -> None:
    async with monitor(
        runs_of(tmp_path, {"once": (1, 0), "often": (98, 2)}), size=(120, 40), tab="tools"
    ) as seen:
        table = seen.table
        assert cell_words(table, "once", "success") == "100 %"
        assert cell_words(table, "once", "interval") == "21–100 %"
        assert cell_words(table, "often", "interval") == "93–99 %"
        seen.app.visible_pane.sort_by("interval")  # type: ignore[attr-defined]
        await seen.settle()
        assert list(table.keys) == ["once", "often"], "worst first"


async def test_the_score_is_the_formula_of_the_tracker(tmp_path: Path) -> None:
    async with monitor(runs_of(tmp_path, {"bash": (1, 1)}), size=(120, 40), tab="tools") as seen:
        assert cell_words(seen.table, "bash", "score") == "0.58"
    assert reliability_score(1, 2, 3_000) == pytest.approx(0.8 * 0.5 + 0.2 * 0.9)
    assert reliability_score(0, 0, None) == 0.5
    assert reliability_score(3, 3, 90_000) == pytest.approx(0.8)


async def test_a_model_without_a_cost_has_no_share_of_it(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 600_000)
    for model, cost in (("dear", 3.0), ("cheap", 1.0), ("unknown", None)):
        run.request(provider="p", model=model, cost=cost)
    run.end().write()
    async with monitor(tmp_path, size=(200, 50), tab="providers") as seen:
        shares = {
            model: cell_words(seen.table, f"p/{model}", "share") for model in ("dear", "cheap", "unknown")
        }
        assert shares["dear"].split() == ["━━━━╸─", "75", "%"]
        assert shares["cheap"].split() == ["━╸────", "25", "%"]
        assert shares["unknown"] == "–"


async def test_trends_are_reckoned_for_the_pane_on_the_screen_and_for_no_other(tmp_path: Path) -> None:
    async with monitor(runs_of(tmp_path, {"bash": (3, 1)}), size=(120, 40)) as seen:
        assert seen.app.snapshot is not None
        assert seen.app.snapshot.trends == {}
        await seen.press("3")
        assert list(seen.app.snapshot.trends) == ["bash"]
        assert cell_words(seen.table, "bash", "trend").strip("_ ") == "▇"
        assert "trend" in seen.lines[3]


async def test_what_rises_most_comes_first_when_sorted_by_trend(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 20 * 3_600_000)
    run.tool("fading").tool("fading").wait(19 * 3_600_000).tool("rising").end().write()
    async with monitor(tmp_path, size=(120, 40), tab="tools") as seen:
        seen.app.visible_pane.sort_by("trend")  # type: ignore[attr-defined]
        await seen.settle()
        assert list(seen.table.keys) == ["rising", "fading"]
