"""Terminals that do not read, change their size all the time, or are gone: the real monitor, at full strength.

`BUDDY_STALL_S=30 python -m pytest -m "" tests/pty/test_bad_terminals.py` lets the terminal sleep for half a minute.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tests.pty.escapes import leaks
from tests.pty.restored import assert_restored
from tests.pty.terminal import ENVIRONMENT, Terminal, terminal

from buddy_core.testing import RunDirectoryBuilder

pytestmark = pytest.mark.slow

STALL_S = float(os.environ.get("BUDDY_STALL_S", "5"))
WINCHES = 3_000
MEBIBYTE = 1 << 20

Figures = Callable[[str, object], None]


@pytest.fixture
def growing(tmp_path: Path) -> RunDirectoryBuilder:
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=time.time_ns() // 1_000_000 - 600_000)
    for _ in range(2_000):
        run.tool("bash", {"command": "make"})
    run.write()
    return run


def grow(run: RunDirectoryBuilder, seconds: float, each: Callable[[], object] = lambda: None) -> int:
    """Let it call ten tools a twentieth of a second, and something else in between; how many it called."""
    end, calls = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        run.now_ms = time.time_ns() // 1_000_000
        for _ in range(10):
            run.tool("bash", {"command": f"make {calls}"}, took_ms=0)
            calls += 1
        run.write()
        each()
        time.sleep(0.05)
    return calls


@pytest.mark.timeout(120 + 10 * STALL_S)
def test_a_terminal_that_sleeps_costs_no_memory_and_no_event(
    growing: RunDirectoryBuilder, record_property: Figures
) -> None:
    """Case 72: pictures are dropped, collection goes on, and the screen is right when it is read again."""
    arguments = ("-m", "buddy_top", "--runs-dir", str(growing.root), "--tab", "tools")
    with terminal(*arguments, size=(200, 50), env={"XDG_STATE_HOME": os.devnull}) as term:
        term.until("2,000")
        grow(growing, 2, lambda: term.read(0.0))  # whatever grows with the first events has grown
        process = psutil.Process(term.child.pid)
        before, sent = process.memory_info().rss, len(term.out)
        calls = grow(growing, STALL_S, lambda: term.type("r"))  # every key a new picture, none of them read
        after = process.memory_info().rss
        total = sum(b'"type":"tool_call"' in line for line in growing.events_file.read_bytes().splitlines())
        term.until(f"{total:,}", seconds=60)
        term.type("q")
        assert term.exit_code() == 0
        assert_restored(term)
        assert leaks(term.out) == []
    assert len(term.out) > sent
    grown = (after - before) / MEBIBYTE
    assert grown < 24 + 0.002 * calls, "memory grows with what is not read"
    record_property(
        "figure", f"terminal not read for {STALL_S:g} s, {calls:,} calls meanwhile: {grown:+.1f} MiB, 0 lost"
    )


def test_a_thousand_changes_of_size_a_second_are_survived(
    growing: RunDirectoryBuilder, record_property: Figures
) -> None:
    """Case 68: down to 1×1 and 0×0, up to 1000×500, with the signal sent as fast as it can be."""
    chance = random.Random(68)
    with terminal("-m", "buddy_top", "--runs-dir", str(growing.root), drawn=False) as term:
        term.until_sent(b"Overview")
        begun = time.monotonic()
        for index in range(WINCHES):
            if index % 10 == 0:
                size = chance.choice(
                    ((1, 1), (0, 0), (2, 10), (20, 5), (1000, 500), (80, 24), (0, 24), (132, 43))
                )
                term.child.setwinsize(size[1], size[0])
            term.signal(signal.SIGWINCH)
            if index % 50 == 0:
                term.read(0.0)
            time.sleep(max(0.0, begun + index / 1_000 - time.monotonic()))
        took = time.monotonic() - begun
        term.child.setwinsize(24, 80)
        before = len(term.out)
        while b"Overview" not in term.out[before:]:
            assert term.read(0.1)
            assert time.monotonic() - begun < 100
        term.type("q")
        assert term.exit_code() == 0
        assert_restored(term)
        assert leaks(term.out) == []
    record_property("figure", f"{WINCHES:,} SIGWINCH, {WINCHES / took:,.0f} a second: survived")


def test_a_terminal_that_is_gone_ends_the_monitor_at_once(
    growing: RunDirectoryBuilder, record_property: Figures
) -> None:
    """Case 66: also while it draws all the time, and with nothing left that spins."""
    slowest = 0.0
    for moment in (0.0, 0.05, 0.2, 0.7):
        with terminal("-m", "buddy_top", "--runs-dir", str(growing.root), drawn=False) as term:
            term.until_sent(b"Overview")
            term.type("3jjjr")
            time.sleep(moment)
            process = psutil.Process(term.child.pid)
            begun = time.monotonic()
            term.hang_up()
            assert _ended(term) == 129
            slowest = max(slowest, time.monotonic() - begun)
            assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert slowest < 15
    record_property("figure", f"4 lost terminals: slowest end {slowest:.1f} s")


def _ended(term: Terminal) -> int | None:
    end = time.monotonic() + 20
    while term.ended() is None and time.monotonic() < end:
        time.sleep(0.005)
    return term.ended()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
def test_a_pane_of_tmux_that_is_killed_ends_the_monitor(growing: RunDirectoryBuilder, tmp_path: Path) -> None:
    """Case 66."""
    tmux = ["tmux", "-f", os.devnull, "-S", str(tmp_path / "tmux")]
    env = {**os.environ, **ENVIRONMENT}
    command = f"exec {sys.executable} -m buddy_top --runs-dir {growing.root}"
    subprocess.run([*tmux, "new-session", "-d", "-x", "100", "-y", "30", command], check=True, env=env)
    try:
        pane = ["-p", "-t", "0"]
        _wait(
            lambda: (
                b"Overview"
                in subprocess.run([*tmux, "capture-pane", *pane], capture_output=True, check=True).stdout
            )
        )
        told = subprocess.run(
            [*tmux, "display-message", *pane, "#{pane_pid}"], capture_output=True, check=True
        )
        process = psutil.Process(int(told.stdout))
        subprocess.run([*tmux, "kill-pane", "-t", "0"], check=True)
        _wait(lambda: not process.is_running())
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)


def _wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)
