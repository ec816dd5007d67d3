"""The base of the app: what every way in and out of the screen has in common, and nothing of what it shows.

Textual's private `_handle_exception` and `_fatal_error` are overridden, and its `_exit` is asked, since it has
no public place for a crash report of one's own; checked against textual 8.2.8, and by tests that drive a real
terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Iterator, Sequence

from rich.console import RenderableType
from textual.app import App
from textual.dom import NoScreen
from textual.filter import LineFilter, Monochrome, NoColor
from textual.widget import MountError

from buddy_core.safety.output import stream_writer
from buddy_core.safety.text import plain
from buddy_top.options import Options
from buddy_top.starting.arenas import give_back
from buddy_top.terminal.crash import CrashReport, crash_lines, report_of
from buddy_top.terminal.driver import driver_class
from buddy_top.terminal.guard import ScreenGuard, WithoutColor
from buddy_top.terminal.restoring import silence
from buddy_top.terminal.stray import StrayOutput
from buddy_top.terminal.teardown import Teardown


class SafeApp(App[None]):
    """An app that guards the terminal: hostile text, signals, crashes, lost and slow terminals."""

    def __init__(self, options: Options) -> None:
        super().__init__(driver_class=driver_class())
        self.options = options
        self._ui_loop: asyncio.AbstractEventLoop | None = None
        self._teardown: Teardown | None = None
        self._stray: StrayOutput | None = None
        self._crashes: list[CrashReport] = []
        self.at_end: list[Callable[[], None]] = []
        """Called once the screen is gone: what is left to be cleared away."""
        self._last_filters: tuple[LineFilter, ...] = (ScreenGuard(ascii_only=options.ascii),)
        if self.no_color:
            self._last_filters = (WithoutColor(), *self._last_filters)

    def begin_with_theme(self, name: str) -> None:
        """Choose the theme before any style sheet is read: chosen later, all of them are read twice."""
        theme = self.get_theme(name)
        if theme is None or theme.ansi or not theme.dark:  # more changes then, and Textual sees to it
            self.theme = name
            return
        self.set_reactive(App.theme, name)
        self.set_class(True, f"-theme-{theme.name}", update=False)
        self.stylesheet.set_variables(self.get_css_variables())

    def run_screen(self) -> int:
        """Draw the screen until the user or the system ends it; returns the process's exit code.

        Only for the main thread. Afterwards the terminal is as it was, and a crash has been reported on stderr.
        """
        with StrayOutput() as self._stray:
            with Teardown(self._leave, on_forced_exit=self.options.on_forced_exit) as self._teardown:
                self.run()
            decided = self._teardown.code
            if self._teardown.hung_up():
                silence()
        for clear in self.at_end:
            clear()
        self._report_crashes(self._stray)
        return decided if decided is not None else self.return_code or 0

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, with its greys of NO_COLOR replaced, then the guard as the very last."""
        wanted = super().get_line_filters()
        return (*(one for one in wanted if not isinstance(one, Monochrome | NoColor)), *self._last_filters)

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leave with this exit code, by force if it takes too long."""
        super().exit(result, return_code, message)
        if self._teardown is not None:
            self._teardown.hurry(return_code)

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        """Give the terminal to another program for a while."""
        with super().suspend(), self._stray.lifted() if self._stray else contextlib.nullcontext():
            yield

    def deaf_to(self, numbers: frozenset[signal.Signals]) -> contextlib.AbstractContextManager[None]:
        """While another program has the terminal, the signals of its keys do not end this one."""
        return contextlib.nullcontext() if self._teardown is None else self._teardown.deaf_to(numbers)

    def on_load(self) -> None:
        """Remember the loop, through which a signal asks the app to leave; one that came before is heeded now."""
        self._ui_loop = asyncio.get_running_loop()
        if self._teardown is not None and self._teardown.code is not None:
            self.exit(return_code=self._teardown.code)

    def panic(self, *renderables: RenderableType) -> None:
        """Leave because of a failure that Textual describes; its description is taken as words."""
        if self._teardown is not None and self._teardown.hung_up():
            return  # the terminal is gone: no failure, and the teardown is at work
        if not self._crashes:
            described = "; ".join(plain(one, limit=200) for one in renderables if isinstance(one, str))
            self._crashes.append(CrashReport(plain(described or "the terminal could not be read")))
        self._stop_after_crash()

    def _handle_exception(self, error: Exception) -> None:
        if self._exit and isinstance(error, MountError | NoScreen):
            return  # what was still to be shown finds no place on a screen that is being left: no failure
        self._crashes.append(report_of(error))
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._stop_after_crash()

    def _stop_after_crash(self) -> None:
        self._return_code = 1
        self._close_messages_no_wait()
        if self._teardown is not None:
            self._teardown.hurry(1)

    def _report_crashes(self, stray: StrayOutput) -> None:
        lines = crash_lines(self._crashes, debug=self.options.debug)
        if self.options.debug:
            lines = [*stray.lines(), *lines]
        write = stream_writer(sys.stderr)
        with contextlib.suppress(OSError, ValueError):
            for line in lines:
                write(line)

    def _leave(self, code: int) -> bool:
        """Ask the app to exit; from any thread. False when it is not running."""
        if self._ui_loop is None:
            return False
        try:
            self._ui_loop.call_soon_threadsafe(self.exit, None, code)
        except RuntimeError:  # the loop is closed
            return False
        return True


def end_of_start() -> bool:
    """Collect garbage again, if the launch has switched it off, and never again among what the start left.

    True when it had been switched off, and so the process is the monitor's own.
    """
    if gc.isenabled():
        return False
    gc.freeze()
    gc.enable()
    return True


def end_of_reading() -> None:
    """What was read so far stays too: a search for garbage among it stops every thread for a tenth of a second.

    What was only needed for the reading goes back to the system.
    """
    gc.freeze()
    give_back()
