"""Threads and forks under the measurement of coverage.

Threads that were not begun by `threading` are traced like the others: the library begins its own with `_thread`, because
`threading.Thread.start` waits for them. And a forked child does not wait for a lock of coverage that a thread held which the
child has not.
"""

from __future__ import annotations

import _thread
import os
import sys
import threading
from collections.abc import Callable
from typing import Any


def trace_bare_threads() -> None:
    """From now on, and to the end of the process."""
    begin = _thread.start_new_thread

    def traced(work: Callable[..., object], args: tuple[Any, ...]) -> int:
        def run() -> None:
            sys.settrace(threading.gettrace())
            work(*args)

        return begin(run, ())

    _thread.start_new_thread = traced  # type: ignore[assignment]


def free_forked_children() -> None:
    """To be called before the library is imported, whose own work in a forked child is traced."""
    from coverage.collector import Collector

    def with_a_lock_of_its_own() -> None:
        for collector in Collector._collectors:
            collector.data_lock = threading.Lock()

    os.register_at_fork(after_in_child=with_a_lock_of_its_own)
