"""From one start of the monitor to the next: it opens where it was left, unless it is told otherwise."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.pty.terminal import terminal

from buddy_core.testing import sample_runs


def test_the_monitor_opens_where_it_was_left(tmp_path: Path) -> None:
    sample_runs(tmp_path / "runs", now_ms=time.time_ns() // 1_000_000)
    state = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    arguments = ("-m", "buddy_top", "--runs-dir", str(tmp_path / "runs"))
    noted = tmp_path / "state" / "buddy-top" / "screen.json"
    with terminal(*arguments, size=(120, 40), env=state) as term:
        term.until("Running now")
        term.type("3")
        term.until("success")
        term.type("q")
        assert term.exit_code() == 0
    assert json.loads(noted.read_text())["tab"] == "tools"
    with terminal(*arguments, size=(120, 40), env=state) as term:
        term.until("success")
        term.type("q")
        assert term.exit_code() == 0
    with terminal(*arguments, "--no-remember", size=(120, 40), env=state) as term:
        term.until("Running now")
        term.type("2q")
        assert term.exit_code() == 0
    assert json.loads(noted.read_text())["tab"] == "tools"


def test_a_theme_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    noted = tmp_path / "buddy-top" / "screen.json"
    noted.parent.mkdir()
    noted.write_text('{"theme": "no such theme"}')
    env = {"XDG_STATE_HOME": str(tmp_path)}
    with terminal("-m", "buddy_top", "--runs-dir", str(tmp_path / "runs"), env=env) as term:
        term.until("No runs yet")
        term.type("q")
        assert term.exit_code() == 0
