"""Looking at the ledger through a window: rows, totals, charts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, Literal, TypeVar

from buddy_core.metrics.counting.fingerprint import fingerprint
from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.counting.rollup import S, Tiers, since_of
from buddy_core.metrics.counting.series import (
    ErrorSeries,
    ProviderSeries,
    error_point,
    provider_point,
    tool_point,
)
from buddy_core.metrics.counting.sketch import histogram, log_edges
from buddy_core.metrics.counting.slices import whole_grid, window_grid
from buddy_core.metrics.counting.stats import ErrorStats, ProviderStats, Timing, ToolStats, UsageStats
from buddy_core.metrics.model import (
    ErrorGroup,
    ErrorRecord,
    HistogramBin,
    ProviderMetrics,
    SeriesPoint,
    ToolDepth,
    ToolMetrics,
    Window,
    WindowView,
)

Kind = Literal["provider", "tool", "error"]
R = TypeVar("R")


def build_view(
    providers: list[ProviderMetrics],
    tools: list[ToolMetrics],
    errors: list[ErrorGroup],
    *,
    requests: ProviderStats,
    usage: UsageStats,
    calls: int,
    failed_calls: int,
    other_errors: int,
    window: Window,
    now_ms: int,
) -> WindowView:
    """Everything about one window, from every series in which something happened; see `Gathering`.

    `requests` and `calls` are those of all providers and tools, `other_errors` counts the errors that are no
    failed call's.
    """
    requests.settle()
    p50, p95 = requests.at(0.5, 0.95)
    return WindowView(
        window=window,
        taken_at=now_ms,
        since_ms=since_of(window, now_ms),
        total_requests=requests.requests,
        failed_requests=requests.failures,
        total_tokens=_tokens(requests, usage, calls),
        prompt_tokens=requests.prompt_tokens + usage.prompt_tokens,
        completion_tokens=requests.completion_tokens + usage.completion_tokens,
        cache_tokens=_cached(requests),
        total_cost=_cost(requests, usage, calls),
        unattributed_cost=usage.cost + usage.estimate,
        unattributed_tokens=usage.tokens,
        total_tool_calls=calls,
        failed_tool_calls=failed_calls,
        total_errors=failed_calls + other_errors,
        avg_latency_ms=requests.mean,
        p50_latency_ms=p50,
        p95_latency_ms=p95,
        latency_count=requests.count,
        error_rate=100.0 * requests.failures / requests.requests if requests.requests else None,
        providers=_sorted(providers, lambda row: (-row.total_requests, row.provider, row.model)),
        tools=_most_first(tools),
        errors=_sorted(errors, lambda group: (-group.last_at, group.fingerprint)),
        estimated_cost=requests.estimate + usage.estimate if requests.estimates or usage.estimates else None,
        unattributed_estimated_cost=usage.estimate if usage.estimates else None,
    )


def _sorted(rows: list[R], key: Callable[[R], Any]) -> tuple[R, ...]:
    return tuple(sorted(rows, key=key))


def _cost(requests: ProviderStats, usage: UsageStats, calls: int) -> float | None:
    """What was stated or estimated; None when something was at work and no cost of anything is known."""
    at_work = requests.requests + usage.count + calls
    known = requests.cost_count + requests.estimates + usage.cost_count + usage.estimates
    return None if at_work and not known else requests.cost + requests.estimate + usage.cost + usage.estimate


def _tokens(requests: ProviderStats, usage: UsageStats, calls: int) -> int | None:
    """Tokens of requests and totals; None when there was work that takes some and none was logged."""
    total = requests.tokens + usage.tokens
    return None if not total and (calls or requests.requests > requests.failures) else total


def _cached(requests: ProviderStats) -> int | None:
    """As `ProviderMetrics.cache_tokens`, of all models together."""
    cached = requests.cache_read_tokens + requests.cache_write_tokens
    return None if not cached and requests.requests > requests.failures else cached


def _most_first(tools: list[ToolMetrics]) -> tuple[ToolMetrics, ...]:
    """Most calls first, of equals by name: two sorts without a function of ours, for there may be very many."""
    return tuple(sorted(sorted(tools, key=attrgetter("name")), key=attrgetter("total_calls"), reverse=True))


def build_history(
    ledger: Ledger, kind: Kind, key: str, window: Window, slices: int, now_ms: int
) -> tuple[SeriesPoint, ...]:
    """One series over the window in about `slices` equal slices; empty when there is no such series."""
    span = ledger.activity.span  # all series share the axis of the whole, so that their charts compare
    if kind == "tool":
        tool = ledger.tools.get(key)
        return _points(tool.tiers, ToolStats, tool_point, window, slices, now_ms, span) if tool else ()
    if kind == "error":
        group = ledger.errors.get(key)
        return _points(group.tiers, ErrorStats, error_point, window, slices, now_ms, span) if group else ()
    provider = provider_of(ledger, key)
    return (
        _points(provider.tiers, ProviderStats, provider_point, window, slices, now_ms, span)
        if provider
        else ()
    )


def _points(
    tiers: Tiers[S],
    make: Callable[[], S],
    point: Callable[[int, S], SeriesPoint],
    window: Window,
    slices: int,
    now_ms: int,
    everything: tuple[int, int] | None,
) -> tuple[SeriesPoint, ...]:
    grain, parts = tiers.finest(window, since_of(window, now_ms), now_ms)
    if window is not Window.ALL:
        grid = window_grid(window, now_ms, slices, grain)
    elif parts and everything is not None:
        grid = whole_grid(*everything, slices, grain)
    else:
        return ()
    merged: dict[int, S] = {}
    for start, stats in parts:
        merged.setdefault(grid.index_of(start), make()).merge(stats)
    for stats in merged.values():
        stats.settle()
    empty = make()
    return tuple(point(start, merged.get(number, empty)) for number, start in enumerate(grid.starts()))


def provider_of(ledger: Ledger, key: str) -> ProviderSeries | None:
    """The series with the key `provider/model`; either name may contain slashes itself."""
    for place, letter in enumerate(key):
        if letter == "/" and (found := ledger.providers.get((key[:place], key[place + 1 :]))):
            return found
    return None


def build_histogram(
    ledger: Ledger, kind: Literal["provider", "tool"], key: str, window: Window, bins: int, now_ms: int
) -> tuple[HistogramBin, ...]:
    """Durations of one series in `bins` bins of equal ratio from the shortest to the longest; empty without any."""
    since = since_of(window, now_ms)
    timing: Timing | None = None
    if kind == "tool":
        tool = ledger.tools.get(key)
        timing = tool.look(window, since)[0] if tool else None
    else:
        provider = provider_of(ledger, key)
        timing = provider.look(window, since)[0] if provider else None
    if timing is None or not timing.count:
        return ()
    edges = log_edges(timing.low_ms, timing.high_ms, max(1, bins))
    counts = histogram(timing.sketch, edges, timing.high_ms)
    return tuple(
        HistogramBin(low, high, count) for low, high, count in zip(edges, edges[1:], counts, strict=False)
    )


def build_records(ledger: Ledger, key: str) -> tuple[ErrorRecord, ...]:
    """What is retained of one error group, newest first."""
    group = ledger.errors.get(key)
    if group is None:
        return ()
    kept = [one for one in ledger.error_log.newest_first() if fingerprint(one.type, one.message) == key]
    return tuple(kept) if group.latest in kept else (group.latest, *kept)


def errors_concerning(ledger: Ledger, key: str) -> tuple[ErrorSeries, ...]:
    """The errors that concern the provider and model with the key `provider/model`; see `Blame`."""
    series = provider_of(ledger, key)
    if series is None:
        return ()
    return ledger.blame.concerning(series.provider, series.model, ledger.errors.values())


def error_groups(some: Iterable[ErrorSeries], window: Window, since_ms: int | None) -> list[ErrorGroup]:
    """What each of these series has in a window, where it has anything."""
    looks = (series.look(window, since_ms)[1] for series in some)
    return [group for group in looks if group is not None]


def build_tool_depth(ledger: Ledger, name: str, window: Window, now_ms: int) -> ToolDepth:
    """Single calls of one tool, and its error texts."""
    series, texts = ledger.tools.get(name), ledger.texts.get(name)
    if series is None:
        return ToolDepth()
    since = since_of(window, now_ms)
    return ToolDepth(
        slowest=series.calls.slowest(since or 0, now_ms),
        latest=series.calls.latest(since or 0, now_ms),
        texts=texts.groups(window, since) if texts is not None else (),
        exact=series.calls.exact,
        forgotten=texts.forgotten if texts is not None else 0,
    )
