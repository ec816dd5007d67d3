"""What a picture costs when there is very much to show: 2,000 tools and 200 models, ten pictures a second."""

from __future__ import annotations

import time
from pathlib import Path

import programs
from crowd_monitor import MODELS, TOOLS, told
from ratios import Finding, Spread
from screens import Screen, rest_together, screens
from workload import finished_runs

PICTURES_PER_S = 10
TARGET_PERCENT = 30.0
TABS = ("overview", "providers", "tools", "errors", "runs")
_ARRIVE_S = 1.5


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """Each pane in turn, the others built and hidden behind it, beside a bare app and the monitor at rest."""
    root, file = scratch / "crowd", scratch / "crowd-told"
    finished_runs(root, runs=30, events=200)
    crowded = programs.crowd_monitor(file, root, "--refresh", str(1 / PICTURES_PER_S), "--no-history")
    with screens(crowded, programs.monitor(root), programs.BARE) as running:
        for tab in TABS:  # build them all
            _show(running[0], tab)
            rest_together(running, _ARRIVE_S)
        found = []
        for tab in TABS:
            _show(running[0], tab)
            rest_together(running, _ARRIVE_S)
            stretches = [_Stretch(running, file, 3 if quick else 5) for _ in range(2 if quick else 5)]
            found.append(_finding(tab, stretches))
    return found


def _show(screen: Screen, tab: str) -> None:
    screen.type(str(TABS.index(tab) + 1).encode())


class _Stretch:
    """Some seconds of the crowded monitor, the one at rest, and the bare app; percent are of one core."""

    def __init__(self, running: list[Screen], file: Path, seconds: float) -> None:
        cpu_s, begun, at = [one.cpu_s() for one in running], told(file), time.perf_counter()
        rest_together(running, seconds)
        took, done = time.perf_counter() - at, told(file)
        crowded_s, idle_s, bare_s = (one.cpu_s() - was for one, was in zip(running, cpu_s, strict=True))
        pictures = max(done.pictures - begun.pictures, 1)
        recording_s = done.recording_s - begun.recording_s
        self.percent = 100 * PICTURES_PER_S * (crowded_s - recording_s) / pictures
        """Of ten pictures a second, however many a busy machine let be drawn."""
        self.recording = 100 * PICTURES_PER_S * recording_s / pictures
        self.pictures_per_s = pictures / took
        self.idle, self.bare = max(100 * idle_s / took, 0.01), max(100 * bare_s / took, 0.01)


def _finding(tab: str, stretches: list[_Stretch]) -> Finding:
    spread = Spread.of([one.percent for one in stretches])
    recording, idle, bare, rate = (
        Spread.of([getattr(one, name) for one in stretches]).median
        for name in ("recording", "idle", "bare", "pictures_per_s")
    )
    return Finding(
        f"ten pictures a second, {TOOLS:,} tools and {MODELS} models all changing before each, {tab}",
        f"{spread.text(digits=1)} % of one core",
        spread.n,
        spread.median,
        "at most",
        TARGET_PERCENT,
        "%",
        f"without the {recording:.0f} % that counting so much takes; {spread.median / bare:.0f} × the idle bare app,"
        f" {spread.median / idle:.0f} × the idle monitor; {rate:.1f} pictures a second were drawn",
    )
