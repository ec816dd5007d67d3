"""What an agent says of itself: metrics of its own, its messages, its sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from buddy_core.clock import Clock
from buddy_core.metrics.collecting.pricing import PricingReader
from buddy_core.metrics.model import MetricType, SessionMetrics
from buddy_core.metrics.recording.broadcast import Broadcast
from buddy_core.metrics.recording.custom import ROLES

if TYPE_CHECKING:
    from buddy_core.metrics.looking.named import Metric
    from buddy_core.prices.table import PriceTable


class OwnRecorder(PricingReader):
    """The part of the collector that counts these, and tells who listens."""

    def __init__(
        self, clock: Clock | None, points: int, errors: int, series: int, prices: PriceTable | None
    ) -> None:
        super().__init__(clock, points, errors, series, prices)
        self._broadcast = Broadcast(self._clock)

    def register_metric(
        self, name: str, *, type: MetricType, description: str = "", unit: str | None = None
    ) -> Metric:
        """Make a metric known; a name that is known keeps its first type and description.

        Raises `ValueError` for a type that is none: that is a slip in the program, found at its start.
        """
        from buddy_core.metrics.looking.named import Metric, metric_of

        with self._lock:
            checked = self._refusals.name(name)
            if checked is None:
                return Metric(str(name)[:64], type, description, unit)
            return metric_of(self._registry.register(checked, type, description, unit))

    def record(
        self, name: str, value: float, labels: Mapping[str, str] | None = None, *, at_ms: int | None = None
    ) -> None:
        """Add a point to a metric; an unknown name becomes a gauge.

        Of a counter the value is its total as counted elsewhere: it may not be negative.
        """
        self._record_point(name, value, labels, at_ms, adding=False)

    def increment(
        self,
        name: str,
        amount: float = 1,
        labels: Mapping[str, str] | None = None,
        *,
        at_ms: int | None = None,
    ) -> None:
        """Add to the running total of a label set; the point recorded is the new total.

        An unknown name becomes a counter. Only a gauge may go down; a histogram has no total to add to.
        """
        self._record_point(name, amount, labels, at_ms, adding=True)

    def _record_point(
        self,
        name: str,
        value: float,
        labels: Mapping[str, str] | None,
        at_ms: int | None,
        *,
        adding: bool,
    ) -> None:
        try:
            with self._lock:
                point = self._registry.accept(
                    self._refusals, name, value, labels, at_ms, self._clock.now_ms(), adding=adding
                )
        except Exception:  # noqa: BLE001 - nothing may be raised into the host
            self._refuse()
            return
        if point is not None and self._broadcast.wanted("metric"):
            self._broadcast.send("metric", point)

    def record_message(self, role: Literal["user", "assistant", "system", "tool"]) -> None:
        """Count one message, in the session too if one runs; any other role is refused."""
        try:
            known = role in ROLES
        except Exception:  # noqa: BLE001 - what is compared may be the host's own object
            known = False
        if not known:
            self._refuse("no such role")
            return
        with self._lock:
            self._sessions.message(role)
        self._record_point("messages_total", 1, {"role": role}, None, adding=True)

    def start_session(self, session_id: str) -> None:
        """A session begins; one that was running ends."""
        try:
            with self._lock:
                ended = self._close_session()
                if (checked := self._refusals.name(session_id)) is not None:
                    self._sessions.begin(checked, self._ledger.activity.total)
                started = self.get_session_metrics()
        except Exception:  # noqa: BLE001 - nothing may be raised into the host
            self._refuse()
            return
        self._tell_session("session:ended", ended)
        self._tell_session("session:started", started)

    def end_session(self) -> SessionMetrics | None:
        """The running session's final numbers; None when none runs."""
        with self._lock:
            metrics = self._close_session()
        self._tell_session("session:ended", metrics)
        return metrics

    def _close_session(self) -> SessionMetrics | None:
        metrics = self.get_session_metrics()
        self._sessions.end()
        return metrics

    def _tell_session(
        self, name: Literal["session:started", "session:ended"], metrics: SessionMetrics | None
    ) -> None:
        if metrics is not None and self._broadcast.wanted(name):
            self._broadcast.send(name, metrics)

    def _refuse(self, reason: str = "arguments make no sense") -> None:
        with self._lock:
            self._refusals.refuse(reason)
