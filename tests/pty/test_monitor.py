"""The monitor as a person meets it: started, watched, resized, left, and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.pty.escapes import leaks
from tests.pty.restored import assert_goes_on_and_leaves, assert_restored, assert_stopped_in_order
from tests.pty.terminal import ENVIRONMENT, terminal

from buddy_core.testing import RunDirectoryBuilder

LATER_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def live_run(tmp_path: Path) -> RunDirectoryBuilder:
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=now_ms() - 30_000, objective="Watch me work")
    run.tool("bash", {"command": "make test"})
    run.write()
    return run


def temporary_demos(term_env: Path) -> list[Path]:
    return list(term_env.glob("buddy-top-demo-*"))


def test_an_event_that_is_written_now_is_on_the_screen_soon(live_run: RunDirectoryBuilder) -> None:
    with terminal("-m", "buddy_top", "--runs-dir", str(live_run.root), size=(120, 40)) as term:
        term.until("Watch me work")
        live_run.now_ms = now_ms()
        live_run.call("bash", {"command": "sleep 1000 # a very long wait"})
        live_run.write()
        term.until("a very long wait", seconds=5)
        term.type("q")
        assert term.exit_code() == 0
        assert_restored(term)


def test_a_run_that_begins_now_appears(live_run: RunDirectoryBuilder) -> None:
    with terminal(
        "-m", "buddy_top", "--runs-dir", str(live_run.root), "--tab", "runs", size=(120, 40)
    ) as term:
        term.until("Watch me work")
        RunDirectoryBuilder(
            live_run.root, started_at=now_ms(), objective="A newcomer", suffix="ffffff"
        ).write()
        term.until("A newcomer", seconds=5)


def test_a_directory_that_appears_later_is_found(tmp_path: Path) -> None:
    with terminal("-m", "buddy_top", "--runs-dir", str(tmp_path / "later" / "runs"), size=(120, 40)) as term:
        term.until("later/runs")
        RunDirectoryBuilder(tmp_path / "later" / "runs", started_at=now_ms(), objective="Late start").write()
        term.until("Late start")
        term.type("q")
        assert term.exit_code() == 0


@pytest.mark.parametrize(
    "number", ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1"], ids=lambda name: name.lower()
)
def test_signals_end_the_monitor_in_good_order(live_run: RunDirectoryBuilder, number: str) -> None:
    """Case 65."""
    with terminal("-m", "buddy_top", "--runs-dir", str(live_run.root)) as term:
        term.until("Overview")
        term.signal(signal.Signals[number])
        assert term.exit_code() == 128 + signal.Signals[number]
        assert_restored(term)
        assert leaks(term.out) == []


@pytest.mark.parametrize(
    "moment", [pytest.param(m, marks=() if m % 8 == 3 else pytest.mark.slow) for m in range(40)]
)
def test_a_signal_at_any_moment_of_the_start_leaves_the_terminal_as_it_was(
    live_run: RunDirectoryBuilder, moment: int
) -> None:
    """Case 65: moments spread over the first second and a half."""
    with terminal("-m", "buddy_top", "--runs-dir", str(live_run.root)) as term:
        end = time.monotonic() + 0.04 * moment
        while time.monotonic() < end:
            term.read(0.005)
        term.signal(signal.SIGTERM)
        assert term.exit_code() == 143
        assert term.attributes() == term.attributes_before
        if b"\x1b[?1049h" in term.out:
            assert_restored(term)


def test_a_closed_terminal_ends_the_monitor(live_run: RunDirectoryBuilder) -> None:
    """Case 66."""
    with terminal("-m", "buddy_top", "--runs-dir", str(live_run.root)) as term:
        term.until("Overview")
        term.hang_up()
        assert term.exit_code() == 129


@pytest.mark.parametrize("ending", ["q", "SIGTERM", "SIGHUP", "closed"])
def test_the_demonstration_removes_its_directory_however_it_ends(tmp_path: Path, ending: str) -> None:
    """C10: nothing stays behind."""
    with terminal("-m", "buddy_top", "demo", "--seed", "1", env={"TMPDIR": str(tmp_path)}) as term:
        term.until("running")
        assert len(temporary_demos(tmp_path)) == 1
        if ending == "q":
            term.type("q")
        elif ending == "closed":
            term.hang_up()
        else:
            term.signal(signal.Signals[ending])
        assert term.exit_code() == {"q": 0, "SIGTERM": 143, "SIGHUP": 129, "closed": 129}[ending]
    assert temporary_demos(tmp_path) == []


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, *(pytest.param(one, marks=pytest.mark.slow) for one in LATER_SIGNALS)]
)
def test_a_demonstration_that_is_ended_while_it_begins_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Case 65 and C10: before there is a screen, too."""
    with terminal("-m", "buddy_top", "demo", env={"TMPDIR": str(tmp_path)}) as term:
        term.until(lambda _: [*tmp_path.glob("buddy-top-demo-*/runs/run_*")])
        term.signal(number)
        assert term.exit_code() == 128 + number
    assert temporary_demos(tmp_path) == []


SWALLOWED = """
import os, signal, sys, time
from buddy_top.cli import entry
from buddy_top import app
from buddy_top.demo import agent
class Ends:
    def __del__(self):  # whatever is raised in here, the interpreter prints and forgets
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
def at(place, name):
    whole = getattr(place, name)
    def wrapped(*args, **others):
        Ends()
        return whole(*args, **others)
    setattr(place, name, wrapped)
at(*{"recording": (agent.DemoAgent, "begin"), "drawing": (app.BuddyTop, "run")}[sys.argv.pop()])
sys.exit(entry.main(["demo"]))
"""


@pytest.mark.parametrize("moment", ["recording", "drawing"])
def test_a_signal_inside_a_finalizer_ends_a_start_too(moment: str, tmp_path: Path) -> None:
    """C10: an exception would be swallowed there, and the monitor would go on."""
    with terminal("-c", SWALLOWED, moment, env={"TMPDIR": str(tmp_path)}) as term:
        assert term.exit_code() == 143
        assert term.attributes() == term.attributes_before
        assert b"1049" not in term.out, "the screen was never taken, or is not given back"
    assert temporary_demos(tmp_path) == []


HANGING = """
import sys, threading
from buddy_top import app
from buddy_top.cli import entry
app.BuddyTop.on_ready = lambda self: self.set_timer(0.2, forever)
def forever():
    print("", end="", file=open(sys.argv.pop(), "w"))
    while True:
        threading.Event().wait(60)
sys.exit(entry.main(["demo"]))
"""


def test_a_demonstration_that_hangs_removes_its_directory_all_the_same(tmp_path: Path) -> None:
    """C10: by force, and still with its last duty done."""
    hung = tmp_path / "hung"
    with terminal("-c", HANGING, str(hung), env={"TMPDIR": str(tmp_path)}) as term:
        term.until(lambda _: hung.exists())
        term.signal(signal.SIGTERM)
        assert term.exit_code() == 143
        assert_restored(term)
    assert temporary_demos(tmp_path) == []


def test_the_welcome_card_leads_to_the_demonstration(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with terminal(
        "-m", "buddy_top", "--runs-dir", str(tmp_path / "runs"), size=(120, 40), env={"TMPDIR": str(tmp_path)}
    ) as term:
        term.until("demo")
        term.type("d")
        term.until("● running")
        term.type("\x03")
        assert term.exit_code() == 0
        assert_restored(term)
    assert temporary_demos(tmp_path) == []


@pytest.mark.parametrize("size", [(1, 1), (2, 10), (20, 5), (59, 15), (60, 16), (300, 100)], ids=str)
def test_any_size_of_terminal_is_survived(live_run: RunDirectoryBuilder, size: tuple[int, int]) -> None:
    """Case 68."""
    with terminal("-m", "buddy_top", "--runs-dir", str(live_run.root)) as term:
        term.until("Overview")
        term.resize(*size)
        term.read(0.3)
        term.resize(80, 24)
        term.until("Overview")
        term.type("q")
        assert term.exit_code() == 0


def test_a_storm_of_resizes_is_survived(live_run: RunDirectoryBuilder) -> None:
    """Case 68."""
    with terminal("-m", "buddy_top", "--runs-dir", str(live_run.root)) as term:
        term.until("Overview")
        for step in range(300):
            term.resize(20 + step * 7 % 140, 5 + step * 3 % 50)
            if step % 20 == 0:
                term.read(0.0)
        term.resize(100, 30)
        term.until("Overview")
        term.type("q")
        assert term.exit_code() == 0
        assert leaks(term.out) == []


@pytest.mark.parametrize("size", [(0, 0), (0, 24)], ids=str)
def test_a_terminal_that_does_not_know_its_size_is_survived(
    live_run: RunDirectoryBuilder, size: tuple[int, int]
) -> None:
    """Case 68."""
    with terminal("-m", "buddy_top", "--runs-dir", str(live_run.root)) as term:
        term.until("Overview")
        term.child.setwinsize(size[1], size[0])
        term.signal(signal.SIGWINCH)
        term.read(0.3)
        term.signal(signal.SIGTERM)
        assert term.exit_code() == 143


@pytest.mark.parametrize("term_name", ["dumb", "", "unknown"])
def test_a_terminal_that_can_only_print_gets_plain_text(
    live_run: RunDirectoryBuilder, term_name: str
) -> None:
    """Case 69."""
    with terminal("-m", "buddy_top", "--runs-dir", str(live_run.root), env={"TERM": term_name}) as term:
        assert term.exit_code() == 0
        assert b"Watch me work" in term.out
        assert b"\x1b" not in term.out


def test_input_that_is_no_terminal_means_plain_text(live_run: RunDirectoryBuilder) -> None:
    """Case 69: as in `buddy-top < /dev/null`, with the output still a terminal."""
    with terminal("-c", PLAIN_STDIN, "--runs-dir", str(live_run.root)) as term:
        assert term.exit_code() == 0
        assert b"Watch me work" in term.out
        assert b"\x1b" not in term.out


PLAIN_STDIN = """
import os, sys
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
from buddy_top.cli.entry import main
sys.exit(main())
"""


def test_errors_of_the_program_may_go_to_a_file_while_the_screen_is_up(
    live_run: RunDirectoryBuilder, tmp_path: Path
) -> None:
    script = f"""
import os, sys
os.dup2(os.open({str(tmp_path / "err")!r}, os.O_WRONLY | os.O_CREAT), 2)
sys.stderr = os.fdopen(2, "w")
from buddy_top.cli.entry import main
sys.exit(main())
"""
    with terminal("-c", script, "--runs-dir", str(live_run.root)) as term:
        term.until("Overview")
        term.type("q")
        assert term.exit_code() == 0
    assert (tmp_path / "err").read_bytes() == b""


def test_a_monitor_that_nobody_watches_does_not_spin(live_run: RunDirectoryBuilder) -> None:
    """Case 66: no work without news. Counted in switches of the processor, not in time."""
    live_run.end().write()
    with terminal("-m", "buddy_top", "--runs-dir", str(live_run.root)) as term:
        term.until("no errors")  # the last panel has been drawn
        said = -1
        while said < len(term.out):  # and nothing has come for a second
            said = len(term.out)
            end = time.monotonic() + 1
            while time.monotonic() < end:
                term.read(0.1)
        process = psutil.Process(term.child.pid)
        before, sent = process.num_ctx_switches().voluntary, len(term.out)
        for _ in range(20):
            term.read(0.1)
        assert process.num_ctx_switches().voluntary - before < 400
        assert len(term.out) - sent < 2_000


def test_the_same_numbers_in_the_json_and_on_the_screen(live_run: RunDirectoryBuilder) -> None:
    live_run.request(prompt=12_345, completion=678, cost=1.25, latency_ms=900).write()
    done = subprocess.run(
        [sys.executable, "-m", "buddy_top", "--runs-dir", str(live_run.root), "--once", "--json"],
        capture_output=True,
        check=True,
        env={**os.environ, **ENVIRONMENT},
    )
    totals = json.loads(done.stdout)["totals"]
    with terminal("-m", "buddy_top", "--runs-dir", str(live_run.root), size=(120, 40)) as term:
        text = term.until(f"{totals['total_tokens']:,}")
        assert f"${totals['total_cost']:.2f}" in text


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_again(live_run: RunDirectoryBuilder) -> None:
    """Case 65."""
    with terminal("-m", "buddy_top", "--runs-dir", str(live_run.root)) as term:
        term.until("Watch me")
        term.type("\x1a")
        assert_stopped_in_order(term)
        assert_goes_on_and_leaves(term)
