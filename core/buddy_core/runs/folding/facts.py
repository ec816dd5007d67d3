"""From a run's files to `RunFacts`: whose word counts where they disagree, and what stays unknown.

Zeros in `metrics.json` mean "not logged" and become None. While a run lives its own `api_request` events
are newer than `metrics.json`; once it has ended the file has the last word wherever it says more than zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import NamedTuple, get_args

from buddy_core.runs.facts import Inherited, Integrity, RunFacts, RunningTool
from buddy_core.runs.folding.calls import OpenCall
from buddy_core.runs.folding.fold import RunFold
from buddy_core.runs.model import EndStatus, RunMetadata, RunMetrics, RunSummary, Status
from buddy_core.runs.names import started_at_of
from buddy_core.runs.records.payloads import MAX_NAME, observed_text, plain_payload
from buddy_core.runs.toolargs import key_argument

LATEST_BELIEVED_MS = 4_102_444_800_000
"""The year 2100: later times are damage, not dates, and are not shown as a run's start."""

MAX_RUNNING = 16
"""Open calls told of one run; a longer list is of calls that were refused and never answered."""

_END_WORDS = frozenset(get_args(EndStatus))
_NO_METADATA = RunMetadata()
_TAGGED_CHANNELS = ("interactive", "headless")


class RunUsage(NamedTuple):
    """Tokens and dollars of one run; None is not known."""

    total_tokens: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None


class RunFiles(NamedTuple):
    """What has been read of one run so far."""

    fold: RunFold
    summary: RunSummary | None = None
    metrics: RunMetrics | None = None
    artifacts: tuple[str, ...] = ()
    integrity: Integrity = Integrity()
    problem: str | None = None
    """Why the event file cannot be read at present."""


def recorded_status(files: RunFiles) -> str | None:
    """The writer's own word: that of `run_end` if it is an end, else the summary's, else any there is."""
    from_event = files.fold.end_status
    from_summary = files.summary.status if files.summary is not None else None
    if from_event in _END_WORDS or from_summary is None:
        return from_event
    return from_summary


def has_ended(files: RunFiles) -> bool:
    """True when the writer has said how the run ended."""
    return recorded_status(files) in _END_WORDS


def started_at(files: RunFiles) -> int:
    """Start by the summary, else by the first event, else by the id; unbelievable times are passed over."""
    said = files.summary.started_at if files.summary is not None else None
    for at in (said, files.fold.first_at, started_at_of(files.fold.run_id)):
        if at is not None and 0 < at <= LATEST_BELIEVED_MS:
            return at
    return 0


def ended_at(files: RunFiles) -> int | None:
    """End by the summary, else by `run_end`; None when neither has a believable one."""
    said = files.summary.ended_at if files.summary is not None else None
    for at in (said, files.fold.ended_at):
        if at is not None and 0 < at <= LATEST_BELIEVED_MS:
            return at
    return None


def usage_of(files: RunFiles) -> RunUsage:
    """What the run used, by its requests or by `metrics.json`."""
    sums, metrics = files.fold.sums, files.metrics or RunMetrics()
    own = RunUsage(
        sums.total_tokens or None, sums.prompt_tokens or None, sums.completion_tokens or None, sums.cost
    )
    if sums.requests and not has_ended(files):
        return own
    total = metrics.total_tokens or metrics.prompt_tokens + metrics.completion_tokens
    return RunUsage(
        total_tokens=total or own.total_tokens,
        prompt_tokens=metrics.prompt_tokens or own.prompt_tokens,
        completion_tokens=metrics.completion_tokens or own.completion_tokens,
        cost=metrics.total_cost or own.cost,
    )


def logged_totals(metrics: RunMetrics, *, tool_calls: int) -> dict[str, float | None]:
    """What `metrics.json` says, under the names of `RunMetrics`: None for a zero that means "not logged".

    No failovers are believed, and no tool calls where the events (`tool_calls` of them) know of none either.
    """
    told = {"failover_count"} if tool_calls else {"failover_count", "tool_call_count"}
    totals = {field.name: getattr(metrics, field.name) for field in fields(metrics) if field.name != "extra"}
    return {name: value if value or name in told else None for name, value in totals.items()}


def model_of(files: RunFiles, turn_model: str | None) -> str | None:
    """The model by the run's tags, else the one its requests used most, else that of its turns."""
    tagged = tagged_model(_metadata(files).tags)
    if tagged is None and files.fold.models:
        return files.fold.models.most_common(1)[0][0]
    return turn_model if tagged is None else tagged


def tagged_model(tags: Sequence[str]) -> str | None:
    """The model that the original writer names in a run's last tag, behind the channel."""
    return tags[-1][:MAX_NAME] if len(tags) > 1 and tags[0] in _TAGGED_CHANNELS else None


def build_facts(files: RunFiles, *, status: Status, turn_model: str | None, polling: bool) -> RunFacts:
    """One line of the list of runs. Open calls and steps are told only while the run is live."""
    from buddy_core.runs.folding.costs import cost_of  # it builds on this module

    fold, metadata = files.fold, _metadata(files)
    usage = usage_of(files)
    cost = cost_of(files, usage, turn_model)
    live = status in ("running", "stalled")
    start, end = started_at(files), None if live else ended_at(files)
    return RunFacts(
        run_id=fold.run_id,
        objective=_objective(files),
        status=status,
        recorded_status=recorded_status(files),
        started_at=start,
        ended_at=end,
        last_event_at=fold.last_at,
        duration_ms=_duration(files, start, end),
        event_count=fold.event_count,
        tool_calls=fold.tool_calls,
        tool_failures=fold.tool_failures,
        errors=fold.errors,
        total_tokens=usage.total_tokens,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_cost=cost.total,
        estimated_cost=cost.estimated,
        model=model_of(files, turn_model),
        tags=metadata.tags,
        parent_run_id=metadata.parent_rollout_id or fold.parent_run_id,
        fork_reason=metadata.fork_reason or fold.fork_reason,
        cwd=metadata.cwd,
        channel=metadata.channel,
        session_id=metadata.session_id,
        artifacts=files.artifacts,
        integrity=files.integrity,
        problem=files.problem,
        failovers=max(fold.failovers, files.metrics.failover_count if files.metrics is not None else 0),
        running_tools=tuple(map(_running, fold.open_calls[-MAX_RUNNING:])) if live else (),
        step=fold.step if live else None,
        polling=polling,
        requests=fold.sums.requests,
        costs_stated=fold.sums.costs,
        costs_estimated=fold.sums.estimates,
        inherited=_inherited(fold, usage) if fold.foreign else (),
    )


def unread_facts(run_id: str, now_ms: int) -> RunFacts:
    """A run of which nothing is known but its id."""
    from buddy_core.runs.watching.liveness import conclude_status

    files = RunFiles(RunFold(run_id))
    status = conclude_status(None, lock="none", now_ms=now_ms, last_activity_ms=started_at(files))
    return build_facts(files, status=status, turn_model=None, polling=False)


def _inherited(fold: RunFold, usage: RunUsage) -> tuple[Inherited, ...]:
    """What records of other runs add to the counts; to tokens and cost only where those are sums of records."""
    from buddy_core.runs.folding.costs import states_more

    tokens = usage.total_tokens == fold.sums.total_tokens
    cost = not states_more(usage.cost, fold.sums.cost)
    found = []
    for run_id, apart in fold.foreign.items():
        sums = apart.sums
        found.append(
            Inherited(
                run_id=run_id,
                tool_calls=apart.tool_calls,
                tool_failures=apart.tool_failures,
                errors=apart.errors,
                total_tokens=sums.total_tokens if tokens else 0,
                prompt_tokens=sums.prompt_tokens if tokens else 0,
                completion_tokens=sums.completion_tokens if tokens else 0,
                total_cost=(sums.cost or 0.0) + (sums.estimate or 0.0) if cost else 0.0,
                estimated_cost=sums.estimate if cost else None,
            )
        )
    return tuple(found)


def _metadata(files: RunFiles) -> RunMetadata:
    if files.summary is not None and files.summary.metadata != _NO_METADATA:
        return files.summary.metadata
    return files.fold.metadata or _NO_METADATA


def _objective(files: RunFiles) -> str:
    said = files.summary.objective if files.summary is not None else ""
    return observed_text(said or files.fold.objective) or ""


def _duration(files: RunFiles, start: int, end: int | None) -> int | None:
    """From start to end, or to the last event; where the clock went backwards, what the writer measured."""
    until = end if end is not None else files.fold.last_at
    if until is not None and start and until >= start:
        return until - start
    return (files.metrics.duration_ms or None) if files.metrics is not None else None


def _running(call: OpenCall) -> RunningTool:
    argument = key_argument(call.name, plain_payload(call.data).get("args"))
    return RunningTool(name=call.name, argument=argument, since=call.at_ms)
