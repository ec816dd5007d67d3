"""What live runs bring, told to a collector one by one in the order in which it happened, so that subscribers hear of each."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.model import ApiRequest, ToolExecution
from buddy_core.runs.folding.calls import argument_of
from buddy_core.runs.folding.harvest import Harvest


def record_one_by_one(collector: MetricsCollector, run_id: str, harvest: Harvest) -> None:
    """Record a harvest: its calls, then its requests, then its errors."""
    for call, argument in sorted(_executions(run_id, harvest), key=lambda pair: pair[0].at_ms):
        collector.record_tool_execution(
            name=call.name,
            duration_ms=call.duration_ms,
            success=call.success,
            error=call.error,
            run_id=call.run_id,
            at_ms=call.at_ms,
        )
        if argument:
            collector.describe_call(call.name, argument, at_ms=call.at_ms, run_id=run_id)
    for request in sorted(_requests(run_id, harvest), key=lambda request: request.at_ms):
        record_request(collector, request)
    for error in harvest.errors:
        collector.record_error(
            error.type,
            error.message,
            stack=error.stack,
            context=error.context,
            run_id=error.run_id,
            at_ms=error.timestamp,
        )


def record_request(collector: MetricsCollector, request: ApiRequest) -> None:
    """Record one request to a model, with the time at which it was made."""
    collector.record_api_request(
        provider=request.provider,
        model=request.model,
        prompt_tokens=request.prompt_tokens,
        completion_tokens=request.completion_tokens,
        cache_read_tokens=request.cache_read_tokens,
        cache_write_tokens=request.cache_write_tokens,
        cost=request.cost,
        latency_ms=request.latency_ms,
        ttft_ms=request.ttft_ms,
        success=request.success,
        run_id=request.run_id,
        at_ms=request.at_ms,
    )


def _executions(run_id: str, harvest: Harvest) -> Iterator[tuple[ToolExecution, str]]:
    """Each call with what it was about."""
    reasons = {(tool, row): error.message for tool, row, error in harvest.tool_errors}
    for tool, column in harvest.tools.items():
        rows = zip(column.at_ms, column.duration_ms, column.ok, column.calls, strict=True)
        for row, (at_ms, duration_ms, ok, call) in enumerate(rows):
            execution = ToolExecution(tool, duration_ms, ok, reasons.get((tool, row)), run_id, at_ms)
            yield execution, argument_of(tool, call)


def _requests(run_id: str, harvest: Harvest) -> Iterator[ApiRequest]:
    for (provider, model), rows in harvest.requests.items():
        for at_ms, prompt, completion, read, written, cost, latency, ttft, success in rows:
            yield ApiRequest(
                provider,
                model,
                prompt,
                completion,
                read,
                written,
                cost,
                latency,
                ttft,
                success,
                run_id,
                at_ms,
            )
