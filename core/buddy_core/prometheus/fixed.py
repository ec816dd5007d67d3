"""The families that are always there, in base units: seconds, US dollars, counts.

A family without a sample is named all the same, so that a dashboard knows what to expect. What nobody knows
is no sample: a cost that no request stated is not a cost of 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from buddy_core.metrics.looking.totals import ProviderTotals, Totals
from buddy_core.metrics.model import MetricType
from buddy_core.prometheus.families import Family, Labels, labelled
from buddy_core.prometheus.labels import label_value

if TYPE_CHECKING:
    from buddy_core.observing.sources import SourceStatus

PREFIX = "codebuddy_"

UNATTRIBUTED = "unattributed"
"""Provider and model of what is known only as the total of a run; the kind of its tokens is `unknown`."""

REQUEST_DURATION = PREFIX + "api_request_duration_seconds"
FIRST_TOKEN = PREFIX + "time_to_first_token_seconds"
TOOL_DURATION = PREFIX + "tool_duration_seconds"

_SECONDS = 1e-3
"""Seconds in a millisecond."""

_FAMILIES: tuple[tuple[str, MetricType, str], ...] = (
    ("tokens", "counter", "Tokens of model requests"),
    ("cost_usd", "counter", "Stated cost of model requests in US dollars; no sample where nobody stated one"),
    ("provider_requests", "counter", "Model requests by outcome: success or error"),
    ("api_request_duration_seconds", "histogram", "Time from a model request to the end of its answer"),
    (
        "time_to_first_token_seconds",
        "histogram",
        "Time from a model request to the first token of its answer",
    ),
    ("tool_calls", "counter", "Finished tool calls by outcome: success or error"),
    ("tool_duration_seconds", "histogram", "Time that tool calls took"),
    ("errors", "counter", "Recorded errors by type"),
    ("error_rate_percent", "gauge", "Share of all model requests that failed, 0 to 100"),
    ("messages", "counter", "Messages of conversations by role"),
    ("sessions", "counter", "Sessions started"),
    ("active_sessions", "gauge", "Sessions that run now"),
    ("uptime_seconds", "gauge", "Time since the collector was made"),
)

_ESTIMATED = "Cost in US dollars of what states none, priced from tokens; not a part of cost_usd"


def fixed_families(totals: Totals) -> list[Family]:
    """All families but those of the metrics that agents named."""
    families = {name: Family(PREFIX + name, type_, text) for name, type_, text in _FAMILIES}
    _add_providers(families, totals.providers)
    _add_tools(families, totals)
    _add_unattributed(families, totals)
    for type_, count in totals.errors.items():
        families["errors"].add(labelled(type=label_value(type_)), count)
    for role, count in totals.messages.items():
        families["messages"].add(labelled(role=label_value(role)), count)
    _add_state(families, totals)
    estimated = _estimated(totals)
    return [*families.values(), *([estimated] if estimated.values else [])]


def run_families(sources: SourceStatus) -> list[Family]:
    """Of how many runs all the numbers are, and how many are there besides."""
    found = []
    for name, text, runs in (
        ("runs_counted", "Runs in the directory whose numbers are counted", sources.total),
        (
            "runs_left_alone",
            "Older runs in the directory that are not read and so in none of the numbers",
            sources.left_alone,
        ),
    ):
        family = Family(PREFIX + name, "gauge", text)
        family.add(Labels(), runs)
        found.append(family)
    return found


def _estimated(totals: Totals) -> Family:
    """What requests and totals that state no cost were priced at; only there where somebody gave prices.

    A gauge, for it falls when the source states the cost after all.
    """
    family = Family(PREFIX + "estimated_cost_usd", "gauge", _ESTIMATED)
    found = [((one.row.provider, one.row.model), one.row.estimated_cost) for one in totals.providers]
    for (provider, model), dollars in [*found, ((UNATTRIBUTED, UNATTRIBUTED), totals.usage.estimated_cost)]:
        labels = labelled(provider=label_value(provider), model=label_value(model))
        if dollars is not None:  # two models may have one name when their names are masked or cut
            family.add(labels, family.values.get(labels, 0.0) + dollars)
    return family


def _add_providers(families: dict[str, Family], providers: Iterable[ProviderTotals]) -> None:
    for one in providers:
        row = one.row
        where = {"provider": label_value(row.provider), "model": label_value(row.model)}
        labels = labelled(**where)
        for kind, tokens in _tokens(one):
            families["tokens"].add(labelled(**where, kind=kind), tokens)
        families["cost_usd"].add(labels, one.stated_cost)
        answered = row.total_requests - row.error_count
        _add_outcomes(families["provider_requests"], where, answered, row.error_count)
        families["api_request_duration_seconds"].observe(labels, one.latency, _SECONDS)
        families["time_to_first_token_seconds"].observe(labels, one.first_token, _SECONDS)


def _tokens(one: ProviderTotals) -> Iterator[tuple[str, int]]:
    """Tokens by kind; nothing until the first was logged."""
    if one.row.total_tokens:
        yield "prompt", one.row.prompt_tokens
        yield "completion", one.row.completion_tokens
    if one.row.cache_tokens:
        yield "cache_read", one.row.cache_read_tokens
        yield "cache_write", one.row.cache_write_tokens


def _add_outcomes(family: Family, labels: dict[str, str], success: int, error: int) -> None:
    family.add(labelled(**labels, outcome="success"), success)
    family.add(labelled(**labels, outcome="error"), error)


def _add_tools(families: dict[str, Family], totals: Totals) -> None:
    for one in totals.tools:
        where = {"tool": label_value(one.row.name)}
        _add_outcomes(families["tool_calls"], where, one.row.success_count, one.row.error_count)
        families["tool_duration_seconds"].observe(labelled(**where), one.duration, _SECONDS)


def _add_unattributed(families: dict[str, Family], totals: Totals) -> None:
    where = {"provider": UNATTRIBUTED, "model": UNATTRIBUTED}
    if totals.usage.tokens:
        families["tokens"].add(labelled(**where, kind="unknown"), totals.usage.tokens)
    families["cost_usd"].add(labelled(**where), totals.usage.cost)


def _add_state(families: dict[str, Family], totals: Totals) -> None:
    state, nothing = totals.state, Labels()
    families["error_rate_percent"].add(nothing, state.error_rate)
    families["sessions"].add(nothing, state.total_sessions)
    families["active_sessions"].add(nothing, 0 if state.active_session is None else 1)
    families["uptime_seconds"].add(nothing, state.uptime_ms * _SECONDS)
