"""The terminal as it was: what every way out has to leave behind, and what a stop in between has to."""

from __future__ import annotations

import signal

from tests.pty.terminal import Terminal

_LEAVING = (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?1006l", b"\x1b[?2004l", b"\x1b[?25h")


def assert_restored(term: Terminal) -> None:
    """Fail unless its settings are those from before, and each mode was last switched to what it was."""
    assert term.attributes() == term.attributes_before
    for sequence in _LEAVING:
        on = sequence.replace(b"l", b"h") if sequence.endswith(b"l") else sequence.replace(b"h", b"l")
        assert term.out.rfind(sequence) > term.out.rfind(on), f"{sequence!r} is missing"


def assert_stopped_in_order(term: Terminal) -> None:
    """Wait until it has stopped, and fail unless it has given the terminal to the shell first."""
    term.until(lambda _: term.is_stopped())
    term.drain()
    assert_restored(term)


def assert_goes_on_and_leaves(term: Terminal) -> None:
    """Continue it: it takes the terminal again, once, and leaves as ever when asked to by its key."""
    term.signal(signal.SIGCONT)
    term.until(lambda _: term.out.count(b"\x1b[?1049h") == 2)
    term.type("q")
    assert term.exit_code() == 0
    assert_restored(term)
