"""Helpers for tests of code that records or reads runs; shipped, so that users test their own agents.

`RunDirectoryBuilder` makes one run directory of any kind, `sample_runs` a believable set of a dozen, and
`ManualClock` a time that moves only when told.
"""

from __future__ import annotations

from buddy_core.clock import ManualClock
from buddy_core.testing.builder import RunDirectoryBuilder
from buddy_core.testing.samples import sample_runs

__all__ = ["ManualClock", "RunDirectoryBuilder", "sample_runs"]
