"""The rules: each looks at frozen values and yields the alerts that hold. What is not known fires nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from buddy_core.alerts import words
from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import Alert, BudgetUse, Known, Repetition, Rule
from buddy_core.metrics.looking.model import ProviderMetrics, ToolMetrics
from buddy_core.runs.facts import RunFacts, RunningTool
from buddy_core.runs.watching.liveness import STALLED_AFTER_MS


def stalled(runs: Iterable[RunFacts], now_ms: int, limits: Limits) -> Iterator[Alert]:
    """Runs whose writer may still be there and says nothing."""
    for run in runs:
        if not limits.stalled or run.status != "stalled" or run.last_event_at is None:
            continue
        tool = run.running_tools[-1].name if run.running_tools else None
        since = min(now_ms, run.last_event_at + STALLED_AFTER_MS)
        yield silent(run, since, now_ms - run.last_event_at, tool)


def silent(run: RunFacts, since_ms: int, quiet_ms: float, waiting_for: str | None) -> Alert:
    """The alert of a run that has said nothing for so long; `waiting_for` is the tool that has not answered."""
    why = words.stalled(quiet_ms, waiting_for)
    return Alert("stalled", subject_of(run), run.run_id, "warn", since_ms, why, {"quiet_ms": quiet_ms})


def waiting(
    runs: Iterable[RunFacts], known: Callable[[str], Known | None], now_ms: int, limits: Limits
) -> Iterator[Alert]:
    """Calls of live runs that take much longer than their tool ever did; one alert a tool and run.

    `known` says how long a tool takes, and is asked only of tools that have kept somebody waiting.
    """
    for run in runs:
        slow: dict[str, RunningTool] = {}
        for call in run.running_tools if run.live else ():
            if now_ms - call.since > limits.wait_ms:
                slow.setdefault(call.name, call)  # they come oldest first
        for tool, call in slow.items():
            if (found := known(tool)) is not None:
                yield from _waits(run.run_id, call, found, now_ms, limits)


def _waits(run_id: str, call: RunningTool, known: Known, now_ms: int, limits: Limits) -> Iterator[Alert]:
    limit, waited = limits.wait_limit_ms(known.longest_ms), now_ms - call.since
    if known.calls >= limits.wait_known and waited > limit:
        yield slow(call.name, run_id, call.since + int(limit) + 1, waited, known)


def slow(tool: str, run_id: str, since_ms: int, waited_ms: float, known: Known) -> Alert:
    """The alert of a call that has waited so long for a tool of which this much is known."""
    numbers = {"waited_ms": waited_ms, "longest_ms": known.longest_ms, "calls": known.calls}
    return Alert("waiting", tool, run_id, "warn", since_ms, words.waiting(tool, waited_ms, known), numbers)


def repeating(found: Iterable[Repetition]) -> Iterator[Alert]:
    """Runs that go round in circles."""
    for one in found:
        why = words.repeating(one.tool, one.argument, one.times)
        yield Alert("repeating", one.tool, one.run_id, "warn", one.since_ms, why, {"times": one.times})


def failing_tools(tools: Iterable[ToolMetrics], now_ms: int, limits: Limits) -> Iterator[Alert]:
    """Tools of which too many calls failed; `tools` are those of the last quarter of an hour."""
    for tool in tools:
        if too_many_failed(tool.error_count, tool.total_calls, limits):
            yield failing("tool_errors", tool.name, tool.error_count, tool.total_calls, now_ms)


def failing_providers(providers: Iterable[ProviderMetrics], now_ms: int, limits: Limits) -> Iterator[Alert]:
    """The same for models, by provider and model."""
    for row in providers:
        if too_many_failed(row.error_count, row.total_requests, limits):
            name = provider_subject(row.provider, row.model)
            yield failing("provider_errors", name, row.error_count, row.total_requests, now_ms)


def failing(rule: Rule, name: str, failed: int, calls: int, since_ms: int) -> Alert:
    """The alert of a tool or model with so many failures."""
    numbers = {"failed": failed, "calls": calls, "percent": 100 * failed / calls}
    return Alert(rule, name, None, "bad", since_ms, words.failing(name, failed, calls), numbers)


def too_many_failed(failed: int, calls: int, limits: Limits) -> bool:
    """True when there were calls enough to say so, and more than the limit of them failed."""
    return calls >= limits.error_calls and 100 * failed > limits.error_percent * calls


def over_budget(budgets: Iterable[BudgetUse], now_ms: int) -> Iterator[Alert]:
    """Budgets of which more than all was spent. A sum in which costs are missing is a lower bound, and counts."""
    for budget in budgets:
        if budget.spent is not None and budget.spent > budget.limit:
            yield overspent(budget, budget.spent, now_ms)


def overspent(budget: BudgetUse, spent: float, since_ms: int) -> Alert:
    """The alert of a budget that is used up."""
    hours = 1 if budget.rule == "cost_per_hour" else 24
    subject = "cost per hour" if hours == 1 else "cost per day"
    why = words.spent(spent, budget.limit, hours, estimated=budget.estimated)
    numbers = {"spent": spent, "limit": budget.limit}
    return Alert(budget.rule, subject, None, "bad", since_ms, why, numbers)


def subject_of(run: RunFacts) -> str:
    """What a person calls a run: its objective, or its id where it has none."""
    return run.objective or run.run_id


def provider_subject(provider: str, model: str) -> str:
    """`provider/model`, the key under which the collector knows it."""
    return f"{provider}/{model}"
