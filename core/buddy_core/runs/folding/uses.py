"""Which runs used which model, and what of each run's tokens and cost was that model's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from buddy_core.metrics.recording.batch import ModelKey, RequestRow
from buddy_core.runs.facts import RunFacts

MOST_MODELS = 100
"""Models of one run that are told apart; the requests of further ones are in no run's list."""


@dataclass(frozen=True, slots=True)
class ModelUse:
    """One run's requests to one provider and model, since the run began."""

    run_id: str
    requests: int
    """0 for a run that says it used the model and whose requests nobody logged."""
    failures: int
    tokens: int | None
    """Of all four kinds; None when requests were answered and not one stated a token."""
    total_cost: float | None
    """What was stated, and what was estimated where nobody stated it; None when neither is known."""
    last_at: int
    """Wall time of the latest request in milliseconds since the epoch."""
    estimated_cost: float | None = None
    """The part of `total_cost` that is an estimate."""

    def with_estimate(self, dollars: float | None) -> ModelUse:
        """The same, with what its requests without a cost were priced at."""
        if dollars is None:
            return self
        return replace(self, total_cost=(self.total_cost or 0.0) + dollars, estimated_cost=dollars)


class _Sums:
    __slots__ = ("cost", "failures", "last_at", "requests", "tokens")

    def __init__(self) -> None:
        self.requests = self.failures = self.tokens = self.last_at = 0
        self.cost: float | None = None

    def add(self, rows: Sequence[RequestRow]) -> None:
        tokens, failures, cost, last_at = self.tokens, self.failures, self.cost, self.last_at
        for at_ms, prompt, completion, read, written, dollars, _, _, success in rows:
            tokens += prompt + completion + read + written
            if dollars is not None:
                cost = (cost or 0.0) + dollars
            if not success:
                failures += 1
            if at_ms > last_at:  # noqa: PLR1730 - a function for each would take half of the time
                last_at = at_ms
        self.requests += len(rows)
        self.tokens, self.failures, self.cost, self.last_at = tokens, failures, cost, last_at

    def as_use(self, run_id: str) -> ModelUse:
        tokens = self.tokens if self.tokens or self.failures == self.requests else None
        return ModelUse(run_id, self.requests, self.failures, tokens, self.cost, self.last_at)


class ModelUses:
    """The uses of all runs, found by model."""

    def __init__(self) -> None:
        self._by_model: dict[ModelKey, dict[str, _Sums]] = {}
        self._by_run: dict[str, set[ModelKey]] = {}

    def add(self, run_id: str, key: ModelKey, rows: Sequence[RequestRow]) -> None:
        """Count requests of a run."""
        models = self._by_run.setdefault(run_id, set())
        if key not in models:
            if len(models) >= MOST_MODELS:
                return
            models.add(key)
        self._by_model.setdefault(key, {}).setdefault(run_id, _Sums()).add(rows)

    def of(self, provider: str, model: str, since_ms: int = 0) -> tuple[ModelUse, ...]:
        """Runs with a request to this model at or after a moment, the latest request first."""
        runs = self._by_model.get((provider, model), {})
        found = [sums.as_use(run_id) for run_id, sums in list(runs.items()) if sums.last_at >= since_ms]
        return tuple(sorted(found, key=lambda use: (-use.last_at, use.run_id)))

    def known(self, run_id: str) -> bool:
        """True when some request of the run is known."""
        return run_id in self._by_run

    def forget(self, run_id: str) -> None:
        """The run's directory is gone, and was forgotten."""
        for key in self._by_run.pop(run_id, ()):
            runs = self._by_model[key]
            del runs[run_id]
            if not runs:
                del self._by_model[key]


def with_namers(
    found: Iterable[ModelUse], known: ModelUses, runs: Mapping[str, RunFacts], model: str, since_ms: int
) -> tuple[ModelUse, ...]:
    """Of `found` those by `runs`, and the runs among those that only say they used `model`; the latest first."""
    uses = [use for use in found if use.run_id in runs]
    for run in runs.values():
        last = run.last_event_at or run.started_at
        if run.model == model and last >= since_ms and not known.known(run.run_id):
            uses.append(ModelUse(run.run_id, 0, 0, None, None, last))
    return tuple(sorted(uses, key=lambda use: (-use.last_at, use.run_id)))
