"""Leaving the monitor while a command is run again: nothing of it is left. Cases 65, 66 and 97."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import psutil
import pytest
from tests.core.replayable import Replayable
from tests.pty.restored import assert_restored
from tests.pty.terminal import Terminal, terminal

SCRIPT = (
    "trap '' TERM HUP; setsid sleep 1000 & echo $! $$ > $HOME/pids.new; mv $HOME/pids.new $HOME/pids; wait"
)


def running(term: Terminal, recorded: Replayable) -> list[psutil.Process]:
    term.until("Fix the flaky")
    term.type("R")
    text = term.until("its word  ")
    (word,) = re.findall(r"its word {5}(run [0-9a-f]{4})", text)
    term.type("\r")
    term.until("runs exactly this")
    term.type(word + "\r")
    pids = recorded.root / "pids"
    term.until(lambda _: pids.exists())
    return [psutil.Process(int(pid)) for pid in pids.read_text().split()]


def assert_gone(processes: list[psutil.Process]) -> None:
    end = time.monotonic() + 10
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes):
        assert time.monotonic() < end, "the command outlived the monitor"
        time.sleep(0.01)


@pytest.mark.parametrize(
    "way",
    [
        "ctrl+q",
        pytest.param("SIGTERM", marks=pytest.mark.slow),
        pytest.param("SIGKILL", marks=pytest.mark.slow),
        pytest.param("hang up", marks=pytest.mark.slow),
    ],
)
def test_the_end_of_the_monitor_is_that_of_the_command(way: str, tmp_path: Path) -> None:
    recorded = Replayable(tmp_path, script=SCRIPT).record()
    recorded.run.write()
    arguments = ("-m", "buddy_top", "--runs-dir", str(recorded.run.root), "--tab", "runs", "--window", "all")
    with terminal(*arguments, size=(140, 50), env=recorded.env) as term:
        processes = running(term, recorded)
        if way == "hang up":
            term.hang_up()
        elif way == "ctrl+q":
            term.type("\x11")
        else:
            term.signal(signal.Signals[way])
        code = term.exit_code()
        assert_gone(processes)
        assert code == {"ctrl+q": 0, "SIGTERM": 143, "SIGKILL": 137, "hang up": 129}[way]
        if way in ("ctrl+q", "SIGTERM"):
            assert_restored(term)
