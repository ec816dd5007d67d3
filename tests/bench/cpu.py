"""CPU: what the monitor uses while nothing happens, and while every pane changes once a second."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import programs
from peers import peer, ready
from pulse import Pulse
from ratios import Finding, Pairs, absent
from screens import Screen, rest_together, screens
from workload import finished_runs

IDLE_TARGET = 1.2
TABS = ("overview", "providers", "tools", "errors", "runs")
_SETTLE_S = 4.0


def idle(scratch: Path, *, quick: bool) -> list[Finding]:
    """Thirty finished runs against the bare app, side by side through the same seconds."""
    runs = scratch / "idle"
    finished_runs(runs, runs=30, events=200)
    pairs = Pairs()
    with screens(programs.monitor(runs), programs.BARE) as (ours, theirs):
        rest_together((ours, theirs), _SETTLE_S)
        for _ in range(2 if quick else 5):
            pairs.add(*_used((ours, theirs), 5 if quick else 20))
    share = 100 / (5 if quick else 20)
    percent = f"{share * sum(pairs.ours) / len(pairs.ours):.2f} % of one core"
    what = "idle, 30 finished runs, to a bare Textual app"
    return [pairs.finding(what, side="at most", target=IDLE_TARGET, note=percent, scale="ms")]


def busy(scratch: Path, *, quick: bool) -> list[Finding]:
    """Each tab in turn, against glances and the bare app, while all of its data changes once a second.

    Glances as it comes draws every other second; one told to draw each second runs beside it.
    """
    glances = ready(peer("glances"))
    if isinstance(glances, str):
        return [absent("every pane changing at 1 Hz, to glances", glances)]
    root, home = scratch / "busy", scratch / "home"
    home.mkdir()
    each_second = glances.in_home(home, "--time", "1")
    finished_runs(root, runs=30, events=200)
    found = []
    for tab in TABS:
        to_glances, to_each_second, to_bare = Pairs(), Pairs(), Pairs()
        argvs = (programs.monitor(root, "--tab", tab), glances.in_home(home), each_second, programs.BARE)
        with Pulse(root), screens(*argvs) as running:
            rest_together(running, _SETTLE_S)
            for _ in range(2 if quick else 5):
                mine, *theirs = _used(running, 4 if quick else 8)
                for pairs, used in zip((to_glances, to_each_second, to_bare), theirs, strict=True):
                    pairs.add(mine, used)
        percent = 100 / (4 if quick else 8)
        ours_percent = percent * sum(to_glances.ours) / len(to_glances.ours)
        note = (
            f"{ours_percent:.1f} % of one core; {to_each_second.ratios.text()} × glances --time 1; "
            f"{to_bare.ratios.median:.0f} × the idle bare app"
        )
        what = f"every pane changing at 1 Hz, {tab}, to {glances.called}"
        found.append(to_glances.finding(what, side="at most", target=1.0, note=note, scale="ms"))
    return found


def _used(running: Sequence[Screen], seconds: float) -> tuple[float, ...]:
    """CPU seconds of each in the same stretch of time."""
    before = [screen.cpu_s() for screen in running]
    rest_together(running, seconds)
    return tuple(screen.cpu_s() - cpu for screen, cpu in zip(running, before, strict=True))
