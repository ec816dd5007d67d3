"""The screen, `--once`, `--json`, `alerts` and `/metrics` tell the same of runs that are pruned."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text
from tests.tui.monitor import NOW
from tests.tui.running.test_feed import running

from buddy_core.clock import ManualClock, SystemClock
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.app import BuddyTop
from buddy_top.cli.entry import main
from buddy_top.cli.grammar import parse
from buddy_top.config.load import gather
from buddy_top.config.places import history_file
from buddy_top.feed import Feed
from buddy_top.options import Options
from buddy_top.starting.launch import _options
from buddy_top.state import Snapshot, Wants


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs of the last minutes that a monitor has seen; the one that cost nine dollars is pruned since."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root, now = tmp_path / "runs", time.time_ns() // 1_000_000
    for number, dollars in enumerate((9.0, 1.0)):
        run = RunDirectoryBuilder(root, started_at=now - 60_000 * (2 - number), suffix=f"{number:06x}")
        run.tool("bash", took_ms=10).tool("edit", took_ms=20, error="no such file").request(cost=dollars)
        run.end().write()
    seen(options(root))
    shutil.rmtree(next(root.glob("*_000000")))
    return root


def options(root: Path, **more: Any) -> Options:
    return Options(runs_dir=root, history=history_file(), clock=SystemClock(), **more)


def seen(chosen: Options) -> Snapshot:
    """What a monitor shows once it has read everything."""
    feed = Feed(chosen)
    assert isinstance(feed, Feed)
    with running(chosen.runs_dir, feed=feed) as (_, published):
        feed.ask(Wants())
        return published.until(lambda snapshot: snapshot.sources.complete)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_every_way_out_tells_the_same(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = seen(options(runs))
    assert (picture.view.total_tool_calls, picture.view.total_cost) == (4, 10.0)
    assert picture.sources.history_runs == 1

    document = json.loads(printed(capsys, "--once", "--json", "--runs-dir", str(runs)))
    assert document["state"]["total_tool_calls"] == picture.state.total_tool_calls
    assert document["state"]["total_cost"] == picture.state.total_cost
    assert {tool["name"]: tool["total_calls"] for tool in document["tools"]} == {"bash": 2, "edit": 2}
    assert document["sources"]["history_runs"] == 1
    assert document["sources"]["history"] == str(history_file())

    families = parse_text(printed(capsys, "metrics", "--once", "--runs-dir", str(runs)))
    samples = [sample for family in families for sample in family.samples]
    assert sum(s.value for s in samples if s.name == "codebuddy_tool_calls_total") == 4
    assert sum(s.value for s in samples if s.name == "codebuddy_cost_usd_total") == 10.0

    text = printed(capsys, "--once", "--runs-dir", str(runs))
    assert "4 tool calls (2 failed)" in text
    assert "among these 1 run whose files are gone, from the history" in text

    told = ("alerts", "--json", "--cost-per-hour", "5", "--runs-dir", str(runs))
    assert [alert["kind"] for alert in json.loads(printed(capsys, *told))["alerts"]] == ["cost_per_hour"]


def test_who_does_not_want_it_is_told_of_what_is_there(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--runs-dir", str(runs))
    for words in (("--once", "--json"), ("metrics", "--once"), ("alerts", "--json", "--cost-per-hour", "5")):
        assert printed(capsys, *words, *where) != printed(capsys, *words, *where, "--no-history")
    document = json.loads(printed(capsys, "--once", "--json", "--no-history", *where))
    assert (document["state"]["total_tool_calls"], document["sources"]["history"]) == (2, None)
    monkeypatch.setenv("BUDDY_TOP_HISTORY", "no")
    assert json.loads(printed(capsys, "--once", "--json", *where))["state"]["total_tool_calls"] == 2


def test_looking_changes_nothing(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = history_file()
    assert file is not None
    before = file.read_bytes()
    (next(runs.iterdir()) / "events.jsonl").touch()
    for words in (("--once",), ("metrics", "--once"), ("alerts",)):
        printed(capsys, *words, "--runs-dir", str(runs))
    seen(options(runs, read_only=True))
    assert file.read_bytes() == before


def test_the_demonstration_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    args: argparse.Namespace = parse(["demo"])
    choices = gather(args, {}, screen=True)
    chosen = [
        _options(args, choices, tmp_path, ManualClock(NOW), demo=demo).history for demo in (True, False)
    ]
    assert chosen == [None, tmp_path / "buddy-top" / "history.sqlite3"]


def test_nothing_is_kept_below_the_directory_one_happens_to_be_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 10."""
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "somewhere/relative")
    assert history_file() is None


async def test_a_directory_whose_runs_are_all_pruned_shows_what_they_did(runs: Path) -> None:
    shutil.rmtree(next(runs.glob("*_000001")))
    picture = seen(options(runs))
    assert (picture.view.total_tool_calls, picture.sources.history_runs) == (4, 2)
    assert not picture.is_empty
    app = BuddyTop(options(runs))
    async with app.run_test(size=(120, 40)) as pilot:
        for _ in range(200):
            await pilot.pause(0.02)
            if app.snapshot is not None and app.snapshot.sources.complete:
                break
        await pilot.pause()
        shown = app.export_screenshot()
    assert "No&#160;runs&#160;yet" not in shown
    assert "$10.00" in shown
