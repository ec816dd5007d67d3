"""Parts of promise C10 that need no whole program; tests/pty has the rest."""

from __future__ import annotations

import contextlib
import os
import pty
import queue
import select
import signal
import sys
import termios
import threading
from collections.abc import Iterator

import pytest

from buddy_top.terminal.restoring import LEAVE_SEQUENCES, restore_terminal
from buddy_top.terminal.stray import StrayOutput
from buddy_top.terminal.teardown import EXIT_SIGNALS, Teardown


@pytest.fixture
def pair() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    yield master, slave
    for descriptor in (master, slave):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def all_of(master: int) -> bytes:
    data = b""
    while select.select([master], [], [], 0)[0]:
        data += os.read(master, 65536)
    return data


def test_handlers_are_as_before_afterwards(pair: tuple[int, int]) -> None:
    before = [signal.getsignal(number) for number in EXIT_SIGNALS]
    with Teardown(lambda code: True, terminal=pair[1]):
        assert [signal.getsignal(number) for number in EXIT_SIGNALS] != before
    assert [signal.getsignal(number) for number in EXIT_SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_signal_asks_the_app_to_leave_with_its_code(pair: tuple[int, int]) -> None:
    """Case 65."""
    asked: queue.SimpleQueue[int] = queue.SimpleQueue()

    def leave(code: int) -> bool:
        asked.put(code)
        return True

    with Teardown(leave, terminal=pair[1]) as teardown:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert asked.get(timeout=10) == 128 + signal.SIGUSR1
    assert teardown.code == 128 + signal.SIGUSR1


def test_a_signal_before_the_app_runs_is_kept_for_it_and_raises_nowhere(pair: tuple[int, int]) -> None:
    asked = threading.Event()
    with Teardown(lambda code: bool(asked.set()), terminal=pair[1]) as teardown:
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked.wait(10)
        assert teardown.code == 143


def test_the_terminal_is_restored_while_nobody_reads_it(pair: tuple[int, int]) -> None:
    """Case 72: a full terminal must not hold up the way out."""
    master, slave = pair
    before = termios.tcgetattr(slave)
    raw = termios.tcgetattr(slave)
    raw[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(slave, termios.TCSANOW, raw)
    os.set_blocking(slave, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(slave, b"x" * 4096)
    restore_terminal(slave, before)
    assert termios.tcgetattr(slave) == before
    assert all_of(master).endswith(LEAVE_SEQUENCES.encode())


def test_the_terminal_is_restored_while_another_thread_is_in_the_middle_of_a_picture(
    pair: tuple[int, int],
) -> None:
    """Cases 65 and 72: the kernel refuses a second writer, however little that one has to say."""
    master, slave = pair
    before = termios.tcgetattr(slave)
    thread = threading.Thread(target=os.write, args=(slave, b"x" * 300_000), daemon=True)
    thread.start()
    while select.select([], [slave], [], 0.05)[1]:
        pass  # until it waits for room
    restore_terminal(slave, before)
    thread.join(10)
    assert LEAVE_SEQUENCES.encode() in all_of(master)


def test_a_terminal_that_is_gone_cannot_be_restored_and_that_is_no_error(pair: tuple[int, int]) -> None:
    """Case 66."""
    master, slave = pair
    before = termios.tcgetattr(slave)
    os.close(master)
    restore_terminal(slave, before)


def test_a_lost_terminal_is_noticed_without_asking(pair: tuple[int, int]) -> None:
    """Case 66."""
    master, slave = pair
    asked: list[int] = []
    with Teardown(lambda code: asked.append(code) or True, terminal=slave) as teardown:  # type: ignore[func-returns-value]
        assert not teardown.hung_up()
        os.close(master)
        while teardown.code is None or not asked:
            os.sched_yield()
        assert teardown.hung_up()
    assert asked == [129]


def test_stray_output_goes_elsewhere_and_can_be_looked_at(capfd: pytest.CaptureFixture[str]) -> None:
    """Case 73."""
    stray = StrayOutput()
    with stray:
        os.write(1, b"out \x1b]0;x\x07\n")
        os.write(2, b"err\n")
        with stray.lifted():
            os.write(1, b"for a pager\n")
        assert sys.__stdout__ is not None
        sys.__stdout__.write("the screen\n")
    os.write(1, b"after\n")
    assert capfd.readouterr().out == "for a pager\nthe screen\nafter\n"
    assert stray.lines() == ["out ␛]0;x␇", "err"]
