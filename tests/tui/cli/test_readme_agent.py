"""The agent of the README, word for word: it runs, and this is how it looks in the monitor."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Compare
from tests.tui.monitor import NOW, make_app, monitor

from buddy_core.clock import ManualClock, SystemClock

README = Path(__file__).parents[3] / "README.md"
RUN_ID = "run_mk6up4t4_1a2b3c"


def python_blocks() -> list[str]:
    """Every block of Python in the README."""
    return re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def agent() -> str:
    """The agent in twenty lines."""
    return next(block for block in python_blocks() if "bridge" in block)


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runs directory the agent has recorded into, at times and under an id that are always the same."""
    clock = ManualClock(NOW - 6_000)

    def work(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        clock.advance(1_812)
        return subprocess.CompletedProcess(
            [], 1, "FAILED test_login.py::test_expiry\n1 failed, 46 passed", ""
        )

    runs = tmp_path / ".codebuddy" / "runs"
    monkeypatch.setenv("CODEBUDDY_RUNS_DIR", str(runs))
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: clock.now_ms())
    monkeypatch.setattr(SystemClock, "monotonic_ms", lambda _: clock.monotonic_ms())
    monkeypatch.setattr("subprocess.run", work)
    monkeypatch.setattr("os.urandom", lambda size: b"\x1a" * size)
    exec(compile(agent(), "README.md", "exec"), {"__name__": "__main__"})  # noqa: S102 - our own text
    monkeypatch.undo()
    return runs


def test_it_is_as_long_as_promised() -> None:
    assert len([line for line in agent().splitlines() if line.strip()]) <= 20


def test_it_runs_for_real_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", agent()],
        env={"CODEBUDDY_RUNS_DIR": str(tmp_path / "runs"), "PATH": str(Path(sys.executable).parent)},
        capture_output=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr.decode()
    [run] = [path for path in (tmp_path / "runs").iterdir() if path.name.startswith("run_")]
    types = [json.loads(line)["type"] for line in (run / "events.jsonl").read_text().splitlines()]
    assert types[0] == "run_start"
    assert types[-1] == "run_end"
    assert {"metric", "tool_call", "tool_result", "patch_created"} <= set(types)


async def test_the_monitor_shows_what_it_did(recorded: Path) -> None:
    async with monitor(recorded, size=(120, 40)) as seen:
        assert "Fix the flaky login test" not in seen.header
        await seen.go("providers")
        assert "claude-opus-4-5" in seen.text
        assert "$0.21" in seen.text
        await seen.go("tools")
        assert "bash" in seen.text
        await seen.go("run")
        assert "pytest -x" in seen.text


def test_picture_of_it(recorded: Path, snap_compare: Compare) -> None:
    app, _ = make_app(recorded, home=recorded.parents[1])

    async def drive(pilot: Any) -> None:
        await pilot.pause()
        await pilot.press("5", "enter")
        await pilot.pause()

    assert snap_compare(app, size=(110, 20), drive=drive)
