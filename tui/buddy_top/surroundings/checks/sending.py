"""Telemetry: is anything sent anywhere, and which variable says so. What a variable holds is never repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from buddy_core.telemetry.config import Unusable, reporting_config, tracing_config
from buddy_core.telemetry.switch import CONTENT_VARIABLE, content_allowed, switched_off
from buddy_top.surroundings.around import Surroundings
from buddy_top.surroundings.check import Check

METRICS_PORT = 9464
"""Where `buddy-top metrics` serves unless told otherwise."""

_LISTENING = "0A"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def check_telemetry(around: Surroundings) -> Iterator[Check]:
    """What an agent that is started in this environment would send. The monitor itself sends nothing."""
    env = around.environ
    endpoint = next((name for name in _ENDPOINTS if env.get(name)), "")
    yield _of("tracing", tracing_config, env, endpoint, "opentelemetry.sdk", "opentelemetry-sdk")
    dsn = "SENTRY_DSN" if env.get("SENTRY_DSN") else ""
    yield _of("error reports", reporting_config, env, dsn, "sentry_sdk", "sentry-sdk")
    if (endpoint or dsn) and switched_off(env) is None and content_allowed(env):
        advice = f"Unset {CONTENT_VARIABLE} to send names and numbers alone."
        yield Check("telemetry", "note", f"{CONTENT_VARIABLE} lets masked contents leave as well", advice)


def _of(
    name: str,
    configured: Callable[[Mapping[str, str]], object],
    env: Mapping[str, str],
    variable: str,
    module: str,
    package: str,
) -> Check:
    try:
        configured(env)
    except Unusable as reason:
        off = not variable or switched_off(env) is not None or "OTEL_SDK_DISABLED" in str(reason)
        if off:
            return Check(name, "ok", f"off: {reason}")
        return Check(name, "warning", f"asked for, and off: {reason}", f"Correct it, or unset {variable}.")
    if _missing(module):
        advice = f"Install it (pip install {package}), or unset {variable}."
        return Check(name, "warning", f"asked for by {variable}, but {package} is not installed", advice)
    advice = f"Unset {variable}, or set DO_NOT_TRACK=1, if nothing shall leave this machine."
    return Check(name, "note", f"on in agents that call init_observability, by {variable}", advice)


def _missing(module: str) -> bool:
    try:
        return find_spec(module) is None
    except ImportError:
        return True


def check_metrics(around: Surroundings) -> Iterator[Check]:
    """Does anything serve where Prometheus would look."""
    if any(_listens(around.proc / "net" / table) for table in ("tcp", "tcp6")):
        found = f"something listens on port {METRICS_PORT}, as “buddy-top metrics” or an agent would"
        yield Check("metrics", "ok", found)
    else:
        yield Check("metrics", "ok", f"off: nothing listens on port {METRICS_PORT}")


def _listens(table: Path) -> bool:
    """True when some socket listens on the port, by proc_net_tcp(5)."""
    try:
        lines = table.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return False
    wanted = f":{METRICS_PORT:04X}"
    rows = (line.split() for line in lines)
    return any(len(row) > 3 and row[1].endswith(wanted) and row[3] == _LISTENING for row in rows)
