"""The JSON the command line prints: the library's frozen types under their own names, unknown as null.

Everything is ASCII with escapes, so no control character of an observed text can leave this way either.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from buddy_core import format as fmt
from buddy_core.alerts.model import NO_ALERTS, Alert, AlertState, BudgetUse
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import DashboardState, ErrorGroup, ProviderMetrics, WindowView
from buddy_core.metrics.model import ErrorRecord
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer, SourceStatus
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.folding.facts import logged_totals
from buddy_core.runs.model import RunMetrics
from buddy_core.runs.records.json_values import to_json_value
from buddy_core.runs.viewing.entries import SCHEMA_VERSION, call_entry, fields_of, run_entry
from buddy_core.runs.viewing.joined import JoinedEvent
from buddy_core.safety.redact import redact_value

if TYPE_CHECKING:
    from buddy_top.metering.use import MonitorUse

NEWEST_RUNS = 20
"""Runs in the document of `--once`."""

NEWEST_ERRORS = 100

Document = dict[str, Any]

_LISTS = ("providers", "tools", "errors")


def to_text(document: Document, *, compact: bool = False) -> str:
    """`document` as ASCII JSON: indented for one object, on one line (`compact`) for a stream of them.

    Secrets are masked; what was recorded is in the run's own private files.
    """
    masked = {name: redact_value(value, name=name) for name, value in document.items()}
    clean, _ = to_json_value(masked)
    return json.dumps(clean, indent=None if compact else 2, allow_nan=False)


def runs_document(
    runs: Sequence[RunFacts], *, now_ms: int, kept: Container[str] = (), leaving: Container[str] = ()
) -> Document:
    """What `run list --json` prints; `kept` and `leaving` hold ids."""
    told = ({"kept": facts.run_id in kept, "leaving": facts.run_id in leaving} for facts in runs)
    return {
        **heading(now_ms),
        "runs": [{**run_entry(facts), **more} for facts, more in zip(runs, told, strict=True)],
    }


def once_document(
    collector: MetricsCollector,
    observer: Observer,
    window: Window,
    *,
    now_ms: int,
    alerts: AlertState = NO_ALERTS,
) -> Document:
    """What `--once --json` prints: the same numbers the screen shows for that window, and what it warns of."""
    view = collector.view(window, now_ms=now_ms)
    since = view.since_ms or 0
    errors = [error for error in collector.get_recent_errors(NEWEST_ERRORS) if error.timestamp >= since]
    state = collector.get_dashboard_state()
    runs, sources = observer.facts(), observer.sources()
    return picture_document(view, state, errors, runs, sources, now_ms=now_ms, alerts=alerts)


def picture_document(
    view: WindowView,
    state: DashboardState,
    errors: Sequence[ErrorRecord],
    runs: Sequence[RunFacts],
    sources: SourceStatus,
    *,
    now_ms: int,
    alerts: AlertState = NO_ALERTS,
) -> Document:
    """Everything one picture of the monitor shows."""
    return {
        **heading(now_ms),
        "window": view.window.value,
        "state": fields_of(state),
        "alerts": [alert_entry(alert) for alert in alerts.alerts],
        "budgets": [budget_entry(budget) for budget in alerts.budgets],
        "totals": _totals(view),
        "providers": [provider_entry(provider) for provider in view.providers],
        "tools": [fields_of(tool) for tool in view.tools],
        "errors": [fields_of(error) for error in errors],
        "error_groups": [error_entry(group) for group in view.errors],
        "runs": [run_entry(facts) for facts in runs[:NEWEST_RUNS]],
        "sources": _sources(sources),
    }


def show_document(
    facts: RunFacts, metrics: RunMetrics | None, events: Sequence[Document], *, now_ms: int
) -> Document:
    """What `run show --json` prints; `events` as `joined_entry` makes them."""
    return {
        **heading(now_ms),
        "run": run_entry(facts),
        "metrics": None if metrics is None else logged_totals(metrics, tool_calls=facts.tool_calls),
        "events": list(events),
    }


def joined_entry(joined: JoinedEvent) -> Document:
    """One event; a tool call carries `result`, which is null while there is none."""
    return call_entry(joined.event, joined.result)


def heading(now_ms: int) -> Document:
    """What every document begins with."""
    return {"schema_version": SCHEMA_VERSION, "generated_at": now_ms}


def _without(fields: Mapping[str, Any], *names: str) -> Document:
    return {name: value for name, value in fields.items() if name not in names}


def _totals(view: WindowView) -> Document:
    return _without(fields_of(view), *_LISTS, "window")


def provider_entry(provider: ProviderMetrics) -> Document:
    """One provider and model; tokens nobody wrote down are null."""
    fields = fields_of(provider)
    if not provider.tokens_logged:
        return fields | {name: None for name in fields if name.endswith("_tokens")}
    if provider.cache_tokens is None:
        return fields | {"cache_read_tokens": None, "cache_write_tokens": None}
    return fields


def error_entry(group: ErrorGroup) -> Document:
    """One group of like errors, with its latest message."""
    return {**_without(fields_of(group), "latest"), "message": group.latest.message}


def alert_entry(alert: Alert) -> Document:
    """One alert: since when it holds as a date (ISO 8601, UTC) and in milliseconds, why, and by which numbers."""
    at = fmt.local(alert.since_ms, UTC)
    return {
        "kind": alert.rule,
        "severity": alert.severity,
        "subject": alert.subject,
        "run_id": alert.run_id,
        "since": None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "since_ms": alert.since_ms,
        "why": alert.why,
        "numbers": dict(alert.numbers),
    }


def budget_entry(budget: BudgetUse) -> Document:
    """What was spent of one budget; null while nobody states a cost."""
    share = None if budget.spent is None else 100 * budget.spent / budget.limit
    told = {"kind": budget.rule, "limit": budget.limit, "spent": budget.spent}
    return {**told, "estimated": budget.estimated, "percent": share}


def monitor_entry(use: MonitorUse) -> Document:
    """What the monitor itself uses; what nobody has measured is null."""
    fields = msgspec.structs.asdict(use)
    return {name: round(value, 1) if isinstance(value, float) else value for name, value in fields.items()}


def _sources(sources: SourceStatus) -> Document:
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in fields_of(sources).items()
    }
