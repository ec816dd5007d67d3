"""Families of the metrics that agents named: under `codebuddy_custom_`, whatever they are called.

A name becomes lower-case words; the endings that the formats give a meaning (`_total`, `_bucket`, …) are left
to them; a time is told in seconds. Where two names become the same, the later ones are numbered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from buddy_core.metrics.looking.totals import CustomTotals
from buddy_core.prometheus.families import Family
from buddy_core.prometheus.fixed import PREFIX
from buddy_core.prometheus.labels import label_set, shortened, snake_case, unused
from buddy_core.safety.redact import redact

CUSTOM = PREFIX + "custom_"

LONGEST_HELP = 1_000
"""Characters of a description."""

_ENDINGS = ("_total", "_bucket", "_count", "_sum", "_info", "_created", "_gcount", "_gsum")
"""Endings with a meaning in Prometheus or OpenMetrics."""

_TIMES = {
    "ns": 1e-9,
    "nanoseconds": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "microseconds": 1e-6,
    "ms": 1e-3,
    "msec": 1e-3,
    "millis": 1e-3,
    "milliseconds": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "secs": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "min": 60.0,
    "minutes": 60.0,
    "h": 3600.0,
    "hours": 3600.0,
}
"""Units of time in seconds."""

_TOLD_BY_NAME = frozenset({"ns", "us", "ms", "msec", "millis", "nanoseconds", "microseconds", "milliseconds"})
"""Units that the last word of a name is enough to tell."""


def custom_families(metrics: Iterable[CustomTotals]) -> Iterator[Family]:
    """A family for each metric, in the order in which they became known."""
    taken: set[str] = set()
    for metric in metrics:
        base, scale = _base_and_scale(metric)
        name = unused(base, taken)
        taken.add(name)
        yield _family(CUSTOM + name, metric, scale)


def _family(name: str, metric: CustomTotals, scale: float) -> Family:
    family = Family(name, metric.type, _help(metric))
    for labels, value in metric.values.items():
        family.add(label_set(labels), value * scale)
    for labels, found in metric.distributions.items():
        family.observe(label_set(labels), found, scale)
    return family


def _base_and_scale(metric: CustomTotals) -> tuple[str, float]:
    """The name without prefix and endings, and what values are multiplied by."""
    words = _without_endings(snake_case(redact(metric.name)))
    unit = (metric.unit or "").strip().lower()
    head, _, last = words.rpartition("_")
    scale = _TIMES.get(unit)
    if scale is None and last in _TOLD_BY_NAME:
        unit, scale = last, _TIMES[last]
    if scale is None:
        return words or "unnamed", 1.0
    if last in (unit, "seconds"):
        words = head
    return f"{words}_seconds".lstrip("_"), scale


def _without_endings(words: str) -> str:
    """Left to right names may end in several of them; a name that is nothing else loses its underscore only."""
    while ending := next((one for one in _ENDINGS if f"_{words}".endswith(one)), None):
        words = f"_{words}".removesuffix(ending).lstrip("_")
    return words


def _help(metric: CustomTotals) -> str:
    text = redact(metric.description[:LONGEST_HELP]).strip()
    if not text:
        text = f"{redact(metric.name)}, as the agent recorded it"
    if metric.unit:
        text += f" (recorded in {redact(metric.unit[:64])})"
    return shortened(text, LONGEST_HELP)
