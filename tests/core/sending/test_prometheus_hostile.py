"""Whatever agents call things, the exposition parses, and nothing secret is in it. Cases 83 and 85.

BUDDY_EXAMPLES=2000 tries more of them.
"""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.scraping import both_ways, check_with_promtool, promtool, total, value

from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.model import MetricType
from buddy_core.prometheus.exporter import PrometheusExporter
from buddy_core.prometheus.labels import LONGEST_VALUE, label_set, label_value

EXAMPLES = int(os.environ.get("BUDDY_EXAMPLES", "40"))
"""Expositions tried by each property; more are a matter of patience."""

NASTY = [
    'quote " and \\ and \\n',
    "line\nfeed",
    "carriage\rreturn\tand \x00 \x1b[31m \x7f \x85 \u2028",
    "\ud83c alone",
    "lone \udcff",
    "\U0001f600",
    '"} 1\n# TYPE x counter\nx 1',
    "# EOF",
    "{", "}", ",", "=", "\\", '"', "\n", " ", "é", "NaN", "+Inf",
]  # fmt: skip

texts = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=30), st.text(st.characters(), min_size=1, max_size=300)
)
names = st.one_of(
    texts,
    st.sampled_from(
        ["a", "a_total", "a_count", "a_sum", "a_bucket", "a_created", "a_info", "a.b", "a-b", "aB", "total", "_total",
         "le", "codebuddy_tokens_total", "tokens", "__x", "1a", "a_total_total", "wait_ms", "wait_seconds", "wait"]
    ),
)  # fmt: skip
labels = st.dictionaries(
    st.one_of(texts, st.sampled_from(["le", "quantile", "__name__", "a.b", "a-b", "job"])), texts, max_size=4
)
units = st.none() | st.sampled_from(["ms", "s", "tokens", "\x1b", "ns"])
kinds: st.SearchStrategy[MetricType] = st.sampled_from(["counter", "gauge", "histogram"])


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.tuples(texts, texts, texts), max_size=6))
def test_names_of_providers_models_tools_and_errors_may_be_anything(
    found: list[tuple[str, str, str]],
) -> None:
    """Case 85."""
    collector = MetricsCollector()
    for provider, model, tool in found:
        collector.record_api_request(provider=provider, model=model, prompt_tokens=3, latency_ms=5.0)
        collector.record_tool_execution(name=tool, success=False, error=model)
        collector.record_error(tool, provider)
    samples = both_ways(PrometheusExporter(collector))
    recorded = sum(row.total_requests for row in collector.get_provider_metrics())
    assert total(samples, "codebuddy_provider_requests_total") == recorded
    assert total(samples, "codebuddy_tokens_total") == 3 * recorded
    assert total(samples, "codebuddy_tool_calls_total") == collector.get_total_tool_calls()


@pytest.mark.parametrize("text", [text for text in NASTY if text.isprintable() or "\ud83c" not in text])
def test_a_label_comes_back_as_it_was(text: str) -> None:
    """Case 85: only what is no Unicode text at all changes."""
    collector = MetricsCollector()
    collector.record_tool_execution(name=text)
    expected = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    samples = both_ways(PrometheusExporter(collector))
    assert value(samples, "codebuddy_tool_calls_total", tool=expected, outcome="success") == 1


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(names, kinds, units, labels, st.floats(-10, 1e6)), max_size=8))
def test_metrics_of_agents_may_be_called_anything(
    found: list[tuple[str, MetricType, str | None, dict[str, str], float]],
) -> None:
    collector = MetricsCollector()
    for name, kind, unit, pairs, number in found:
        collector.register_metric(name, type=kind, description=name, unit=unit)
        collector.record(name, number, pairs)
        collector.increment(name, 2, pairs)
    exporter = PrometheusExporter(collector)
    both_ways(exporter)
    types = re.findall(r"^# TYPE (\S+) ", exporter.export(), re.MULTILINE)
    assert len(types) == len(set(types))


@promtool
def test_promtool_reads_whatever_things_are_called() -> None:
    """Case 85."""
    collector = MetricsCollector()
    hostile = [
        *NASTY,
        *(chr(code) for code in range(0x100)),
        *(chr(code) * 3 for code in range(0xD7F0, 0xD810)),
    ]
    for number, text in enumerate(hostile):
        collector.record_api_request(
            provider=text, model=text[::-1], prompt_tokens=1, latency_ms=1.0, ttft_ms=1.0
        )
        collector.record_tool_execution(name=text, duration_ms=1.0)
        collector.record_error(text, text)
        kind: MetricType = ("counter", "gauge", "histogram")[number % 3]  # type: ignore[assignment]
        collector.register_metric(f"own {text}", type=kind, description=text)
        collector.record(f"own {text}", 1.0, {text: text, f"{text}x": text})
    code, complaints = check_with_promtool(PrometheusExporter(collector).export())
    assert code in (0, 3), complaints
    assert "error while linting" not in complaints


def test_a_name_of_100_kilobytes_is_cut_and_the_cut_is_marked() -> None:
    """Case 85; the collector itself refuses such names, so this is what would happen if it did not."""
    long = label_value("x" * 100_000)
    assert (len(long), long[-1]) == (LONGEST_VALUE, "…")
    ((name, text),) = label_set((("n" * 100_000, "v" * 100_000),))
    assert len(name) <= 128
    assert len(text) == LONGEST_VALUE


SECRETS = (
    "sk-ant-api03-" + "Ab3dEf9hIj2kLmN0pQrStUv4XyZ" * 3 + "AA",
    "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "https://user:hunter2secret@example.org/v1",
    "AKIAIOSFODNN7EXAMPLE",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_in_a_name_is_masked(secret: str) -> None:
    """Case 83 for Prometheus."""
    collector = MetricsCollector()
    collector.record_api_request(provider=secret, model=f"model at {secret}", latency_ms=1.0)
    collector.record_tool_execution(name=secret, success=False, error=f"used {secret}")
    collector.record_error(secret, secret, stack=secret, context={"key": secret})
    collector.register_metric(secret, type="gauge", description=f"of {secret}", unit=secret)
    collector.record(secret, 1.0, {secret: secret, "where": secret})
    collector.start_session(secret)
    exporter = PrometheusExporter(collector)
    both_ways(exporter)
    core = re.sub(r"[^a-z0-9]", "", secret.split("@")[0].lower())[-12:]
    for text in (exporter.export(), exporter.export_openmetrics()):
        assert secret not in text
        assert core not in re.sub(r"[^a-z0-9]", "", text.lower())


def test_a_label_with_a_secret_name_shows_no_value() -> None:
    """Case 83: also where the value itself looks harmless."""
    collector = MetricsCollector()
    collector.record("logins", 1, {"password": "correct horse", "user": "ada"})
    samples = both_ways(PrometheusExporter(collector))
    assert value(samples, "codebuddy_custom_logins", password="‹masked›", user="ada") == 1


def test_two_names_that_are_masked_alike_are_one_series_with_the_sum_of_both() -> None:
    collector = MetricsCollector()
    for number in (1, 2):
        collector.record_tool_execution(
            name=f"ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R{number}", duration_ms=20.0
        )
    samples = both_ways(PrometheusExporter(collector))
    assert value(samples, "codebuddy_tool_calls_total", tool="ghp_‹masked›", outcome="success") == 2
    assert value(samples, "codebuddy_tool_duration_seconds_count", tool="ghp_‹masked›") == 2
    assert value(samples, "codebuddy_tool_duration_seconds_bucket", tool="ghp_‹masked›", le="0.025") == 2


@pytest.mark.parametrize(
    "name",
    [
        "claude-opus-4-5-20251101",
        "gpt-5.5",
        "qwen3-coder:480b-cloud",
        "mcp__github__create_issue",
        "view_file",
    ],
)
def test_real_names_are_left_as_they_are(name: str) -> None:
    assert label_value(name) == name
