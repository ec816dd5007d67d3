"""A real Prometheus scrapes the server, in the format it likes best, and has the collector's own numbers."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from buddy_core import MetricsCollector, serve_metrics
from buddy_core.prometheus.shipped import alert_rules

PATIENCE_S = 20.0

pytestmark = [
    pytest.mark.sweep,
    pytest.mark.skipif(
        shutil.which("prometheus") is None, reason="prometheus (Debian package prometheus) is not installed"
    ),
]

HOSTILE = 'back\\slash "quote"\nline feed \x1b[31m é \U0001f600'


class Prometheus:
    """A Prometheus of one's own: a free port, a directory that goes away with the test."""

    def __init__(self, directory: Path, target: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        (directory / "alerts.yml").write_text(alert_rules())
        configuration = {
            "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"},
            "rule_files": ["alerts.yml"],
            "scrape_configs": [{"job_name": "agent", "static_configs": [{"targets": [target]}]}],
        }
        (directory / "prometheus.yml").write_text(json.dumps(configuration))
        self.log = (directory / "log").open("w+b")
        self.process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            cwd=directory,
        )

    def api(self, what: str, **parameters: str) -> Any:
        """The data of an API call; None while Prometheus is not up."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def query(self, expression: str) -> dict[frozenset[tuple[str, str]], float]:
        """An instant query: values by labels, without name, job and instance."""
        data = self.api("query", query=expression) or {"result": []}
        ours = ("__name__", "job", "instance")
        return {
            frozenset((name, text) for name, text in one["metric"].items() if name not in ours): float(
                one["value"][1]
            )
            for one in data["result"]
        }

    def wait_for(self, expression: str, expected: dict[frozenset[tuple[str, str]], float]) -> None:
        """Until a query gives what is expected; fails after `PATIENCE_S` with what it gave instead."""
        last = time.monotonic() + PATIENCE_S
        while (found := self.query(expression)) != expected:
            if time.monotonic() > last or self.process.poll() is not None:
                self.log.seek(0)
                pytest.fail(f"{expression}: {found}\n{self.log.read().decode()[-2_000:]}")
            time.sleep(0.05)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self.log.close()


@pytest.fixture
def collector() -> MetricsCollector:
    collector = MetricsCollector()
    collector.record_api_request(
        provider="anthropic",
        model="opus",
        prompt_tokens=900,
        completion_tokens=100,
        cost=0.125,
        latency_ms=700.0,
    )
    collector.record_tool_execution(name="bash", duration_ms=30.0)
    collector.record_tool_execution(name=HOSTILE, success=False, error="no")
    collector.increment("jobs", 3, {"queue": HOSTILE})
    return collector


@pytest.fixture
def prometheus(tmp_path: Path, collector: MetricsCollector) -> Iterator[Prometheus]:
    with serve_metrics(collector, port=0, exemplars=True) as server:
        prometheus = Prometheus(tmp_path, f"127.0.0.1:{server.port}")
        try:
            yield prometheus
        finally:
            prometheus.close()


def labels(**pairs: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairs.items())


def test_prometheus_has_the_numbers_of_the_collector(
    prometheus: Prometheus, collector: MetricsCollector
) -> None:
    prometheus.wait_for("up", {labels(): 1})
    who = {"provider": "anthropic", "model": "opus"}
    (row,) = collector.get_provider_metrics()
    prometheus.wait_for(
        "sum by (provider, model) (codebuddy_tokens_total)", {labels(**who): row.total_tokens}
    )
    prometheus.wait_for("codebuddy_cost_usd_total", {labels(**who): 0.125})
    prometheus.wait_for(
        'codebuddy_api_request_duration_seconds_bucket{le="0.5"}', {labels(**who, le="0.5"): 0}
    )
    calls = {labels(tool=tool.name): tool.total_calls for tool in collector.get_tool_metrics()}
    prometheus.wait_for("sum by (tool) (codebuddy_tool_calls_total)", calls)
    prometheus.wait_for("codebuddy_custom_jobs_total", {labels(queue=HOSTILE): 3})
    metadata = prometheus.api("metadata")
    assert metadata["codebuddy_tool_duration_seconds"][0]["type"] == "histogram"
    assert not [target for target in prometheus.api("targets")["activeTargets"] if target["lastError"]]
    assert len(prometheus.api("rules")["groups"][0]["rules"]) == 6
    collector.record_tool_execution(name="bash", duration_ms=30.0, run_id="run_mk5xq2p4_0123ab")
    prometheus.wait_for(
        'codebuddy_tool_calls_total{tool="bash",outcome="success"}',
        {labels(tool="bash", outcome="success"): 2},
    )
