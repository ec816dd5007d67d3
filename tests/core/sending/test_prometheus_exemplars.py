"""Exemplars name the run behind a bucket, in OpenMetrics only, and only when somebody asked for them."""

from __future__ import annotations

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from tests.scraping import both_ways

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.prometheus import exemplars
from buddy_core.prometheus.exporter import PrometheusExporter

RUN, OTHER = "run_mk5xq2p4_0123ab", "run_mk5xq2p5_4567cd"


@pytest.fixture
def collector() -> MetricsCollector:
    return MetricsCollector(clock=ManualClock(1_700_000_000_500))


def named(exporter: PrometheusExporter) -> list[tuple[str, str, str, float, float]]:
    """Family, bound, run, seconds and time of every exemplar."""
    return [
        (family.name, sample.labels["le"], sample.exemplar.labels["run_id"], sample.exemplar.value,
         float(sample.exemplar.timestamp or 0))
        for family in parse_openmetrics(exporter.export_openmetrics())
        for sample in family.samples
        if sample.exemplar
    ]  # fmt: skip


def test_the_latest_run_of_each_bucket_is_named(collector: MetricsCollector) -> None:
    exporter = PrometheusExporter(collector, exemplars=True)
    for run in (OTHER, RUN):
        collector.record_api_request(provider="p", model="m", latency_ms=1_000.0, ttft_ms=40.0, run_id=run)
    collector.record_tool_execution(name="bash", duration_ms=7.5e5, run_id=OTHER, at_ms=1_600_000_000_000)
    assert named(exporter) == [
        ("codebuddy_api_request_duration_seconds", "1.0", RUN, 1.0, 1_700_000_000.5),
        ("codebuddy_time_to_first_token_seconds", "0.05", RUN, 0.04, 1_700_000_000.5),
        ("codebuddy_tool_duration_seconds", "+Inf", OTHER, 750.0, 1_600_000_000.0),
    ]
    both_ways(exporter)
    assert "run_" not in exporter.export()


@pytest.mark.parametrize("run", [None, "", "../../etc", "run_x", "sk-ant-api03-secret", RUN + "\n"])
def test_what_is_no_run_is_not_named(collector: MetricsCollector, run: str | None) -> None:
    exporter = PrometheusExporter(collector, exemplars=True)
    collector.record_tool_execution(name="bash", duration_ms=1.0, run_id=run)
    collector.record_tool_execution(name="bash", run_id=RUN)
    assert named(exporter) == []


def test_nobody_listens_unless_exemplars_were_asked_for(collector: MetricsCollector) -> None:
    exporter = PrometheusExporter(collector)
    collector.record_tool_execution(name="bash", duration_ms=1.0, run_id=RUN)
    assert named(exporter) == []


def test_a_closed_exporter_and_a_reset_collector_have_none(collector: MetricsCollector) -> None:
    exporter = PrometheusExporter(collector, exemplars=True)
    collector.record_tool_execution(name="bash", duration_ms=1.0, run_id=RUN)
    collector.reset()
    collector.record_tool_execution(name="bash", duration_ms=1.0)
    assert named(exporter) == []
    collector.record_tool_execution(name="bash", duration_ms=1.0, run_id=RUN)
    assert len(named(exporter)) == 1
    exporter.close()
    assert named(exporter) == []
    assert not collector._broadcast.wanted("tool:executed")


def test_series_beyond_the_limit_have_none(
    collector: MetricsCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exemplars, "MOST_NAMES", 5)
    exporter = PrometheusExporter(collector, exemplars=True)
    for number in range(20):
        collector.record_tool_execution(name=f"tool {number}", duration_ms=1.0, run_id=RUN)
    assert len(named(exporter)) == 5
