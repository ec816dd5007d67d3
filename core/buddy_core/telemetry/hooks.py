"""`instrument`: what a collector and a store are told becomes spans and error reports.

Where spans go, in this order: to the provider handed in; to the one `init_tracing` made; to the host's own global
provider, if it set one and telemetry is not switched off. In a provider that is not ours, ids are the host's to
choose, so a fork links to its parent only within the process. A run that starts inside one of the host's spans is
a trace of its own with a link to that span: a run may outlive the request that started it.

Requests become spans when the collector hears of them; `metric` events, which repeat them, do not. What a collector
is told while it reads the files of other processes is theirs to trace, and is left out.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from buddy_core._version import __version__
from buddy_core.clock import SystemClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.recording.events import CollectorEvent
from buddy_core.metrics.recording.provenance import is_reading_files
from buddy_core.runs.model import RunEvent
from buddy_core.runs.store.store import RunStore
from buddy_core.telemetry.sending.mailbox import Mailbox
from buddy_core.telemetry.spans.heard import (
    Heard,
    heard_event,
    heard_failure,
    heard_request,
    heard_tool,
)

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

    from buddy_core.telemetry.reporting import Reporter

ROOM = 8_192
"""Events that may wait to become spans; more are dropped and counted."""

GATHER_S = 0.1
"""How long events are gathered before spans are made of them."""

_hooks: weakref.WeakSet[Hooks] = weakref.WeakSet()


class Hooks:
    """One collector and one store, listened to; made by `buddy_core.instrument`."""

    def __init__(
        self,
        collector: MetricsCollector,
        store: RunStore,
        *,
        provider: TracerProvider | None,
        reporter: Reporter | None,
        agent: str,
        content: bool,
    ) -> None:
        self._collector = collector
        self._store = store
        self._provider = provider
        self._traces = provider is not None
        self._agent = agent
        self._reporter = reporter
        self._content = content
        self._box: Mailbox[Heard] = Mailbox(
            "codebuddy-runs", self._take, room=ROOM, batch=1_024, delay_s=GATHER_S
        )
        self._offs: list[Callable[[], None]] = []
        if provider is not None:
            self._ids = getattr(provider, "id_generator", None)
            self._tracer = provider.get_tracer("buddy_core", __version__)
            self._open_book()
        _hooks.add(self)

    def _open_book(self) -> None:
        from buddy_core.telemetry.spans.book import SpanBook
        from buddy_core.telemetry.spans.ids import RunIds

        self._book = SpanBook(self._tracer, self._ids if isinstance(self._ids, RunIds) else None, self._agent)

    def _take(self, batch: list[Heard]) -> None:
        self._book.take(batch, self._box.breathe)

    def joins(self, collector: MetricsCollector, store: RunStore, provider: object) -> bool:
        """True when these are the ones listened to, and the provider is where the spans go."""
        return (self._collector, self._store, self._provider) == (collector, store, provider)

    def listen(self) -> None:
        """Begin to listen; every callback does no more than queue what it was told."""
        if self._traces:
            self._box.start()
            self._offs.append(self._store.add_listener(self._on_event))
            self._offs.append(self._collector.on("api:request", self._on_request))
            self._offs.append(self._collector.on("tool:executed", self._on_tool))
        if self._traces or self._reporter is not None:
            self._offs.append(self._collector.on("error", self._on_error))

    def stop(self) -> None:
        """Stop listening, and close the spans of runs that are still open, marked unfinished."""
        while self._offs:
            self._offs.pop()()
        self.close(1.0)
        _hooks.discard(self)

    @property
    def dropped(self) -> dict[str, int]:
        """Events that made no span, by reason."""
        lost = dict(self._box.dropped)
        if self._traces and self._book.skipped:
            lost["made no span"] = self._book.skipped
        return lost

    def hasten(self) -> None:
        """Begin to make spans of what waits."""
        self._box.hasten()

    def flush(self, timeout_s: float) -> bool:
        """Make spans of what waits; True when that was done in time."""
        return self._box.flush(timeout_s)

    def close(self, timeout_s: float) -> None:
        """Make spans of what waits, then end what is open, so that it is exported as unfinished."""
        done = self._box.close(timeout_s)
        if self._traces and done:
            self._book.close_all(SystemClock().now_ms())

    def forget(self) -> None:
        """In a forked child: the runs that were open are the parent's, and so are their spans."""
        if self._traces:
            self._open_book()

    def _on_event(self, event: RunEvent) -> None:
        heard = heard_event(event, self._content)
        if heard is None:
            return
        if event.type == "run_start" and (caller := _calling_span()) is not None:
            heard.what["caller"] = caller
        self._box.put(heard)

    def _on_request(self, event: CollectorEvent) -> None:
        if is_reading_files():
            return
        request: Any = event.payload
        self._box.put(heard_request(request, request.run_id or self._store.current_run_id))

    def _on_tool(self, event: CollectorEvent) -> None:
        if is_reading_files():
            return
        tool: Any = event.payload
        self._box.put(heard_tool(tool, tool.run_id or self._store.current_run_id))

    def _on_error(self, event: CollectorEvent) -> None:
        if is_reading_files():
            return
        error: Any = event.payload
        run_id = error.run_id or self._store.current_run_id
        if self._traces:
            self._box.put(heard_failure(error, run_id, self._content))
        if self._reporter is not None:
            self._reporter.report(error, run_id)


def _calling_span() -> Any:  # noqa: ANN401 - a SpanContext, whose module is only looked at where it is loaded
    """The host's span that is active in this thread, if it traces at all."""
    api = sys.modules.get("opentelemetry.trace")
    context = api.get_current_span().get_span_context() if api is not None else None
    return context if context is not None and context.is_valid else None


def _forget_in_child() -> None:
    for hooks in list(_hooks):
        hooks.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
