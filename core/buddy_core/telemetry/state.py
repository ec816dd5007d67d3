"""What is switched on in this process, and the functions that switch it: each may be called twice, from any thread."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from buddy_core.telemetry.config import Unusable, reporting_config, tracing_config
from buddy_core.telemetry.shutdown import WaysOut
from buddy_core.telemetry.switch import content_allowed, is_telemetry_enabled

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import TracerProvider as AnyProvider

    from buddy_core.metrics.collector import MetricsCollector
    from buddy_core.runs.store.store import RunStore
    from buddy_core.telemetry.hooks import Hooks
    from buddy_core.telemetry.reporting import Reporter
    from buddy_core.telemetry.sending.export import BoundedProcessor


@dataclass(frozen=True, slots=True)
class ObservabilityStatus:
    """What is on. A reason names the variable that decided, never what it holds."""

    tracing: str
    """`on`, or `off: <reason>`."""
    sentry: str
    """`on`, or `off: <reason>`."""


@dataclass(slots=True)
class _State:
    provider: TracerProvider | None = None
    processor: BoundedProcessor | None = None
    reporter: Reporter | None = None
    agent: str = "codebuddy"
    content: bool = False
    hooks: list[Hooks] = field(default_factory=list)


_state = _State()
_guard = threading.RLock()


def init_observability(env: Mapping[str, str] | None = None) -> ObservabilityStatus:
    """Switch on what `env` (the process's own environment by default) asks for; never raises.

    What is on already stays as it is, until `shutdown_observability`. The first call that switches something on costs
    the import of its SDK, 0.2 to 0.4 s. No network is touched.
    """
    found = os.environ if env is None else env
    return ObservabilityStatus(tracing=_said(_start_tracing, found), sentry=_said(_start_reporting, found))


def init_tracing(env: Mapping[str, str] | None = None) -> TracerProvider | None:
    """The tracer provider that exports to `OTEL_EXPORTER_OTLP_ENDPOINT`; None where tracing is off. Never raises."""
    said = _said(_start_tracing, os.environ if env is None else env)
    return _state.provider if said == "on" else None


def instrument(
    collector: MetricsCollector, store: RunStore, *, provider: AnyProvider | None = None
) -> Callable[[], None]:
    """Make spans of what `store` and `collector` are told from now on, and error reports of errors.

    Call it after `init_observability`; with telemetry off it does nothing. Spans go to `provider` if one is given,
    else to ours, else to the global one of a host that traces already. Recording costs a few microseconds more
    and never waits. The result undoes it, and waits for at most a second while open spans are closed. The same
    two instrumented twice are instrumented once.
    """
    if not is_telemetry_enabled():
        return _nothing
    chosen = provider or _state.provider or _provider_of_host()
    if chosen is None and _state.reporter is None:
        return _nothing
    from buddy_core.telemetry.hooks import Hooks

    with _guard:
        for known in _state.hooks:
            if known.joins(collector, store, chosen):
                return lambda: _stop(known)
        content = _state.content if _state.provider or _state.reporter else content_allowed(os.environ)
        hooks = Hooks(
            collector, store, provider=chosen, reporter=_state.reporter, agent=_state.agent, content=content
        )
        hooks.listen()
        _state.hooks.append(hooks)
        if _state.processor is not None:
            _state.processor.feeders.append(hooks.flush)
        _ways_out.install()
    return lambda: _stop(hooks)


def shutdown_observability(timeout_s: float = 2.0) -> None:
    """Send what waits, for at most `timeout_s` seconds in all, and switch off; never raises.

    Runs that are still open are exported as unfinished. What could not be sent in time is lost, and counted in
    `telemetry_losses`.
    """
    with _guard:
        _ways_out.remove()
        _finish(timeout_s)
        _switch_off()


def telemetry_losses() -> dict[str, dict[str, int]]:
    """What did not leave since it was switched on, by kind (`events`, `spans`, `reports`) and reason."""
    events: dict[str, int] = {}
    for hooks in _state.hooks:
        for reason, count in hooks.dropped.items():
            events[reason] = events.get(reason, 0) + count
    return {
        "events": events,
        "spans": dict(_state.processor.dropped) if _state.processor else {},
        "reports": _state.reporter.dropped if _state.reporter else {},
    }


def _said(start: Callable[[Mapping[str, str]], None], env: Mapping[str, str]) -> str:
    """`on`, or why not: whatever goes wrong in an SDK is a reason, not an exception of the host's."""
    try:
        with _guard:
            start(env)
            _ways_out.install()
    except Unusable as reason:
        return f"off: {reason}"
    except Exception as error:  # noqa: BLE001 - telemetry must not be able to stop the host
        return f"off: {type(error).__name__} while it was switched on"
    return "on"


def _start_tracing(env: Mapping[str, str]) -> None:
    config = tracing_config(env)
    if _state.provider is not None:
        return
    from buddy_core.telemetry.tracing import make_provider

    _state.provider, _state.processor = make_provider(config, env)
    _state.agent, _state.content = config.service_name, config.content


def _start_reporting(env: Mapping[str, str]) -> None:
    config = reporting_config(env)
    if _state.reporter is not None:
        return
    from buddy_core.telemetry.reporting import Reporter

    reporter = Reporter(config, env)
    reporter.become_global()
    _state.reporter, _state.content = reporter, config.content


def _provider_of_host() -> AnyProvider | None:
    """The global provider the host has set, if it set one and its API is loaded at all."""
    api = sys.modules.get("opentelemetry.trace")
    sdk = sys.modules.get("opentelemetry.sdk.trace")
    if api is None or sdk is None:
        return None
    found = api.get_tracer_provider()
    return found if isinstance(found, sdk.TracerProvider) else None


def _stop(hooks: Hooks) -> None:
    hooks.stop()
    with _guard:
        if hooks in _state.hooks:
            _state.hooks.remove(hooks)
        if _state.processor is not None and hooks.flush in _state.processor.feeders:
            _state.processor.feeders.remove(hooks.flush)


def _hasten() -> None:
    for hooks in _state.hooks:
        hooks.hasten()
    if _state.processor is not None:
        _state.processor.hasten()
    if _state.reporter is not None:
        _state.reporter.hasten()


def _finish(timeout_s: float) -> None:
    """Close every queue in the order in which things flow, within one deadline."""
    deadline = time.monotonic() + timeout_s
    closing = [part for part in (_state.processor, _state.reporter) if part is not None]
    for part in closing:
        part.give_up_retrying()
    for hooks in list(_state.hooks):
        hooks.close(_left(deadline))
    for part in closing:
        part.close(_left(deadline))


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _switch_off() -> None:
    """Forget everything, so that it can be switched on anew; losses are forgotten with it."""
    global _state
    if _state.reporter is not None:
        _state.reporter.leave()
    for hooks in _state.hooks:
        hooks.stop()
    _state = _State()


def _nothing() -> None:
    return None


def _after_fork() -> None:
    global _guard
    _guard = threading.RLock()


_ways_out = WaysOut(_finish, _hasten)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
