"""The test commands of a run, over the picture: read, approved by word, run again, ended.

Nothing runs without the word that stands at the end of what would be executed, typed key by key; what runs is
watched in the same place, bounded and masked, and recorded nowhere. It ends with this screen at the latest.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key

from buddy_core.errors import BuddyError
from buddy_core.runs.replay.commands import Findings
from buddy_core.runs.replay.live import Live
from buddy_core.runs.replay.model import Command
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span, literal
from buddy_top.screens.card import Card
from buddy_top.screens.replay.bench import Bench
from buddy_top.screens.replay.lines import (
    approval_cells,
    ending_cell,
    now_cell,
    obstacle_cells,
    output_cells,
    printed_by,
    row_cells,
)
from buddy_top.screens.replay.wordline import WordLine
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Column, Table
from buddy_top.widgets.text.view import TextView

_COLUMNS = (
    Column("number", Plain(""), 2, align="right", sortable=False),
    Column("command", Plain("command"), 16, grow=2, sortable=False),
    Column("recorded", Plain("recorded"), 22, grow=1, sortable=False, priority=1),
    Column("now", Plain("now"), 15, sortable=False),
)
_MOST_LISTED = 7
REFRESH_S = 0.25
"""Between two looks at what a running command prints."""

GROUP = "replay"
"""Group of the worker that waits for the command; there is at most one."""


class ReplayScreen(Card[None]):
    """A list of commands, the text of the chosen one, and a line that asks for its word."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,R", "leave", "back", show=False),
        Binding("c", "cancel", "cancel", show=False),
        Binding("t", "toggle_text", "output", show=False),
        Binding("tab,shift+tab,right,left", "step_panel", "panel", show=False),
    ]

    def __init__(
        self,
        runs_dir: Path,
        run_id: str,
        *,
        read_only: bool = False,
        clock: Callable[[], float] = time.monotonic,
        env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._bench = Bench(runs_dir, run_id, clock=clock, env=os.environ if env is None else env)
        self._read_only = read_only
        self._leaving = False
        self._asks = False
        self._plan = False
        self._looked_at = -1

    # What it looks like

    def compose(self) -> ComposeResult:
        """List, text, question."""
        with Panel(classes="card replay") as self.panel:
            self.panel.set_title(Plain("Replay"))
            self.panel.set_summary(Plain("esc"))
            self.table = Table(*_COLUMNS, empty=Plain("reading …"))
            yield self.table
            self.text = TextView(classes="words")
            yield self.text
            self.line = WordLine()
            yield self.line

    def on_mount(self) -> None:
        """Look for the commands, elsewhere."""
        self.table.focus()
        self.run_worker(self._find(), group="find")
        self.set_interval(REFRESH_S, self._watch)

    def on_unmount(self) -> None:
        """Whatever still runs ends."""
        self._bench.cancel()

    async def _find(self) -> None:
        try:
            found = await self._bench.find()
        except (OSError, BuddyError) as error:
            self.table.set_source([], self._cells)
            self.text.set_lines([(Span(shown(f"the run cannot be read: {error}", limit=300), "bad"),)])
            return
        self._announce(found)
        self._list()
        self._draw()

    def _announce(self, found: Findings) -> None:
        can = sum(test.command is not None for test in found.tests)
        words = f"{fmt.plural(len(found.tests), 'test command')}, {can or 'none'} can be run again"
        if not found.tests:
            words = "no test commands were recorded"
        self.panel.set_title((Span(Plain("Replay"), "strong"), Span(Plain(f"  {words}"), "label")))

    def _list(self) -> None:
        self.table.styles.height = min(_MOST_LISTED, max(2, len(self._bench.tests) + 1))
        self.table.set_source([str(index) for index in range(len(self._bench.tests))], self._cells)

    def _cells(self, index: int) -> tuple[Cell, ...]:
        test, running = self._bench.tests[index], index == self._bench.at_work
        return row_cells(index + 1, test, now_cell(test, self._bench.rerun(index), running=running))

    @property
    def _chosen(self) -> int | None:
        key = self.table.cursor_key
        return None if key is None else int(key)

    def _draw(self, *, keep_scroll: bool = False) -> None:
        """The text of the chosen command, and the line below it."""
        at = self._chosen
        self.line.set_prompt(self._prompt())
        if at is None:
            return
        test, rerun = self._bench.tests[at], self._bench.rerun(at)
        command, shows_output = test.command, not self._plan
        if at == self._bench.at_work and shows_output:
            return
        if command is None:
            lines = list(obstacle_cells(test))
        elif rerun is not None and shows_output:
            lines = [ending_cell(rerun), (), *output_cells(printed_by(rerun), self._width)]
        else:
            lines = list(approval_cells(command, test, self._bench.conditions.env))
        self.text.set_lines(lines, keep_scroll=keep_scroll)

    @property
    def _width(self) -> int:
        """Columns for a line of output."""
        return max(self.text.size.width - 2, 20)

    def _prompt(self) -> Cell:
        """What the line at the bottom says or asks."""
        if self._bench.at_work is not None:
            took = f"● running {fmt.duration(1000 * self._bench.took_s)}"
            if self._leaving:
                return literal("it still runs: y ends it and leaves, any other key stays", "warn")
            return (Span(Plain(took), "accent"), Span(Plain("  c ends it · esc leaves"), "dim"))
        at = self._chosen
        if at is None or self._bench.command(at) is None:
            return literal("" if at is None else "esc back", "dim")
        if self._read_only:
            return literal("read-only: nothing is run", "warn")
        if self._asks:
            return literal("the word at the end of the text above runs exactly this: ", "label")
        seen = " · t what it would run, or its output" if self._bench.rerun(at) is not None else ""
        return literal(f"enter asks for its word{seen} · esc back", "dim")

    # What it does

    async def on_table_highlighted(self, event: Table.Highlighted) -> None:
        """Another command, another text."""
        event.stop()
        self._plan = False
        self._looked_at = -1
        self._draw()
        await self._watch()

    def on_table_opened(self, event: Table.Opened) -> None:
        """Ask for the word of this command, with all of it in sight or below."""
        event.stop()
        if self._bench.command(self._chosen) is None or self._bench.at_work is not None or self._read_only:
            return
        self._plan = self._asks = True
        self._draw()
        self.line.focus()

    @on(WordLine.Moved)
    def _scroll(self, event: WordLine.Moved) -> None:
        getattr(self.text, f"action_{event.action}")()

    @on(WordLine.Left)
    def _unasked(self) -> None:
        self._asks = False
        self.table.focus()
        self._draw(keep_scroll=True)

    @on(WordLine.Answered)
    def _answered(self, event: WordLine.Answered) -> None:
        at = self._chosen
        command = self._bench.command(at)
        if at is None or command is None or self._bench.at_work is not None or self._read_only:
            return
        if event.text != command.word:
            words = (
                "nothing was typed: nothing was run"
                if not event.text
                else "that is not its word: nothing was run"
            )
            self.line.set_prompt(literal(f"{words}   ", "warn"))
            return
        live = self._bench.begin(at)
        self._plan = self._asks = False
        self.table.focus()
        self.text.set_lines([literal("starting …", "dim")], keep_scroll=False)
        self._list()
        self.run_worker(self._play(at, command, event.text, live), group=GROUP)

    async def _play(self, at: int, command: Command, typed: str, live: Live) -> None:
        told = await self._bench.play(at, command, typed, live)
        self._leaving = False
        self._list()
        self._draw()
        if told is not None:
            self.line.set_prompt((Span(told, "warn"),))

    async def _watch(self) -> None:
        """Draw what was printed since the last look; laid out elsewhere."""
        live = self._bench.live
        if live is None or self._bench.at_work is None:
            return
        self.line.set_prompt(self._prompt())
        printed = live.output.printed()
        if self._plan or self._chosen != self._bench.at_work or printed.size == self._looked_at:
            return
        self._looked_at = printed.size
        lines = await asyncio.to_thread(output_cells, printed, self._width)
        if live is self._bench.live:
            at_end = self.text.top >= self.text.max_top
            self.text.set_lines(lines)
            if at_end:
                self.text.set_top(self.text.max_top)

    def action_cancel(self) -> None:
        """End the command that runs, and everything it started."""
        if self._bench.cancel():
            self.line.set_prompt(literal("ending it …", "warn"))

    def action_toggle_text(self) -> None:
        """What would be run, or what it printed."""
        self._plan = not self._plan
        self._looked_at = -1
        self._draw()

    def action_step_panel(self) -> None:
        """List or text."""
        self._asks = False
        (self.text if self.table.has_focus else self.table).focus()

    def action_leave(self) -> None:
        """Back; where something runs, ask first."""
        if self._bench.at_work is None:
            self.dismiss(None)
        else:
            self._leaving = True
            self.line.set_prompt(self._prompt())

    def on_key(self, event: Key) -> None:
        """The answer to the question whether to leave."""
        if not self._leaving or event.key in ("escape", "q", "R"):
            return
        self._leaving = False
        event.stop()
        event.prevent_default()
        if event.key == "y":
            self.action_cancel()
            self.dismiss(None)
        else:
            self.line.set_prompt(self._prompt())
