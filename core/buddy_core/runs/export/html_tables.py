"""What the page sums up: requests by model, and tools by the time they took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from buddy_core import format as fmt
from buddy_core.runs.export.gather import ExportedEvent, Report
from buddy_core.runs.export.html_text import text
from buddy_core.runs.records.json_values import count_of, number_of

_MOST = 20
"""Rows of one table; the rest is summed up in one."""


@dataclass(slots=True)
class _Sum:
    """One row of a table."""

    calls: int = 0
    failed: int = 0
    took_ms: float = 0.0
    timed: int = 0
    into: int = 0
    out: int = 0
    cost: float | None = None

    def add(self, *, failed: bool, took_ms: float | None) -> None:
        self.calls += 1
        self.failed += failed
        self.timed += took_ms is not None
        self.took_ms += took_ms or 0.0


def requests(report: Report) -> Iterator[str]:
    """Model requests, where the agent recorded any."""
    sums: dict[str, _Sum] = {}
    for event in report.events:
        data = event.event.data
        if event.row.kind == "metric" and data.get("kind") == "api_request":
            _add_request(sums.setdefault(_model(data), _Sum()), event, data)
    if not sums:
        return
    yield '<section><h2>Model requests</h2><div class="panel scroll"><table><tr><th>model</th><th>requests</th>'
    yield "<th>tokens in</th><th>out</th><th>cost</th><th>mean</th></tr>"
    for name, total in _largest(sums, key="cost"):
        mean = total.took_ms / total.timed if total.timed else None
        yield f"<tr><td>{text(name, 80)}</td><td>{fmt.count(total.calls)}</td><td>{fmt.tokens(total.into)}</td>"
        yield f"<td>{fmt.tokens(total.out)}</td><td>{fmt.cost(total.cost)}</td><td>{fmt.duration(mean)}</td></tr>"
    yield "</table></div></section>"


def tools(report: Report) -> Iterator[str]:
    """Tools, the one that took longest first."""
    sums: dict[str, _Sum] = {}
    for event in report.events:
        if event.row.kind in ("tool_call", "tool_result"):
            failed = event.row.state in ("failed", "error")
            sums.setdefault(event.row.title, _Sum()).add(failed=failed, took_ms=event.row.duration_ms)
    if not sums:
        return
    longest = max(total.took_ms for total in sums.values()) or 1.0
    yield '<section><h2>Tools</h2><div class="panel scroll"><table><tr><th>tool</th><th>calls</th><th>failed</th>'
    yield '<th>time</th><th class="bar"></th></tr>'
    for name, total in _largest(sums, key="took_ms"):
        hot = ' class="hot"' if total.failed else ""
        took = fmt.duration(total.took_ms if total.timed else None)
        yield f"<tr><td>{text(name, 80)}</td><td>{fmt.count(total.calls)}</td><td{hot}>{fmt.count(total.failed)}</td>"
        yield f'<td>{took}</td><td class="bar">{_share(total.took_ms / longest)}</td></tr>'
    yield "</table></div></section>"


def _model(data: Mapping[str, Any]) -> str:
    names = (data.get("provider"), data.get("model"))
    return "/".join(str(name) for name in names if name) or "(unnamed)"


def _add_request(total: _Sum, event: ExportedEvent, data: Mapping[str, Any]) -> None:
    total.add(failed=event.row.state == "failed", took_ms=number_of(data.get("latencyMs")))
    for name in ("promptTokens", "cacheReadTokens", "cacheWriteTokens"):
        total.into += count_of(data.get(name)) or 0
    total.out += count_of(data.get("completionTokens")) or 0
    cost = number_of(data.get("cost"))
    if cost is not None:
        total.cost = (total.cost or 0.0) + cost


def _largest(sums: Mapping[str, _Sum], *, key: str) -> list[tuple[str, _Sum]]:
    ordered = sorted(sums.items(), key=lambda item: (-(getattr(item[1], key) or 0), -item[1].calls))
    shown, rest = ordered[:_MOST], ordered[_MOST:]
    if not rest:
        return shown
    other = _Sum()
    for _, total in rest:
        other.calls, other.failed = other.calls + total.calls, other.failed + total.failed
        other.took_ms, other.timed = other.took_ms + total.took_ms, other.timed + total.timed
        other.into, other.out = other.into + total.into, other.out + total.out
        other.cost = other.cost if total.cost is None else (other.cost or 0.0) + total.cost
    return [*shown, (f"{len(rest):,} others", other)]


def _share(part: float) -> str:
    width = max(4, round(part * 1000)) if part > 0 else 0
    return (
        '<svg class="share" viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="ok" width="{width}" height="8"/></svg>'
    )
