"""Metrics that agents name: which family each becomes, and what its values are."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text
from tests.scraping import both_ways, check_with_promtool, promtool, value

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.model import MetricType
from buddy_core.prometheus.exporter import PrometheusExporter


@pytest.fixture
def collector() -> MetricsCollector:
    return MetricsCollector(clock=ManualClock())


@pytest.fixture
def exporter(collector: MetricsCollector) -> PrometheusExporter:
    return PrometheusExporter(collector)


def custom(exporter: PrometheusExporter) -> dict[str, str]:
    """Custom families with their types."""
    families = {family.name: family.type for family in parse_text(exporter.export())}
    head = "codebuddy_custom_"
    return {name.removeprefix(head): kind for name, kind in families.items() if name.startswith(head)}


def test_a_counter_tells_its_running_total_for_each_label_set(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    collector.increment("jobs_total", 2, {"queue": "a"})
    collector.increment("jobs_total", 3, {"queue": "a"})
    collector.increment("jobs_total", 1)
    samples = both_ways(exporter)
    assert value(samples, "codebuddy_custom_jobs_total", queue="a") == 5
    assert value(samples, "codebuddy_custom_jobs_total") == 1
    assert custom(exporter) == {"jobs": "counter"}


def test_a_gauge_tells_its_latest_value(collector: MetricsCollector, exporter: PrometheusExporter) -> None:
    for depth in (9, 4, -2):
        collector.record("queue depth", depth)
    assert value(both_ways(exporter), "codebuddy_custom_queue_depth") == -2
    assert custom(exporter) == {"queue_depth": "gauge"}


def test_a_histogram_of_times_is_told_in_seconds(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    collector.register_metric("wait", type="histogram", description="Time in the queue", unit="ms")
    for wait in (5, 40, 90_000):
        collector.record("wait", wait)
    samples = both_ways(exporter)
    assert value(samples, "codebuddy_custom_wait_seconds_bucket", le="0.005") == 1
    assert value(samples, "codebuddy_custom_wait_seconds_bucket", le="0.05") == 2
    assert value(samples, "codebuddy_custom_wait_seconds_bucket", le="+Inf") == 3
    assert value(samples, "codebuddy_custom_wait_seconds_sum") == pytest.approx(90.045)
    assert "Time in the queue (recorded in ms)" in exporter.export()


def test_a_histogram_of_anything_has_bounds_from_a_thousandth_to_millions(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    collector.register_metric("score", type="histogram")
    for score in (0.001, 0.3, 7.0, 2e6):
        collector.record("score", score, {"judge": "x"})
    samples = both_ways(exporter)
    found = [
        value(samples, "codebuddy_custom_score_bucket", judge="x", le=le) for le in ("0.001", "0.5", "10.0")
    ]
    assert found == [1, 2, 3]
    assert value(samples, "codebuddy_custom_score_count", judge="x") == 4


def test_a_histogram_with_values_below_zero_has_no_sum_because_it_could_fall(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    collector.register_metric("drift", type="histogram")
    collector.record("drift", -3)
    samples = both_ways(exporter)
    assert value(samples, "codebuddy_custom_drift_bucket", le="+Inf") == 1
    assert value(samples, "codebuddy_custom_drift_sum") is None


@pytest.mark.parametrize(
    ("name", "unit", "seconds"),
    [("load_ms", None, 1.5), ("load", "ms", 1.5), ("load_ms", "ms", 1.5), ("load", "s", 1500)],
)
def test_a_gauge_of_time_is_told_in_seconds(
    collector: MetricsCollector, exporter: PrometheusExporter, name: str, unit: str | None, seconds: float
) -> None:
    collector.register_metric(name, type="gauge", unit=unit)
    collector.record(name, 1_500)
    assert value(both_ways(exporter), "codebuddy_custom_load_seconds") == seconds


@pytest.mark.parametrize(
    ("names", "families"),
    [
        (["a.b", "a-b", "a b"], ["a_b", "a_b_2", "a_b_3"]),
        (["a.b", "a_b_2", "a-b"], ["a_b", "a_b_2", "a_b_3"]),
        (["jobs", "jobs_total"], ["jobs", "jobs_2"]),
        (["runs_count", "runs_sum", "runs_bucket"], ["runs", "runs_2", "runs_3"]),
        (["build_info", "x_created"], ["build", "x"]),
        (["codebuddy_tokens_total", "tokens"], ["codebuddy_tokens", "tokens"]),
        (["total", "_", "耗时"], ["unnamed", "unnamed_2", "unnamed_3"]),
        (["queueDepth", "9lives"], ["queue_depth", "9lives"]),
        (["wait_ms", "wait_seconds"], ["wait_seconds", "wait_seconds_2"]),
    ],
)
def test_names_become_words_and_the_same_words_are_numbered(
    collector: MetricsCollector, exporter: PrometheusExporter, names: list[str], families: list[str]
) -> None:
    for name in names:
        collector.record(name, 1)
    assert list(custom(exporter)) == families


def test_names_stay_what_they_are_from_scrape_to_scrape(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    collector.record("a.b", 1)
    collector.record("a-b", 2)
    before = both_ways(exporter)
    collector.record("a+b", 3)
    collector.record("a.b", 1)
    assert before.items() <= both_ways(exporter).items()


def test_reserved_and_repeated_label_names_are_made_usable(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    collector.record("depth", 1, {"le": "1", "__name__": "2", "a.b": "3", "a-b": "4", "": "5", "9": "6"})
    expected = {"label_le": "1", "name": "2", "a_b": "4", "a_b_2": "3", "label": "5", "label_9": "6"}
    assert value(both_ways(exporter), "codebuddy_custom_depth", **expected) == 1


def test_the_metrics_that_are_always_there_are_not_told_twice(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    collector.record_message("user")
    collector.record_api_request(provider="p", model="m", cost=1.0, latency_ms=3.0)
    assert custom(exporter) == {}


@promtool
def test_promtool_likes_how_metrics_are_named(
    collector: MetricsCollector, exporter: PrometheusExporter
) -> None:
    kinds: tuple[MetricType, ...] = ("counter", "gauge", "histogram")
    for kind in kinds:
        for name in (
            "things",
            "things_total",
            "things_count",
            "loadMs",
            "wait_ms",
            "files.read",
            "build_info",
        ):
            collector.register_metric(f"my{kind[0]}_{name}", type=kind, description="", unit=None)
            collector.record(f"my{kind[0]}_{name}", 3, {"fileName": "x"})
    assert check_with_promtool(exporter.export()) == (0, "")
