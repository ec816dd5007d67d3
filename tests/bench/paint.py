"""First paint: from the start of the process to the first character a person can see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import programs
from ratios import Finding, Pairs
from screens import Screen
from workload import finished_runs

RUNS, EVENTS = 30, 200
TARGET = 1.25

_A_TOOL = b"view_file"
"""The name of a tool: it is on the screen once runs have been read."""


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """Monitor and bare app in turn, `Static` against 30 runs."""
    runs = scratch / "paint"
    finished_runs(runs, runs=RUNS, events=EVENTS)
    ink, cpu, data = Pairs(), Pairs(), Pairs()
    for number in range(12 if quick else 40):
        theirs, their_cpu, _ = _start(programs.BARE)
        ours, our_cpu, with_data = _start(programs.monitor(runs), until=_A_TOOL)
        if number:  # the first pair fills the disk cache
            ink.add(ours, theirs)
            cpu.add(our_cpu, their_cpu)
            data.add(with_data, theirs)
    return [
        ink.finding("first paint, 30 runs, to a bare Textual app's", side="at most", target=TARGET),
        cpu.finding("CPU time until then, to the bare app's"),
        data.finding("all 30 runs read and drawn, to the bare app's first paint"),
    ]


def _start(argv: Sequence[str], *, until: bytes | None = None) -> tuple[float, float, float]:
    """Seconds to the first ink, CPU seconds until then, and seconds until `until` is drawn."""
    with Screen(argv) as screen:
        ink = screen.until_ink()
        cpu = screen.cpu_s()
        drawn = screen.until(until) if until is not None else ink
        return ink - screen.started, cpu, drawn - screen.started
