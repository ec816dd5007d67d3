"""The dashboard as lines of plain text: what stands where, and what is left out when there is little room.

A first column names each block, so that no rules and frames are needed, which wide characters would push
out of line. Observed names and messages become printable before they are laid out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from buddy_core import format as fmt
from buddy_core.metrics.counting.ledger import TOOL_ERROR
from buddy_core.metrics.looking.model import (
    Activity,
    ActivityBucket,
    DashboardState,
    ProviderMetrics,
    ToolMetrics,
    WindowView,
)
from buddy_core.metrics.model import ErrorRecord, SessionMetrics
from buddy_core.safety.ascii import to_ascii
from buddy_core.safety.columns import Column, cells, cut, lay_out
from buddy_core.safety.redact import redact
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain

NARROWEST = 40
"""Columns a picture has at least, however narrow the terminal says it is."""

WIDEST = 500
"""Columns a picture has at most."""

MOST_ROWS = 5
"""Providers, tools and errors that are shown; what is left out is counted in a line of its own."""

_LOOKED_AT = 2_000
_TWO_COLUMNS = 120
_GAP = 4
_BAR = 10
_LEVELS = "▁▂▃▄▅▆▇█"
_EIGHTHS = "▏▎▍▌▋▊▉█"
_COARSE = str.maketrans("▏▎▍▌▋▊▉", "---====")

_SUMMARY = (
    Column("SUMMARY", limit=14),
    Column("", right=True, limit=14),
    Column("", limit=18, priority=1),
    Column("last 15 min", limit=40, priority=2),
)

_PROVIDERS = (
    Column("PROVIDERS", limit=44, grows=True),
    Column("", limit=_BAR, priority=6),
    Column("requests", right=True, priority=1),
    Column("failed", right=True, priority=3),
    Column("tokens", right=True, priority=2),
    Column("cost", right=True),
    Column("avg", right=True, priority=4),
    Column("p95", right=True, priority=5),
)

_TOOLS = (
    Column("TOOLS", limit=44, grows=True),
    Column("", limit=_BAR, priority=6),
    Column("calls", right=True),
    Column("failed", right=True, priority=1),
    Column("avg", right=True, priority=2),
    Column("p50", right=True, priority=5),
    Column("p95", right=True, priority=3),
    Column("max", right=True, priority=4),
)

_ERRORS = (
    Column("ERRORS", limit=6),
    Column("", limit=24, priority=1),
    Column("", limit=400, grows=True),
)


@dataclass(frozen=True, slots=True)
class Glance:
    """Everything one picture shows, read at one moment."""

    now_ms: int
    state: DashboardState
    view: WindowView
    """Everything recorded."""
    session: SessionMetrics | None
    errors: Sequence[ErrorRecord]
    """The newest, oldest of them first."""
    activity: Activity | None
    """The last minutes in slices, for the sparklines; None leaves them out."""


def picture(glance: Glance, width: int, tz: tzinfo | None = None) -> list[Plain]:
    """The lines of the dashboard, none wider than `width` cells (at least `NARROWEST`)."""
    width = min(max(width, NARROWEST), WIDEST)
    half = (width - _GAP) // 2
    blocks = (_summary, _errors, _providers, _tools)
    if width < _TWO_COLUMNS:
        parts = [block(glance, width) for block in (_summary, _providers, _tools, _errors)]
    else:
        left, right, below_left, below_right = (block(glance, half) for block in blocks)
        parts = [_beside(left, right, half), _beside(below_left, below_right, half)]
    lines = [_title(glance, width, tz)]
    for part in parts:
        lines += [Plain(""), *part]
    return [Plain(cut(line, width)) for line in lines]


def _title(glance: Glance, width: int, tz: tzinfo | None) -> Plain:
    name = "Agent dashboard"
    told = f"{fmt.clock(glance.now_ms, tz)} · up {fmt.duration(glance.state.uptime_ms)}"
    return Plain(name + told.rjust(width - len(name)))


def _beside(left: Sequence[str], right: Sequence[str], half: int) -> list[Plain]:
    """Two blocks next to each other; the shorter one is followed by nothing."""
    lines = []
    for number in range(max(len(left), len(right))):
        one = left[number] if number < len(left) else ""
        two = right[number] if number < len(right) else ""
        lines.append(Plain((one + " " * (half + _GAP - cells(one)) + two).rstrip()))
    return lines


def _summary(glance: Glance, width: int) -> list[Plain]:
    state, view = glance.state, glance.view
    answered = fmt.percent(state.error_rate) + " failed" if state.error_rate is not None else ""
    slowest = f"p95 {fmt.duration(view.p95_latency_ms)}" if view.latency_count else ""
    failed = f"{fmt.count(view.failed_tool_calls)} failed" if view.total_tool_calls else ""
    rows = (
        ("tokens", fmt.tokens_full(state.total_tokens), fmt.rate(state.tokens_per_minute, "min"), _tokens),
        ("cost", *_money(state), _cost),
        ("requests", fmt.count(view.total_requests), answered, _requests),
        ("response time", fmt.duration(state.avg_response_time_ms), slowest, _latency),
        ("tool calls", fmt.count(state.total_tool_calls), failed, _calls),
        ("errors", fmt.count(view.total_errors), "", _failures),
    )
    trend = _Trend(glance.activity, 30 if width >= 76 else 15)
    lines = [(*row[:3], trend.of(row[3])) for row in rows]
    columns = _SUMMARY if any(line[3] for line in lines) else _SUMMARY[:3]
    return [*lay_out(columns, lines, width=width), *_session(glance, width)]


def _session(glance: Glance, width: int) -> list[Plain]:
    """The running session in a line, in two where there is little room; how many there were when none runs."""
    session = glance.session
    if session is None:
        past = f"none now, {fmt.plural(glance.state.total_sessions, 'session')} so far"
        return [Plain(f"session        {past if glance.state.total_sessions else fmt.UNKNOWN}")]
    facts = [
        fmt.duration(session.duration_ms),
        fmt.plural(session.message_count, "message"),
        f"{fmt.tokens(session.total_tokens)} tokens",
        str(fmt.cost_of(session)),
        fmt.plural(session.tool_calls, "tool call"),
        fmt.plural(session.error_count, "error"),
    ]
    lines = [f"session        {shown(session.session_id, limit=300)}"]
    for fact in facts:
        joined = f"{lines[-1]} · {fact}" if lines[-1].strip() else f"{' ' * 15}{fact}"
        if cells(joined) > width:
            joined = f"{' ' * 15}{fact}"
            lines.append(joined)
        else:
            lines[-1] = joined
    return [Plain(cut(line, width)) for line in lines]


def _providers(glance: Glance, width: int) -> list[Plain]:
    rows = glance.view.providers
    most = max((row.total_requests for row in rows), default=0)
    shown = [_provider(row, most) for row in rows[:MOST_ROWS]]
    return _table(_PROVIDERS, shown, width, len(rows), "no model requests yet")


def _provider(row: ProviderMetrics, most: int) -> tuple[str, ...]:
    return (
        shown(f"{row.provider} {row.model}", limit=120),
        _bar(row.total_requests, most),
        fmt.count_within(8, row.total_requests),
        fmt.share(row.error_count, row.total_requests),
        fmt.tokens(row.total_tokens if row.tokens_logged else None),
        fmt.cost_of(row),
        fmt.duration(row.avg_latency_ms),
        fmt.duration(row.p95_latency_ms),
    )


def _tools(glance: Glance, width: int) -> list[Plain]:
    rows = glance.view.tools
    most = max((row.total_calls for row in rows), default=0)
    shown = [_tool(row, most) for row in rows[:MOST_ROWS]]
    return _table(_TOOLS, shown, width, len(rows), "no tool calls yet")


def _tool(row: ToolMetrics, most: int) -> tuple[str, ...]:
    return (
        shown(row.name, limit=120),
        _bar(row.total_calls, most),
        fmt.count_within(8, row.total_calls),
        fmt.share(row.error_count, row.total_calls),
        fmt.duration(row.avg_duration_ms),
        fmt.duration(row.p50_duration_ms),
        fmt.duration(row.p95_duration_ms),
        fmt.duration(row.max_duration_ms),
    )


def _errors(glance: Glance, width: int) -> list[Plain]:
    newest_first = tuple(reversed(glance.errors))
    shown = [_error(record, glance.now_ms) for record in newest_first[:MOST_ROWS]]
    return _table(_ERRORS, shown, width, glance.view.total_errors, "no errors")


def _error(record: ErrorRecord, now_ms: int) -> tuple[str, ...]:
    tool = record.context.get("tool") if record.context else None
    kind = tool if tool and record.type == TOOL_ERROR else record.type
    at = fmt.age(now_ms - record.timestamp) if record.timestamp else fmt.UNKNOWN
    # Mail and logs leave the machine; what is cut off is cut after masking, so that no half secret is left.
    message = redact(record.message[:_LOOKED_AT])
    return at, shown(kind, limit=60), shown(message, limit=400)


def _table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, total: int, nothing: str
) -> list[Plain]:
    if not rows:
        return [Plain(columns[0].title), Plain(nothing)]
    lines = lay_out(columns, rows, width=width)
    left_out = total - len(rows)
    return [*lines, Plain(f"… {left_out:,} more")] if left_out > 0 else lines


def _bar(value: int, most: int) -> str:
    """A bar as long as the value's share of the largest, in eighths of a cell; a trace of what is not nothing."""
    eighths = max(round(8 * _BAR * value / most), 1) if most and value else 0
    whole, part = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[part - 1] if part else "")


class _Trend:
    """Sparklines over the last minutes, all of them over the same slices."""

    def __init__(self, activity: Activity | None, slices: int) -> None:
        buckets = activity.buckets if activity else ()
        per_slice = max(1, (len(buckets) - 1) // slices)
        # Grouped from the end: the newest slice is whole, and stays at the right edge.
        first = len(buckets) % per_slice
        starts = range(first - per_slice if first else 0, len(buckets), per_slice)
        self._slices = [buckets[max(start, 0) : start + per_slice] for start in starts]

    def of(self, what: Callable[[Sequence[ActivityBucket]], float]) -> str:
        """One character a slice, oldest first: a blank is nothing, the highest block the largest slice."""
        values = [what(part) for part in self._slices]
        top = max(values, default=0)
        if top <= 0:
            return ""
        return "".join(_level(value / top) for value in values)


def in_ascii(text: str) -> str:
    """A picture for a terminal without UTF-8, its columns where they were."""
    return to_ascii(text.translate(_COARSE))


def _level(share: float) -> str:
    return _LEVELS[math.ceil(share * 8) - 1] if share > 0 else " "


def _tokens(slice_: Sequence[ActivityBucket]) -> float:
    return sum(bucket.tokens for bucket in slice_)


def _money(state: DashboardState) -> tuple[Plain, Plain]:
    """What was spent, and what an hour costs."""
    return (
        fmt.cost_of(state),
        fmt.cost_rate(state.cost_per_hour, estimated=state.estimated_cost_per_hour is not None),
    )


def _cost(slice_: Sequence[ActivityBucket]) -> float:
    return sum(bucket.cost for bucket in slice_)


def _requests(slice_: Sequence[ActivityBucket]) -> float:
    return sum(bucket.requests for bucket in slice_)


def _calls(slice_: Sequence[ActivityBucket]) -> float:
    return sum(bucket.tool_calls for bucket in slice_)


def _failures(slice_: Sequence[ActivityBucket]) -> float:
    return sum(bucket.errors for bucket in slice_)


def _latency(slice_: Sequence[ActivityBucket]) -> float:
    """Average latency of a slice in milliseconds."""
    count = sum(bucket.latency_count for bucket in slice_)
    return sum(bucket.latency_sum_ms for bucket in slice_) / count if count else 0.0
