"""Telemetry is off unless the user's own environment switches it on (promise C12)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from buddy_core import init_observability, init_tracing, is_telemetry_enabled, shutdown_observability
from buddy_core.telemetry.config import Unusable, reporting_config, tracing_config

BOTH = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "SENTRY_DSN": "http://key@127.0.0.1:9/1"}


@pytest.fixture(autouse=True)
def _off_afterwards() -> Iterator[None]:
    yield
    shutdown_observability(0.1)


@pytest.mark.parametrize("word", ["0", "off", "false", "no", "OFF", " False "])
def test_codebuddy_telemetry_switches_everything_off(word: str) -> None:
    env = {**BOTH, "CODEBUDDY_TELEMETRY": word}
    assert not is_telemetry_enabled(env)
    status = init_observability(env)
    assert status.tracing == status.sentry == "off: CODEBUDDY_TELEMETRY says no"


def test_do_not_track_switches_everything_off() -> None:
    env = {**BOTH, "DO_NOT_TRACK": "1"}
    assert not is_telemetry_enabled(env)
    assert init_observability(env).sentry == "off: DO_NOT_TRACK is set"


@pytest.mark.parametrize("env", [{}, {"DO_NOT_TRACK": "0"}, {"CODEBUDDY_TELEMETRY": "1"}])
def test_nothing_else_does(env: dict[str, str]) -> None:
    assert is_telemetry_enabled(env)


def test_otel_sdk_disabled_switches_off_tracing_alone() -> None:
    status = init_observability({**BOTH, "OTEL_SDK_DISABLED": "true"})
    assert status.tracing == "off: OTEL_SDK_DISABLED is true"
    assert status.sentry == "on"


def test_an_empty_environment_switches_nothing_on() -> None:
    status = init_observability({})
    assert status.tracing == "off: OTEL_EXPORTER_OTLP_ENDPOINT is not set"
    assert status.sentry == "off: SENTRY_DSN is not set"
    assert init_tracing({}) is None


def test_it_may_be_switched_on_twice_and_by_many_threads_at_once() -> None:
    found = []
    threads = [threading.Thread(target=lambda: found.append(init_tracing(BOTH))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert found[0] is not None
    assert len(set(map(id, found))) == 1
    assert init_observability(BOTH) == init_observability(BOTH)


@pytest.mark.parametrize(
    "endpoint",
    [
        "localhost:4318",
        "ftp://user:hunter2secret@host",
        "http://",
        "http://host:99999",
        "http://[::1",
        "http://ho st",
        "http://ho\nst",
        "file:///etc/passwd",
        "http://h\u00f6st",
    ],
)
def test_a_malformed_endpoint_or_dsn_is_a_reason_without_its_secret(endpoint: str) -> None:
    """Case 89."""
    status = init_observability(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": f" {endpoint}", "SENTRY_DSN": endpoint + "?hunter2secret"}
    )
    assert status.tracing.startswith("off: OTEL_EXPORTER_OTLP_ENDPOINT is malformed")
    assert status.sentry.startswith("off: SENTRY_DSN is malformed")
    assert "hunter2secret" not in repr(status)


@pytest.mark.parametrize("dsn", ["http://host/1", "http://key@host/", "http://key@host/x", "http://key@host"])
def test_a_dsn_needs_a_key_and_a_project(dsn: str) -> None:
    with pytest.raises(Unusable, match="malformed"):
        reporting_config({"SENTRY_DSN": dsn})


def test_credentials_in_an_endpoint_become_a_header_and_leave_no_trace_in_the_address() -> None:
    target = tracing_config({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://ann:p%40ss@host/base/"}).target
    assert target.url == "https://host/base/v1/traces"
    assert target.headers["authorization"] == "Basic YW5uOnBAc3M="
    assert "p@ss" not in repr(target)
    assert "YW5u" not in repr(target)


def test_the_standard_variables_are_followed() -> None:
    config = tracing_config(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://ignored",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://host:1/own/path",
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b,broken,other=1=2",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_SERVICE_NAME": "mine",
            "OTEL_RESOURCE_ATTRIBUTES": "team=x,service.name=loses",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "CODEBUDDY_ENV": "staging",
        }
    )
    assert config.target.url == "http://host:1/own/path"
    assert config.target.headers["api-key"] == "a b"
    assert config.target.headers["other"] == "1=2"
    assert (config.target.timeout_s, config.target.gzip, config.delay_s) == (2.5, True, 0.05)
    assert (config.service_name, config.resource["team"]) == ("mine", "x")
    assert config.resource["deployment.environment.name"] == "staging"


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_TRACES_EXPORTER", "none"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_TRACES_EXPORTER", "")],
)
def test_what_cannot_be_followed_is_off_with_a_reason(name: str, value: str) -> None:
    status = init_observability({**BOTH, name: value})
    assert status.tracing.startswith(f"off: {name}")


@pytest.mark.parametrize("words", ["nan", "-1", "x", "1e999", "9" * 400])
def test_numbers_that_make_no_sense_leave_the_defaults(words: str) -> None:
    env = {**BOTH, "OTEL_EXPORTER_OTLP_TIMEOUT": words, "OTEL_BSP_MAX_QUEUE_SIZE": words}
    config = tracing_config(env)
    assert config.max_queue == 2048
    assert 0 < config.target.timeout_s <= 30


@pytest.mark.parametrize(
    ("env", "environment", "release", "rate"),
    [
        ({}, "production", None, 0.1),
        ({"NODE_ENV": "test", "npm_package_version": "7"}, "test", "7", 1.0),
        (
            {
                "NODE_ENV": "test",
                "CODEBUDDY_ENV": "dev",
                "npm_package_version": "7",
                "CODEBUDDY_VERSION": "8",
            },
            "dev",
            "8",
            1.0,
        ),
    ],
)
def test_environment_and_release_come_from_the_variables_of_the_original(
    env: dict[str, str], environment: str, release: str | None, rate: float
) -> None:
    from buddy_core import __version__

    config = reporting_config({**BOTH, **env})
    assert (config.environment, config.release) == (environment, release or __version__)
    assert config.traces_sample_rate == rate


PLANTED = """
import os, sys
import buddy_core
print(buddy_core.init_observability())
store = buddy_core.RunStore(os.path.join(os.getcwd(), "runs"))
run = store.start_run("x", {"cwd": os.getcwd(), "SENTRY_DSN": "http://k@127.0.0.1:9/1"})
store.emit(run, "metric", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
collector = buddy_core.MetricsCollector()
buddy_core.instrument(collector, store)
collector.record_error("E", "m")
print(buddy_core.init_observability())
print(sorted(m for m in sys.modules if m.split(".")[0] in ("sentry_sdk", "opentelemetry")))
"""


def test_files_of_the_observed_project_switch_nothing_on_and_no_sdk_is_imported(tmp_path: Path) -> None:
    """Case 91: `.env` files, configuration in the working directory and recorded words are ignored."""
    lines = "".join(f"{name}={value}\n" for name, value in BOTH.items())
    for name in (".env", ".env.local", ".sentryclirc", "sentry.properties", "otel.env", "otel-config.yaml"):
        (tmp_path / name).write_text(lines)
    (tmp_path / "pyproject.toml").write_text("[tool.sentry]\ndsn = 'http://k@127.0.0.1:9/1'\n")
    (tmp_path / "config.toml").write_text("[telemetry]\nendpoint = 'http://127.0.0.1:9'\n")
    env = {
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(Path(__file__).parents[3] / "core"),
    }
    done = subprocess.run(
        [sys.executable, "-c", PLANTED],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    first, second, modules = done.stdout.splitlines()
    assert first == second
    assert first.count("off: ") == 2
    assert modules == "[]"


def test_switching_on_leaves_the_hosts_logging_excepthook_warnings_and_tracer_alone() -> None:
    script = """
import logging, sys, threading, warnings
def look():
    return (logging.root.handlers[:], logging.root.level, logging.getLoggerClass(), logging.Logger.callHandlers,
            sys.excepthook, threading.excepthook, threading.Thread.start, threading.Thread.run,
            __import__("subprocess").Popen.__init__, __import__("http.client").client.HTTPConnection.putrequest)
before = look()
import buddy_core
print(buddy_core.init_observability())
assert look() == before
from opentelemetry import trace
assert type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider"
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, **BOTH},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "tracing='on', sentry='on'" in done.stdout
    assert done.stderr == ""
