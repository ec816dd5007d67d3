"""Writing to a terminal that may not read: pictures are dropped, the app is never held up.

Textual hands each picture to a writer thread through a queue of thirty places and waits when it is full.
Behind a stalled connection that stops the whole app. Here a picture that finds the queue crowded is
dropped, as are those after it; when the terminal has read what was waiting, the screen is drawn anew.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Any

from textual import constants
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.geometry import Size

from buddy_top.terminal.keyboard import Bell, read_keys

CROWDED = 12
"""Waiting writes from which on pictures are dropped."""

FULL = 26
"""Waiting writes from which on even mode switches are dropped; at thirty Textual would block."""

_PICTURE = 32
"""Longer writes are pictures; shorter ones switch a mode or move the cursor."""

_RETRY_S = 0.1


class PatientDriver(LinuxDriver):
    """The driver of Linux and macOS, less its waiting."""

    _behind = False
    _leaving = False
    _away = False
    _drawing = False
    _stopped = False
    _resized = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Textual's own, handed on
        super().__init__(*args, **kwargs)
        self.exit_event: Bell = Bell()

    def run_input_thread(self) -> None:
        """Read keys until input is disabled."""
        read_keys(self.fileno, self.exit_event, self.process_message, debug=self._debug)

    def write(self, data: str) -> None:
        """Queue `data` for the terminal, or drop it while the terminal is behind or another program's.

        On the app's loop only.
        """
        if self._away:
            return
        if self._leaving or self._has_room_for(data):
            super().write(data)
        elif not self._behind:
            self._behind = True
            self._loop.call_later(_RETRY_S, self._catch_up)

    def start_application_mode(self) -> None:
        """Begin full-screen mode."""
        self._leaving = self._away = self._stopped = False
        super().start_application_mode()  # type: ignore[no-untyped-call]
        signal.signal(signal.SIGWINCH, self._sigwinch_application)
        self._drawing = self._writer_thread is not None

    def stop_application_mode(self) -> None:
        """Leave full-screen mode; from here on nothing is dropped."""
        self._leaving = True
        self._drawing = False
        super().stop_application_mode()

    def suspend_application_mode(self) -> None:
        """Give the terminal away: whatever is drawn until full-screen mode begins again is nobody's to see."""
        super().suspend_application_mode()
        self._away = True

    def _sigtstp_application(self, *_: object) -> None:
        """Stop when the loop comes to it: in the middle of a start the terminal's settings are not yet known."""
        try:
            self._loop.call_soon_threadsafe(self._stop_process)
        except RuntimeError:  # the loop has ended, and the terminal is given back
            os.kill(os.getpid(), signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._go_on)

    def _sigwinch_application(self, *_: object) -> None:
        """Have the size looked at when the loop comes to it. Textual (8.2.8) reads it here, where a second signal comes
        in the middle of the first, is told before it, and the screen keeps the older size.
        """
        if not (self._resized or self._in_band_window_resize):
            self._resized = True
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._look_at_size)

    def _look_at_size(self) -> None:
        self._resized = False
        size = Size(*self._get_terminal_size())
        self._app.post_message(Resize(size, size))

    def _stop_process(self) -> None:
        """Give the terminal back where it is ours, and stop."""
        if self._drawing and self._auto_restart:
            self.suspend_application_mode()
            self._must_signal_resume = self._stopped = True
        os.kill(os.getpid(), signal.SIGSTOP)

    def _go_on(self) -> None:
        """Take the terminal again; who was stopped without being asked finds it as somebody else has left it."""
        if self._drawing and self._auto_restart:
            self.suspend_application_mode()
            self._stopped = True
        if self._stopped:
            self.resume_application_mode()

    def _has_room_for(self, data: str) -> bool:
        if len(data) <= _PICTURE:
            return self._waiting() < FULL
        return not self._behind and self._waiting() < CROWDED

    def _waiting(self) -> int:
        return self._writer_thread._queue.qsize() if self._writer_thread is not None else 0

    def _catch_up(self) -> None:
        if self._waiting():
            self._loop.call_later(_RETRY_S, self._catch_up)
            return
        self._behind = False
        self._app.refresh(layout=True)


def driver_class() -> type[PatientDriver] | None:
    """The driver for a real terminal; None where the environment names another (a browser, for example)."""
    return None if constants.DRIVER else PatientDriver
