"""Telemetry: spans over OTLP/HTTP and error reports to Sentry, off unless the user's environment asks for them.

Nothing here imports an SDK before it is switched on; with it on, nothing here makes the host wait, and what
does not arrive is counted. `OTEL_EXPORTER_OTLP_ENDPOINT` switches tracing on, `SENTRY_DSN` error reports.
"""

from __future__ import annotations

from buddy_core.telemetry.state import (
    ObservabilityStatus,
    init_observability,
    init_tracing,
    instrument,
    shutdown_observability,
    telemetry_losses,
)
from buddy_core.telemetry.switch import is_telemetry_enabled

__all__ = [
    "ObservabilityStatus",
    "init_observability",
    "init_tracing",
    "instrument",
    "is_telemetry_enabled",
    "shutdown_observability",
    "telemetry_losses",
]
