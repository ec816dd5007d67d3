"""The library under buddy-top: metrics and runs of a coding agent, recorded and read.

Every public name is importable from here and loads its module only when it is first used, so that
`import buddy_core` costs an agent next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from buddy_core._version import __version__ as __version__

if TYPE_CHECKING:
    from buddy_core.alerts.limits import Limits as Limits
    from buddy_core.alerts.model import Alert as Alert
    from buddy_core.alerts.replay import replay_alerts as replay_alerts
    from buddy_core.bridge import bridge as bridge
    from buddy_core.clock import Clock as Clock
    from buddy_core.clock import ManualClock as ManualClock
    from buddy_core.clock import SystemClock as SystemClock
    from buddy_core.errors import AmbiguousRun as AmbiguousRun
    from buddy_core.errors import BadArtifactName as BadArtifactName
    from buddy_core.errors import BuddyError as BuddyError
    from buddy_core.errors import KeepFailed as KeepFailed
    from buddy_core.errors import KeptRunDamaged as KeptRunDamaged
    from buddy_core.errors import PortUnavailable as PortUnavailable
    from buddy_core.errors import RunClosed as RunClosed
    from buddy_core.errors import RunLocked as RunLocked
    from buddy_core.errors import RunNotFound as RunNotFound
    from buddy_core.errors import StoreUnavailable as StoreUnavailable
    from buddy_core.metrics.collector import MetricsCollector as MetricsCollector
    from buddy_core.metrics.collector import get_metrics_collector as get_metrics_collector
    from buddy_core.metrics.collector import reset_metrics_collector as reset_metrics_collector
    from buddy_core.metrics.dashboard.terminal import TerminalDashboard as TerminalDashboard
    from buddy_core.metrics.dashboard.terminal import get_terminal_dashboard as get_terminal_dashboard
    from buddy_core.metrics.looking.model import Activity as Activity
    from buddy_core.metrics.looking.model import ActivityBucket as ActivityBucket
    from buddy_core.metrics.looking.model import DashboardState as DashboardState
    from buddy_core.metrics.looking.model import ErrorGroup as ErrorGroup
    from buddy_core.metrics.looking.model import HistogramBin as HistogramBin
    from buddy_core.metrics.looking.model import MetricsExport as MetricsExport
    from buddy_core.metrics.looking.model import ProviderMetrics as ProviderMetrics
    from buddy_core.metrics.looking.model import SeriesPoint as SeriesPoint
    from buddy_core.metrics.looking.model import ToolCall as ToolCall
    from buddy_core.metrics.looking.model import ToolDepth as ToolDepth
    from buddy_core.metrics.looking.model import ToolMetrics as ToolMetrics
    from buddy_core.metrics.looking.model import Trend as Trend
    from buddy_core.metrics.looking.model import WindowView as WindowView
    from buddy_core.metrics.looking.named import Metric as Metric
    from buddy_core.metrics.looking.named import MetricPoint as MetricPoint
    from buddy_core.metrics.model import ApiRequest as ApiRequest
    from buddy_core.metrics.model import ErrorRecord as ErrorRecord
    from buddy_core.metrics.model import SessionMetrics as SessionMetrics
    from buddy_core.metrics.model import ToolExecution as ToolExecution
    from buddy_core.metrics.recording.batch import HistoryBatch as HistoryBatch
    from buddy_core.metrics.recording.batch import ToolColumn as ToolColumn
    from buddy_core.metrics.recording.batch import Usage as Usage
    from buddy_core.metrics.recording.events import CollectorEvent as CollectorEvent
    from buddy_core.metrics.recording.events import CollectorReset as CollectorReset
    from buddy_core.metrics.recording.events import MetricRecorded as MetricRecorded
    from buddy_core.metrics.recording.subscription import Subscription as Subscription
    from buddy_core.metrics.tools import ToolMetric as ToolMetric
    from buddy_core.metrics.tools import ToolMetricsTracker as ToolMetricsTracker
    from buddy_core.metrics.tools import get_tool_metrics_tracker as get_tool_metrics_tracker
    from buddy_core.metrics.tools import reset_tool_metrics_tracker as reset_tool_metrics_tracker
    from buddy_core.metrics.window import Window as Window
    from buddy_core.prices.package import PackagePrices as PackagePrices
    from buddy_core.prices.rates import Rates as Rates
    from buddy_core.prices.table import PriceEntry as PriceEntry
    from buddy_core.prices.table import PriceTable as PriceTable
    from buddy_core.prometheus.exporter import PrometheusExporter as PrometheusExporter
    from buddy_core.prometheus.exporter import get_prometheus_exporter as get_prometheus_exporter
    from buddy_core.prometheus.server import MetricsServer as MetricsServer
    from buddy_core.prometheus.server import serve_metrics as serve_metrics
    from buddy_core.runs.comparing.compare import compare_runs as compare_runs
    from buddy_core.runs.comparing.model import RunDiff as RunDiff
    from buddy_core.runs.doctor import DoctorReport as DoctorReport
    from buddy_core.runs.doctor import doctor as doctor
    from buddy_core.runs.export import export_run as export_run
    from buddy_core.runs.facts import RunFacts as RunFacts
    from buddy_core.runs.keeping.archive import Archive as Archive
    from buddy_core.runs.keeping.leaving import leaving_next as leaving_next
    from buddy_core.runs.lineage.tree import Kindred as Kindred
    from buddy_core.runs.lineage.tree import family_of as family_of
    from buddy_core.runs.model import RunEvent as RunEvent
    from buddy_core.runs.model import RunMetadata as RunMetadata
    from buddy_core.runs.model import RunMetrics as RunMetrics
    from buddy_core.runs.model import RunSummary as RunSummary
    from buddy_core.runs.pruning.prune import PruneReport as PruneReport
    from buddy_core.runs.reading.wholerun import RunRecord as RunRecord
    from buddy_core.runs.replay.model import ReplayReport as ReplayReport
    from buddy_core.runs.replay.session import ReplayCancelled as ReplayCancelled
    from buddy_core.runs.replay.session import replay_run as replay_run
    from buddy_core.runs.searching.hit import SearchHit as SearchHit
    from buddy_core.runs.searching.search import search_runs as search_runs
    from buddy_core.runs.store.active import get_active_run_store as get_active_run_store
    from buddy_core.runs.store.active import reset_run_store as reset_run_store
    from buddy_core.runs.store.active import set_active_run_store as set_active_run_store
    from buddy_core.runs.store.run_context import Run as Run
    from buddy_core.runs.store.store import RunStore as RunStore
    from buddy_core.runs.viewing.viewer import list_runs as list_runs
    from buddy_core.runs.viewing.viewer import show_run as show_run
    from buddy_core.runs.viewing.viewer import tail_run as tail_run
    from buddy_core.settings import Settings as Settings
    from buddy_core.telemetry import ObservabilityStatus as ObservabilityStatus
    from buddy_core.telemetry import init_observability as init_observability
    from buddy_core.telemetry import init_tracing as init_tracing
    from buddy_core.telemetry import instrument as instrument
    from buddy_core.telemetry import is_telemetry_enabled as is_telemetry_enabled
    from buddy_core.telemetry import shutdown_observability as shutdown_observability
    from buddy_core.telemetry import telemetry_losses as telemetry_losses

_HOMES: dict[str, str] = {
    "Activity": "metrics.looking.model",
    "ActivityBucket": "metrics.looking.model",
    "Alert": "alerts.model",
    "AmbiguousRun": "errors",
    "ApiRequest": "metrics.model",
    "Archive": "runs.keeping.archive",
    "BadArtifactName": "errors",
    "BuddyError": "errors",
    "Clock": "clock",
    "CollectorEvent": "metrics.recording.events",
    "CollectorReset": "metrics.recording.events",
    "DashboardState": "metrics.looking.model",
    "DoctorReport": "runs.doctor",
    "ErrorGroup": "metrics.looking.model",
    "ErrorRecord": "metrics.model",
    "HistogramBin": "metrics.looking.model",
    "HistoryBatch": "metrics.recording.batch",
    "KeepFailed": "errors",
    "KeptRunDamaged": "errors",
    "Limits": "alerts.limits",
    "ManualClock": "clock",
    "Metric": "metrics.looking.named",
    "MetricPoint": "metrics.looking.named",
    "MetricRecorded": "metrics.recording.events",
    "MetricsCollector": "metrics.collector",
    "MetricsExport": "metrics.looking.model",
    "MetricsServer": "prometheus.server",
    "PackagePrices": "prices.package",
    "PortUnavailable": "errors",
    "PriceEntry": "prices.table",
    "PriceTable": "prices.table",
    "Rates": "prices.rates",
    "ObservabilityStatus": "telemetry",
    "PrometheusExporter": "prometheus.exporter",
    "ProviderMetrics": "metrics.looking.model",
    "PruneReport": "runs.pruning.prune",
    "Run": "runs.store.run_context",
    "ReplayCancelled": "runs.replay.session",
    "ReplayReport": "runs.replay.model",
    "RunClosed": "errors",
    "RunDiff": "runs.comparing.model",
    "RunEvent": "runs.model",
    "RunFacts": "runs.facts",
    "RunLocked": "errors",
    "RunMetadata": "runs.model",
    "RunMetrics": "runs.model",
    "RunNotFound": "errors",
    "RunRecord": "runs.reading.wholerun",
    "RunStore": "runs.store.store",
    "RunSummary": "runs.model",
    "SearchHit": "runs.searching.hit",
    "SeriesPoint": "metrics.looking.model",
    "SessionMetrics": "metrics.model",
    "Settings": "settings",
    "StoreUnavailable": "errors",
    "Subscription": "metrics.recording.subscription",
    "SystemClock": "clock",
    "TerminalDashboard": "metrics.dashboard.terminal",
    "ToolCall": "metrics.looking.model",
    "ToolColumn": "metrics.recording.batch",
    "ToolDepth": "metrics.looking.model",
    "ToolExecution": "metrics.model",
    "ToolMetric": "metrics.tools",
    "ToolMetrics": "metrics.looking.model",
    "ToolMetricsTracker": "metrics.tools",
    "Trend": "metrics.looking.model",
    "Usage": "metrics.recording.batch",
    "Window": "metrics.window",
    "WindowView": "metrics.looking.model",
    "bridge": "bridge",
    "get_active_run_store": "runs.store.active",
    "Kindred": "runs.lineage.tree",
    "compare_runs": "runs.comparing.compare",
    "family_of": "runs.lineage.tree",
    "doctor": "runs.doctor",
    "export_run": "runs.export",
    "get_metrics_collector": "metrics.collector",
    "init_observability": "telemetry",
    "init_tracing": "telemetry",
    "instrument": "telemetry",
    "is_telemetry_enabled": "telemetry",
    "shutdown_observability": "telemetry",
    "telemetry_losses": "telemetry",
    "get_prometheus_exporter": "prometheus.exporter",
    "get_terminal_dashboard": "metrics.dashboard.terminal",
    "get_tool_metrics_tracker": "metrics.tools",
    "leaving_next": "runs.keeping.leaving",
    "list_runs": "runs.viewing.viewer",
    "replay_alerts": "alerts.replay",
    "replay_run": "runs.replay.session",
    "reset_metrics_collector": "metrics.collector",
    "reset_run_store": "runs.store.active",
    "reset_tool_metrics_tracker": "metrics.tools",
    "search_runs": "runs.searching.search",
    "serve_metrics": "prometheus.server",
    "set_active_run_store": "runs.store.active",
    "show_run": "runs.viewing.viewer",
    "tail_run": "runs.viewing.viewer",
}
"""Public name -> module beneath `buddy_core` that it lives in; the block above tells type checkers the same."""

if not TYPE_CHECKING:  # checkers know the names from the block above, and call any other a mistake
    __all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'buddy_core' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"buddy_core.{home}"), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
