"""What is measured, and what it is measured against: command lines of the monitor and of its yardsticks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

BARE = [sys.executable, str(Path(__file__).with_name("bare_app.py"))]
"""The least a Textual program can be."""


def monitor(runs_dir: Path, *options: str) -> list[str]:
    """The monitor on a runs directory."""
    return [sys.executable, "-m", "buddy_top", "--runs-dir", str(runs_dir), *options]


def crowd_monitor(file: Path, runs_dir: Path, *options: str) -> list[str]:
    """The same with very much to show, telling in `file` what it does."""
    crowded = str(Path(__file__).with_name("crowd_monitor.py"))
    return [sys.executable, crowded, str(file), "--runs-dir", str(runs_dir), *options]


def telling_monitor(file: Path, runs_dir: Path, *options: str) -> list[str]:
    """The monitor on a runs directory, telling in `file` what it has read."""
    telling = str(Path(__file__).with_name("telling_monitor.py"))
    return [sys.executable, telling, str(file), "--runs-dir", str(runs_dir), *options]


def glances(scratch: Path) -> tuple[list[str] | None, str]:
    """Glances as it comes, installed into a throw-away environment; the command and what it is.

    The command is None, and the words say why, where it cannot be had.
    """
    found = shutil.which("glances")
    if found is None:
        environment = scratch / "glances"
        steps = ([sys.executable, "-m", "venv", str(environment)], [*_pip(environment), "glances"])
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                return None, f"glances could not be installed: {done.stderr.strip().splitlines()[-1:]}"
        found = str(environment / "bin" / "glances")
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = next((line.split(":")[-1].strip() for line in told.splitlines() if "lances" in line), "")
    return [found], f"glances {version}"


def _pip(environment: Path) -> list[str]:
    return [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
