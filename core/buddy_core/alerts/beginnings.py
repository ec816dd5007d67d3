"""When an alert about a stretch of time began to hold, also where nobody looked then.

The collector knows what happened minute by minute for a day, and by the hour before: gone through again, it
tells when there first were too many failures, or a budget was used up. So what is said is the moment itself
where nothing has happened since in that minute, else the minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from buddy_core.alerts.history import Spending
from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import Alert, BudgetUse
from buddy_core.alerts.rules import provider_subject, too_many_failed
from buddy_core.alerts.sliding import overspending
from buddy_core.metrics.collecting.reading import MetricsReader
from buddy_core.metrics.counting.grains import HOUR, MINUTE
from buddy_core.metrics.looking.model import ActivityBucket, ProviderMetrics, SeriesPoint, ToolMetrics
from buddy_core.metrics.window import Window

_BY_MINUTE, _BY_HOUR = 25 * 60, 8 * 24
"""Slices to ask for, so that a day comes by the minute and a week by the hour."""

_QUARTER = (Window.M15.ms or 0) // MINUTE + 1
"""Minutes that the last quarter of an hour touches."""


class Recent(NamedTuple):
    """What happened in the last quarter of an hour."""

    tools: Sequence[ToolMetrics] = ()
    providers: Sequence[ProviderMetrics] = ()


def began_at(alert: Alert, collector: MetricsReader, recent: Recent, limits: Limits, now_ms: int) -> int:
    """Wall time from which `alert` holds; its own `since_ms` where the rule knows it already.

    Of what holds for longer than a day, the day is known.
    """
    if alert.rule == "tool_errors":
        points = collector.history("tool", alert.subject, Window.H24, _BY_MINUTE, now_ms=now_ms)
        calls = (tool.last_executed_at for tool in recent.tools if tool.name == alert.subject)
        return _within_minute(failing_since(points, limits), calls, alert)
    if alert.rule == "provider_errors":
        points = collector.history("provider", alert.subject, Window.H24, _BY_MINUTE, now_ms=now_ms)
        rows = (row for row in recent.providers if provider_subject(row.provider, row.model) == alert.subject)
        return _within_minute(failing_since(points, limits), _requests(rows), alert)
    if alert.rule == "cost_per_hour" or alert.rule == "cost_per_day":
        window = Window.H1 if alert.rule == "cost_per_hour" else Window.H24
        budget = BudgetUse(alert.rule, alert.numbers["limit"], None)
        fired = [one.since_ms for one in overspending(budget, window, _costs(collector, now_ms), now_ms)]
        return _within_minute(fired[-1] if fired else None, _requests(recent.providers), alert)
    return alert.since_ms


def failing_since(points: Sequence[SeriesPoint], limits: Limits) -> int | None:
    """Beginning of the minute since whose end too many failed without a break; None when at present it is not so.

    `points` are the minutes of one tool or model, without holes.
    """
    calls = failed = 0
    since: int | None = None
    for at, point in enumerate(points):
        calls, failed = calls + point.count, failed + point.failures
        if at >= _QUARTER:
            calls, failed = calls - points[at - _QUARTER].count, failed - points[at - _QUARTER].failures
        if not too_many_failed(failed, calls, limits):
            since = None
        elif since is None:
            since = point.start_at
    return since


def _costs(collector: MetricsReader, now_ms: int) -> list[Spending]:
    """What was spent when: by the minute for the last day, by the hour for the week before."""
    minutes = collector.activity(Window.H24, _BY_MINUTE, now_ms=now_ms).buckets
    hours = collector.activity(Window.D7, _BY_HOUR, now_ms=now_ms).buckets
    begin = minutes[0].start_at
    earlier = [(hour.start_at, _cost_before(hour, minutes)) for hour in hours if hour.start_at < begin]
    all_of_it = (*earlier, *((one.start_at, one.cost) for one in minutes))
    return [Spending(at_ms, cost) for at_ms, cost in all_of_it if cost > 0]


def _cost_before(hour: ActivityBucket, minutes: Sequence[ActivityBucket]) -> float:
    """What was spent in an hour before the first of the minutes."""
    if hour.start_at + HOUR <= minutes[0].start_at:
        return hour.cost
    return hour.cost - sum(one.cost for one in minutes[:60] if one.start_at < hour.start_at + HOUR)


def _requests(rows: Iterable[ProviderMetrics]) -> Iterator[int | None]:
    return (row.last_request_at for row in rows)


def _within_minute(minute: int | None, happened: Iterable[int | None], alert: Alert) -> int:
    """The last thing that happened, if that was in the minute in question; else where the minute begins."""
    if minute is None:
        return alert.since_ms
    last_at = max((at for at in happened if at is not None), default=0)
    return last_at if minute <= last_at < minute + MINUTE else minute
