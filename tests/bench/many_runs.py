"""Very many runs: when their first numbers are on the screen, and what reading them costs, with the limit and without."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import programs
from ratios import Finding, Pairs
from screens import Screen
from stores import write_store
from workload import finished_runs

RUNS = 10_000
LIMIT = 5_000
"""As it comes; half of the runs here, so that there is something to compare with."""

ROWS_TARGET, MEMORY_TARGET = 2.0, 2.0

_A_TOOL = b"view_file"
_CALM_S, _CALM = 1.0, 0.05
"""It has read everything when it used less than so much of one core for so long, three times in a row."""


class Reading(NamedTuple):
    """One start of the monitor until everything was read."""

    rows_s: float
    """Until the name of a tool was drawn, and so the first runs were read and counted."""
    cpu_s: float
    memory_mb: float


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """The monitor on very many runs beside one on thirty, and on all of them beside the newest."""
    runs, few = (RUNS // 10 if quick else RUNS), scratch / "thirty"
    write_store(scratch / "many", runs)
    finished_runs(few, runs=30, events=200)
    newest, everything = ["--watch-runs", str(runs * LIMIT // RUNS)], ["--watch-runs", "0"]
    rows, memory, cpu, cpu_of_all = Pairs(), Pairs(), Pairs(), Pairs()
    for number in range(3 if quick else 4):
        thirty, limited = _read(few), _read(scratch / "many", *newest)
        whole = _read(scratch / "many", *everything)
        if number:  # the first of each fills the disk cache
            rows.add(limited.rows_s, thirty.rows_s)
            memory.add(limited.memory_mb, thirty.memory_mb)
            cpu.add(limited.cpu_s, thirty.cpu_s)
            cpu_of_all.add(limited.cpu_s, whole.cpu_s)
    words = f"newest {runs * LIMIT // RUNS:,} of {runs:,} runs"
    return [
        rows.finding(f"first numbers of the {words}, to 30 runs", side="at most", target=ROWS_TARGET),
        memory.finding(
            f"memory when the {words} are read, to 30 runs", side="at most", target=MEMORY_TARGET, scale="MB"
        ),
        cpu.finding(f"CPU time until the {words} are read, to 30 runs"),
        cpu_of_all.finding(f"CPU time until the {words} are read, to all of them"),
    ]


def _read(runs: Path, *options: str) -> Reading:
    argv = programs.monitor(runs, "--tab", "tools", "--window", "all", "--no-history", *options)
    with Screen(argv) as screen:
        rows_s = screen.until(_A_TOOL) - screen.started
        calm, cpu_s = 0, screen.cpu_s()
        while calm < 3:
            begin = time.perf_counter()
            screen.rest(_CALM_S)
            used, cpu_s = screen.cpu_s() - cpu_s, screen.cpu_s()
            calm = calm + 1 if used < _CALM * (time.perf_counter() - begin) else 0
        return Reading(rows_s, cpu_s, screen.process.memory_info().rss / 1e6)
