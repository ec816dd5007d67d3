"""What requests and totals were priced at, kept for as long as the runs they belong to do not state their costs.

A run that states its cost later did not cost the estimates as well: these are then counted no more. Turns that no
run, or more than one, could have made are kept together, and taken back by their times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.model import ApiRequest
from buddy_core.metrics.recording.batch import ModelKey, RequestRow, row_of
from buddy_core.observing.remembered import ToldRun, ToldRuns
from buddy_core.observing.residual import Residual
from buddy_core.runs.folding.costs import price_of_totals
from buddy_core.runs.folding.facts import RunFiles, RunUsage
from buddy_core.runs.folding.turns import JOIN_MARGIN_MS, RunSpan

if TYPE_CHECKING:
    from buddy_core.prices.estimates import Estimates


class Estimated:
    """Estimates of one collector, on the `records` of the runs they were made for."""

    def __init__(self, collector: MetricsCollector, records: ToldRuns) -> None:
        self._collector = collector
        self._records = records
        self._ownerless: Estimates | None = None

    def remember(self, run_id: str | None, requests: Mapping[ModelKey, list[RequestRow]]) -> None:
        """Keep what the collector has priced requests at, for the case that their run states its cost later."""
        prices = self._collector.prices
        if prices is None or not requests:
            return
        from buddy_core.prices.estimates import Estimates, estimates_of

        found = estimates_of(prices, requests)
        if not found:
            return
        if run_id is None:
            self._ownerless = self._ownerless or Estimates()
            self._ownerless.extend(found)
        else:
            record = self._records.of(run_id)
            record.estimates = record.estimates or Estimates()
            record.estimates.extend(found)

    def remember_turns(self, requests: Sequence[ApiRequest]) -> None:
        """The same of turns, each for the run it was joined to, or for none."""
        if self._collector.prices is not None:
            for run_id, rows in _rows_by_run(requests).items():
                self.remember(run_id, rows)

    def price(self, record: ToldRun, files: RunFiles, more: Residual, at_ms: int) -> float | None:
        """What tokens of a run that logged no request cost, remembered like what requests are priced at."""
        tokens = RunUsage(more.total_tokens, more.prompt_tokens, more.completion_tokens)
        dollars = price_of_totals(files, tokens, None)
        if dollars is not None:
            from buddy_core.prices.estimates import Estimates

            record.estimates = record.estimates or Estimates()
            record.estimates.add(None, [(at_ms, dollars)])
        return dollars

    def retract(self, record: ToldRun, span: RunSpan | None) -> None:
        """Count no more what was estimated for a run, nor for turns without an owner within its `span`."""
        if record.estimates is not None:
            self._collector.retract_estimates(record.estimates)
            record.estimates = None
        if span is not None:
            self.retract_turns(span)

    def retract_turns(self, span: RunSpan) -> None:
        """Count the estimates no more of turns without an owner that a run could have made."""
        if self._ownerless is not None:
            first, last = span.started_at - JOIN_MARGIN_MS, span.ended_at + JOIN_MARGIN_MS
            self._collector.retract_estimates(self._ownerless.take_between(first, last))


def _rows_by_run(requests: Sequence[ApiRequest]) -> dict[str | None, dict[ModelKey, list[RequestRow]]]:
    """Requests as rows, by run and by provider and model."""
    found: dict[str | None, dict[ModelKey, list[RequestRow]]] = {}
    for one in requests:
        rows = found.setdefault(one.run_id, {}).setdefault((one.provider, one.model), [])
        rows.append(row_of(one))
    return found
