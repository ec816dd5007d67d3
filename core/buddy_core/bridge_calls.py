"""The other way over the bridge: tool calls that a run records are told to the collector as well.

An agent that says `with run.tool(...)` then has its tools in its own `/metrics`, dashboard and event stream,
without saying `record_tool_execution` beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.recording.provenance import passes_on, reading_files
from buddy_core.runs.model import RunEvent
from buddy_core.runs.store.store import RunStore

MOST_OPEN = 10_000
"""Calls without a result that are remembered; the oldest are forgotten, and their results count without a time."""

_Call = tuple[str, int]
"""Name of the tool, and when it was called, in milliseconds since the epoch."""


class CallsOfRuns:
    """Listens to a store and records each finished call in a collector; `close` ends that."""

    def __init__(self, collector: MetricsCollector, store: RunStore) -> None:
        self.told = 0
        """Finished calls that the collector was told of."""
        self._collector = collector
        self._calls: dict[tuple[str, str], _Call] = {}
        self._guard = threading.Lock()
        self.close = store.add_listener(self._hear)

    def _hear(self, event: RunEvent) -> None:
        if event.type == "tool_call":
            self._called(event)
        elif event.type == "tool_result":
            self._returned(event)

    def _called(self, event: RunEvent) -> None:
        key, name = _key_of(event), _text(event.data, "toolName")
        if key is None or name is None:
            return
        # From here on: a monitor in this process that reads the run must not count what the collector knows.
        passes_on(self._collector, event.run_id, "tool")
        with self._guard:
            self._calls[key] = (name, event.ts)
            if len(self._calls) > MOST_OPEN:
                del self._calls[next(iter(self._calls))]

    def _returned(self, event: RunEvent) -> None:
        key = _key_of(event)
        with self._guard:
            call = self._calls.pop(key, None) if key is not None else None
        name = _text(event.data, "toolName") or (call[0] if call is not None else None)
        if name is None:
            return
        took = event.data.get("durationMs")
        if not isinstance(took, int | float) or isinstance(took, bool):
            took = None if call is None else max(0, event.ts - call[1])
        passes_on(self._collector, event.run_id, "tool")
        with reading_files():  # whoever listens to both has heard the event already
            self._collector.record_tool_execution(
                name=name,
                duration_ms=took,
                success=event.data.get("success") is not False,
                error=_text(event.data, "error"),
                run_id=event.run_id,
                at_ms=event.ts,
            )
        with self._guard:
            self.told += 1


def _key_of(event: RunEvent) -> tuple[str, str] | None:
    call_id = _text(event.data, "toolCallId")
    return None if call_id is None else (event.run_id, call_id)


def _text(data: Mapping[str, object], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) and value else None
