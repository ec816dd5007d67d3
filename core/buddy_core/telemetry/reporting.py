"""Error reports to Sentry: a client of our own, no integration, no hook, everything masked, nothing that waits.

The client becomes the process's global one only where the host has none, so that `sentry_sdk.capture_exception`
works and is scrubbed like our own reports; one the host made is left in its place, and ours stays private. No
integration is installed: Sentry's would patch logging, threads, the standard library and `sys.excepthook`.
"""

from __future__ import annotations

import gzip
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from buddy_core.metrics.counting.fingerprint import fingerprint
from buddy_core.metrics.model import ErrorRecord
from buddy_core.telemetry.config import ReportingConfig
from buddy_core.telemetry.sending.mailbox import Mailbox
from buddy_core.telemetry.sending.masking import masker_for
from buddy_core.telemetry.sending.post import post
from buddy_core.telemetry.sending.scrub import Scrubber, pattern_of

if TYPE_CHECKING:
    import sentry_sdk

ROOM = 100
"""Reports that may wait; more are dropped and counted."""

MOST_ALIKE = 5
"""Reports of one fingerprint that are sent in `WINDOW_S`; the next one says how many were left out."""

MOST_IN_ALL = 60
"""Reports of every kind that are sent in `WINDOW_S`."""

WINDOW_S = 60.0

MOST_BYTES = 1024 * 1024
"""Size of one envelope; Sentry refuses larger events."""

_LEAVES = frozenset({"event", "transaction"})
"""Kinds of envelope items that pass the scrubber; attachments, profiles, logs and sessions do not leave."""


class Reporter:
    """Turns recorded errors into Sentry events, limited in rate, sent by a thread of its own."""

    def __init__(self, config: ReportingConfig, env: Mapping[str, str]) -> None:
        self._config = config
        self._box: Mailbox[Any] = Mailbox("codebuddy-reports", self._send, room=ROOM, batch=1, delay_s=0.0)
        self._errors: Mailbox[tuple[ErrorRecord, str | None]] = Mailbox(
            "codebuddy-errors", self._capture_all, room=ROOM, batch=ROOM, delay_s=0.0
        )
        self._errors.start()
        self._box.start()
        self.sent = 0
        self._until = 0.0
        self._limits = RateLimit()
        self._scrubber = Scrubber(masker_for(env), content=config.content)
        self.client = self._make_client()
        self.is_global = False

    @property
    def dropped(self) -> dict[str, int]:
        """Reports lost so far, by reason."""
        return {**self._errors.dropped, **self._box.dropped}

    def report(self, error: ErrorRecord, run_id: str | None) -> None:
        """Queue a recorded error, unless too many like it were sent a moment ago; never waits."""
        key = fingerprint(error.type, error.message)
        if self._limits.allows(key):
            self._errors.put((error, run_id))
        else:
            self._errors.lose("rate limit")

    def hasten(self) -> None:
        """Begin to send, without waiting."""
        self._errors.hasten()
        self._box.hasten()

    def give_up_retrying(self) -> None:
        """Begin to send for the last time."""
        self._errors.give_up_retrying()
        self._box.give_up_retrying()

    def close(self, timeout_s: float) -> bool:
        """Send what waits, for at most `timeout_s` seconds, and take no more."""
        deadline = time.monotonic() + timeout_s
        self.give_up_retrying()
        self._errors.close(timeout_s)
        return self._box.close(max(0.0, deadline - time.monotonic()))

    def flush(self, timeout_s: float) -> bool:
        """Send what waits; True when it was dealt with in time."""
        deadline = time.monotonic() + timeout_s
        done = self._errors.flush(timeout_s)
        return self._box.flush(max(0.0, deadline - time.monotonic())) and done

    def become_global(self) -> None:
        """Be the process's client, unless it has one."""
        import sentry_sdk

        if not sentry_sdk.get_client().is_active():
            sentry_sdk.get_global_scope().set_client(self.client)
            self.is_global = True

    def leave(self) -> None:
        """Stop being the process's client."""
        import sentry_sdk

        if self.is_global and sentry_sdk.get_global_scope().client is self.client:
            sentry_sdk.get_global_scope().set_client(None)
        self.is_global = False

    def _make_client(self) -> sentry_sdk.Client:
        import sentry_sdk

        return sentry_sdk.Client(**_options(self._config, self._scrubber, self._box))

    def _capture_all(self, errors: list[tuple[ErrorRecord, str | None]]) -> None:
        import sentry_sdk

        for error, run_id in errors:
            self.client.capture_event(self._event(error, run_id), scope=sentry_sdk.Scope(client=self.client))

    def _event(self, error: ErrorRecord, run_id: str | None) -> Any:  # noqa: ANN401 - Sentry's Event
        return {
            "level": "error",
            "timestamp": error.timestamp / 1000,
            "logger": "buddy_core",
            "exception": {"values": [{"type": error.type, "value": error.message}]},
            "fingerprint": [pattern_of(fingerprint(error.type, error.message))],
            "tags": {"run_id": run_id} if run_id else {},
            "extra": {"context": dict(error.context or {}), "stack": error.stack}
            if self._config.content
            else {},
        }

    def _send(self, envelopes: list[Any]) -> None:
        for envelope in envelopes:
            body = self._packed(envelope)
            if body is None:
                self._box.lose("not a report")
            elif time.monotonic() < self._until:
                self._box.lose("the server asked for a rest")
            else:
                self._post(body)

    def _packed(self, envelope: Any) -> bytes | None:  # noqa: ANN401 - Sentry's Envelope
        """The envelope with only what the scrubber has seen, compressed; None when nothing of it is left."""
        from sentry_sdk.envelope import Envelope

        items = [item for item in envelope.items if item.type in _LEAVES]
        if not items:
            return None
        kept = {name: envelope.headers[name] for name in ("event_id", "sent_at") if name in envelope.headers}
        body = Envelope(headers=kept, items=items).serialize()
        return gzip.compress(body, compresslevel=5) if len(body) <= MOST_BYTES else None

    def _post(self, body: bytes) -> None:
        target = self._config.target
        answer = post(target, body, timeout_s=target.timeout_s, extra={"content-encoding": "gzip"})
        if answer.taken:
            self.sent += 1
            return
        self._box.lose(f"status {answer.status}" if answer.status is not None else answer.failure)
        if answer.status == 429:
            self._until = time.monotonic() + min(answer.retry_after_s or WINDOW_S, 3600)


class RateLimit:
    """Counts reports by fingerprint over a window; one loop of errors does not use up what all may send."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._since = 0.0
        self._all = 0

    def allows(self, key: str) -> bool:
        """True while fewer than `MOST_ALIKE` of this key and `MOST_IN_ALL` of all were allowed in the window."""
        now = time.monotonic()
        if not self._guard.acquire(timeout=0.005):  # held for ever in the child of a fork at the wrong moment
            return False
        try:
            if now - self._since >= WINDOW_S:
                self._since, self._all = now, 0
                self._counts.clear()
            count = self._counts.get(key, 0)
            if count >= MOST_ALIKE or self._all >= MOST_IN_ALL:
                return False
            self._counts[key] = count + 1
            self._all += 1
            return True
        finally:
            self._guard.release()


def _options(config: ReportingConfig, scrubber: Scrubber, box: Mailbox[Any]) -> dict[str, Any]:
    """The client's options; those that this version of the SDK does not know are left out."""
    from sentry_sdk.consts import DEFAULT_OPTIONS
    from sentry_sdk.transport import Transport

    class BoundedTransport(Transport):
        """Hands envelopes to the queue; sending, and all waiting, happens behind it."""

        def capture_envelope(self, envelope: Any) -> None:  # noqa: ANN401 - Sentry's Envelope
            """Never waits; a full queue is counted there."""
            box.put(envelope)

        def flush(self, timeout: float, callback: Any = None) -> None:  # noqa: ANN401 - never called back
            """As `sentry_sdk.flush` asks; never longer than two seconds."""
            box.flush(min(timeout, 2.0))

    wanted: dict[str, Any] = {
        "dsn": config.dsn,
        "environment": config.environment,
        "release": config.release,
        "server_name": "",
        "transport": BoundedTransport,
        "shutdown_timeout": 2,
        "traces_sample_rate": config.traces_sample_rate,
        "before_send": lambda event, hint: scrubber.event(event),
        "before_send_transaction": lambda event, hint: scrubber.event(event),
        "before_breadcrumb": lambda crumb, hint: scrubber.breadcrumb(crumb),
        **_SILENT,
    }
    if "data_collection" not in DEFAULT_OPTIONS:
        # Later versions of the SDK deprecate it, and collect nothing personal without being asked.
        wanted["send_default_pii"] = False
    return {name: value for name, value in wanted.items() if name in DEFAULT_OPTIONS}


_SILENT: dict[str, Any] = {
    "default_integrations": False,
    "auto_enabling_integrations": False,
    "integrations": [],
    "include_local_variables": False,
    "include_source_context": False,
    "attach_stacktrace": False,
    "max_request_body_size": "never",
    "max_breadcrumbs": 50,
    "auto_session_tracking": False,
    "send_client_reports": False,
    "enable_backpressure_handling": False,
    "propagate_traces": False,
    "trace_propagation_targets": [],
    "spotlight": False,
    "debug": False,
    "keep_alive": False,
    "enable_logs": False,
    "project_root": "",
}
"""What the SDK would do by itself, or because a variable such as SENTRY_SPOTLIGHT or SENTRY_DEBUG says so."""
