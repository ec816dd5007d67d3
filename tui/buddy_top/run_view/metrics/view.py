"""The numbers of one run: what it used and when, where the time went, which tools it called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.widget import Widget

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.numbers.runnumbers import RunNumbers, ToolUse
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span, fit, text_of
from buddy_top.run_view.heading import took
from buddy_top.run_view.metrics.timebar import time_lines
from buddy_top.run_view.part import NO_REMARK, RunPart
from buddy_top.state import RunDetail, RunView, Snapshot, Wants
from buddy_top.widgets.charts.data import ChartData, Series
from buddy_top.widgets.charts.plot import plot_lines
from buddy_top.widgets.text.view import TextView

if TYPE_CHECKING:
    from buddy_core.origins.model import Origin
    from buddy_top.export.sheet import Sheet

_LABEL_WIDTH = 14
_LEAST_CHART = 36
"""Columns of a chart below which the numbers have the width to themselves."""

_NUMBERS_WIDTH = 36
_CHART_LINES = ((20, 5), (30, 6), (10_000, 7))
"""Lines of each chart in a view of less than so many."""


class MetricsView(RunPart):
    """Numbers beside charts, the bar of time, the tools; all of it is one text to scroll and to search."""

    NAME: ClassVar[RunView] = "metrics"

    def __init__(self) -> None:
        super().__init__()
        self.text = TextView()
        self._shown: tuple[RunFacts, RunNumbers | None, int] | None = None
        self._problem = NO_REMARK
        self._marked = ""

    def compose(self) -> ComposeResult:
        """Just the text."""
        yield self.text

    @property
    def target(self) -> Widget:
        """The text."""
        return self.text

    def wants(self, base: Wants) -> Wants:
        """The numbers of the run over its time."""
        return replace(base, numbers=True)

    def show_run(self, snapshot: Snapshot, run: RunFacts, detail: RunDetail | None) -> Plain:
        """Draw the numbers known by now."""
        numbers = snapshot.numbers
        if numbers is not None and numbers.run_id != run.run_id:
            numbers = None
        self._shown = (run, numbers, snapshot.taken_at)
        self._problem = shown(detail.problem) if detail is not None and detail.problem else NO_REMARK
        self._draw()
        return Plain("  reading …") if numbers is not None and numbers.reading else NO_REMARK

    def show_nothing(self, words: Plain) -> None:
        """No numbers."""
        self._shown = None
        self.text.set_lines([(Span(words, "dim"),)])

    def on_resize(self) -> None:
        """Charts are as wide as there is room."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        if self._shown is not None:
            width, height = self.text.size
            lines = metrics_lines(*self._shown, width=max(width - 2, 1), height=height)
            problem: list[Cell] = [(Span(self._problem, "warn"),), ()] if self._problem else []
            self.text.set_lines([*problem, *lines])

    @property
    def filter_text(self) -> str:
        """What is marked in the text."""
        return self._marked

    def set_filter(self, text: str) -> None:
        """Mark every word of `text`: a text is searched, its lines all stay."""
        self._marked = text
        self.text.highlight_matches(text, each_word=True)

    def origins(self, snapshot: Snapshot) -> list[Origin]:
        """Where the parts of the time come from."""
        from buddy_core.origins.timespent import origin_of_time

        numbers = None if self._shown is None else self._shown[1]
        return [] if numbers is None else [origin_of_time(numbers, snapshot.sources.runs_dir)]

    def sheet(self) -> Sheet | None:
        """The numbers, the parts of the time and the tools as they read; and what they were made of."""
        if self._shown is None:
            return None
        from buddy_core.runs.viewing.entries import fields_of, run_entry
        from buddy_top.export.sheet import Sheet

        run, numbers, now_ms = self._shown
        lines = [
            (text_of(line)[:_LABEL_WIDTH].strip(), text_of(line)[_LABEL_WIDTH:].strip())
            for line in _totals(run, now_ms)
        ]
        record = run_entry(run)
        if numbers is not None:
            lines += [(f"time: {name}", str(fmt.duration(value))) for name, value in numbers.spent.parts]
            lines += [
                (shown(use.name), " ".join(text_of(_tool_line(use, 1)).split()[1:])) for use in numbers.tools
            ]
            record |= {
                "time_spent": fields_of(numbers.spent),
                "tools": [fields_of(use) for use in numbers.tools],
            }
        return Sheet(title="metrics", columns=("number", "value"), lines=lines, records=[record])


def metrics_lines(
    run: RunFacts, numbers: RunNumbers | None, now_ms: int, *, width: int, height: int
) -> list[Cell]:
    """The whole view, for so many columns and lines on the screen; charts, time and tools come when the events have been read."""
    totals = list(_totals(run, now_ms))
    if numbers is None or (numbers.reading and not numbers.spent.total_ms):
        return [*totals, (), (Span(Plain("reading the events …"), "dim"),), *_integrity(run)]
    beside = width - _NUMBERS_WIDTH - 2
    each = next(lines for below, lines in _CHART_LINES if height < below)
    charts = _charts(numbers, beside, each) if beside >= _LEAST_CHART else []
    lines = list(_side_by_side(totals, charts))
    if not charts:
        lines += [(), *_charts(numbers, width, each)]
    return [*lines, (), *time_lines(numbers, width), (), *_tool_table(numbers, width), *_integrity(run)]


def _side_by_side(left: Sequence[Cell], right: Sequence[Cell]) -> Iterator[Cell]:
    for one, other in zip_longest(left, right, fillvalue=()):
        yield (*fit(one, _NUMBERS_WIDTH), Span(Plain("  ")), *other) if other else one


def _charts(numbers: RunNumbers, width: int, height: int) -> list[Cell]:
    """Tokens in each slice of time, and dollars spent so far."""
    spent = ChartData(
        series=(Series(tuple(float(tokens) for tokens in numbers.tokens)),),
        start_ms=numbers.start_ms,
        bucket_ms=numbers.slice_ms,
        unit=Plain("tokens"),
        per_slice=True,
        how="sum",
        empty=Plain("no request says how many tokens it used"),
    )
    cost = ChartData(
        series=(Series(numbers.cost, "ok"),),
        start_ms=numbers.start_ms,
        bucket_ms=numbers.slice_ms,
        unit=Plain("cost so far, estimated" if numbers.cost_estimated else "cost so far"),
        words=lambda value: fmt.cost(value, estimated=numbers.cost_estimated),
        empty=Plain("no request says what it cost"),
    )
    return [*plot_lines(spent, width, height), *plot_lines(cost, width, height)]


def _pair(label: str, *spans: Span) -> Cell:
    return (Span(Plain(label.ljust(_LABEL_WIDTH)), "label"), *spans)


def _value(text: Plain) -> Span:
    return Span(text, "dim" if text == fmt.UNKNOWN else "value")


def _not_logged(text: Plain) -> tuple[Span, ...]:
    return (_value(text), Span(Plain("  not logged"), "dim")) if text == fmt.UNKNOWN else (_value(text),)


def _totals(run: RunFacts, now_ms: int) -> Iterable[Cell]:
    yield _pair("tokens", *_not_logged(fmt.tokens_full(run.total_tokens)))
    if run.total_tokens is not None:
        yield _pair("  prompt", _value(fmt.tokens_full(run.prompt_tokens)))
        yield _pair("  completion", _value(fmt.tokens_full(run.completion_tokens)))
    if run.other_tokens:
        yield _pair("  other", _value(fmt.tokens_full(run.other_tokens)), Span(Plain("  cache"), "dim"))
    yield _pair("cost", *_not_logged(fmt.cost_of(run)))
    yield _pair("model", *((Span(shown(run.model)),) if run.model else _not_logged(fmt.UNKNOWN)))
    yield _pair("took", _value(took(run, now_ms)))
    yield _pair("events", _value(fmt.count(run.event_count)))
    failures = Span(Plain(f"  {run.tool_failures} failed"), "bad" if run.tool_failures else "dim")
    yield _pair("tool calls", _value(fmt.count(run.tool_calls)), failures)
    yield _pair("error events", Span(fmt.count(run.errors), "bad" if run.errors else "value"))
    if run.failovers:
        yield _pair("failovers", Span(fmt.count(run.failovers), "warn"))
    yield _pair("session", *((Span(shown(run.session_id)),) if run.session_id else (_value(fmt.UNKNOWN),)))


def _tool_table(numbers: RunNumbers, width: int) -> Iterable[Cell]:
    if not numbers.tools:
        yield (Span(Plain("no tool was called"), "dim"),)
        return
    names = min(28, max(12, width - 46), max(len(shown(use.name)) for use in numbers.tools))
    heading = f"{'tool'.ljust(names)}  {'calls':>6}  {'fail':>5}  {'time':>8}  {'p95':>8}  {'slowest':>8}"
    yield (Span(Plain(heading), "label"),)
    for use in numbers.tools:
        yield _tool_line(use, names)


def _tool_line(use: ToolUse, width: int) -> Cell:
    return (
        *fit((Span(shown(use.name), "strong"),), width),
        Span(Plain(f"  {fmt.count_within(6, use.calls):>6}")),
        Span(Plain(f"  {fmt.count_within(5, use.failures):>5}"), "bad" if use.failures else "dim"),
        _time(use.total_ms, "value"),
        _time(use.p95_ms, "value"),
        _time(use.max_ms, "label"),
        Span(Plain(f"  {use.open:,} without a result" if use.open else ""), "dim"),
    )


def _time(value: float | None, ink: str) -> Span:
    return Span(Plain(f"  {fmt.duration(value):>8}"), "dim" if value is None else ink)


def _integrity(run: RunFacts) -> Iterable[Cell]:
    damage = run.integrity
    if damage.intact:
        return
    yield ()
    yield (Span(Plain("the event file is damaged"), "warn"),)
    yield _pair("skipped", _value(fmt.count(damage.skipped_lines)), Span(Plain(" lines"), "dim"))
    yield _pair("recovered", _value(fmt.count(damage.recovered_lines)), Span(Plain(" records"), "dim"))
    yield _pair("pending", _value(fmt.count(damage.pending_bytes)), Span(Plain(" bytes"), "dim"))
    for note in damage.notes:
        yield (Span(Plain("  · "), "dim"), Span(shown(note), "label"))
