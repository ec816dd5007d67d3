"""The environment's words about tracing and error reports, checked and turned into frozen values.

Reasons never repeat what a variable holds: an endpoint or a DSN may carry a password, and a reason is shown.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from buddy_core._version import __version__
from buddy_core.telemetry.switch import content_allowed, switched_off, tracing_switched_off

if TYPE_CHECKING:
    import ssl

MOST_TIMEOUT_S = 30.0
"""No request to a back end is waited for longer than this, whatever the environment says."""

DEFAULT_TIMEOUT_S = 10.0
"""OpenTelemetry's default for one export."""

PRODUCTION_SAMPLE_RATE = 0.1
"""Part of Sentry transactions that is kept in production; elsewhere all are."""


class Unusable(Exception):
    """The environment asks for something that cannot be; the text is the reason, free of secrets."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post, and how."""

    url: str = field(repr=False)
    """Without user and password."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = DEFAULT_TIMEOUT_S
    """For one request in all, from the look-up of the name to the last byte of the answer."""
    ca_file: str | None = None
    """Certificates to trust instead of the system's."""
    client_certificate: str | None = None
    client_key: str | None = None
    gzip: bool = False

    def tls(self) -> ssl.SSLContext:
        """The settings of an encrypted connection; certificates are always checked.

        Raises:
            OSError: A certificate file cannot be read (`ssl.SSLError` is one).
        """
        import ssl

        context = ssl.create_default_context(cafile=self.ca_file)
        if self.client_certificate:
            context.load_cert_chain(self.client_certificate, self.client_key)
        return context


@dataclass(frozen=True, slots=True)
class TracingConfig:
    """What tracing needs to know."""

    target: Target
    service_name: str
    resource: Mapping[str, str]
    content: bool
    max_queue: int
    max_batch: int
    delay_s: float
    """How long spans are gathered before they are sent."""


@dataclass(frozen=True, slots=True)
class ReportingConfig:
    """What error reports need to know."""

    dsn: str = field(repr=False)
    target: Target
    environment: str
    release: str
    traces_sample_rate: float
    content: bool


def tracing_config(env: Mapping[str, str]) -> TracingConfig:
    """What the environment says about tracing.

    Raises:
        Unusable: Tracing is not asked for, switched off, or asked for in a way that cannot be followed.
    """
    if reason := tracing_switched_off(env):
        raise Unusable(reason)
    _check_exporter(env)
    resource = _pairs(env.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    return TracingConfig(
        target=_otlp_target(env),
        service_name=env.get("OTEL_SERVICE_NAME") or resource.get("service.name") or "codebuddy",
        resource={"deployment.environment.name": environment_of(env), **resource},
        content=content_allowed(env),
        max_queue=_whole(env, "OTEL_BSP_MAX_QUEUE_SIZE", 2048, most=100_000),
        max_batch=_whole(env, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, most=5_000),
        delay_s=_whole(env, "OTEL_BSP_SCHEDULE_DELAY", 1_000, most=60_000) / 1000,
    )


def reporting_config(env: Mapping[str, str]) -> ReportingConfig:
    """What the environment says about error reports.

    Raises:
        Unusable: They are not asked for, switched off, or the DSN cannot be understood.
    """
    if reason := switched_off(env):
        raise Unusable(reason)
    dsn = env.get("SENTRY_DSN", "").strip()
    if not dsn:
        raise Unusable("SENTRY_DSN is not set")
    environment = environment_of(env)
    return ReportingConfig(
        dsn=dsn,
        target=_sentry_target(dsn),
        environment=environment,
        release=release_of(env),
        traces_sample_rate=PRODUCTION_SAMPLE_RATE if environment == "production" else 1.0,
        content=content_allowed(env),
    )


def environment_of(env: Mapping[str, str]) -> str:
    """`CODEBUDDY_ENV`, else `NODE_ENV`, else `production`."""
    return env.get("CODEBUDDY_ENV") or env.get("NODE_ENV") or "production"


def release_of(env: Mapping[str, str]) -> str:
    """`CODEBUDDY_VERSION`, else `npm_package_version`, else the version of this package."""
    return env.get("CODEBUDDY_VERSION") or env.get("npm_package_version") or __version__


def _check_exporter(env: Mapping[str, str]) -> None:
    exporters = [word.strip() for word in env.get("OTEL_TRACES_EXPORTER", "otlp").split(",")]
    if "otlp" not in exporters:
        raise Unusable("OTEL_TRACES_EXPORTER does not name otlp")
    protocol = _otlp(env, "PROTOCOL") or "http/protobuf"
    if protocol != "http/protobuf":
        raise Unusable("OTEL_EXPORTER_OTLP_PROTOCOL is not http/protobuf, the only one spoken here")


def _otlp(env: Mapping[str, str], name: str) -> str:
    """A setting of the exporter: the one for traces alone wins over the one for everything."""
    return (
        env.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or env.get(f"OTEL_EXPORTER_OTLP_{name}") or ""
    ).strip()


def _otlp_target(env: Mapping[str, str]) -> Target:
    variable, path = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""
    if not env.get(variable):
        variable, path = "OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/traces"
    endpoint = env.get(variable, "").strip()
    if not endpoint:
        raise Unusable("OTEL_EXPORTER_OTLP_ENDPOINT is not set")
    parts = _checked_url(endpoint, variable)
    headers = {key.lower(): value for key, value in _pairs(_otlp(env, "HEADERS")).items()}
    if parts.username is not None:
        headers.setdefault("authorization", _basic_auth(parts))
    for name in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"):
        if (file := _otlp(env, name)) and not os.access(file, os.R_OK):
            raise Unusable(f"OTEL_EXPORTER_OTLP_{name} names no file that can be read")
    return Target(
        url=_without_user(parts)
        ._replace(path=parts.path.rstrip("/") + path if path else parts.path)
        .geturl(),
        headers={**headers, "content-type": "application/x-protobuf"},
        timeout_s=_timeout(_otlp(env, "TIMEOUT")),
        ca_file=_otlp(env, "CERTIFICATE") or None,
        client_certificate=_otlp(env, "CLIENT_CERTIFICATE") or None,
        client_key=_otlp(env, "CLIENT_KEY") or None,
        gzip=_otlp(env, "COMPRESSION").lower() == "gzip",
    )


def _sentry_target(dsn: str) -> Target:
    """The envelope endpoint of a DSN: `scheme://key@host/path/project` (develop.sentry.dev, "Parsing the DSN")."""
    parts = _checked_url(dsn, "SENTRY_DSN")
    folder, _, project = parts.path.rpartition("/")
    if not parts.username or not project.isdecimal():
        raise Unusable("SENTRY_DSN is malformed: scheme://key@host/project is expected")
    auth = f"Sentry sentry_version=7, sentry_client=buddy-top/{__version__}, sentry_key={parts.username}"
    if parts.password:
        auth += f", sentry_secret={parts.password}"
    return Target(
        url=_without_user(parts)._replace(path=f"{folder}/api/{project}/envelope/", query="").geturl(),
        headers={"x-sentry-auth": auth, "content-type": "application/x-sentry-envelope"},
        gzip=True,
    )


def _checked_url(text: str, variable: str) -> SplitResult:
    """The parts of an http(s) address with a host and a port that can be.

    Raises:
        Unusable: It is none; the reason names the variable, not the address.
    """
    malformed = Unusable(f"{variable} is malformed: an http:// or https:// address is expected")
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise malformed from None
    if not sound or not text.isprintable() or not text.isascii() or " " in text:
        raise malformed
    return parts


def _without_user(parts: SplitResult) -> SplitResult:
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")


def _basic_auth(parts: SplitResult) -> str:
    from base64 import b64encode

    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return "Basic " + b64encode(pair.encode()).decode()


def _pairs(text: str) -> dict[str, str]:
    """`key=value,key=value` with percent escapes (W3C Baggage); what is no pair is left out."""
    found = (item.partition("=") for item in text.split(",") if "=" in item)
    pairs = ((unquote(key).strip(), unquote(value).strip()) for key, _, value in found)
    return {key: value for key, value in pairs if key and (key + value).isprintable()}


def _timeout(text: str) -> float:
    """Seconds: the specification says milliseconds and Python's own exporter seconds; over 300 it cannot be seconds."""
    try:
        value = float(text or DEFAULT_TIMEOUT_S)
    except ValueError:
        return DEFAULT_TIMEOUT_S
    if not math.isfinite(value) or value <= 0:
        return DEFAULT_TIMEOUT_S
    return min(value / 1000 if value > 300 else value, MOST_TIMEOUT_S)


def _whole(env: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    text = env.get(name, "").strip()
    return min(max(1, int(text)), most) if text.isascii() and text.isdecimal() and len(text) < 12 else default
