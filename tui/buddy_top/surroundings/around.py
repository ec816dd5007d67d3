"""Everything a check may look at, gathered once at the edge and handed in: a test hands in what it likes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from buddy_core.clock import Clock
from buddy_top.config.load import Choices
from buddy_top.surroundings.answers import Answers

Owner = str
"""Who named the runs directory: `--runs-dir`, a variable, the configuration file, or nobody."""


class Surroundings(msgspec.Struct, frozen=True):
    """Where the program runs, as far as checks ask."""

    environ: Mapping[str, str]
    clock: Clock
    runs_dir: Path
    """Absolute; it need not exist."""
    runs_dir_by: Owner = ""
    """Empty: nobody named it, it is the usual place."""
    home: Path | None = None
    config: Path | None = None
    """The configuration file; None where the user has no place for it."""
    config_problem: str = ""
    """Why the settings could not be read."""
    settings: Choices | None = None
    """None where they could not be read."""
    state: Path | None = None
    """The directory of caches, which need not exist; None where the user has none."""
    archive: Path | None = None
    """The directory of kept runs, which need not exist."""
    stdin_tty: bool = False
    stdout_tty: bool = False
    size: tuple[int, int] | None = None
    """Columns and lines of the terminal; None without one."""
    answers: Answers | None = None
    """What the terminal said when it was asked; None: it was not."""
    stdout_encoding: str = "utf-8"
    uid: int = msgspec.field(default_factory=os.geteuid)
    proc: Path = Path("/proc")
    platform: str = sys.platform
    in_monitor: bool = False
    """The monitor has the terminal, so it can neither be asked nor be missing."""

    @property
    def on_screen(self) -> bool:
        """True when there is a terminal that a screen can be drawn on."""
        return self.in_monitor or (self.stdin_tty and self.stdout_tty)

    def variable(self, name: str) -> str:
        """A variable of the environment; empty when it is not set."""
        return self.environ.get(name, "")
