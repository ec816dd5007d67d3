"""Two runs side by side, over the picture: what differs in all, then their calls, aligned."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from buddy_core.runs.comparing.compare import compare_runs
from buddy_core.runs.comparing.lines import summary_lines
from buddy_core.runs.comparing.model import Call, DiffStep, RunDiff, StepKind
from buddy_core.runs.comparing.steptable import near_differences
from buddy_core.runs.comparing.words import SIGNS, call_words, difference, headline, remark
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain, plain
from buddy_top.config.prices import price_table
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span, literal
from buddy_top.options import Options
from buddy_top.run_view.timeline.shown_rows import KnownRows
from buddy_top.screens.card import Card
from buddy_top.screens.event import EventScreen
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Column, Table
from buddy_top.widgets.text.view import TextView

_COLUMNS = (
    Column("sign", Plain(""), 1, sortable=False),
    Column("a", Plain("A"), 4, align="right", sortable=False),
    Column("b", Plain("B"), 4, align="right", sortable=False),
    Column("call", Plain("call"), 24, grow=1, sortable=False),
    Column("took_a", Plain("took A"), 7, align="right", sortable=False, priority=1),
    Column("took_b", Plain("took B"), 7, align="right", sortable=False, priority=1),
    Column("delta", Plain("B − A"), 8, align="right", sortable=False, priority=2),
    Column("tokens", Plain("tokens"), 7, align="right", sortable=False, priority=4),
    Column("cost", Plain("cost"), 9, align="right", sortable=False, priority=3),
)
_INKS: dict[StepKind, str] = {
    "same": "dim",
    "outcome": "bad",
    "changed": "warn",
    "only_a": "accent",
    "only_b": "accent",
    "before": "dim",
}

_TALL = 34
"""From so many lines on there is room for empty ones."""


class CompareScreen(Card[None]):
    """The comparison of two runs; `n` and `N` go from difference to difference, `t` shows all calls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,D", "dismiss(None)", "back", show=False),
        Binding("n,e", "step(1)", "next", show=False),
        Binding("N,E", "step(-1)", "previous", show=False),
        Binding("t", "toggle_whole", "all", show=False),
    ]

    def __init__(self, options: Options, a: str, b: str) -> None:
        super().__init__()
        self._options = options
        self._ids = a, b
        self._whole = False
        self._diff: RunDiff | None = None
        self._told: Sequence[int] = ()
        self._columns: Sequence[int] = range(len(_COLUMNS))

    def compose(self) -> ComposeResult:
        """The runs and their totals, the calls, and the call under the cursor in full."""
        with Panel(classes="card compare") as self.panel:
            self.panel.set_title(Plain("Two runs"))
            self.panel.set_summary(Plain("esc closes"))
            self.head = TextView(classes="head")
            yield self.head
            self.table = Table(*_COLUMNS, empty=Plain("no calls"))
            yield self.table
            self.words = TextView(classes="words")
            yield self.words

    def on_mount(self) -> None:
        """Read both runs, elsewhere."""
        self.table.focus()
        self.head.set_lines([literal("reading both runs …", "dim")])
        self.run_worker(self._read(), exclusive=True)

    def on_resize(self) -> None:
        """Lay the totals out anew."""
        self.call_after_refresh(self._draw_head)

    def action_step(self, step: int) -> None:
        """The next difference, or the one before."""
        if self._diff is None:
            return
        at = self.table.cursor_index
        order = range(at + 1, len(self._told)) if step > 0 else range(at - 1, -1, -1)
        found = next((index for index in order if self._differs(self._told[index])), None)
        if found is not None:
            self.table.move_to(str(self._told[found]))

    def action_toggle_whole(self) -> None:
        """Every call, or those with a difference and some around them."""
        self._whole = not self._whole
        self._list()

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        """Another call, other words."""
        event.stop()
        self._explain()

    def on_table_opened(self, event: Table.Opened) -> None:
        """The event in full: that of B, or of A where B has none."""
        event.stop()
        step = self._under_cursor()
        if step is None:
            return
        side, call = (self._ids[1], step.b) if step.b is not None else (self._ids[0], step.a)
        if call is not None:
            self.app.push_screen(EventScreen(self._run_dir(side), KnownRows((call.row,)), 0))

    def _run_dir(self, run_id: str) -> Path:
        return self._options.runs_dir / run_id

    async def _read(self) -> None:
        self._diff = await asyncio.to_thread(self._compared)
        self._leave_out_unknown(self._diff.steps)
        self._list()
        if self._diff.divergence is not None:
            self.table.move_to(str(self._diff.divergence))
        self._draw_head()
        self._explain()

    def _leave_out_unknown(self, steps: Sequence[DiffStep]) -> None:
        """Give the room of what is known of no call to the others."""
        known = {
            "tokens": any(step.tokens.delta is not None for step in steps),
            "cost": any(step.cost.delta is not None for step in steps),
        }
        self._columns = [index for index, column in enumerate(_COLUMNS) if known.get(column.key, True)]
        self.table.set_columns([_COLUMNS[index] for index in self._columns])

    def _compared(self) -> RunDiff:
        a, b = map(self._run_dir, self._ids)
        return compare_runs(a, b, clock=self._options.clock, prices=price_table(self._options.prices))

    def _list(self) -> None:
        """The calls that are told; where none differs, all of them."""
        if self._diff is None:
            return
        steps = self._diff.steps
        near = [True] * len(steps) if self._whole else near_differences(steps)
        self._told = [index for index, told in enumerate(near) if told] or range(len(steps))
        self.table.set_source([str(index) for index in self._told], self._cells)
        hidden = len(steps) - len(self._told)
        words = f"{fmt.plural(hidden, 'like call')} hidden · t shows all" if hidden else "enter opens a call"
        self.panel.set_summary(Plain(f"{words} · n N differences · esc"))

    def _draw_head(self) -> None:
        width = self.head.size.width - 2
        if self._diff is None or width <= 0:
            return
        airy = self.app.size.height >= _TALL
        lines = [line for line in (*summary_lines(self._diff, width=width), "") if line or airy]
        self.head.styles.height = len(lines)
        self.head.set_lines([_head_line(index, line) for index, line in enumerate(lines)])

    def _cells(self, index: int) -> tuple[Cell, ...]:
        assert self._diff is not None
        step = self._diff.steps[self._told[index]]
        ink, both = _INKS[step.kind], step.a is not None and step.b is not None
        call = step.b or step.a
        words = "" if call is None else call_words(call, self._diff) + remark(step)
        took, used, cost = step.took_ms, step.tokens, step.cost
        cells = (
            literal(SIGNS[step.kind], ink),
            literal(_number(step.a), "label"),
            literal(_number(step.b), "label"),
            (Span(plain(words, limit=400), "dim" if step.kind == "before" else "value"),),
            literal(fmt.duration(took.a) if step.a else "", "label"),
            literal(fmt.duration(took.b) if step.b else "", "label"),
            literal(difference(fmt.duration, took) if both else ""),
            literal(difference(fmt.tokens, used) if both else "", "label"),
            literal(difference(fmt.cost, cost) if both else "", "label"),
        )
        return tuple(cells[index] for index in self._columns)

    def _explain(self) -> None:
        """The call under the cursor in words, that of A and that of B."""
        step = self._under_cursor()
        if step is None or self._diff is None:
            self.words.set_lines([])
            return
        lines: list[Cell] = [(Span(plain(headline(step), limit=300), _INKS[step.kind]),)]
        for name, call in (("A", step.a), ("B", step.b)):
            if call is not None:
                error = f" — {shown(call.row.error, limit=300)}" if call.row.error else ""
                told = plain(f"{call_words(call, self._diff)}{error}", limit=700)
                lines.append((Span(Plain(f"{name}  "), "label"), Span(told)))
        self.words.set_lines(lines, keep_scroll=False)

    def _under_cursor(self) -> DiffStep | None:
        key = self.table.cursor_key
        return None if key is None or self._diff is None else self._diff.steps[int(key)]

    def _differs(self, index: int) -> bool:
        assert self._diff is not None
        return self._diff.steps[index].kind not in ("same", "before")


def _number(call: Call | None) -> str:
    return "" if call is None else fmt.count(call.number)


def _head_line(index: int, line: str) -> Cell:
    return (Span(plain(line, limit=1000), "strong" if index < 2 else "label"),)
