"""The part of the collector that prices what states no cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_core.metrics.collecting.reading import MetricsReader

if TYPE_CHECKING:
    from buddy_core.metrics.counting.hours import HourStats, Lasting
    from buddy_core.metrics.recording.batch import HistoryBatch, ModelKey, RequestRow
    from buddy_core.prices.estimates import Estimates
    from buddy_core.prices.table import PriceTable


class PricingReader(MetricsReader):
    """A reader whose numbers may be estimates, where it was given prices."""

    def __init__(
        self, clock: Clock | None, points: int, errors: int, series: int, prices: PriceTable | None
    ) -> None:
        self.prices = prices
        """What costs are estimated by; None: none is."""
        super().__init__(clock, points, errors, series)

    def retract_estimates(self, estimates: Estimates) -> None:
        """Count these estimates no more: the source has stated the cost after all."""
        self._count_estimates(estimates, take_back=True)

    def absorb_hours(self, lasting: Lasting | None, hours: Iterable[tuple[int | None, HourStats]]) -> None:
        """Count a past of which only hours are known (since the epoch; None: of no time): see `counting.hours`."""
        from buddy_core.metrics.counting.hours import absorb_hour, absorb_lasting

        with self._lock:
            if lasting is not None:
                absorb_lasting(self._ledger, lasting)
            for hour, found in hours:
                absorb_hour(self._ledger, hour, found, self.prices)

    def _estimate(self, requests: Mapping[ModelKey, Sequence[RequestRow]]) -> None:
        """Price those of `requests`, which are counted already, that state no cost; no lock is held meanwhile."""
        from buddy_core.prices.estimates import estimates_of  # who gives no prices needs none of it

        if self.prices is not None and (found := estimates_of(self.prices, requests)):
            self._count_estimates(found, take_back=False)

    def _estimate_batch(self, batch: HistoryBatch) -> None:
        if self.prices is not None and (batch.rows or batch.requests):
            from buddy_core.metrics.recording.bulk_requests import rows_of

            self._estimate(rows_of(batch, self._clock.now_ms()))

    def _count_estimates(self, estimates: Estimates, *, take_back: bool) -> None:
        with self._lock:
            now = self._clock.now_ms()
            for key, amounts in estimates.by_model():
                self._ledger.add_estimates(key, amounts, now, take_back=take_back)
