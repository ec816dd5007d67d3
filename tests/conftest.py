"""Pictures of the screen as SVG files under `snapshots/`, and a plain environment for every test."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import settings
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"

Drive = Callable[[Pilot[Any]], Awaitable[None]]
"""What to do with the app before its picture is taken."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tests say in their docstrings which cases of reliability they cover."""
    words = "write which case is covered by which tests, and how they ended, as Markdown"
    parser.addoption("--case-table", metavar="FILE", type=Path, help=words)


def pytest_configure(config: pytest.Config) -> None:
    """Heed Ctrl-C, hold no test to a time; listen to the tests where the table is asked for."""
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    ):  # a background job: what the tests start would ignore it too
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("patient", deadline=None)  # a machine may be busy, or coverage measured
    settings.load_profile("patient")
    file = config.getoption("--case-table")
    if file is not None:
        from tests.casetable import CaseTable

        config.pluginmanager.register(CaseTable(Path(file), config.option.markexpr))
    if threading.gettrace() is not None:
        from tests.barethreads import free_forked_children, trace_bare_threads

        trace_bare_threads()
        if "coverage" in sys.modules:
            free_forked_children()


ADDRESS = re.compile(r" object at 0x[0-9a-f]+>")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """A name with an address in it is another one in each process, and no test of it is run where several share them."""
    for item in items:
        if ADDRESS.search(item.nodeid):
            raise pytest.UsageError(f"{item.nodeid}: say ids= for what has no name of its own")


def pytest_collection_finish() -> None:
    """Half a million objects of modules and tests stay to the end: looking for garbage among them is a third of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class TopLevelSVG(SingleFileSnapshotExtension):
    """One picture per test: `snapshots/<test module>/<test name>[<param>].svg`."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        """The folder of the test's module, all modules side by side."""
        return str(SNAPSHOTS / test_location.basename)

    def serialize(self, data: Any, **_options: Any) -> str:
        """The picture without the id that Rich makes up for each."""
        return re.sub(r"\bterminal-\d+-", "terminal-", str(data))


class Compare(Protocol):
    """Takes a picture of an app and holds it against the one that was reviewed."""

    def __call__(
        self,
        app: App[Any],
        *,
        press: Sequence[str] = (),
        size: tuple[int, int] = (80, 24),
        drive: Drive | None = None,
    ) -> bool: ...


@pytest.fixture(autouse=True)
def _plain_environment() -> Iterator[None]:
    """Nothing of the person's own environment or files may change a picture; Textual reads NO_COLOR in its App."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NO_COLOR", raising=False)
        patch.setenv("TZ", "UTC")
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            patch.setenv(name, os.devnull)  # nothing can be read or written below it
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def snap_compare(snapshot: SnapshotAssertion) -> Compare:
    """The comparer; run pytest with --snapshot-update to take the pictures anew, then look at them."""
    pictures = snapshot.use_extension(TopLevelSVG)

    def compare(
        app: App[Any],
        *,
        press: Sequence[str] = (),
        size: tuple[int, int] = (80, 24),
        drive: Drive | None = None,
    ) -> bool:
        return bool(pictures == asyncio.run(_shoot(app, press, size, drive)))

    return compare


async def _shoot(app: App[Any], press: Sequence[str], size: tuple[int, int], drive: Drive | None) -> str:
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        if drive is not None:
            await drive(pilot)
        await pilot.press(*press)
        for screen in app.screen_stack:
            for field in (*screen.query(Input), *screen.query(TextArea)):
                field.cursor_blink = False
        await pilot.pause()
        return app.export_screenshot(simplify=True)
