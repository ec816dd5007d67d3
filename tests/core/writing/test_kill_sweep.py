"""Promises C1, C2 and C3 under SIGKILL: case 1.

500 kills in an ordinary run of the tests; more with `BUDDY_KILLS=10000 python -m pytest
tests/core/writing/test_kill_sweep.py -s`, which also prints the figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.sweep

DRIVER = Path(__file__).with_name("crash_driver.py")
KILLS = int(os.environ.get("BUDDY_KILLS", "500"))
SEED = int(os.environ.get("BUDDY_SEED", time.time_ns() % 2**32))
MUST_NOT_HAPPEN = (
    "lost", "unreadable", "out of order or twice", "locked", "json", "reader", "not repaired",
)  # fmt: skip


def sweep(directory: Path, kills: int, kind: str) -> Counter[str]:
    """Two drivers side by side, and the sum of what they found."""
    drivers = [
        subprocess.Popen(
            [sys.executable, str(DRIVER), str(directory / str(seed)), str(kills // 2), str(seed), kind],
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in (SEED, SEED + 1)
    ]
    found: Counter[str] = Counter()
    for driver in drivers:
        said, _ = driver.communicate(timeout=100 + kills)
        assert driver.returncode == 0
        found.update(json.loads(said))
    print(f"{kind}, seed {SEED}: {dict(found)}")
    return found


@pytest.mark.timeout(120 + KILLS)
def test_no_acknowledged_event_is_lost_to_a_kill_at_any_moment(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Case 1: at most one torn line a kill, the lock is free, the reader goes on, the next open repairs."""
    found = sweep(tmp_path, KILLS, "store")

    assert found["kills"] == KILLS
    assert {name: found[name] for name in MUST_NOT_HAPPEN} == dict.fromkeys(MUST_NOT_HAPPEN, 0)
    assert found["acked"] > KILLS, "the recorders hardly recorded: the kills prove nothing"
    assert found["torn"] <= KILLS
    told = f"{KILLS:,} kills, {found['acked']:,} acknowledged, 0 lost, {found['torn']} torn lines"
    record_property("figure", told)


def test_the_sweep_sees_what_a_buffered_file_loses(tmp_path: Path) -> None:
    """The negative control of case 1."""
    assert sweep(tmp_path, 40, "buffered")["lost"] > 0
