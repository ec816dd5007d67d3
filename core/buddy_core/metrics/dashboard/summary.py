"""The block of headline numbers, with what became of them in the last minutes, and the running session."""

from __future__ import annotations

from collections.abc import Sequence

from buddy_core import format as fmt
from buddy_core.metrics.dashboard.glance import Glance
from buddy_core.metrics.dashboard.marks import Trends
from buddy_core.metrics.looking.model import ActivityBucket, DashboardState
from buddy_core.safety.columns import Column, cells, cut, lay_out
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain

_COLUMNS = (
    Column("SUMMARY", limit=14),
    Column("", right=True, limit=14),
    Column("", limit=18, priority=1),
    Column("last 15 min", limit=40, priority=2),
)


def summary(glance: Glance, width: int) -> list[Plain]:
    """The lines of the block, none wider than `width` cells."""
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
    trend = Trends(glance.activity, 30 if width >= 76 else 15)
    lines = [(*row[:3], trend.of(row[3])) for row in rows]
    columns = _COLUMNS if any(line[3] for line in lines) else _COLUMNS[:3]
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


def _money(state: DashboardState) -> tuple[Plain, Plain]:
    """What was spent, and what an hour costs."""
    return (
        fmt.cost_of(state),
        fmt.cost_rate(state.cost_per_hour, estimated=state.estimated_cost_per_hour is not None),
    )


def _tokens(slice_: Sequence[ActivityBucket]) -> float:
    return sum(bucket.tokens for bucket in slice_)


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
