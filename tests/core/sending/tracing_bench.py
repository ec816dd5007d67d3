"""A store and a collector that are instrumented, with a clock that moves when told, and a receiver of their spans."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.core.sending.otlp_receiver import OtlpReceiver, SeenSpan

from buddy_core import (
    ManualClock,
    MetricsCollector,
    RunStore,
    init_tracing,
    instrument,
    shutdown_observability,
)

RUN = "invoke_agent codebuddy"
"""Name of the span of a run."""

T0 = 1_767_890_000_000
"""When everything begins."""


@dataclass
class Bench:
    """An instrumented store and collector whose spans arrive at a receiver."""

    receiver: OtlpReceiver
    store: RunStore
    collector: MetricsCollector
    clock: ManualClock

    def tool(self, run_id: str, name: str, ms: float, *, id: str | None = None, success: bool = True) -> None:
        """A call and, `ms` later, its result."""
        self.store.emit(run_id, "tool_call", {"toolName": name, "toolCallId": id, "args": {"x": "secret"}})
        self.clock.advance(ms)
        self.store.emit(
            run_id, "tool_result", {"toolName": name, "toolCallId": id, "success": success, "error": "no"}
        )

    def seen(self) -> list[SeenSpan]:
        """Switch off, which sends everything, and return what arrived."""
        shutdown_observability()
        return self.receiver.spans

    def one(self, name: str) -> SeenSpan:
        """As `seen`, the one span of this name."""
        self.seen()
        return self.receiver.named(name)


def begin(receiver: OtlpReceiver, directory: Path, **env: str) -> Bench:
    """Switch tracing on and instrument a new store and a new collector."""
    clock = ManualClock(T0)
    store, collector = RunStore(directory, clock=clock), MetricsCollector(clock=clock)
    assert init_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **env}) is not None
    instrument(collector, store)
    return Bench(receiver, store, collector, clock)
