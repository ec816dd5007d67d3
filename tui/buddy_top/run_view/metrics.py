"""The numbers of one run in words: what it used, where the time went, which tools it called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.widget import Widget

from buddy_core.runs.model import RunFacts
from buddy_core.runs.viewing.timeline import TimelineRow
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top import format as fmt
from buddy_top.cells import Cell, Span
from buddy_top.run_view.heading import took
from buddy_top.run_view.part import NO_REMARK, RunPart
from buddy_top.state import RunDetail, RunView, Snapshot
from buddy_top.widgets.textview import TextView

if TYPE_CHECKING:
    from buddy_top.export.sheet import Sheet

_LABEL_WIDTH = 14


class MetricsView(RunPart):
    """The numbers as lines to read."""

    NAME: ClassVar[RunView] = "metrics"

    def __init__(self) -> None:
        super().__init__()
        self.text = TextView()
        self._run: RunFacts | None = None
        self._marked = ""

    def compose(self) -> ComposeResult:
        """Just the text."""
        yield self.text

    @property
    def target(self) -> Widget:
        """The text."""
        return self.text

    def show_run(self, snapshot: Snapshot, run: RunFacts, detail: RunDetail | None) -> Plain:
        """Draw the numbers known by now."""
        self._run = run
        self.text.set_lines(metrics_lines(run, detail, snapshot.taken_at))
        return NO_REMARK

    def show_nothing(self, words: Plain) -> None:
        """No numbers."""
        self._run = None
        self.text.set_lines([(Span(words, "dim"),)])

    @property
    def filter_text(self) -> str:
        """What is marked in the text."""
        return self._marked

    def set_filter(self, text: str) -> None:
        """Mark every word of `text`: a text is searched, its lines all stay."""
        self._marked = text
        self.text.highlight_matches(text, each_word=True)

    def sheet(self) -> Sheet | None:
        """The numbers as they read."""
        return None if self._run is None else metrics_sheet(self.text.words(), self._run)


def metrics_lines(run: RunFacts, detail: RunDetail | None, now_ms: int) -> list[Cell]:
    """The metrics view, line by line; its table of tools comes when the events have been read."""
    return [
        *_totals(run, now_ms),
        (),
        *_tools(detail),
        *_integrity(run),
    ]


def metrics_sheet(words: str, run: RunFacts) -> Sheet:
    """The view as it reads, `words`, name by name; and what it was made of."""
    from buddy_core.runs.viewing.entries import run_entry
    from buddy_top.export.sheet import Sheet

    lines = [line for line in words.splitlines() if line.strip()]
    return Sheet(
        title="metrics",
        columns=("number", "value"),
        lines=[(line[:_LABEL_WIDTH].strip(), line[_LABEL_WIDTH:].strip()) for line in lines],
        records=[run_entry(run)],
    )


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
    yield _pair("errors", Span(fmt.count(run.errors), "bad" if run.errors else "value"))
    if run.failovers:
        yield _pair("failovers", Span(fmt.count(run.failovers), "warn"))
    yield _pair("session", *((Span(shown(run.session_id)),) if run.session_id else (_value(fmt.UNKNOWN),)))


def _tools(detail: RunDetail | None) -> Iterable[Cell]:
    if detail is None or detail.reading:
        yield (Span(Plain("reading the events …"), "dim"),)
        return
    if detail.hidden:
        newest = f"of the newest {fmt.count(len(detail.rows))} lines; {fmt.count(detail.hidden)} are older"
        yield (Span(Plain(newest), "dim"),)
    yield from _tool_table(detail.rows)


def _tool_table(rows: Sequence[TimelineRow]) -> Iterable[Cell]:
    calls: dict[str, list[TimelineRow]] = defaultdict(list)
    for row in rows:
        if row.kind in ("tool_call", "tool_result"):
            calls[row.title].append(row)
    if not calls:
        yield (Span(Plain("no tool was called"), "dim"),)
        return
    width = min(28, max(len(shown(name)) for name in calls))
    heading = f"{'tool'.ljust(width)}  {'calls':>6}  {'failed':>6}  {'time':>8}  {'slowest':>8}"
    yield (Span(Plain(heading), "label"),)
    by_time = sorted(calls.items(), key=lambda item: -sum(row.duration_ms or 0 for row in item[1]))
    for name, group in by_time:
        yield _tool_line(name, group, width)


def _tool_line(name: str, group: list[TimelineRow], width: int) -> Cell:
    known = [row.duration_ms for row in group if row.duration_ms is not None]
    failed = sum(row.state == "failed" for row in group)
    words = shown(name, limit=width)
    return (
        Span(Plain(words.ljust(width)), "strong"),
        Span(Plain(f"  {fmt.count(len(group)):>6}")),
        Span(Plain(f"  {fmt.count(failed):>6}"), "bad" if failed else "dim"),
        Span(Plain(f"  {fmt.duration(sum(known) if known else None):>8}")),
        Span(Plain(f"  {fmt.duration(max(known) if known else None):>8}"), "label"),
    )


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
