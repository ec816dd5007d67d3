"""What is measured, and what it is measured against: command lines of the monitor and of the bare app."""

from __future__ import annotations

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
