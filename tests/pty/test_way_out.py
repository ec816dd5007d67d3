"""Promise C10: the terminal comes back on every way out, and what is said then is safe to read."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.pty.escapes import colours, leaks
from tests.pty.restored import assert_goes_on_and_leaves, assert_restored, assert_stopped_in_order
from tests.pty.terminal import Terminal, terminal

TINY = str(Path(__file__).with_name("tiny_app.py"))


def test_quitting_restores_the_terminal() -> None:
    with terminal(TINY, "nothing") as term:
        term.until("hello")
        term.type("q")
        assert term.exit_code() == 0
        assert_restored(term)


@pytest.mark.parametrize("habit", ["leave-early", "leave-bare"])
def test_who_quits_before_all_of_the_first_picture_is_there_has_seen_no_failure(habit: str) -> None:
    """Case 65: as after a signal that came to the program before the key."""
    with terminal(TINY, habit) as term:
        assert term.exit_code() == 0
        assert_restored(term)
        assert b"error" not in term.out


@pytest.mark.parametrize(
    "number", ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGPROF"]
)
def test_a_signal_restores_the_terminal_and_exits_with_its_number(number: str) -> None:
    """Case 65."""
    with terminal(TINY, "nothing") as term:
        term.until("hello")
        term.signal(signal.Signals[number])
        assert term.exit_code() == 128 + signal.Signals[number]
        assert_restored(term)


def test_a_signal_while_starting_ends_the_program_too() -> None:
    """Case 65: at a random time, for example before the first picture."""
    with terminal(TINY, "nothing") as term:
        term.until_sent(b"\x1b[?1049h")
        term.signal(signal.SIGTERM)
        assert term.exit_code() == 143
        assert_restored(term)


def test_sigpipe_does_not_end_it() -> None:
    """Case 65."""
    with terminal(TINY, "nothing") as term:
        term.until("hello")
        term.signal(signal.SIGPIPE)
        term.type("q")
        assert term.exit_code() == 0


def test_stop_and_continue_gives_the_terminal_away_and_takes_it_again() -> None:
    """Case 65."""
    with terminal(TINY, "nothing") as term:
        term.until("hello")
        term.signal(signal.SIGTSTP)
        assert_stopped_in_order(term)
        assert_goes_on_and_leaves(term)


STOPPED_MIDWAY = f"""
import os, runpy, signal, sys
from textual.drivers.linux_driver import LinuxDriver
whole = LinuxDriver._enable_mouse_support
def stopping(self):
    LinuxDriver._enable_mouse_support = whole
    os.kill(os.getpid(), signal.SIGTSTP)
    whole(self)
LinuxDriver._enable_mouse_support = stopping
sys.argv[:] = [{TINY!r}, "nothing"]
runpy.run_path({TINY!r}, run_name="__main__")
"""
"""Stopped before the driver has looked at the settings of the terminal."""


def test_a_stop_in_the_middle_of_taking_the_terminal_gives_it_back_all_the_same() -> None:
    """Case 65: the settings of full-screen mode are not taken for those from before."""
    with terminal("-c", STOPPED_MIDWAY) as term:
        assert_stopped_in_order(term)
        assert_goes_on_and_leaves(term)


@pytest.mark.parametrize("stopped", [False, True], ids=["never stopped", "stopped by SIGSTOP"])
def test_who_goes_on_without_having_given_the_terminal_back_takes_it_once(stopped: bool) -> None:
    """Case 65: `kill -STOP` asks nobody, and `kill -CONT` needs no stop."""
    with terminal(TINY, "nothing") as term:
        term.until("hello")
        if stopped:
            term.signal(signal.SIGSTOP)
            term.until(lambda _: term.is_stopped())
        assert_goes_on_and_leaves(term)


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_a_hanging_loop_does_not_keep_the_terminal(number: str, tmp_path: Path) -> None:
    """Case 65: an orderly exit is impossible, so it is done by force, last duties included."""
    diary = tmp_path / "diary"
    with terminal(TINY, "hang", str(diary)) as term:
        term.until(lambda _: diary.exists() and diary.read_text(encoding="utf-8") == "hung")
        term.signal(signal.Signals[number])
        assert term.exit_code() == 128 + signal.Signals[number]
        assert_restored(term)
    assert diary.read_text(encoding="utf-8") == "bye"


def test_a_thread_that_never_ends_does_not_keep_the_program() -> None:
    """C10: within two seconds, whatever the background does."""
    with terminal(TINY, "slow-exit") as term:
        term.until("never ends")
        term.type("q")
        assert term.exit_code() == 0
        assert_restored(term)


@pytest.mark.parametrize("habit", ["nothing", "hang", "flood"])
def test_a_closed_terminal_ends_the_program(habit: str) -> None:
    """Case 66."""
    with terminal(TINY, habit) as term:
        term.until(lambda text: any(word in text for word in ("hello", "hanging", "flood", "1 ")))
        term.hang_up()
        assert term.exit_code(seconds=10) == 129


@pytest.mark.parametrize("habit", ["crash", "worker-crash"])
def test_a_crash_restores_the_terminal_and_says_one_line_without_locals(habit: str) -> None:
    """Case 63."""
    with terminal(TINY, habit) as term:
        assert term.exit_code() == 1
        assert_restored(term)
        report = term.out.split(b"\x1b[?1004l")[-1].decode()
        assert "stopped by an error of its own" in report
        assert "--debug" in report
        assert report.strip().count("\n") == 0
        assert b"SECRET-IN-A-LOCAL" not in term.out
        assert leaks(term.out) == []


def test_debug_shows_the_traceback_still_without_locals() -> None:
    """Case 63."""
    with terminal(TINY, "crash", "--debug") as term:
        assert term.exit_code() == 1
        assert b"Traceback (most recent call last)" in term.out
        assert b"habit_crash" in term.out
        assert b"SECRET-IN-A-LOCAL" not in term.out
        assert leaks(term.out) == []


def test_textual_alone_shows_the_locals_so_the_test_above_can_fail() -> None:
    """The negative control of case 63."""
    with terminal(TINY, "crash", "--careless", size=(120, 60)) as term:
        assert term.exit_code() == 1
        assert b"SECRET-IN-A-LOCAL" in term.out


def test_nothing_a_careless_widget_draws_reaches_the_terminal() -> None:
    """Cases 55 to 58 and 60: the last filter."""
    with terminal(TINY, "payload") as term:
        term.until("pay")
        term.type("q")
        assert term.exit_code() == 0
        assert leaks(term.out) == []
        assert b"\x1b]8;" not in term.out


def test_textual_alone_lets_it_through_so_the_test_above_can_fail() -> None:
    """The negative control of cases 55 to 58: the detector sees a leak where there is one."""
    with terminal(TINY, "payload", "--careless") as term:
        term.until_sent(b"\x1b]52;c;")
        term.type("q")
        term.exit_code()
        assert leaks(term.out)
        assert b"\x1b]8;" in term.out


def test_what_libraries_write_to_stderr_does_not_tear_the_screen() -> None:
    """Case 73."""
    with terminal(TINY, "stray") as term:
        text = term.until("still whole")
        assert "stray" not in text
        term.type("q")
        assert term.exit_code() == 0
        assert b"stray on" not in term.out


def test_debug_tells_afterwards_what_was_written_and_makes_it_printable() -> None:
    """Case 73."""
    with terminal(TINY, "stray", "--debug") as term:
        term.until("still whole")
        term.type("q")
        assert term.exit_code() == 0
        assert b"stray on stderr" in term.out
        assert leaks(term.out) == []


def test_no_color_sends_no_colour() -> None:
    """Case 70."""
    with terminal(TINY, "nothing", env={"NO_COLOR": "1"}) as term:
        term.until("hello")
        term.type("q")
        assert term.exit_code() == 0
        assert colours(term.out) == []


def test_textual_alone_sends_greys_so_the_test_above_can_fail() -> None:
    """The negative control of case 70."""
    with terminal(TINY, "nothing", "--careless", env={"NO_COLOR": "1"}) as term:
        term.until("hello")
        term.type("q")
        term.exit_code()
        assert colours(term.out)


@pytest.mark.parametrize(
    "env",
    [
        {"LANG": "C"},
        {"LC_ALL": "POSIX"},
        {"LC_ALL": "C"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "en_US.ISO-8859-1"},
    ],
    ids=lambda env: "=".join(*env.items()),
)
def test_a_terminal_without_utf8_gets_ascii_of_the_same_width(env: dict[str, str]) -> None:
    """Case 71."""
    with terminal(TINY, "nothing", env=env) as term:
        text = term.until("hello")
        assert "hello -|+ .+# # * + ????" in text
        term.type("q")
        assert term.exit_code() == 0
        assert term.out.isascii()


def test_a_terminal_that_does_not_read_holds_nothing_up(tmp_path: Path) -> None:
    """Case 72: pictures are dropped, the app goes on, and the screen is whole when reading resumes."""
    counter = tmp_path / "count"
    with terminal(TINY, "flood", str(counter), size=(200, 40)) as term:
        term.until_sent(b"flood")
        _count_when(counter, 400)  # far more than the terminal and the queue can hold
        term.type("s")
        _wait_for(counter.with_suffix(".stopped").exists)
        last = int(counter.read_text(encoding="utf-8"))
        expected = {1 + count % 39: str(count) for count in range(last - 38, last + 1)}
        term.until(lambda text: _rows(text) == expected)
        term.signal(signal.SIGTERM)
        assert term.exit_code() == 143


def test_a_terminal_that_never_reads_again_does_not_keep_the_program() -> None:
    """Cases 66 and 72."""
    with terminal(TINY, "flood", size=(200, 60)) as term:
        term.until_sent(b"flood")
        term.signal(signal.SIGTERM)
        assert _ended_without_being_read(term) == 143


def _count_when(counter: Path, least: int) -> None:
    """Wait for the app, which counts its pictures in a file, without reading the terminal."""
    _wait_for(lambda: counter.exists() and int(counter.read_text(encoding="utf-8") or 0) >= least)


def _rows(text: str) -> dict[int, str]:
    """The first word of each line but the first."""
    return {row: line.split(" ", 1)[0] for row, line in enumerate(text.splitlines()) if row}


def _ended_without_being_read(term: Terminal) -> int | None:
    _wait_for(lambda: term.ended() is not None)
    return term.ended()


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


BUFFERED = """
import os, select, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
sys.stderr.reconfigure(line_buffering=False, write_through=False)
print("ready", flush=True)
poll = select.poll()
poll.register(0, 0)
poll.poll()
sys.stdout.write("half a picture")
sys.stderr.buffer.write(b"half a picture")
if sys.argv[1:]:
    from buddy_top.terminal.restoring import silence
    silence()
sys.exit(129)
"""


def test_what_is_left_for_a_terminal_that_is_gone_does_not_change_the_exit_code() -> None:
    """Case 66. Python makes another code of it when it cannot write what is buffered."""
    codes = []
    for words in ((), ("silenced",)):
        with terminal("-c", BUFFERED, *words) as term:
            term.until("ready")
            term.hang_up()
            codes.append(term.exit_code())
    assert codes == [120, 129]
