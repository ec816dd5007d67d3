"""Wherever numbers are not of all runs, the screen, `--once`, `--json` and `/metrics` say of which; lists are whole."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import pytest
from tests.tui import inline_feed
from tests.tui.monitor import NOW, monitor

from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli.entry import main

HOUR = 3_600_000
PART = "in the newest 3 of 8 runs"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight runs, a day apart and written then, each with one failed call."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "runs"
    for number in range(8):
        run = RunDirectoryBuilder(root, started_at=NOW - HOUR - number * 24 * HOUR, suffix=f"{number:06x}")
        run.tool("bash", took_ms=10, error="exit 2").request(cost=0.5).end().write()
        for file in run.run_dir.iterdir():
            os.utime(file, (NOW / 1000 - number * 86_400, NOW / 1000 - number * 86_400))
    return root


async def test_every_pane_says_of_which_runs_its_numbers_are(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline_feed, "Observer", partial(Observer, watch_runs=3))
    async with monitor(runs, window=Window.ALL) as screen:
        for tab in "1234":
            await screen.press(tab)
            assert PART in screen.text
        assert "Runs 8" in screen.text
        screen.app.set_window(Window.H24)
        await screen.settle()
        assert PART not in screen.text  # all runs of that time were read
        await screen.press("i", "G")
        assert "5 older runs left alone" in screen.text


def test_text_json_and_metrics_say_it_and_lists_are_whole(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*words: str) -> str:
        assert main(["--runs-dir", str(runs), *words]) == 0
        return capsys.readouterr().out

    text = said("--once", "--watch-runs", "3")
    assert "8 runs, 0 running" in text
    assert "numbers of the newest 3 of 8 runs, “--watch-runs 0” counts all" in text
    document = json.loads(said("--once", "--json", "--watch-runs", "3"))
    assert document["totals"]["total_tool_calls"] == 3
    assert (document["sources"]["total"], document["sources"]["left_alone"]) == (3, 5)
    assert "codebuddy_runs_left_alone 5.0" in said("metrics", "--once", "--watch-runs", "3")
    monkeypatch.setenv("BUDDY_TOP_WATCH_RUNS", "3")
    assert "the newest 3 of 8 runs" in said("run", "doctor")
    assert len(json.loads(said("run", "list", "--json"))["runs"]) == 8
    whole = json.loads(said("--once", "--json", "--watch-runs", "0"))
    assert (whole["totals"]["total_tool_calls"], whole["sources"]["left_alone"]) == (8, 0)
