"""What was read becomes what the collector knows, each thing exactly once.

History goes in as whole batches, live events one by one, so that subscribers hear of each. A run's totals
that no request accounts for (`metrics.json` of the original writer) go in as usage, in growing steps: less what
has been recorded for the run before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from buddy_core.history.contribution import StoredUsage, Told
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.model import ApiRequest, ErrorRecord
from buddy_core.metrics.recording.batch import HistoryBatch, batches, row_of
from buddy_core.metrics.recording.provenance import has_passed_on, reading_files
from buddy_core.observing.estimated import Estimated
from buddy_core.observing.onebyone import record_one_by_one, record_request
from buddy_core.observing.remembered import ToldRun, ToldRuns
from buddy_core.observing.residual import Residual, residual_of
from buddy_core.runs.folding.calls import argument_of
from buddy_core.runs.folding.costs import states_more
from buddy_core.runs.folding.facts import RunFiles, ended_at, model_of, started_at, usage_of
from buddy_core.runs.folding.harvest import Harvest
from buddy_core.runs.folding.turns import RunSpan
from buddy_core.runs.folding.uses import ModelUse, ModelUses
from buddy_core.runs.reading.garbage import without_collection

if TYPE_CHECKING:
    from buddy_core.history.hourpacking import Merged
    from buddy_core.history.keeper import RunHistory

_A_TENTH_OF_A_MICRODOLLAR = 1e-7


class Ingest:
    """Feeds one collector from any number of runs."""

    def __init__(self, collector: MetricsCollector) -> None:
        self._collector = collector
        self.listed_above = collector.listed_above
        """Which calls need no argument, for whoever reads."""
        self._records = ToldRuns()
        self._estimated = Estimated(collector, self._records)
        self.uses = ModelUses()
        """What each run used of each model, also of runs that are gone and still remembered."""
        self.gone_spans: list[RunSpan] = []
        """When runs were at work that are gone and have been recounted, until `all_recounted`."""
        self._stated: list[RunSpan] = []  # those of them that stated their costs

    def record_of(self, run_id: str) -> ToldRun:
        """What is remembered of a run; a new or forgotten run begins with nothing."""
        return self._records.of(run_id)

    def uses_of(self, provider: str, model: str, since_ms: int) -> list[ModelUse]:
        """What runs used of a model, with what that is estimated to cost as long as its run does not say."""
        found: list[ModelUse] = []
        for use in self.uses.of(provider, model, since_ms):
            record = self._records.present(use.run_id)
            estimates = record.estimates if record is not None else None
            dollars = estimates.total((provider, model)) if estimates is not None else None
            found.append(use.with_estimate(dollars))
        return found

    def has_counted(self, run_id: str) -> bool:
        """True when anything was read of the run, be its directory there or gone."""
        return self._records.has_counted(run_id)

    def recount_all(self, history: RunHistory, is_counted: Callable[[str], bool]) -> Iterator[int]:
        """Record whatever only the history tells, turns aside; gives the items of each run, about."""
        for told in history.tell(is_counted):
            with without_collection():
                items = self.recount(told)
            yield items
        merged = history.tell_merged()
        if merged is not None:
            self.recount_merged(merged)
        for hour in history.tell_hours():
            self._collector.absorb_hours(None, [hour])
            yield 20  # about as long as so many calls

    def recount(self, told: Told) -> int:
        """Record what a run had brought before it was gone; gives the number of items."""
        run_id, found, usage = told
        values = list(found.values.values())
        past = Harvest(tools=found.tools, errors=found.errors, requests=found.rows, values=values)
        with reading_files():
            self._record(run_id, past, live=False)
        self._recount_usage(told)
        self._remember_span(RunSpan(run_id, usage.since, usage.until), states_cost=usage.states_cost)
        prices = self._collector.prices
        if prices is not None and usage.states_cost:
            from buddy_core.prices.estimates import estimates_of

            self._collector.retract_estimates(estimates_of(prices, found.rows))
        return len(found)

    def _recount_usage(self, told: Told) -> None:
        usage = told.usage
        if not usage.total_tokens and not usage.cost:
            return
        estimated, prices = None, self._collector.prices
        split = usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
        if prices is not None and usage.model and split and not told.found.rows and not usage.cost:
            price = prices.find(None, usage.model, usage.at_ms)
            estimated = price.of_many(usage.prompt_tokens, usage.completion_tokens) if price else None
        with reading_files():
            self._record_usage(told.run_id, Residual(*usage[1:5]), usage.at_ms, estimated)

    def recount_merged(self, merged: Merged) -> None:
        """Record what is known of runs that are long gone, beside the hours in which they happened."""
        self._collector.absorb_hours(merged.lasting, ())
        with reading_files():
            self._record("", Harvest(values=merged.values), live=False)
        for number, (since, until, states_cost) in enumerate(merged.spans):
            self._remember_span(RunSpan(f"merged {number}", since, until), states_cost=states_cost)

    def _remember_span(self, span: RunSpan, *, states_cost: bool) -> None:
        if span.ended_at:
            self.gone_spans.append(span)
            self._stated += [span] if states_cost else []

    def all_recounted(self) -> None:
        """Runs that are gone, and all turns, are counted: costs that such runs stated were not paid twice."""
        for span in self._stated:
            self._estimated.retract_turns(span)
        self.gone_spans, self._stated = [], []

    def begin_with(self, told: Told) -> None:
        """A run that was recounted is there again, and about to be read: what is recorded of it is known."""
        record = self.record_of(told.run_id)
        for model, rows in told.found.rows.items():
            record.requests.add_rows(rows)
            self.uses.add(told.run_id, model, rows)
        record.usage_at, record.usage = told.usage.at_ms, Residual(*told.usage[1:5])
        if not told.usage.states_cost:
            self._estimated.remember(told.run_id, told.found.rows)

    def stored_usage(self, files: RunFiles, span: RunSpan) -> StoredUsage:
        """What was recorded of a run beyond its requests, and what else decides about its cost."""
        record = self.record_of(files.fold.run_id)
        states = states_more(usage_of(files).cost, record.requests.cost)
        model = model_of(files, None)
        return StoredUsage(record.usage_at, *record.usage, model, span.started_at, span.ended_at, states)

    def run_gone(self, run_id: str) -> None:
        """The run's directory is gone; should it come back, nothing of it is recorded again."""
        for forgotten in self._records.gone(run_id):
            self.uses.forget(forgotten)

    def deliver(self, run_id: str, harvest: Harvest, *, live: bool) -> None:
        """Record what a batch of a run's events brought."""
        sums = self.record_of(run_id).requests
        for model, rows in harvest.requests.items():
            sums.add_rows(rows)
            self.uses.add(run_id, model, rows)
        with reading_files():
            news = self._news(run_id, harvest)
            self._record(run_id, news, live=live)
        self._estimated.remember(run_id, news.requests)

    def _news(self, run_id: str, harvest: Harvest) -> Harvest:
        """Without what this very collector passed on to the run, should it be recorded in this process."""
        if has_passed_on(self._collector, run_id, "api_request"):
            harvest = replace(harvest, requests=type(harvest.requests)())
        if has_passed_on(self._collector, run_id, "value"):
            harvest = replace(harvest, values=[])
        if has_passed_on(self._collector, run_id, "tool"):
            harvest = replace(harvest, tools={}, tool_errors=[])
        return harvest

    def _record(self, run_id: str, harvest: Harvest, *, live: bool) -> None:
        if live:
            record_one_by_one(self._collector, run_id, harvest)
        elif harvest.tools or harvest.errors or harvest.requests:
            reasons = [error for _, _, error in harvest.tool_errors]
            self._absorb(run_id, harvest, harvest.errors + reasons)
        for name, value, labels, at_ms in harvest.values:
            self._collector.record(name, value, labels, at_ms=at_ms)

    def deliver_turns(self, requests: Sequence[ApiRequest], *, live: bool) -> None:
        """Record requests of `turn-metrics.jsonl`, joined to their runs or not."""
        for request in requests:
            if request.run_id is not None:
                self.uses.add(request.run_id, (request.provider, request.model), [row_of(request)])
        with reading_files():
            if live:
                for request in requests:
                    record_request(self._collector, request)
            elif requests:
                self._collector.absorb(HistoryBatch(run_id=None, requests=list(requests)))
        self._estimated.remember_turns(requests)

    def settle(self, files: RunFiles, *, tokens_by_turns: bool, turns_of: RunSpan | None = None) -> None:
        """Record what the run's totals say beyond its requests, as far as that is not recorded yet.

        With `tokens_by_turns` its tokens are (or may be) among the turns; then only its cost is recorded.
        It is put at the run's end, or at its last event where it has none. A cost that the run states takes
        the place of whatever its requests, and turns of unknown owner in `turns_of`, were priced at.
        """
        record = self.record_of(files.fold.run_id)
        usage = usage_of(files)
        if self._collector.prices is not None and states_more(usage.cost, record.requests.cost):
            self._estimated.retract(record, turns_of)
        unaccounted = residual_of(usage, record.requests, tokens_by_turns=tokens_by_turns)
        more = unaccounted.beyond(record.usage)
        if not more.total_tokens and more.cost < _A_TENTH_OF_A_MICRODOLLAR:
            return
        record.usage = record.usage.plus(more)
        record.usage_at = ended_at(files) or files.fold.last_at or started_at(files)
        estimated = (
            self._estimated.price(record, files, more, record.usage_at) if usage.cost is None else None
        )
        with reading_files():
            self._record_usage(files.fold.run_id, more, record.usage_at, estimated)

    def _record_usage(self, run_id: str, more: Residual, at_ms: int, estimated: float | None) -> None:
        self._collector.record_usage(
            total_tokens=more.total_tokens,
            prompt_tokens=more.prompt_tokens,
            completion_tokens=more.completion_tokens,
            cost=more.cost or None,
            estimated_cost=estimated,
            run_id=run_id,
            at_ms=at_ms,
        )

    def _absorb(self, run_id: str, harvest: Harvest, errors: list[ErrorRecord]) -> None:
        whole = HistoryBatch(
            run_id=run_id, tools=harvest.tools, errors=errors, rows=harvest.requests, argument_of=argument_of
        )
        for batch in batches(whole):
            self._collector.absorb(batch)
