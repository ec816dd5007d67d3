"""The dashboard and the alert rules that ship with the library fit what the exporter says, and fire when they should."""

from __future__ import annotations

import json
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text
from tests.scraping import promtool

from buddy_core.metrics.collector import MetricsCollector
from buddy_core.prometheus.exporter import PrometheusExporter
from buddy_core.prometheus.shipped import alert_rules, dashboard

Box = dict[str, int]


@pytest.fixture(scope="module")
def grafana() -> Any:
    return json.loads(dashboard())


def panels(grafana: Any) -> list[Any]:
    return [panel for panel in grafana["panels"] if panel["type"] != "row"]


def expressions(grafana: Any) -> list[str]:
    return [target["expr"] for panel in panels(grafana) for target in panel["targets"]]


def exported() -> set[str]:
    """Every name a query may ask for."""
    ends = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
    families = parse_text(PrometheusExporter(MetricsCollector()).export())
    return {family.name + end for family in families for end in ends[family.type]}


def test_every_metric_that_is_asked_for_is_exported(grafana: Any) -> None:
    queries = [variable["query"] for variable in grafana["templating"]["list"]]
    texts = [*expressions(grafana), *map(str, queries), alert_rules()]
    asked = {name for text in texts for name in re.findall(r"codebuddy_\w+", text)}
    assert len(asked) > 12
    assert asked <= exported()


def test_every_family_is_on_the_dashboard(grafana: Any) -> None:
    text = " ".join(expressions(grafana))
    families = parse_text(PrometheusExporter(MetricsCollector()).export())
    assert [family.name for family in families if family.name not in text] == []


def test_panels_lie_on_the_grid_and_none_covers_another(grafana: Any) -> None:
    boxes: list[Box] = [panel["gridPos"] for panel in grafana["panels"]]
    assert all(box["x"] >= 0 and box["x"] + box["w"] <= 24 and box["h"] > 0 for box in boxes)
    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
    identities = [panel["id"] for panel in grafana["panels"]]
    assert len(identities) == len(set(identities))


def overlap(a: Box, b: Box) -> bool:
    across = a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"]
    return across and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]


def test_every_panel_has_a_title_and_asks_the_data_source_that_was_chosen(grafana: Any) -> None:
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert grafana["templating"]["list"][0]["type"] == "datasource"
    assert grafana["schemaVersion"] >= 39
    for panel in panels(grafana):
        assert panel["title"]
        assert panel["datasource"] == source
        assert all(target["datasource"] == source for target in panel["targets"])
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))


def test_variables_that_are_used_exist(grafana: Any) -> None:
    known = {variable["name"] for variable in grafana["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", dashboard())) - {"__range", "__rate_interval", "__all"}
    assert used == known


def test_what_is_shown_has_a_unit(grafana: Any) -> None:
    units = {panel["title"]: panel["fieldConfig"]["defaults"].get("unit") for panel in panels(grafana)}
    assert [title for title, unit in units.items() if not unit] == ["Response times"]
    assert units["Cost per hour by model"] == "currencyUSD"
    assert units["Response time"] == "s"


@promtool
def test_every_query_of_the_dashboard_is_promql(grafana: Any, tmp_path: Path) -> None:
    rules = []
    for number, expression in enumerate(expressions(grafana)):
        query = re.sub(r"\$__(range|rate_interval)", "5m", expression)
        query = re.sub(r"\$(job|provider|model)", ".*", query)
        rules.append({"record": f"query:{number}", "expr": query})
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = run_promtool("check", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rules found" in done.stdout


@promtool
def test_promtool_accepts_the_alert_rules(tmp_path: Path) -> None:
    file = tmp_path / "alerts.yml"
    file.write_text(alert_rules())
    done = run_promtool("check", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


WHO = 'job="a", instance="h:1"'
MODEL = f'{WHO}, provider="p", model="m"'


def silent(alert: str, at: str = "40m") -> dict[str, Any]:
    return {"eval_time": at, "alertname": alert, "exp_alerts": []}


def fires(alert: str, severity: str = "warning", at: str = "40m", **labels: str) -> dict[str, Any]:
    told = {"severity": severity, "job": "a", "instance": "h:1", **labels}
    return {"eval_time": at, "alertname": alert, "exp_alerts": [{"exp_labels": told}]}


def series(name: str, values: str) -> dict[str, str]:
    return {"series": name, "values": values}


UP = series(f"codebuddy_uptime_seconds{{{WHO}}}", "0+60x90")
SESSION = series(f"codebuddy_active_sessions{{{WHO}}}", "1x90")
WORK = series(f'codebuddy_tool_calls_total{{{WHO}, tool="bash", outcome="success"}}', "0+3x90")

CASES: dict[str, tuple[list[dict[str, str]], list[dict[str, Any]]]] = {
    "requests that fail": (
        [
            UP,
            series(f'codebuddy_provider_requests_total{{{MODEL}, outcome="error"}}', "0+1x90"),
            series(f'codebuddy_provider_requests_total{{{MODEL}, outcome="success"}}', "0+2x90"),
        ],
        [
            fires("AgentRequestsFail", provider="p", model="m"),
            silent("AgentSilent"),
            silent("AgentMetricsAbsent"),
        ],
    ),
    "one failure among few requests": (
        [
            UP,
            series(f'codebuddy_provider_requests_total{{{MODEL}, outcome="error"}}', "0x30 1x60"),
            series(f'codebuddy_provider_requests_total{{{MODEL}, outcome="success"}}', "0x90"),
        ],
        [silent("AgentRequestsFail")],
    ),
    "money": (
        [UP, series(f"codebuddy_cost_usd_total{{{MODEL}}}", "0+0.2x90")],
        [silent("AgentSpendsFast", "30m"), fires("AgentSpendsFast", at="70m")],
    ),
    "a tool that fails": (
        [UP, WORK, series(f'codebuddy_tool_calls_total{{{WHO}, tool="web", outcome="error"}}', "0+1x90")],
        [fires("AgentToolFails", tool="web")],
    ),
    "slow answers": (
        [
            UP,
            series(f'codebuddy_api_request_duration_seconds_bucket{{{MODEL}, le="60.0"}}', "0x90"),
            series(f'codebuddy_api_request_duration_seconds_bucket{{{MODEL}, le="120.0"}}', "0+1x90"),
            series(f'codebuddy_api_request_duration_seconds_bucket{{{MODEL}, le="+Inf"}}', "0+1x90"),
        ],
        [fires("AgentRequestsSlow", provider="p", model="m")],
    ),
    "a session in which nothing happens": (
        [
            UP,
            SESSION,
            series(f'codebuddy_tool_calls_total{{{WHO}, tool="bash", outcome="success"}}', "0+3x5 15x90"),
        ],
        [silent("AgentSilent", "10m"), fires("AgentSilent", "info")],
    ),
    "a session at work, and one that never called anything": (
        [UP, SESSION, WORK],
        [silent("AgentSilent"), silent("AgentToolFails"), silent("AgentSpendsFast")],
    ),
    "nothing but a session": ([UP, SESSION], [fires("AgentSilent", "info")]),
    "no agent at all": (
        [],
        [
            {
                "eval_time": "10m",
                "alertname": "AgentMetricsAbsent",
                "exp_alerts": [{"exp_labels": {"severity": "warning"}}],
            }
        ],
    ),
}


@promtool
def test_the_alerts_fire_when_they_should_and_not_otherwise(tmp_path: Path) -> None:
    # What an alert says is not compared word by word: only that it fires, and for whom.
    plain = re.sub(r"\n        annotations:\n(?:          .*\n)+", "\n", alert_rules())
    (tmp_path / "alerts.yml").write_text(plain)
    tests = [
        {"interval": "1m", "name": name, "input_series": given, "alert_rule_test": expected}
        for name, (given, expected) in CASES.items()
    ]
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": tests}))
    done = run_promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def run_promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
