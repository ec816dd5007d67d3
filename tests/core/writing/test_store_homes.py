"""Homes that are none: recording says what to do, and nothing appears in the directory one happens to be in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from buddy_core.runs.store.store import RunStore


class TestHomes:
    """Case 10: nothing is ever made in the directory one happens to be in."""

    CODE = """
from buddy_core.errors import StoreUnavailable
from buddy_core.runs.store.store import RunStore
store = RunStore()
print(len(store.list_runs()), store.append_event("note", {}))
try:
    with store.run("one"): pass
    print("recorded")
except StoreUnavailable as error:
    print(error)
"""

    @pytest.mark.parametrize("home", [None, "", "relative", ".", "~"])
    def test_without_an_absolute_home_recording_says_what_to_do(
        self, tmp_path: Path, home: str | None
    ) -> None:
        told = self.run(tmp_path, home)
        assert told.startswith("0 False\n")
        assert "set CODEBUDDY_RUNS_DIR" in told
        assert list(tmp_path.iterdir()) == []

    def test_a_home_that_does_not_exist_and_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        told = self.run(tmp_path, "/proc/nonexistent")
        assert told.startswith("0 False\ncannot record below /proc/nonexistent/.codebuddy/runs")

    def test_a_home_that_can_be_made_is_made(self, tmp_path: Path) -> None:
        assert self.run(tmp_path, str(tmp_path / "home")) == "0 False\nrecorded\n"

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
    def test_a_runs_directory_of_another_user_takes_no_runs_and_can_be_read(self, tmp_path: Path) -> None:
        runs = tmp_path / "home" / ".codebuddy" / "runs"
        with RunStore(runs, durable=False).run("one"):
            pass
        os.chown(runs, 65534, 65534)
        told = self.run(tmp_path, str(tmp_path / "home"))
        assert told.startswith("1 False\ncannot record below ")

    def run(self, where: Path, home: str | None) -> str:
        names = {key: value for key, value in os.environ.items() if key not in ("HOME", "CODEBUDDY_RUNS_DIR")}
        env = names | ({} if home is None else {"HOME": home})
        done = subprocess.run(
            [sys.executable, "-c", self.CODE],
            cwd=where,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
