"""Reading makes many small objects and no cycles: looking for cycles among them can wait a moment."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Hold the garbage collector back, for as long as one run's piece takes; one that is off stays off.

    Another thread's garbage waits as well, and nothing else changes for it: only cycles are ever found by
    the collector.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
