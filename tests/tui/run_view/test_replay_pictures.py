"""Pictures of a replay before, while and after a command runs, under `snapshots/test_replay_pictures/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Compare
from tests.tui.monitor import COMFORTABLE, SMALL, Monitor, make_app, samples
from textual.pilot import Pilot

from buddy_core.clock import ManualClock
from buddy_core.runs.replay.commands import Findings
from buddy_core.runs.replay.live import Live
from buddy_core.runs.replay.model import Command, Recorded, RecordedTest, Rerun, TestCounts
from buddy_top.screens.replay import bench
from buddy_top.screens.replay.screen import ReplayScreen

ENVIRONMENT = {
    "CI": "true",
    "HOME": "/home/dev",
    "LANG": "en_GB.UTF-8",
    "NO_COLOR": "1",
    "PATH": "/home/dev/.local/bin:/usr/local/bin:/usr/bin:/bin",
    "TERM": "dumb",
    "VIRTUAL_ENV": "/home/dev/src/shop-api/.venv",
}
PYTEST = Command(
    argv=("pytest", "-q", "tests/test_login.py"),
    program="/usr/bin/pytest",
    program_identity=(1, 2, 3, 4),
    cwd="/home/dev/src/shop-api",
    cwd_identity=(1, 5),
    environment=ENVIRONMENT,
    timeout_s=600.0,
    notices=("changed since the run: conftest.py, pyproject.toml (latest 2h03m after it)",),
)
OUTPUT = """........................................F.............                   [100%]
=================================== FAILURES ===================================
____________________________ test_token_expires_once ___________________________

    def test_token_expires_once(clock):
        token = issue(clock)
        clock.advance(3600)
>       assert token.expired
E       AssertionError: assert False

tests/test_login.py:41: AssertionError
=========================== short test summary info ============================
FAILED tests/test_login.py::test_token_expires_once - AssertionError
1 failed, 53 passed in 4.12s
"""
TESTS = (
    RecordedTest(
        "pytest -q tests/test_login.py",
        Recorded("failed", 0, 6_410, "Exit code 1", TestCounts(passed=52, failed=2)),
        times=3,
        command=PYTEST,
    ),
    RecordedTest("npm test 2>&1 | tail -20", Recorded("passed", 0, 12_300), obstacle="it needs a shell: |"),
    RecordedTest("cargo test", Recorded("unknown", 0), obstacle="there is no program cargo here"),
)
RERUN = Rerun(
    PYTEST, "failed", 1, None, 4_120, OUTPUT, "", len(OUTPUT), 0, 0, TestCounts(passed=53, failed=1)
)


def running(*_args: Any, live: Live, **_options: Any) -> Rerun:
    """What the first seconds of it look like: it goes on until it is cancelled."""
    live.output.take(OUTPUT[:400].encode())
    import select

    select.select([live.ears], [], [], 30)
    return RERUN


def ended(*_args: Any, **_options: Any) -> Rerun:
    return RERUN


@pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("moment", ["before", "asked", "during", "after"])
def test_a_replay(
    moment: str, size: tuple[int, int], tmp_path: Path, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "find_tests", lambda *_: Findings(TESTS, PYTEST.cwd))
    monkeypatch.setattr(bench, "rerun_one", running if moment == "during" else ended)
    runs = samples(tmp_path / "home" / ".codebuddy")
    app, feed = make_app(runs, home=tmp_path / "home")
    seconds = [100.0]

    async def drive(pilot: Pilot[Any]) -> None:
        assert isinstance(feed.clock, ManualClock)
        seen = Monitor(app, pilot, feed, feed.clock)
        await seen.settle()
        await seen.go("run")
        screen = ReplayScreen(
            runs, "run", clock=lambda: seconds[0], env={**ENVIRONMENT, "GITHUB_TOKEN": "x", "EDITOR": "vi"}
        )
        await app.push_screen(screen)
        for worker in app.workers:
            await worker.wait()
        await seen.settle()
        if moment == "before":
            return
        await seen.press("enter")
        if moment == "asked":
            await seen.press("pagedown", *"run")
            return
        await seen.press(*("space" if sign == " " else sign for sign in PYTEST.word), "enter")
        if moment == "after":
            for worker in app.workers:
                await worker.wait()
            await seen.settle()
            return
        while "FAILURES" not in seen.text:
            await pilot.pause(0.05)
        seconds[0] += 3
        await screen._watch()
        await seen.settle()

    assert snap_compare(app, size=size, drive=drive)
