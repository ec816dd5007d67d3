"""Where the headline numbers come from: those of all runs together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from buddy_core import format as fmt
from buddy_core.metrics.looking.model import DashboardState, WindowView
from buddy_core.observing.observer import SourceStatus
from buddy_core.origins import files, money
from buddy_core.origins.model import Figure, Origin, chart, kind_of
from buddy_core.origins.quantiles import average, quantile
from buddy_core.prices.rates import Price
from buddy_core.runs.facts import RunFacts

_RATES = "of the last five minutes, or of as many as there are"


def origin_of_everything(
    view: WindowView,
    state: DashboardState,
    sources: SourceStatus,
    runs: Sequence[RunFacts] = (),
    prices: Sequence[Price] = (),
    slice_ms: int = 0,
) -> Origin:
    """`runs` are all there are; `prices` those by which anything was priced; a column of the chart is `slice_ms`."""
    return Origin(
        title="all runs",
        about="everything in the window",
        span=files.span_of(view),
        figures=(*_figures(view, state), *chart(slice_ms)),
        files=(*files.files_of(sources, turns=True), *_prices(prices)),
        missing=(*_missing(view, runs), *files.missing_of(sources, turns=True)),
    )


def _prices(prices: Sequence[Price]) -> Iterator[str]:
    for price in dict.fromkeys(prices):
        yield f"price of {money.price_words(price)}"


def _figures(view: WindowView, state: DashboardState) -> Iterator[Figure]:
    kind = kind_of(view.total_tokens, otherwise="measured")
    yield Figure("tokens", "tokens", fmt.tokens_full(view.total_tokens), kind, _tokens(view))
    yield _token_rate(state)
    estimated = view.estimated_cost is not None
    kind = kind_of(view.total_cost, otherwise="measured", estimated=estimated)
    yield Figure("cost", "cost", fmt.cost_of(view), kind, _cost(view))
    yield _cost_rate(state)
    calls = "finished calls: tool_result events"
    yield Figure("tool calls", "tool calls", fmt.count(view.total_tool_calls), "measured", calls)
    yield Figure("failed", "  failed", fmt.count(view.failed_tool_calls), "measured", "say success: false")
    response = average("response", view.avg_latency_ms, view.latency_count, "model requests")
    yield Figure("response", "response", response.value, response.kind, response.how)
    p95 = quantile(95, view.p95_latency_ms, view.latency_count)
    yield Figure("p95", "  p95", p95.value, p95.kind, p95.how)
    errors = f"{view.failed_tool_calls:,} failed calls, {view.total_errors - view.failed_tool_calls:,} other errors"
    yield Figure("errors", "errors", fmt.count(view.total_errors), "measured", errors)
    failed = f"{view.failed_requests:,} of {fmt.plural(view.total_requests, 'request')} failed"
    kind = kind_of(view.error_rate, otherwise="derived")
    yield Figure("error rate", "  req.", fmt.percent(view.error_rate), kind, failed)


def _token_rate(state: DashboardState) -> Figure:
    rate = state.tokens_per_minute
    told = fmt.UNKNOWN if rate is None else f"{fmt.tokens(rate)}/min"
    return Figure("token rate", "  rate", told, kind_of(rate, otherwise="derived"), _RATES)


def _cost_rate(state: DashboardState) -> Figure:
    estimated = state.estimated_cost_per_hour is not None
    rate = fmt.cost_rate(state.cost_per_hour, estimated=estimated)
    kind = kind_of(state.cost_per_hour, otherwise="derived", estimated=estimated)
    return Figure("cost rate", "  rate", rate, kind, _RATES)


def _tokens(view: WindowView) -> str:
    if view.total_tokens is None:
        return "no request or total states a token"
    by_requests = view.total_tokens - view.unattributed_tokens
    parts = (
        [f"{by_requests:,} of {fmt.plural(view.total_requests, 'request')}"] if view.total_requests else []
    )
    if view.unattributed_tokens:
        parts.append(f"{view.unattributed_tokens:,} of run totals that no request accounts for")
    return ", ".join(parts) or "nothing was asked of a model"


def _cost(view: WindowView) -> str:
    if view.total_cost is None:
        return "nothing states a cost, and nothing could be priced"
    rest = view.total_cost - view.unattributed_cost
    estimated_totals = view.unattributed_estimated_cost or 0.0
    of_requests = rest - ((view.estimated_cost or 0.0) - estimated_totals)
    stating = sum(row.cost_count for row in view.providers)
    parts = [f"{fmt.cost(of_requests)} stated by {fmt.plural(stating, 'request')}"] if stating else []
    if view.unattributed_cost - estimated_totals > 0:
        parts.append(
            f"{fmt.cost(view.unattributed_cost - estimated_totals)} by totals of runs (metrics.json)"
        )
    if view.estimated_cost is not None:
        parts.append(f"{fmt.cost(view.estimated_cost, estimated=True)} priced from tokens")
    return ", ".join(parts) or "nothing happened that costs anything"


def _missing(view: WindowView, runs: Sequence[RunFacts]) -> Iterator[str]:
    answered = sum(row.total_requests - row.error_count for row in view.providers)
    known = sum(row.cost_count + row.estimated_count for row in view.providers)
    if answered > known:
        yield f"{fmt.plural(answered - known, 'answered request')} whose cost is not known by request"
    if any(row.estimated_cost and not row.cache_read_tokens for row in view.providers):
        yield money.NO_CACHE_LOGGED
    without = view.total_requests - view.latency_count
    if without:
        yield f"{fmt.plural(without, 'request')} without a response time"
    since = view.since_ms or 0
    recent = [run for run in runs if (run.last_event_at or run.started_at) >= since]
    silent = sum(run.total_tokens is None for run in recent)
    if silent:
        yield f"runs that log no tokens themselves: {silent:,} of {len(recent):,}"
    unpriced = sum(run.total_cost is None for run in recent)
    if unpriced:
        yield f"runs whose cost is not known by run: {unpriced:,} of {len(recent):,}"
