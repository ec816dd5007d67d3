"""Everything a collector counted, in the two text formats that Prometheus scrapes."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from buddy_core.metrics.collector import MetricsCollector, get_metrics_collector
from buddy_core.prometheus.custom import custom_families
from buddy_core.prometheus.exemplars import Latest, LatestRuns
from buddy_core.prometheus.families import Buckets, Family
from buddy_core.prometheus.fixed import fixed_families, run_families

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric as MetricFamily

    from buddy_core.observing.sources import SourceStatus

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Content type of what `export` gives."""

OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
"""Content type of what `export_openmetrics` gives."""


class PrometheusExporter:
    """Writes the numbers of one collector as they are now; it keeps none of its own.

    Counters never go down but when the collector is reset. Error messages, prompts, arguments and anything
    else but names never leave; secrets in names are masked.

    With `exemplars` the OpenMetrics format names, for each bucket of a histogram, the run of its latest request
    or tool call. For that the exporter listens to the collector, which costs each record a few microseconds
    and ends with `close`.

    With `sources` it also says how many runs the numbers are of, and how many were left alone.
    """

    content_type = TEXT
    openmetrics_content_type = OPENMETRICS

    def __init__(
        self,
        collector: MetricsCollector,
        *,
        exemplars: bool = False,
        sources: Callable[[], SourceStatus] | None = None,
    ) -> None:
        self._collector = collector
        self._exemplars = LatestRuns(collector) if exemplars else None
        self._sources = sources
        self._made: CollectorRegistry | None = None

    def close(self) -> None:
        """Stop listening to the collector; what it counts is still exported, without exemplars."""
        if self._exemplars is not None:
            self._exemplars.close()
            self._exemplars = None

    def families(self) -> list[Family]:
        """Every family with its samples, as of now."""
        totals = self._collector.totals()
        runs = run_families(self._sources()) if self._sources is not None else []
        return [*fixed_families(totals), *runs, *custom_families(totals.custom)]

    def export(self) -> str:
        """The text format, version 0.0.4."""
        from prometheus_client.exposition import generate_latest

        return generate_latest(self._registry()).decode()

    def export_openmetrics(self) -> str:
        """The OpenMetrics format, version 1.0.0."""
        from prometheus_client.openmetrics.exposition import generate_latest

        return generate_latest(self._registry()).decode()  # type: ignore[no-untyped-call,no-any-return]

    def collect(self) -> Iterator[MetricFamily]:
        """The families as `prometheus_client` has them, for whoever keeps a registry of their own."""
        return _client_families(self.families(), self._exemplars)

    def _registry(self) -> CollectorRegistry:
        if self._made is None:
            from prometheus_client import CollectorRegistry

            made = CollectorRegistry()
            made.register(self)
            self._made = made
        return self._made


def _client_families(families: Iterable[Family], runs: LatestRuns | None) -> Iterator[MetricFamily]:
    from prometheus_client.metrics_core import Metric as MetricFamily

    for family in families:
        written = MetricFamily(family.name, family.help, family.type)
        suffix = "_total" if family.type == "counter" else ""
        for labels, value in family.values.items():
            written.add_sample(family.name + suffix, dict(labels), value)
        for labels, series in family.buckets.items():
            known = runs.of(family.name, labels) if runs else {}
            _add_buckets(written, dict(labels), series, known)
        yield written


def _add_buckets(
    written: MetricFamily, labels: dict[str, str], series: Buckets, runs: Mapping[int, Latest]
) -> None:
    from prometheus_client.samples import Exemplar
    from prometheus_client.utils import floatToGoString

    edges = zip((*series.bounds, math.inf), (*series.up_to, series.count), strict=True)
    for number, (bound, count) in enumerate(edges):
        le = floatToGoString(bound)  # type: ignore[no-untyped-call]
        latest = runs.get(number)
        exemplar = latest and Exemplar({"run_id": latest.run_id}, latest.seconds, latest.at_s)
        written.add_sample(f"{written.name}_bucket", {**labels, "le": le}, count, exemplar=exemplar)
    if series.sum is not None:
        written.add_sample(f"{written.name}_count", labels, series.count)
        written.add_sample(f"{written.name}_sum", labels, series.sum)


_process_lock = threading.Lock()
_process_exporter: tuple[MetricsCollector, PrometheusExporter] | None = None


def get_prometheus_exporter() -> PrometheusExporter:
    """The exporter of the process's collector; a new one after that collector was replaced."""
    global _process_exporter
    collector = get_metrics_collector()
    with _process_lock:
        if _process_exporter is None or _process_exporter[0] is not collector:
            _process_exporter = (collector, PrometheusExporter(collector))
        return _process_exporter[1]
