"""Where the numbers of one provider and model come from."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core import format as fmt
from buddy_core.metrics.looking.model import ProviderMetrics, WindowView
from buddy_core.metrics.looking.wilson import wilson_interval
from buddy_core.metrics.model import OTHER
from buddy_core.observing.observer import SourceStatus
from buddy_core.origins import files, money
from buddy_core.origins.model import Figure, Origin, chart, kind_of
from buddy_core.origins.quantiles import average, quantile
from buddy_core.prices.rates import Price


def origin_of_provider(
    row: ProviderMetrics,
    view: WindowView,
    sources: SourceStatus,
    price: Price | None = None,
    slice_ms: int = 0,
) -> Origin:
    """`price` is what its requests without a cost were priced by; a column of its chart is `slice_ms`."""
    return Origin(
        title=f"{row.provider} {row.model}",
        about="one model",
        span=files.span_of(view),
        figures=(*_figures(row, view, price), *chart(slice_ms)),
        files=tuple(files.files_of(sources, turns=True)),
        missing=(*_missing(row), *files.missing_of(sources, turns=True)),
    )


def _figures(row: ProviderMetrics, view: WindowView, price: Price | None) -> Iterator[Figure]:
    yield Figure("requests", "requests", fmt.count(row.total_requests), "measured", "counted one by one")
    yield _failed(row)
    yield from _tokens(row)
    estimated = row.estimated_cost is not None
    cost = f"{'≥' if row.cost_is_partial else ''}{fmt.cost_of(row)}"
    kind = kind_of(row.total_cost, otherwise="measured", estimated=estimated)
    yield Figure("cost", "cost", cost, kind, money.cost_of_requests(row, price))
    yield _share(row, view)
    yield average("avg", row.avg_latency_ms, row.latency_count, "response times")
    yield quantile(95, row.p95_latency_ms, row.latency_count)
    ttft = "mean of the requests that state it" if row.avg_ttft_ms is not None else "no request states it"
    kind = kind_of(row.avg_ttft_ms, otherwise="derived")
    yield Figure("ttft", "1st token", fmt.duration(row.avg_ttft_ms), kind, ttft)


def _failed(row: ProviderMetrics) -> Figure:
    low, high = wilson_interval(row.error_count, row.total_requests)
    how = f"{row.error_count:,} of {row.total_requests:,}; 95 % interval {100 * low:.0f}–{100 * high:.0f} % (Wilson)"
    return Figure("failed", "failed", fmt.share(row.error_count, row.total_requests), "derived", how)


def _tokens(row: ProviderMetrics) -> Iterator[Figure]:
    counts = (
        ("prompt", "prompt", row.prompt_tokens, f"{row.prompt_tokens:,}, summed over requests"),
        ("completion", "compl.", row.completion_tokens, f"{row.completion_tokens:,}, summed over requests"),
        (
            "cache",
            "cache",
            row.cache_tokens,
            f"{row.cache_read_tokens:,} read + {row.cache_write_tokens:,} written",
        ),
        (
            "tokens",
            "tokens",
            row.total_tokens,
            f"{row.total_tokens:,}: prompt, completion and both of the cache",
        ),
    )
    for key, label, value, how in counts:
        if row.tokens_logged and value is not None:
            yield Figure(key, label, fmt.tokens(value), "measured", how)
        else:
            none = "no request states one of a cache" if row.tokens_logged else "no request states a token"
            yield Figure(key, label, fmt.UNKNOWN, "not known", none)


def _share(row: ProviderMetrics, view: WindowView) -> Figure:
    spent = sum(one.total_cost or 0.0 for one in view.providers)
    if row.total_cost is None or spent <= 0:
        return Figure("share", "share", fmt.UNKNOWN, "not known", "no cost to take a share of")
    estimated = any(one.estimated_cost is not None for one in view.providers)
    how = f"of {fmt.cost(spent, estimated=estimated)}, the known costs of all models"
    kind = kind_of(spent, otherwise="derived", estimated=estimated)
    return Figure("share", "share", fmt.percent(100 * row.total_cost / spent), kind, how)


def _missing(row: ProviderMetrics) -> Iterator[str]:
    yield from money.unpriced(row)
    without = row.total_requests - row.latency_count
    if without:
        yield f"{fmt.plural(without, 'request')} without a response time"
    if row.provider == row.model == OTHER:
        yield "this row is everything past the largest number of models that are told apart"
