"""Append to screen: from the write of one event to the moment its bytes leave the monitor for the terminal."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import programs
from ratios import Finding, Spread
from screens import Screen
from workload import RunWriter, finished_runs, live_run

QUIET_TARGET_MS, LOAD_TARGET_MS = 150.0, 350.0
MEDIAN_TARGET_MS = 40.0
LOAD_PER_S = 2_000


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """One event at a time into a quiet live run; then the same beside a run that gets 2,000 a second."""
    count = 40 if quick else 100
    found = []
    for name, target, load in (
        ("append to screen, quiet run", QUIET_TARGET_MS, 0),
        (f"append to screen, {LOAD_PER_S:,} events a second beside it", LOAD_TARGET_MS, LOAD_PER_S),
    ):
        root = scratch / f"latency-{load}"
        finished_runs(root, runs=10, events=200)
        spread = Spread.of(_delays(root, count, load))
        words = f"p50 {spread.median:.0f} ms, p99 {spread.p99:.0f} ms, worst {spread.worst:.0f} ms"
        found.append(Finding(name, words, spread.n, spread.p99, "at most", target, "ms (p99)"))
        median = f"{spread.median:.1f} ms"
        found.append(Finding(name, median, spread.n, spread.median, "at most", MEDIAN_TARGET_MS, "ms (p50)"))
    return found


def _delays(root: Path, count: int, load: int) -> list[float]:
    """Milliseconds for each of `count` events; the pauses between them are no multiples of any tick."""
    quiet, chance, delays = live_run(root, 0xA0), random.Random(7), []
    busy = live_run(root, 0xB0)
    with Screen(programs.monitor(root)) as screen, _writing(busy, load):
        screen.until(b"Live run 0a0")
        screen.rest(2.0)
        for number in range(count):
            mark = f"mark{number:04d}"
            quiet.now()
            line = quiet.event("tool_call", toolName="bash", toolCallId=mark, args={"command": mark})
            screen.out.clear()
            begin = time.perf_counter()
            quiet.append([line])
            delays.append((screen.until(mark.encode()) - begin) * 1000)
            screen.rest(chance.uniform(0.25, 0.6))
            quiet.now()
            done = quiet.event("tool_result", toolName="bash", toolCallId=mark, success=True, durationMs=5)
            quiet.append([done])
            screen.rest(chance.uniform(0.3, 0.7))
    return delays


@contextmanager
def _writing(writer: RunWriter, per_s: int) -> Iterator[None]:
    """Meanwhile another thread appends so many events a second, in fifty writes."""
    ended = threading.Event()

    def write() -> None:
        due = time.perf_counter()
        while per_s and not ended.is_set():
            lines: list[bytes] = []
            while len(lines) < per_s // 50:
                writer.now()
                lines += writer.turn()
            writer.append(lines)
            due += len(lines) / per_s
            ended.wait(max(0.0, due - time.perf_counter()))

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
