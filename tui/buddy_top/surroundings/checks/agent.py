"""Is there an agent, and does the machine's clock agree with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from buddy_core import format as fmt
from buddy_core.runs.folding.turns import TURN_METRICS
from buddy_core.runs.names import started_at_of
from buddy_core.runs.reading.reader import run_ids
from buddy_core.safety.paths import real_root
from buddy_core.settings import RUNS_DIR_VARIABLE
from buddy_top.surroundings.around import Surroundings
from buddy_top.surroundings.check import Check

EARLIEST_MS, LATEST_MS = 1_704_067_200_000, 4_102_444_800_000
"""The beginnings of 2024 and of 2100: a clock that shows another time is not set."""

SKEW_MS = 5 * 60_000
"""Runs that begin so far in the future were recorded by another clock."""


def check_agent(around: Surroundings) -> Iterator[Check]:
    """What was recorded, and when last."""
    runs = run_ids(real_root(around.runs_dir))
    if not runs:
        yield from _nothing(around)
        return
    began = started_at_of(runs[0])
    ago = "at an unknown time" if began is None else f"{fmt.age(around.clock.now_ms() - began)} ago"
    yield Check("agent", "ok", f"{fmt.plural(len(runs), 'run')}, the newest begun {ago}")
    turns = around.runs_dir.parent / TURN_METRICS
    if not turns.exists():
        advice = "Nothing needs to be done: requests then come from the runs themselves, where an agent records them."
        yield Check("agent", "note", f"there is no {TURN_METRICS} beside the runs", advice)
    elif not os.access(turns, os.R_OK):
        advice = "Make it readable: it tells of model requests."
        yield Check("agent", "warning", f"{turns} may not be read by this user", advice)


def _nothing(around: Surroundings) -> Iterator[Check]:
    usual = None if around.home is None else around.home / ".codebuddy" / "runs"
    elsewhere = [] if usual is None or usual == around.runs_dir else run_ids(usual)
    if elsewhere:
        found = f"no run in {around.runs_dir}, but {fmt.plural(len(elsewhere), 'run')} in {usual}"
        by = around.runs_dir_by or "the setting"
        yield Check("agent", "warning", found, f"Look at {by}: the agent may record into another directory.")
        return
    advice = f"Start an agent on this machine, as this user; where it records elsewhere, set {RUNS_DIR_VARIABLE} for both."
    yield Check("agent", "note", "no agent has recorded anything yet", advice)


def check_clock(around: Surroundings) -> Iterator[Check]:
    """Is the time believable."""
    now = around.clock.now_ms()
    told = f"{fmt.day(now)} {fmt.clock(now)}"
    if not EARLIEST_MS <= now <= LATEST_MS:
        advice = "Set the clock: windows of time and ages mean nothing without it."
        yield Check("clock", "warning", f"it shows {fmt.local(now) or 'no date'}", advice)
        return
    zone = around.variable("TZ")
    if zone and not _is_zone(zone):
        advice = "Set TZ to a name such as Europe/Berlin, or unset it: times are shown in UTC."
        yield Check("clock", "warning", f"there is no time zone {zone}", advice)
    ahead = [began for run in run_ids(real_root(around.runs_dir))[:1] if (began := started_at_of(run))]
    if ahead and ahead[0] > now + SKEW_MS:
        advice = "Set the clocks of both machines: what lies in the future has no age and is in no window."
        yield Check(
            "clock", "warning", f"the newest run begins {fmt.duration(ahead[0] - now)} in the future", advice
        )
    else:
        yield Check("clock", "ok", told)


def _is_zone(name: str) -> bool:
    """True for what the C library understands: a rule of its own (`CET-1`), or the name of a file."""
    rest = name.removeprefix(":")
    if any(character.isdigit() for character in rest) and "/" not in rest:
        return True
    places = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo")
    return rest == "UTC" or any((Path(place) / rest).is_file() for place in places)
