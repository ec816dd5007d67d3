"""An hour of work: 1,000 events a second, runs that begin, end and are pruned, and the monitor open on them.

    python tests/bench/soak.py [--minutes 60] [--csv FILE]

What the monitor holds is asked every ten seconds, and a straight line is laid through it: memory, descriptors,
threads, and its share of a core. Somebody goes from tab to tab meanwhile.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

import programs
from agents import Agents, Pace
from flood import Written
from ratios import Finding
from resources import Sample, Slope, cpu_percent, keep, sample, slope
from screens import Screen
from telling_monitor import Told, told

PER_S = 1_000
RUN_S = (47.0, 53.0, 61.0, 71.0)
"""How long the runs of each of four agents last: they never end together."""

SAMPLE_S = 10.0
WARM_SHARE = 0.25
"""Of the time is left out: windows, sketches and the history fill first."""

MEMORY_TARGET_MB = 8.0
_KEYS = cycle((b"2", b"3", b"j", b"4", b"5", b"j", b"j", b"1"))
_PATIENCE_S = 60.0


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """As one of the measures of `run.py`: an hour, or two minutes."""
    return soak(scratch / "soak", 2.0 if quick else 60.0)


def soak(scratch: Path, minutes: float, csv: Path | None = None) -> list[Finding]:
    """Let it run for so long, then tell."""
    root, file = scratch / "runs", scratch / "told"
    root.mkdir(parents=True)
    pace = Pace(PER_S, minutes * 60, RUN_S, store=True)
    argv = ["env", f"XDG_STATE_HOME={scratch / 'state'}", *programs.telling_monitor(file, root)]
    samples: list[Sample] = []
    with Agents(root, pace) as agents, Screen(argv) as screen:
        screen.until_ink()
        agents.start()
        begun = time.perf_counter()
        while agents.running:
            screen.rest(SAMPLE_S)
            samples.append(sample(screen.process, time.perf_counter() - begun))
            screen.type(next(_KEYS))
            if csv is not None:
                keep(samples, csv)
        written = agents.written()
        end = _caught_up(screen, file, sum(one.events for one in written))
    return _findings(samples, minutes, written, end)


def _caught_up(screen: Screen, file: Path, events: int) -> Told:
    """What the monitor says once it has read everything, or after a while in which it has not."""
    deadline = time.perf_counter() + _PATIENCE_S
    while sum(told(file).events.values()) < events and time.perf_counter() < deadline:
        screen.rest(0.2)
    return told(file)


def _findings(samples: list[Sample], minutes: float, written: list[Written], end: Told) -> list[Finding]:
    after_s = minutes * 60 * WARM_SHARE
    events, calls = sum(one.events for one in written), sum(one.calls for one in written)
    runs = [run_id for one in written for run_id in one.runs]
    seen = sum(end.events.get(run_id, 0) for run_id in runs)
    rate = sum(one.events / one.took_s for one in written)
    lost = abs(events - seen) + abs(calls - end.calls)
    what = f"soak of {minutes:g} min, {rate:,.0f} events a second, {len(runs)} runs, 30 kept: "
    words = f"{seen:,} of {events:,} events seen, {end.calls:,} of {calls:,} calls counted"
    refused = f"{sum(one.refused for one in written):,} were refused to the agents"
    memory = slope(samples, "resident_mb", after_s=after_s)
    step_s = 60.0 if minutes >= 10 else SAMPLE_S / 2
    return [
        Finding(what + "accounting", words, len(runs), lost, "at most", 0, "lost or doubled", refused),
        _told(what + "memory", memory, "MB", MEMORY_TARGET_MB),
        _told(what + "descriptors", slope(samples, "descriptors", after_s=after_s), "descriptors", 2.0),
        _told(what + "threads", slope(samples, "threads", after_s=after_s), "threads", 1.0),
        _told(what + "CPU", cpu_percent(samples, after_s=after_s, step_s=step_s), "% of one core", None),
    ]


def _told(what: str, line: Slope, unit: str, target: float | None) -> Finding:
    note = f"the first {WARM_SHARE:.0%} of the time left out"
    if target is None:
        return Finding(what, line.words(unit), line.n, line.an_hour, note=note)
    return Finding(
        what, line.words(unit), line.n, line.an_hour, "at most", target, f"{unit} an hour more", note
    )


def main() -> int:
    """Run it alone; 1 when something is lost or grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="1 or more")
    parser.add_argument("--csv", type=Path, help="keep the samples there, from the first on")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="buddy-top-soak-") as scratch:
        found = soak(Path(scratch), args.minutes, args.csv)
    for finding in found:
        print(finding.row(), flush=True)
    return int(any(finding.verdict == "MISSED" for finding in found))


if __name__ == "__main__":
    sys.exit(main())
