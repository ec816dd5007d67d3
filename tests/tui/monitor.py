"""The whole monitor in a test: on a runs directory, with a clock that stands still and a feed without a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tui.inline_feed import InlineFeed
from textual.app import App
from textual.events import Key, Resize
from textual.geometry import Size
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.strip import Strip
from textual.worker import Worker

from buddy_core.alerts.watch import AlertWatch
from buddy_core.clock import ManualClock
from buddy_core.metrics.window import Window
from buddy_core.prices.table import PriceTable
from buddy_core.testing import sample_runs
from buddy_top.app import BuddyTop
from buddy_top.commands import COMMANDS, Command, Place
from buddy_top.drawing.cells import text_of
from buddy_top.options import Options, TabName
from buddy_top.run_view.artifacts.reading import WORKERS
from buddy_top.widgets.table.table import Table

NOW = 1_767_961_867_000
"""2026-01-09 12:31:07 UTC: when every picture is taken."""

COMFORTABLE = (120, 40)
SMALL = (80, 24)

_GETTING_THERE: dict[Place, tuple[str, ...]] = {
    "overview": ("1",),
    "providers": ("2",),
    "tools": ("3",),
    "errors": ("4",),
    "runs": ("5",),
    "run": ("5", "g", "enter"),
}
PLACES: tuple[Place, ...] = tuple(_GETTING_THERE)


@dataclass
class Monitor:
    """The running app, seen as a person sees it: keys go in, lines of text come out."""

    app: BuddyTop
    pilot: Pilot[None]
    feed: InlineFeed
    clock: ManualClock

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each when everything before it is on the screen."""
        for key in keys:
            self.send(key)
            await self.settle()

    def send(self, key: str) -> None:
        """Press a key and wait for nothing."""
        char = " " if key == "space" else key if len(key) == 1 else None
        event = Key(_character_to_key(char) if char and not char.isalnum() else key, char)
        event.set_sender(self.app)
        assert self.app._driver is not None
        self.app._driver.send_message(event)

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size and wait for nothing."""
        size = Size(width, height)
        assert self.app._driver is not None
        self.app._driver._size = size
        self.app.post_message(Resize(size, size))

    async def settle(self) -> None:
        """Let everything happen that has been caused, until nothing is left that could run.

        `Pilot.pause` waits in addition until the processor seems idle, which is a guess and takes longer; and to
        ask every widget whether it is done costs more than what they do.
        """
        while True:
            await self._nothing_ready()
            if self.app._exception is not None:
                raise self.app._exception  # a screen that has crashed never comes to rest
            if self.feed.pending:
                await asyncio.gather(*self.feed.pending)
            elif workers := self._short_workers():
                await workers[0].wait()
            elif self.app._resize_timer is not None:
                await asyncio.sleep(0.01)  # Textual waits that long for a further resize
            elif self._must_draw():
                self.app.screen._on_timer_update()
            else:
                return

    async def _nothing_ready(self) -> None:
        """Give way until every task of the loop waits for the time, a file or a thread."""
        loop: Any = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while loop._ready:
            await asyncio.sleep(0)

    def _must_draw(self) -> bool:
        """Whether the screen would do something at the next of its sixty moments in a second."""
        screen = self.app.screen
        changed = screen._layout_required or screen._scroll_required or screen._repaint_required
        return bool(changed or screen._dirty_widgets or screen._recompose_required or screen._callbacks)

    def _short_workers(self) -> list[Worker[Any]]:
        """Those that read what is shown next; others may take as long as a test wants them to."""
        return [one for one in self.app.workers if one.group == WORKERS and not one.is_finished]

    async def go(self, place: Place) -> None:
        """From anywhere to a place, the run page being that of the first run."""
        while self.app.place == "run":
            await self.press("escape")
        await self.press(*_GETTING_THERE[place])
        assert self.app.place == place

    async def refresh(self) -> None:
        """Read what has been appended to the files, and show it."""
        self.feed.reread()
        await self.settle()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for what threads do, and show it; what is waited for must come within half a minute."""
        async with asyncio.timeout(30):
            while not reached():
                await asyncio.sleep(0.005)
                await self.settle()

    async def click(self, words: str, *, times: int = 1) -> None:
        """Click on the first place on the screen where these words stand."""
        x, y = self.find(words)
        await self.pilot.click(offset=(x, y), times=times)
        await self.settle()

    def find(self, words: str) -> tuple[int, int]:
        """Column and line of these words; every character before them must be one column wide."""
        for y, line in enumerate(self.lines):
            if words in line:
                return line.index(words), y
        raise AssertionError(f"{words!r} is not on the screen:\n{self.text}")

    @property
    def lines(self) -> list[str]:
        """What stands on each line of the screen."""
        return screen_lines(self.app)

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.lines)

    @property
    def body(self) -> str:
        """The screen without its first line (the header) and its last (the footer)."""
        return "\n".join(self.lines[1:-1])

    @property
    def header(self) -> str:
        """The first line."""
        return self.lines[0]

    @property
    def footer(self) -> str:
        """The last line."""
        return self.lines[-1]

    @property
    def table(self) -> Table:
        """The table that has the keyboard."""
        assert isinstance(self.app.focused, Table), f"the focus is on {self.app.focused}"
        return self.app.focused

    @property
    def cursor(self) -> str | None:
        """Key of the row under the cursor of the table that has the keyboard."""
        return self.table.cursor_key


@asynccontextmanager
async def monitor(
    runs_dir: Path,
    *,
    size: tuple[int, int] = SMALL,
    tab: TabName = "overview",
    window: Window | None = Window.H24,
    kind: type[BuddyTop] = BuddyTop,
    **options: Any,
) -> AsyncIterator[Monitor]:
    """A monitor on `runs_dir` as it is, for the length of the block."""
    app, feed = make_app(runs_dir, tab=tab, window=window, kind=kind, **options)
    async with app.run_test(size=size) as pilot:
        clock = feed.clock
        assert isinstance(clock, ManualClock)
        shown = Monitor(app, pilot, feed, clock)
        await shown.settle()
        yield shown


def make_app(
    runs_dir: Path,
    *,
    tab: TabName = "overview",
    window: Window | None = Window.H24,
    kind: type[BuddyTop] = BuddyTop,
    now_ms: int = NOW,
    **options: Any,
) -> tuple[BuddyTop, InlineFeed]:
    """The app and its feed, not yet running; alerts are looked for where `limits` are given."""
    clock = ManualClock(now_ms)
    prices = PriceTable(options["prices"]) if "prices" in options else None
    state, archive = options.get("state"), options.get("archive")
    writes = not options.get("read_only", False)
    feed = InlineFeed(runs_dir, clock, prices, state, archive, writes=writes)
    if "limits" in options:
        feed.watch = AlertWatch(feed.observer, feed.collector, options["limits"])
    app = kind(Options(runs_dir=runs_dir, tab=tab, window=window, clock=clock, **options), feed)
    app.animation_level = "none"
    return app, feed


def cell_words(table: Table, key: str, column: str) -> str:
    """What stands in one cell of a table, whole, as it would without a lack of room."""
    index = list(table.keys).index(key)
    at = [one.key for one in table.columns].index(column)
    return text_of(table.cells_of(index)[at])


class Staying(BuddyTop):
    """A monitor that counts how often it is asked to leave, and stays."""

    exits = 0

    def exit(self, *_args: Any, **_options: Any) -> None:
        self.exits += 1


def samples(folder: Path) -> Path:
    """A runs directory with the dozen sample runs, as of `NOW`."""
    runs = folder / "runs"
    sample_runs(runs, now_ms=NOW)
    return runs


def screen_strips(app: App[Any]) -> list[Strip]:
    """Every line of the screen as it is about to be sent to the terminal."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return [strip.crop(0, width) for strip in strips[:height]]


def screen_lines(app: App[Any]) -> list[str]:
    """The words on every line of the screen."""
    return [strip.text for strip in screen_strips(app)]


def command(id: str) -> Command:
    """The command of the registry with this id."""
    return next(command for command in COMMANDS if command.id == id)


def ways(id: str) -> Iterator[tuple[Place, str]]:
    """Every place where a command works, with each of its keys."""
    found = command(id)
    for place in PLACES:
        if place in found.places:
            for key in found.keys.split(","):
                yield place, key
