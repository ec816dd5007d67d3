"""Every widget with believable content, for the pictures: nothing here depends on the time or the machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.filter import LineFilter, Monochrome, NoColor

from buddy_core.metrics.looking.model import HistogramBin
from buddy_core.safety.text import Plain, plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span, cell, literal
from buddy_top.drawing.states import status_cell
from buddy_top.drawing.themes import THEMES
from buddy_top.terminal.guard import WithoutColor
from buddy_top.widgets.charts.chart import Chart, ChartData, Series
from buddy_top.widgets.charts.histogram import Histogram, HistogramData
from buddy_top.widgets.charts.tile import Tile, TileFacts
from buddy_top.widgets.frame.footer import FooterLine
from buddy_top.widgets.frame.header import HeaderFields, HeaderLine
from buddy_top.widgets.frame.tabs import TabLabel, TabLine
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.bars import share_bar, slice_bar
from buddy_top.widgets.table.table import Column, Table
from buddy_top.widgets.text.view import TextView

NOON = 1_767_873_600_000
"""Thursday 8 January 2026, 12:00 UTC."""
HOUR = 3_600_000

COLUMNS = (
    Column("status", Plain("status"), 13),
    Column("started", Plain("started"), 7, align="right"),
    Column("took", Plain("took"), 7, align="right", priority=2),
    Column("tokens", Plain("tokens"), 6, align="right"),
    Column("share", Plain("share"), 8, priority=4),
    Column("cost", Plain("cost"), 8, align="right", priority=1),
    Column("tools", Plain("tools"), 5, align="right", priority=3),
    Column("err", Plain("err"), 3, align="right"),
    Column("objective", Plain("objective"), 14, grow=2),
    Column("where", Plain("where"), 12, grow=1, priority=5, cut="left"),
)
STATES = ("running", "stalled", "failed", "completed", "completed", "cancelled", "interrupted", "completed")
OBJECTIVES = (
    "Fix the flaky login test",
    "Refactor the 数据库 connection pool",
    "Upgrade dependencies and rerun the whole suite until it is green",
    "Add a dark theme",
    "Explain why the café menu é breaks",
)
HOSTILE = "\x1b]0;owned\x07[red]not red[/] \u202egnp.exe\u202c a\u0300\u0301\u0302b\x00 \U0001f642 [@click=app.quit]x[/]"


def row(index: int) -> Sequence[Cell]:
    """One run of the list."""
    tokens = None if index % 7 == 3 else 1_234 * (index + 1) ** 2
    price = None if tokens is None else tokens * 0.000_004
    failures = (0, 1, 0, 0, 12)[index % 5]
    return (
        status_cell(STATES[index % len(STATES)]),
        cell(fmt.clock(NOON - index * HOUR, UTC, seconds=False), "label"),
        cell(fmt.duration(41_000 * (index + 1)), "label"),
        cell(fmt.tokens(tokens), "dim" if tokens is None else "value"),
        share_bar((index * 37 % 100) / 100, 8),
        cell(fmt.cost(price, estimated=index % 2 == 0), "dim" if price is None else "value"),
        cell(fmt.count(index * 3)),
        cell(fmt.count(failures), "bad" if failures else "dim"),
        cell(plain(OBJECTIVES[index % len(OBJECTIVES)])),
        cell(plain(f"/home/me/work/projects/shop-{index}/backend"), "dim"),
    )


def hostile_row(_index: int) -> Sequence[Cell]:
    """A run whose every text was written to do harm."""
    return (*row(3)[:8], cell(plain(HOSTILE)), cell(plain(HOSTILE[::-1]), "dim"))


WAVE = tuple(max(0.0, math.sin(i / 9) * 30_000 + math.cos(i / 3) * 9_000) for i in range(96))
ACTIVITY = ChartData(
    (Series(WAVE),),
    NOON - 24 * HOUR,
    HOUR / 4,
    failures=tuple(int(i % 17 == 5) for i in range(96)),
    unit=Plain("tokens / 15m"),
    tz=UTC,
)
LATENCY = ChartData(
    (
        Series(tuple(900 + value / 40 for value in WAVE), "accent", Plain("avg")),
        Series(tuple(2_000 + value / 14 for value in WAVE), "warn", Plain("p95")),
    ),
    NOON - HOUR,
    HOUR / 96,
    style="lines",
    words=fmt.duration,
    tz=UTC,
)
SPREAD = HistogramData(
    tuple(
        HistogramBin(10 * 1.6**i, 10 * 1.6 ** (i + 1), int(60 * math.exp(-(((i - 9) / 4) ** 2))))
        for i in range(24)
    ),
    ((Plain("p50"), 840.0), (Plain("p95"), 4_200.0), (Plain("p99"), 9_000.0)),
)
TILES = {
    "tokens": TileFacts(Plain("1,284,093"), literal("612/min", "dim"), WAVE),
    "cost": TileFacts(Plain("≈$3.41"), literal("$0.82/h", "dim"), WAVE),
    "tool calls": TileFacts(Plain("212"), literal("9/min", "dim"), tuple(value**0.5 for value in WAVE)),
    "response": TileFacts(Plain("1.8 s"), literal("p95 4.2 s", "dim"), WAVE[::-1]),
    "errors": TileFacts(
        Plain("3"), literal("1.2 %", "dim"), (0, 0, 0, 2, 0, 0, 1, 0), ink="bad", value_ink="bad"
    ),
}


def detail_lines() -> list[Cell]:
    """A timeline in words, as the detail of a run has it."""
    return [
        (Span(Plain("✗ failed"), "bad"), Span(Plain(" · 14:02 → 14:09 (6m41s) · "), "label"), Span(Plain("bugfix"), "info")),
        (),
        (Span(Plain("+0.00  "), "dim"), Span(Plain("run_start "), "label"), Span(Plain("Fix the flaky login test"))),
        (Span(Plain("+1.20  "), "dim"), Span(Plain("✓ "), "ok"), Span(Plain("bash "), "strong"),
         Span(Plain("pytest -q tests/test_login.py --maxfail=1")), Span(Plain("  1.8 s  61.2 kB"), "dim")),
        (Span(Plain("+3.41  "), "dim"), Span(Plain("✗ "), "bad"), Span(Plain("edit "), "strong"),
         Span(Plain("src/login.py")), Span(Plain("  no match for the text to replace"), "bad")),
        (Span(Plain("+9.02  "), "dim"), *slice_bar(0.2, 0.5, 20), Span(Plain("  30 %"), "dim")),
    ]  # fmt: skip


class Gallery(App[None]):
    """The frame, tiles, charts, a table, a histogram and a text on one screen."""

    CSS = """
    #tiles { height: 5; }
    #charts { height: 11; }
    #low { height: 1fr; }
    #low > #list { width: 2fr; }
    #side { width: 1fr; }
    """

    def __init__(self, theme: str = "buddy-dark", *, hostile: bool = False) -> None:
        super().__init__()
        for each in THEMES:
            self.register_theme(each)
        self.theme = theme
        self.hostile = hostile

    def get_line_filters(self) -> Sequence[LineFilter]:
        """NO_COLOR as the monitor understands it: no colour at all, not shades of grey."""
        wanted = [each for each in super().get_line_filters() if not isinstance(each, Monochrome | NoColor)]
        return [*wanted, WithoutColor()] if self.no_color else wanted

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        yield TabLine()
        with Horizontal(id="tiles"):
            for name in TILES:
                yield Tile(Plain(name))
        with Horizontal(id="charts"):
            yield Panel(Chart(id="activity"), title=Plain("Activity"), summary=Plain("24 h"))
            yield Panel(Chart(id="latency"), title=Plain("Response time"), summary=Plain("n = 212"))
        with Horizontal(id="low"):
            yield Panel(Table(*COLUMNS), title=Plain("Runs 27"), summary=Plain("3 of 30 match"), id="list")
            with Vertical(id="side"):
                yield Panel(Histogram(), title=Plain("bash"), summary=Plain("212 calls"))
                yield Panel(TextView(), title=Plain("Fix the flaky login test"))
        yield FooterLine()

    def on_mount(self) -> None:
        self._fill_frame()
        for tile, facts in zip(self.query(Tile), TILES.values(), strict=True):
            tile.show(facts)
        self.query_one("#activity", Chart).show(ACTIVITY)
        self.query_one("#latency", Chart).show(LATENCY)
        self.query_one(Histogram).show(SPREAD)
        self.query_one(TextView).set_lines(detail_lines())
        self._fill_table(self.query_one(Table))

    def _fill_frame(self) -> None:
        windows = tuple((name, name == "24h") for name in ("15m", "1h", "24h", "7d", "all"))
        self.query_one(HeaderLine).set_fields(
            HeaderFields(
                path=Plain("~/.codebuddy/runs"),
                state="live",
                state_words=Plain("live"),
                running=2,
                stalled=1,
                windows=windows,
                cost=Plain("≈$3.41"),
                cost_rate=Plain("$0.82/h"),
                clock=Plain("12:31:07"),
            )
        )
        tabs = (("Overview", None), ("Providers", "3"), ("Tools", "12"), ("Errors", "3"), ("Runs", "27"))
        labels = [
            TabLabel(name, Plain(str(number)), Plain(name), Plain(count) if count else None,
                     "bad" if name == "Errors" else "dim")
            for number, (name, count) in enumerate(tabs, start=1)
        ]  # fmt: skip
        self.query_one(TabLine).set_tabs(labels, "Runs")
        keys = ("/ filter", "s sort", "enter open", "f follow", "p pause", "w window", "? help", "q quit")
        self.query_one(FooterLine).set_keys([(*key.split(" "), key) for key in keys])  # type: ignore[misc]

    def _fill_table(self, table: Table) -> None:
        table.set_source([f"run-{number}" for number in range(60)], hostile_row if self.hostile else row)
        table.set_sort("tokens", True)
        table.highlight_matches("the")
        table.marks = {"run-4", "run-5"}
        table.move_to(2)
        table.focus()
