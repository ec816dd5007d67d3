"""`buddy-top --once`: one picture as plain text, for pipes, cron mail and terminals without a full screen.

The same numbers as the screens, from the same frozen values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from buddy_core import format as fmt
from buddy_core.alerts.model import NO_ALERTS, AlertState, BudgetUse
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import ErrorGroup, ProviderMetrics, ToolMetrics, WindowView
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer, SourceStatus
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.viewing.viewer import runs_table
from buddy_core.safety.columns import Column, lay_out
from buddy_core.safety.shown import shown
from buddy_core.safety.text import plain
from buddy_top.cli.alert_lines import alert_lines

NEWEST_RUNS = 20
_TOP = 12
_LATEST_ERRORS = 8

_WINDOW_WORDS = {
    Window.M15: "the last 15 minutes",
    Window.H1: "the last hour",
    Window.H24: "the last 24 hours",
    Window.D7: "the last 7 days",
    Window.ALL: "all time",
}

_PROVIDER_COLUMNS = (
    Column("provider", limit=24, priority=1),
    Column("model", limit=36, grows=True),
    Column("requests", right=True),
    Column("failed", right=True),
    Column("prompt", right=True, priority=3),
    Column("completion", right=True, priority=4),
    Column("cache", right=True, priority=5),
    Column("cost", right=True),
    Column("avg", right=True),
    Column("p95", right=True, priority=2),
    Column("first token", right=True, priority=6),
)

_TOOL_COLUMNS = (
    Column("tool", limit=36, grows=True),
    Column("calls", right=True),
    Column("failed", right=True),
    Column("avg", right=True),
    Column("p50", right=True, priority=2),
    Column("p95", right=True, priority=1),
    Column("max", right=True, priority=3),
)

_ERROR_COLUMNS = (
    Column("count", right=True),
    Column("last seen", right=True),
    Column("type", limit=24, priority=1),
    Column("message", limit=160, grows=True),
)


def picture(
    collector: MetricsCollector,
    observer: Observer,
    window: Window,
    *,
    now_ms: int,
    width: int | None = None,
    alerts: AlertState = NO_ALERTS,
) -> Iterator[str]:
    """The lines of the picture; `width` cuts the tables to a terminal."""
    view = collector.view(window, now_ms=now_ms)
    runs = observer.facts()
    yield from _head(view, runs, observer.sources(), window)
    yield from _attention(alerts, now_ms, width)
    yield from _section("providers", _providers(view.providers, width))
    yield from _section("tools", _tools(view.tools, width))
    yield from _section("errors", _errors(view.errors, now_ms, width))
    yield from _section("runs", runs_table(runs[:NEWEST_RUNS], now_ms=now_ms, width=width))
    found = observer.sources().found
    if found > NEWEST_RUNS:
        yield f"… {found - NEWEST_RUNS:,} older runs: “buddy-top run list --limit 0”"


def _head(view: WindowView, runs: Sequence[RunFacts], sources: SourceStatus, window: Window) -> Iterator[str]:
    running = sum(facts.status == "running" for facts in runs)
    stalled = sum(facts.status == "stalled" for facts in runs)
    live = f"{running} running" + (f", {stalled} stalled" if stalled else "")
    yield f"buddy-top  {plain(str(sources.runs_dir))}  {fmt.plural(sources.found, 'run')}, {live}  {_WINDOW_WORDS[window]}"
    facts = (
        f"{fmt.tokens_full(view.total_tokens)} tokens",
        f"cost {fmt.cost_of(view)}",
        f"{fmt.plural(view.total_requests, 'request')} ({view.failed_requests:,} failed)",
        f"{fmt.plural(view.total_tool_calls, 'tool call')} ({view.failed_tool_calls:,} failed)",
        fmt.plural(view.total_errors, "error"),
        f"response {fmt.duration(view.avg_latency_ms)} avg, {fmt.duration(view.p95_latency_ms)} p95",
    )
    yield " · ".join(facts)
    yield from (shown(note) for note in _notes(view, sources))


def _notes(view: WindowView, sources: SourceStatus) -> Iterator[str]:
    if sources.problem:
        yield f"! {sources.problem}"
    if sources.unreadable:
        yield f"! {fmt.plural(sources.unreadable, 'run')} cannot be read at present"
    if sources.history_problem:
        yield f"! {sources.history_problem}"
    part = sources.part_of(view.since_ms)
    if part is not None:
        yield f"numbers of {part}, “--watch-runs 0” counts all"
    if sources.history_runs or sources.history_turns:
        gone = [fmt.plural(sources.history_runs, "run")] if sources.history_runs else []
        gone += [fmt.plural(sources.history_turns, "request")] if sources.history_turns else []
        yield f"among these {' and '.join(gone)} whose files are gone, from the history"
    if view.unattributed_tokens or view.unattributed_cost:
        parts = [f"{fmt.tokens(view.unattributed_tokens)} tokens"] if view.unattributed_tokens else []
        estimated = view.unattributed_estimated_cost is not None
        parts += [fmt.cost(view.unattributed_cost, estimated=estimated)] if view.unattributed_cost else []
        yield f"of these {' and '.join(parts)} known only as totals of runs, not by provider"
    if sources.skipped_lines or sources.recovered_lines:
        yield (
            f"{fmt.plural(sources.skipped_lines, 'damaged line')} skipped, "
            f"{fmt.plural(sources.recovered_lines, 'record')} recovered"
        )
    if sources.rejected_names:
        yield f"{fmt.plural(sources.rejected_names, 'entry', 'entries')} called run_… that hold no run"
    if sources.ambiguous_turns:
        yield f"{fmt.plural(sources.ambiguous_turns, 'request')} that more than one run could have made"


def _attention(state: AlertState, now_ms: int, width: int | None) -> Iterator[str]:
    """What somebody should look at, and the budgets that are set; nothing where there is neither."""
    if state.alerts or state.budgets:
        yield ""
    if state.alerts:
        yield f"! {fmt.plural(len(state.alerts), 'alert')}"
        yield from alert_lines(state.alerts, now_ms, width, when="since")
    yield from map(budget_words, state.budgets)


def budget_words(budget: BudgetUse) -> str:
    """`budget: $0.82 of $2.00 spent in the last hour, 41 %`."""
    length = "hour" if budget.rule == "cost_per_hour" else "24 hours"
    spent = f"{fmt.cost(budget.spent, estimated=budget.estimated)} of {fmt.cost(budget.limit)}"
    return f"budget: {spent} spent in the last {length}, {fmt.share(budget.spent, budget.limit)}"


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield ""
    yield from lines or (f"no {title}",)


def _providers(providers: Sequence[ProviderMetrics], width: int | None) -> list[str]:
    rows = [
        (
            shown(one.provider, limit=60),
            shown(one.model, limit=60),
            fmt.count(one.total_requests),
            fmt.count(one.error_count),
            fmt.tokens(one.prompt_tokens if one.tokens_logged else None),
            fmt.tokens(one.completion_tokens if one.tokens_logged else None),
            fmt.tokens(one.cache_tokens if one.tokens_logged else None),
            fmt.cost_of(one),
            fmt.duration(one.avg_latency_ms),
            fmt.duration(one.p95_latency_ms),
            fmt.duration(one.avg_ttft_ms),
        )
        for one in providers[:_TOP]
    ]
    return [*lay_out(_PROVIDER_COLUMNS, rows, width=width)] if rows else []


def _tools(tools: Sequence[ToolMetrics], width: int | None) -> list[str]:
    rows = [
        (
            shown(one.name, limit=60),
            fmt.count(one.total_calls),
            fmt.count(one.error_count),
            fmt.duration(one.avg_duration_ms),
            fmt.duration(one.p50_duration_ms),
            fmt.duration(one.p95_duration_ms),
            fmt.duration(one.max_duration_ms),
        )
        for one in tools[:_TOP]
    ]
    return [*lay_out(_TOOL_COLUMNS, rows, width=width)] if rows else []


def _errors(groups: Sequence[ErrorGroup], now_ms: int, width: int | None) -> list[str]:
    rows = [
        (
            fmt.count(group.count),
            fmt.date_time(group.last_at, now_ms),
            shown(group.type, limit=40),
            shown(group.latest.message, limit=200),
        )
        for group in groups[:_LATEST_ERRORS]
    ]
    return [*lay_out(_ERROR_COLUMNS, rows, width=width)] if rows else []
