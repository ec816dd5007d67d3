"""The blocks of rows: providers, tools and the newest errors, at most a few of each."""

from __future__ import annotations

from collections.abc import Sequence

from buddy_core import format as fmt
from buddy_core.metrics.counting.ledger import TOOL_ERROR
from buddy_core.metrics.dashboard.glance import Glance
from buddy_core.metrics.dashboard.marks import BAR, bar
from buddy_core.metrics.looking.model import ProviderMetrics, ToolMetrics
from buddy_core.metrics.model import ErrorRecord
from buddy_core.safety.columns import Column, lay_out
from buddy_core.safety.redact import redact
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain

MOST_ROWS = 5
"""Providers, tools and errors that are shown; what is left out is counted in a line of its own."""

_LOOKED_AT = 2_000

_PROVIDERS = (
    Column("PROVIDERS", limit=44, grows=True),
    Column("", limit=BAR, priority=6),
    Column("requests", right=True, priority=1),
    Column("failed", right=True, priority=3),
    Column("tokens", right=True, priority=2),
    Column("cost", right=True),
    Column("avg", right=True, priority=4),
    Column("p95", right=True, priority=5),
)

_TOOLS = (
    Column("TOOLS", limit=44, grows=True),
    Column("", limit=BAR, priority=6),
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


def providers(glance: Glance, width: int) -> list[Plain]:
    """Those with the most requests."""
    rows = glance.view.providers
    most = max((row.total_requests for row in rows), default=0)
    shown = [_provider(row, most) for row in rows[:MOST_ROWS]]
    return _table(_PROVIDERS, shown, width, len(rows), "no model requests yet")


def _provider(row: ProviderMetrics, most: int) -> tuple[str, ...]:
    return (
        shown(f"{row.provider} {row.model}", limit=120),
        bar(row.total_requests, most),
        fmt.count_within(8, row.total_requests),
        fmt.share(row.error_count, row.total_requests),
        fmt.tokens(row.total_tokens if row.tokens_logged else None),
        fmt.cost_of(row),
        fmt.duration(row.avg_latency_ms),
        fmt.duration(row.p95_latency_ms),
    )


def tools(glance: Glance, width: int) -> list[Plain]:
    """Those with the most calls."""
    rows = glance.view.tools
    most = max((row.total_calls for row in rows), default=0)
    shown = [_tool(row, most) for row in rows[:MOST_ROWS]]
    return _table(_TOOLS, shown, width, len(rows), "no tool calls yet")


def _tool(row: ToolMetrics, most: int) -> tuple[str, ...]:
    return (
        shown(row.name, limit=120),
        bar(row.total_calls, most),
        fmt.count_within(8, row.total_calls),
        fmt.share(row.error_count, row.total_calls),
        fmt.duration(row.avg_duration_ms),
        fmt.duration(row.p50_duration_ms),
        fmt.duration(row.p95_duration_ms),
        fmt.duration(row.max_duration_ms),
    )


def errors(glance: Glance, width: int) -> list[Plain]:
    """The newest first."""
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
