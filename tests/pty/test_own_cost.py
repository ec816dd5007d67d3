"""What it costs to show what the monitor costs: measured side by side, by the kernel's own account.

`BUDDY_COST_S=300` measures for so many seconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.pty.terminal import Terminal, terminal

from buddy_core.testing import sample_runs

SECONDS = float(os.environ.get("BUDDY_COST_S", "30"))
SETTLED_S = 15.0
MOST = 0.1
"""Per cent of a core that the meter may cost."""


def spent_s(pid: int) -> float:
    """Processor time of all threads of a process, by proc_schedstat: in seconds."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def rest(terminals: list[Terminal], seconds: float) -> None:
    """Read what the monitors draw, for so long."""
    import time

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for one in terminals:
            one.read(0.05)


@pytest.mark.slow
@pytest.mark.timeout(SETTLED_S + SECONDS + 120)
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's account is read from /proc")
def test_showing_it_costs_a_thousandth_of_a_core_at_most(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    runs = tmp_path / "runs"
    sample_runs(runs, now_ms=1_767_961_867_000)  # long ago: nothing runs, nothing changes
    flags = ("--no-meter", "--meter") * 2
    with ExitStack() as stack:
        shown = [
            stack.enter_context(
                terminal("-m", "buddy_top", "--runs-dir", str(runs), "--no-history", flag, size=(120, 40))
            )
            for flag in flags
        ]
        for one, flag in zip(shown, flags, strict=True):
            one.until("cpu" if flag == "--meter" else "live")
        rest(shown, SETTLED_S)
        before = [spent_s(one.child.pid) for one in shown]
        rest(shown, SECONDS)
        shares = [
            100 * (spent_s(one.child.pid) - was) / SECONDS for one, was in zip(shown, before, strict=True)
        ]
    hidden, metered = sum(shares[::2]) / 2, sum(shares[1::2]) / 2
    record_property("figure", f"{metered - hidden:.3f} % of a core more while shown, over {SECONDS:g} s")
    assert metered - hidden <= MOST, shares
