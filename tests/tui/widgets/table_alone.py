"""A table alone on the screen, for tests of what it draws and says."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.strip import Strip

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, literal
from buddy_top.widgets.table.table import Column, Table

COLUMNS = (
    Column("name", Plain("name"), 8, grow=1),
    Column("calls", Plain("calls"), 6, align="right"),
)


class CountingTable(Table):
    """A table that remembers which lines it was asked to draw."""

    def __init__(self, **options: Any) -> None:
        super().__init__(*COLUMNS, **options)
        self.drawn: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.drawn.append(y)
        return super().render_line(y)


class TableApp(App[None]):
    """A table alone on the screen, and what it said."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.table = CountingTable(**options)
        self.said: list[tuple[str, str | None]] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        self.said.append(("highlighted", event.key))

    def on_table_opened(self, event: Table.Opened) -> None:
        self.said.append(("opened", event.key))

    def on_table_header_clicked(self, event: Table.HeaderClicked) -> None:
        self.said.append(("header", event.column))

    def on_table_follow_ended(self, event: Table.FollowEnded) -> None:
        self.said.append(("follow ended", event.table.cursor_key))


class Numbers(Sequence[str]):
    """A million keys that exist only when they are asked for; counts how often."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.asked = 0

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, index: Any) -> Any:
        if not -self.total <= index < self.total:
            raise IndexError(index)
        self.asked += 1
        return f"k{index % self.total}"


def rows_of(values: dict[str, int]) -> tuple[list[str], Any]:
    keys = list(values)

    def render(index: int) -> Sequence[Cell]:
        return (literal(keys[index]), literal(str(values[keys[index]])))

    return keys, render


def many(total: int) -> dict[str, int]:
    return {f"k{number}": number for number in range(total)}


@contextmanager
def drawing(table: CountingTable) -> Any:
    """Collects the lines drawn inside the block."""
    table.drawn.clear()
    lines: list[int] = []
    yield lines
    lines.extend(table.drawn)


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.pause()


def screen_text(app: App[Any]) -> list[str]:
    """What stands on each line of the screen."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip)[:width] for strip in strips[:height]]
