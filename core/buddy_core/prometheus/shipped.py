"""What comes with the library for those who watch with Grafana and Prometheus: a dashboard and alert rules."""

from __future__ import annotations

from importlib.resources import files


def dashboard() -> str:
    """A Grafana dashboard as JSON; on import it asks for the Prometheus data source."""
    return _shipped("grafana-dashboard.json")


def alert_rules() -> str:
    """Alert rules as YAML, for Prometheus' `rule_files`."""
    return _shipped("alerts.yml")


def _shipped(name: str) -> str:
    return files("buddy_core.prometheus").joinpath("data", name).read_text(encoding="utf-8")
