"""Who a collector has its numbers from: the agent itself, or files that were read.

One process may both record an agent and watch the directory it records into, with one collector. What the
agent's collector passed on to a run then comes back when the run is read, and must neither be counted again
nor be passed on again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from buddy_core.metrics.collector import MetricsCollector

PassedOn = Literal["api_request", "value", "tool"]
"""What a bridge passes on, under the `kind` of the events it makes of it; tools go from the run to the collector."""

MOST_RUNS = 10_000
"""Runs remembered of each collector; of older ones nothing is read that was not read already."""

_here = threading.local()
_passed_on: WeakKeyDictionary[MetricsCollector, dict[tuple[str, PassedOn], None]] = WeakKeyDictionary()
_guard = threading.RLock()


@contextmanager
def reading_files() -> Iterator[None]:
    """What this thread records in the body, it has read in files."""
    before = is_reading_files()
    _here.reading = True
    try:
        yield
    finally:
        _here.reading = before


def is_reading_files() -> bool:
    """True inside `reading_files`, also for listeners that are called from there."""
    return getattr(_here, "reading", False)


def passes_on(collector: MetricsCollector, run_id: str, kind: PassedOn) -> None:
    """To be said before the first such event is written to the run."""
    with _guard:
        runs = _passed_on.setdefault(collector, {})
        runs[run_id, kind] = None
        if len(runs) > MOST_RUNS:
            del runs[next(iter(runs))]


def has_passed_on(collector: MetricsCollector, run_id: str, kind: PassedOn) -> bool:
    """True when what the run holds of that kind came from this very collector."""
    runs = _passed_on.get(collector)
    return runs is not None and (run_id, kind) in runs
