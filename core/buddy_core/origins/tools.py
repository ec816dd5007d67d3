"""Where the numbers of one tool come from."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core import format as fmt
from buddy_core.metrics.looking.model import ToolMetrics, WindowView
from buddy_core.metrics.looking.wilson import wilson_interval
from buddy_core.metrics.model import OTHER
from buddy_core.metrics.tools import SLOW_MS, reliability_score
from buddy_core.observing.observer import SourceStatus
from buddy_core.origins import files
from buddy_core.origins.model import Figure, Origin, chart, kind_of
from buddy_core.origins.quantiles import average, quantile


def origin_of_tool(row: ToolMetrics, view: WindowView, sources: SourceStatus, slice_ms: int = 0) -> Origin:
    """Everything that a table of tools shows of it; a column of its chart is `slice_ms`."""
    return Origin(
        title=row.name,
        about="one tool",
        span=files.span_of(view),
        figures=(*_figures(row), *chart(slice_ms)),
        files=tuple(files.files_of(sources, turns=False)),
        missing=(*_missing(row), *files.missing_of(sources, turns=False)),
    )


def _figures(row: ToolMetrics) -> Iterator[Figure]:
    yield Figure(
        "calls", "calls", fmt.count(row.total_calls), "measured", "finished calls: tool_result events"
    )
    low, high = wilson_interval(row.success_count, row.total_calls)
    share = f"{row.success_count:,} of {row.total_calls:,}"
    yield Figure("success", "success", fmt.share(row.success_count, row.total_calls), "derived", share)
    interval = f"{100 * low:.0f}–{100 * high:.0f} %"
    how = "the true rate, in 95 of 100 such cases (Wilson); sorted by its lower end"
    yield Figure("interval", "interval", interval, "derived", how)
    yield Figure(
        "failed", "failed", fmt.count(row.error_count), "measured", "results that say success: false"
    )
    samples = row.duration_count
    yield average("avg", row.avg_duration_ms, samples, "durations")
    for percent, value in ((50, row.p50_duration_ms), (95, row.p95_duration_ms), (99, row.p99_duration_ms)):
        yield quantile(percent, value, samples)
    longest = row.max_duration_ms
    kind = kind_of(longest, otherwise="measured")
    yield Figure(
        "max", "longest", fmt.duration(longest), kind, f"of {fmt.plural(samples, 'duration')}, exact"
    )
    total = row.total_duration_ms if samples else None
    yield Figure(
        "total", "total", fmt.duration(total), kind_of(total, otherwise="measured"), "sum of durations"
    )
    yield _score(row)


def _score(row: ToolMetrics) -> Figure:
    score = reliability_score(row.success_count, row.total_calls, row.avg_duration_ms)
    rate = row.success_count / row.total_calls if row.total_calls else 0.0
    formula = f"0.8 × {rate:.3g} success + 0.2 × (1 − average / {SLOW_MS / 1000:.0f} s, at least 0)"
    if row.avg_duration_ms is None:
        formula = f"0.8 × {rate:.3g} success + 0.1, as no duration is known"
    return Figure("score", "score", f"{score:.2f}", "derived", formula)


def _missing(row: ToolMetrics) -> Iterator[str]:
    without = row.total_calls - row.duration_count
    if without:
        yield f"{fmt.plural(without, 'call')} without a duration"
    yield "calls that have no result yet, or never got one"
    if row.name == OTHER:
        yield "this row is everything past the largest number of tools that are told apart"
