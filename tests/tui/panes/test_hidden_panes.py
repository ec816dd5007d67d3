"""Panes that are not on the screen cost nothing: they sort nothing, build no row and draw no line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, Monitor, monitor
from textual.widget import Widget

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.options import TabName
from buddy_top.panes.base import Pane
from buddy_top.panes.tablepane import TablePane
from buddy_top.widgets.table.table import Table

TABS: tuple[TabName, ...] = get_args(TabName)


def pane_of(widget: Widget) -> str | None:
    """The tab on whose pane a widget is; None for the frame around the panes."""
    return next((node.TAB.value for node in widget.ancestors_with_self if isinstance(node, Pane)), None)


@contextmanager
def counting() -> Iterator[Counter[tuple[str, str]]]:
    """How often which pane did what."""
    done: Counter[tuple[str, str]] = Counter()

    def counted(method: Callable[..., Any], what: str) -> Callable[..., Any]:
        def call(self: Widget, *args: Any, **options: Any) -> Any:
            if pane := pane_of(self):
                done[pane, what] += 1
            return method(self, *args, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for kind, name, what in (
            (TablePane, "arranged", "sorts"),
            (TablePane, "_render_row", "builds a row"),
            (Table, "set_source", "is given rows"),
            (Widget, "refresh", "is to be drawn anew"),
            (Widget, "render_lines", "draws"),
        ):
            patch.setattr(kind, name, counted(getattr(kind, name), what))
        yield done


def work(run: RunDirectoryBuilder, number: int) -> None:
    """Something that changes every pane."""
    run.tool(f"tool {number}", {"command": "make"}, took_ms=900 + number)
    run.request(model=f"model {number}", prompt=500, cost=0.2).error(f"reason {number}x")
    run.write()


async def with_all_panes_built(shown: Monitor, tab: TabName) -> None:
    for other in (*TABS, tab):
        await shown.go(other)


@pytest.mark.parametrize("tab", TABS)
async def test_only_the_pane_on_the_screen_works_when_everything_changes(
    tmp_path: Path, tab: TabName
) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 60_000, objective="Grow")
    work(run, 1)
    async with monitor(tmp_path, size=COMFORTABLE) as shown:
        await with_all_panes_built(shown, tab)
        with counting() as done:
            for number in range(2, 5):
                work(run, number)
                await shown.refresh()
        assert {pane for pane, _ in done} == {tab}
        assert done[tab, "draws"]
