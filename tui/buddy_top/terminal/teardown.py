"""The terminal comes back: on signals, on a closed terminal, and when leaving takes too long (promise C10).

A thread of its own hears signals through the wake-up descriptor, which the interpreter writes at once,
whatever the main thread is doing; asks the app to leave; and, if the app has not left when the time is up,
puts the terminal right itself and ends the process.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, Self

from buddy_top.terminal.restoring import attributes_of, restore_terminal, silence

EXIT_SIGNALS = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
"""Signals whose default action would leave the terminal in full-screen mode; each means: leave, with 128 + n."""

TIMER_SIGNALS = (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGXCPU)
"""The same of timers and limits, unless somebody in the process has set one, as a profiler does, and hears it."""

GRACE_S = 1.2
"""How long an orderly exit may take; with what follows it stays below the two seconds that are promised."""

_HANGUP = select.POLLHUP | select.POLLERR
_DONE = 0
_HURRY = 255


class Teardown:
    """Watches over one run of the screen; a context manager around it.

    Args:
        leave: asks the app to exit with this code; called from another thread; False when no app runs yet.
        on_forced_exit: last duties before the process is ended by force.
        terminal: descriptor of the terminal whose state is to be kept.
    """

    def __init__(
        self,
        leave: Callable[[int], bool],
        *,
        on_forced_exit: Callable[[], None] | None = None,
        terminal: int = 0,
        grace_s: float = GRACE_S,
    ) -> None:
        self.code: int | None = None
        """The exit code that a signal or a closed terminal decided, if one did."""
        self._agreed = 1
        self._leave = leave
        self._on_forced_exit = on_forced_exit
        self._terminal = terminal
        self._grace_s = grace_s
        self._attributes = attributes_of(terminal)
        self._before: dict[int, Any] = {}
        self._poll = select.poll()
        self._deaf: frozenset[int] = frozenset()
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="buddy-top-teardown", daemon=True)

    def __enter__(self) -> Self:
        self._ears, self._bell = os.pipe()
        os.set_blocking(self._ears, False)
        os.set_blocking(self._bell, False)
        self._heeded = (
            *EXIT_SIGNALS,
            *(one for one in TIMER_SIGNALS if signal.getsignal(one) == signal.SIG_DFL),
        )
        for number in self._heeded:
            self._before[number] = signal.signal(number, self._heard)
        self._wakeup_before = signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)
        self._poll.register(self._ears, select.POLLIN)
        self._poll.register(self._terminal, 0)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finished.set()
        self._ring(_DONE)
        self._thread.join()
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._ears)
        os.close(self._bell)

    def hurry(self, code: int) -> None:
        """The app is on its way out with this exit code; see that it gets there in time."""
        self._agreed = code
        self._ring(_HURRY)

    @contextlib.contextmanager
    def deaf_to(self, numbers: frozenset[signal.Signals]) -> Iterator[None]:
        """While another program has the terminal, the signals of its keys are its own."""
        self._deaf = frozenset(numbers)
        try:
            yield
        finally:
            self._deaf = frozenset()

    def hung_up(self) -> bool:
        """True when the terminal is gone."""
        return _is_hung_up(self._terminal)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        """The thread has been told, and an app that does not run yet asks for `code` when it begins.

        Nothing is raised: a start that is interrupted anywhere may swallow it.
        """

    def _ring(self, number: int) -> None:
        with contextlib.suppress(OSError):  # a full pipe has been heard already
            os.write(self._bell, bytes((number,)))

    def _watch(self) -> None:
        while not self._finished.is_set():
            reason = self._wait_for_reason()
            if reason is not None:
                if reason != _HURRY:
                    self.code = 128 + reason if self.code is None else self.code
                    self._leave(self.code)
                if not self._finished.wait(self._grace_s):
                    self._force()
                return

    def _wait_for_reason(self) -> int | None:
        """Block until a signal, a call to `hurry` or the loss of the terminal; None for anything else."""
        for descriptor, event in self._poll.poll():
            if descriptor == self._terminal:
                if event & _HANGUP:
                    return signal.SIGHUP
                self._poll.unregister(descriptor)  # no terminal to watch, and polling it would spin
        rung = _read(self._ears)
        heard = [number for number in rung if number in self._heeded and number not in self._deaf]
        return heard[0] if heard else _HURRY if _HURRY in rung else None

    def _force(self) -> None:
        silence()
        restore_terminal(self._terminal, self._attributes)
        if self._on_forced_exit is not None:
            with contextlib.suppress(Exception):
                self._on_forced_exit()
        os._exit(self._agreed if self.code is None else self.code)


def end_process_within(seconds: float, code: int) -> None:
    """End the process by force if a thread that does not stop keeps it alive for longer than that."""
    last_resort = threading.Timer(seconds, os._exit, (code,))
    last_resort.daemon = True
    last_resort.start()


def _is_hung_up(terminal: int) -> bool:
    poll = select.poll()
    poll.register(terminal, 0)
    return any(event & _HANGUP for _, event in poll.poll(0))


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b""
