"""Where the numbers of one run come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from buddy_core import format as fmt
from buddy_core.origins.model import Figure, Kind, Origin, kind_of
from buddy_core.origins.money import NO_CACHE_LOGGED, price_words
from buddy_core.prices.rates import Price
from buddy_core.runs.facts import RunFacts


def origin_of_run(run: RunFacts, runs_dir: Path, *, now_ms: int, price: Price | None = None) -> Origin:
    """`price` is that of the run's model, where any of its cost was priced."""
    return Origin(
        title=run.objective or run.run_id,
        about="one run",
        span=f"the whole run, whatever the window: {_span(run)}",
        figures=tuple(_figures(run, now_ms, price)),
        files=(f"{runs_dir / run.run_id}: events.jsonl, summary.json, metrics.json",),
        missing=tuple(_missing(run)),
    )


def _span(run: RunFacts) -> str:
    begin, end = fmt.local(run.started_at or None), fmt.local(run.ended_at)
    told = str(fmt.UNKNOWN) if begin is None else f"{begin:%Y-%m-%d %H:%M:%S}"
    return f"{told} to {end:%Y-%m-%d %H:%M:%S}" if end is not None else f"{told}, no end recorded"


def _figures(run: RunFacts, now_ms: int, price: Price | None) -> Iterator[Figure]:
    yield _took(run, now_ms)
    kind = kind_of(run.total_tokens, otherwise="measured")
    yield Figure("tokens", "tokens", fmt.tokens(run.total_tokens), kind, _tokens(run))
    yield Figure("cost", "cost", fmt.cost_of(run), _cost_kind(run), _cost(run, price))
    yield Figure("tools", "tool calls", fmt.count(run.tool_calls), "measured", "tool_call events")
    failed = f"{run.tool_failures:,} results that say success: false, {run.errors:,} error events"
    yield Figure("failed", "failed", fmt.count(run.tool_failures + run.errors), "measured", failed)
    counted = "intact records in events.jsonl, not the number that summary.json claims"
    yield Figure("events", "events", fmt.count(run.event_count), "measured", counted)
    yield Figure("status", "status", run.status, *_status(run))


def _took(run: RunFacts, now_ms: int) -> Figure:
    if run.status == "running":
        took: int | None = max(0, now_ms - run.started_at)
        how = "from its start until now"
    else:
        took, how = run.duration_ms, "from its start to its end"
        if run.ended_at is None:
            how = "from its start to its last event: nobody recorded an end"
    return Figure("took", "took", fmt.duration(took), kind_of(took, otherwise="derived"), how)


def _tokens(run: RunFacts) -> str:
    if run.total_tokens is None:
        return "metrics.json says 0, which means not logged, and no request states any"
    parts = (
        (run.prompt_tokens, "prompt"),
        (run.completion_tokens, "completion"),
        (run.other_tokens, "cache and other"),
    )
    told = " + ".join(f"{count:,} {words}" for count, words in parts if count)
    return f"{told or format(run.total_tokens, ',')}; {_usage_source(run)}"


def _usage_source(run: RunFacts) -> str:
    if not run.requests:
        return "total in metrics.json"
    requests = f"{fmt.plural(run.requests, 'request')} in events.jsonl"
    if run.live:
        return f"sum of {requests} so far"
    return f"total in metrics.json, or where that says 0 the sum of {requests}"


def _cost_kind(run: RunFacts) -> Kind:
    return kind_of(run.total_cost, otherwise="measured", estimated=run.estimated_cost is not None)


def _cost(run: RunFacts, price: Price | None) -> str:
    if run.total_cost is None:
        return "not stated, and not to be priced: no price of the model, or tokens of unknown kind"
    if run.estimated_cost is None:
        return _usage_source(run)
    stated = run.total_cost - run.estimated_cost
    priced = f"{fmt.cost(run.estimated_cost, estimated=True)} priced from tokens"
    told = f"{fmt.cost(stated)} stated, {priced}" if run.costs_stated else priced
    return told if price is None else f"{told}; {price_words(price)}"


def _status(run: RunFacts) -> tuple[Kind, str]:
    said = (
        f"the writer's word is {run.recorded_status}"
        if run.recorded_status
        else "no file has the writer's word"
    )
    if run.recorded_status == run.status and not run.live:
        return "measured", said
    return "derived", f"{said}; the lock, the last event and the clock decide"


def _missing(run: RunFacts) -> Iterator[str]:
    without = run.requests - run.costs_stated - run.costs_estimated
    if without > 0 and run.total_cost is not None:
        yield f"{fmt.plural(without, 'request')} without a cost of its own"
    if run.estimated_cost and not run.other_tokens:
        yield NO_CACHE_LOGGED
    damage = run.integrity
    if damage.skipped_lines or damage.recovered_lines:
        skipped = f"{fmt.plural(damage.skipped_lines, 'damaged line')} skipped"
        yield f"{skipped}, {fmt.plural(damage.recovered_lines, 'record')} recovered"
    if damage.pending_bytes:
        yield f"{damage.pending_bytes:,} bytes of a last line that is not finished"
    if run.problem is not None and run.problem not in damage.notes:
        yield f"{run.problem}: its file does not answer, and the numbers are of what was read before"
    yield from damage.notes
    if run.polling:
        yield "its files are polled: notifications are not to be had"
