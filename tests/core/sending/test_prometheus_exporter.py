"""What `PrometheusExporter` says: the families, their numbers, and that these are the collector's own."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from tests.scraping import both_ways, check_with_promtool, promtool, samples_of, total, value

from buddy_core.clock import ManualClock
from buddy_core.metrics.collecting.books import AT_ONCE
from buddy_core.metrics.collector import MetricsCollector, get_metrics_collector, reset_metrics_collector
from buddy_core.metrics.counting.sketch import BOUNDS_MS
from buddy_core.prometheus.exporter import PrometheusExporter, get_prometheus_exporter

FAMILIES = {
    "codebuddy_tokens": "counter",
    "codebuddy_cost_usd": "counter",
    "codebuddy_provider_requests": "counter",
    "codebuddy_api_request_duration_seconds": "histogram",
    "codebuddy_time_to_first_token_seconds": "histogram",
    "codebuddy_tool_calls": "counter",
    "codebuddy_tool_duration_seconds": "histogram",
    "codebuddy_errors": "counter",
    "codebuddy_error_rate_percent": "gauge",
    "codebuddy_messages": "counter",
    "codebuddy_sessions": "counter",
    "codebuddy_active_sessions": "gauge",
    "codebuddy_uptime_seconds": "gauge",
}


@pytest.fixture
def collector() -> MetricsCollector:
    return MetricsCollector(clock=ManualClock())


@pytest.fixture
def exporter(collector: MetricsCollector) -> PrometheusExporter:
    return PrometheusExporter(collector)


def busy(collector: MetricsCollector, calls: int = 400) -> None:
    """A little of everything."""
    chance = random.Random(7)
    for _ in range(calls):
        model = chance.choice(("opus", "gpt-5.5", "free"))
        collector.record_api_request(
            provider=chance.choice(("anthropic", "openai")),
            model=model,
            prompt_tokens=chance.randrange(5_000),
            completion_tokens=chance.randrange(900),
            cache_read_tokens=chance.randrange(2) * 100,
            cost=None if model == "free" else chance.random(),
            latency_ms=chance.expovariate(1 / 2_000),
            ttft_ms=chance.choice((None, chance.random() * 900)),
            success=chance.random() > 0.1,
        )
        failed = chance.random() < 0.2
        collector.record_tool_execution(
            name=chance.choice(("bash", "view_file", "grep")),
            duration_ms=chance.choice((None, float(chance.randrange(3_000)))),
            success=not failed,
            error="no such file" if failed else None,
        )
    collector.record_error("timeout", "took too long")
    collector.record_usage(total_tokens=1_234, prompt_tokens=1_000, cost=0.5)
    collector.start_session("s-1")
    collector.record_message("user")


def test_the_families_are_those_that_are_promised_with_their_types(exporter: PrometheusExporter) -> None:
    assert {family.name: family.type for family in parse_text(exporter.export())} == FAMILIES
    assert {
        family.name: family.type for family in parse_openmetrics(exporter.export_openmetrics())
    } == FAMILIES


def test_one_request_is_told_by_provider_model_kind_and_outcome(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    collector.record_api_request(
        provider="anthropic",
        model="opus",
        prompt_tokens=100,
        completion_tokens=20,
        cache_read_tokens=7,
        cache_write_tokens=3,
        cost=0.25,
        latency_ms=1_500.0,
        ttft_ms=300.0,
    )
    samples, who = both_ways(exporter), {"provider": "anthropic", "model": "opus"}
    kinds = {"prompt": 100, "completion": 20, "cache_read": 7, "cache_write": 3}
    assert {kind: value(samples, "codebuddy_tokens_total", **who, kind=kind) for kind in kinds} == kinds
    assert value(samples, "codebuddy_cost_usd_total", **who) == 0.25
    assert value(samples, "codebuddy_provider_requests_total", **who, outcome="success") == 1
    assert value(samples, "codebuddy_provider_requests_total", **who, outcome="error") == 0
    assert value(samples, "codebuddy_api_request_duration_seconds_sum", **who) == 1.5
    assert value(samples, "codebuddy_api_request_duration_seconds_bucket", **who, le="1.0") == 0
    assert value(samples, "codebuddy_api_request_duration_seconds_bucket", **who, le="2.5") == 1
    assert value(samples, "codebuddy_time_to_first_token_seconds_sum", **who) == 0.3


def test_messages_sessions_errors_and_uptime_are_told(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    collector.start_session("one")
    collector.end_session()
    collector.start_session("two")
    collector.record_message("user")
    collector.record_message("assistant")
    collector.record_message("user")
    collector.record_error("timeout", "the password is hunter2")
    collector._clock.advance(2_500)  # type: ignore[attr-defined]
    samples = both_ways(exporter)
    assert value(samples, "codebuddy_sessions_total") == 2
    assert value(samples, "codebuddy_active_sessions") == 1
    assert value(samples, "codebuddy_messages_total", role="user") == 2
    assert value(samples, "codebuddy_messages_total", role="tool") == 0
    assert value(samples, "codebuddy_errors_total", type="timeout") == 1
    assert value(samples, "codebuddy_uptime_seconds") == 2.5
    assert "hunter2" not in exporter.export()


def test_what_nobody_knows_is_no_sample(collector: MetricsCollector, exporter: PrometheusExporter) -> None:
    collector.record_api_request(provider="p", model="m")
    collector.record_tool_execution(name="bash")
    samples = both_ways(exporter)
    unknown = (
        "codebuddy_tokens",
        "codebuddy_cost",
        "codebuddy_api_request",
        "codebuddy_time",
        "codebuddy_tool_dur",
    )
    assert not [name for name, _ in samples if name.startswith(unknown)]
    collector.record_api_request(provider="p", model="m", cost=0.0, prompt_tokens=5)
    samples = both_ways(exporter)
    assert value(samples, "codebuddy_cost_usd_total", provider="p", model="m") == 0
    assert value(samples, "codebuddy_tokens_total", provider="p", model="m", kind="completion") == 0


def test_an_error_rate_without_requests_is_no_sample(exporter: PrometheusExporter) -> None:
    assert value(both_ways(exporter), "codebuddy_error_rate_percent") is None


def test_the_numbers_are_those_of_the_dashboard_the_tools_and_the_providers(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    busy(collector)
    samples, state = both_ways(exporter), collector.get_dashboard_state()
    assert total(samples, "codebuddy_tokens_total") == state.total_tokens
    assert total(samples, "codebuddy_cost_usd_total") == pytest.approx(state.total_cost)
    assert total(samples, "codebuddy_tool_calls_total") == state.total_tool_calls
    assert value(samples, "codebuddy_error_rate_percent") == state.error_rate
    assert value(samples, "codebuddy_sessions_total") == state.total_sessions
    for row in collector.get_provider_metrics():
        who = {"provider": row.provider, "model": row.model}
        assert total(samples, "codebuddy_provider_requests_total", **who) == row.total_requests
        assert value(samples, "codebuddy_provider_requests_total", **who, outcome="error") == row.error_count
        assert total(samples, "codebuddy_tokens_total", **who) == row.total_tokens
        assert value(samples, "codebuddy_cost_usd_total", **who) == row.total_cost
        count = value(samples, "codebuddy_api_request_duration_seconds_count", **who)
        seconds = value(samples, "codebuddy_api_request_duration_seconds_sum", **who)
        assert count == row.latency_count
        assert seconds is not None
        assert row.avg_latency_ms == pytest.approx(1000 * seconds / count)
    for tool in collector.get_tool_metrics():
        assert total(samples, "codebuddy_tool_calls_total", tool=tool.name) == tool.total_calls
        failed = value(samples, "codebuddy_tool_calls_total", tool=tool.name, outcome="error")
        assert failed == tool.error_count
        assert value(samples, "codebuddy_tool_duration_seconds_count", tool=tool.name) == tool.duration_count
    recorded = total(samples, "codebuddy_errors_total")
    assert recorded == 1 + total(samples, "codebuddy_tool_calls_total", outcome="error")


def test_buckets_count_exactly_what_was_recorded(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    chance = random.Random(3)
    values = [
        chance.choice((*BOUNDS_MS, chance.random() * 1_000, chance.random() * 1e6)) for _ in range(2_000)
    ]
    for one in values:
        collector.record_tool_execution(name="bash", duration_ms=one)
        collector.record_api_request(provider="p", model="m", latency_ms=one, ttft_ms=one)
    samples = both_ways(exporter)
    for bound in BOUNDS_MS:
        exact, le = sum(one <= bound for one in values), str(bound / 1000)
        assert value(samples, "codebuddy_tool_duration_seconds_bucket", tool="bash", le=le) == exact
        for name in ("codebuddy_api_request_duration_seconds", "codebuddy_time_to_first_token_seconds"):
            assert value(samples, f"{name}_bucket", provider="p", model="m", le=le) == exact


def test_what_is_known_only_of_whole_runs_belongs_to_no_provider(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    collector.record_usage(total_tokens=70, prompt_tokens=50, cost=0.5)
    samples, nobody = both_ways(exporter), {"provider": "unattributed", "model": "unattributed"}
    assert value(samples, "codebuddy_tokens_total", **nobody, kind="unknown") == 70
    assert value(samples, "codebuddy_cost_usd_total", **nobody) == 0.5


def test_counters_only_go_up_and_stay_finite_whatever_is_recorded(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    """Case 86."""
    chance = random.Random(11)
    odd = (
        float("nan"),
        float("inf"),
        -float("inf"),
        -1,
        -1e300,
        1e300,
        2**53,
        10**400,
        0,
        3,
        "7",
        None,
        True,
    )
    before = both_ways(exporter)
    for _ in range(150):
        pick = lambda: chance.choice(odd)
        collector.record_api_request(
            provider="p", model="m", prompt_tokens=pick(), completion_tokens=pick(), cost=pick(), latency_ms=pick(),
            ttft_ms=pick(), success=chance.random() > 0.5,
        )  # fmt: skip
        collector.record_tool_execution(name="t", duration_ms=pick())
        collector.record_usage(total_tokens=pick(), cost=pick())
        collector.increment("own", pick())
        collector.record("measured", pick())
    after = both_ways(exporter)
    counters = [key for key in after if key[0].endswith(("_total", "_count", "_sum", "_bucket"))]
    assert all(after[key] >= before.get(key, 0) for key in counters)
    assert all(abs(number) < 1e30 for number in after.values())
    assert sum(collector.export().rejected.values()) > 300


def test_every_help_and_type_stands_once_and_nothing_is_said_of_creation(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    busy(collector, 20)
    for text in (exporter.export(), exporter.export_openmetrics()):
        heads = [
            tuple(line.split()[1:3])
            for line in text.splitlines()
            if line.startswith("# ") and line != "# EOF"
        ]
        assert len(heads) == len(set(heads)) == 2 * len(FAMILIES)
        assert "_created" not in text
    assert exporter.export_openmetrics().endswith("# EOF\n")


@promtool
def test_promtool_finds_nothing_to_complain_about(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    busy(collector)
    assert check_with_promtool(exporter.export()) == (0, "")


def test_the_content_types_name_format_and_version(exporter: PrometheusExporter) -> None:
    assert exporter.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert exporter.openmetrics_content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"


def test_a_reset_collector_starts_again_from_nothing(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    busy(collector, 5)
    collector.reset()
    assert not [name for name, _ in both_ways(exporter) if name.startswith("codebuddy_tool")]


def test_very_many_series_are_told_and_past_the_limit_they_are_other() -> None:
    """Case 50 in an exposition."""
    collector = MetricsCollector(max_series=60)
    for number in range(200):
        collector.record_tool_execution(name=f"tool-{number}", duration_ms=1.0)
        collector.record("depth", number, {"queue": str(number)})
    samples = samples_of(parse_text(PrometheusExporter(collector).export()))
    assert value(samples, "codebuddy_tool_calls_total", tool="other", outcome="success") == 140
    assert total(samples, "codebuddy_tool_calls_total") == 200
    assert sum(name == "codebuddy_custom_depth" for name, _ in samples) <= 62


def test_a_recorder_gets_its_turn_many_times_while_thousands_of_series_are_read() -> None:
    """Case 90: no series has to wait for all the others."""
    collector = MetricsCollector()
    collector.register_metric("waits", type="histogram")
    for number in range(1_000):
        collector.record_tool_execution(name=f"tool {number}", duration_ms=1.0)
        collector.record("waits", number, {"queue": str(number)})
    lock = collector._lock = CountingLock(collector._lock)  # type: ignore[assignment]
    PrometheusExporter(collector).families()
    assert lock.taken >= 2 * 1_000 / AT_ONCE


class CountingLock:
    """A lock that knows how often it was free."""

    def __init__(self, lock: Any) -> None:
        self.lock, self.taken, self.depth = lock, 0, 0

    def __enter__(self) -> None:
        self.lock.acquire()
        self.taken += self.depth == 0
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        self.lock.release()


def test_the_exporter_of_the_process_follows_its_collector() -> None:
    get_metrics_collector().record_tool_execution(name="first")
    first = get_prometheus_exporter()
    assert first is get_prometheus_exporter()
    reset_metrics_collector()
    assert 'tool="first"' not in get_prometheus_exporter().export()
    reset_metrics_collector()


def test_the_client_library_is_imported_only_when_something_is_exported() -> None:
    program = (
        "import sys, buddy_core; buddy_core.PrometheusExporter(buddy_core.MetricsCollector());"
        "assert 'prometheus_client' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
