"""Threads that were not begun by `threading` are traced like the others, for whoever measures coverage.

The library begins its own with `_thread`, because `threading.Thread.start` waits for them.
"""

from __future__ import annotations

import _thread
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
