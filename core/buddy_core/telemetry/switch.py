"""Is telemetry allowed? The user's own environment decides, and it can only ever be switched off here.

Nothing leaves unless an endpoint or a DSN is named as well: `buddy_core.telemetry.config`. Neither ever looks
at a file: not at a `.env`, not at the working directory, not at anything an observed project wrote.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

TELEMETRY_VARIABLE = "CODEBUDDY_TELEMETRY"
"""`0`, `off`, `false` or `no` switches everything off."""

DO_NOT_TRACK_VARIABLE = "DO_NOT_TRACK"
"""`1` switches everything off (https://consoledonottrack.com)."""

OTEL_DISABLED_VARIABLE = "OTEL_SDK_DISABLED"
"""`true` switches tracing off, as the OpenTelemetry specification says."""

CONTENT_VARIABLE = "CODEBUDDY_TELEMETRY_CONTENT"
"""`1` lets arguments, outputs and messages leave, with their secrets masked; without it none do."""

_NO = frozenset({"0", "off", "false", "no"})
_YES = frozenset({"1", "on", "true", "yes"})


def is_telemetry_enabled(env: Mapping[str, str] | None = None) -> bool:
    """False when `env` (the process's own by default) says that nothing may leave this machine."""
    return switched_off(os.environ if env is None else env) is None


def switched_off(env: Mapping[str, str]) -> str | None:
    """Why nothing may leave, naming the variable that says so; None when nothing forbids it."""
    if _word(env, TELEMETRY_VARIABLE) in _NO:
        return f"{TELEMETRY_VARIABLE} says no"
    if _word(env, DO_NOT_TRACK_VARIABLE) in _YES:
        return f"{DO_NOT_TRACK_VARIABLE} is set"
    return None


def tracing_switched_off(env: Mapping[str, str]) -> str | None:
    """As `switched_off`, with OpenTelemetry's own switch beside it."""
    if _word(env, OTEL_DISABLED_VARIABLE) == "true":
        return f"{OTEL_DISABLED_VARIABLE} is true"
    return switched_off(env)


def content_allowed(env: Mapping[str, str]) -> bool:
    """True when the user asked for masked content beside names and numbers."""
    return _word(env, CONTENT_VARIABLE) in _YES


def _word(env: Mapping[str, str], name: str) -> str:
    return env.get(name, "").strip().lower()
