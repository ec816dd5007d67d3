"""Surroundings to hand to a check: a good terminal, a home of its own, and whatever a test wants to be otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.tui.monitor import NOW

from buddy_core.clock import ManualClock
from buddy_top.surroundings.around import Surroundings
from buddy_top.surroundings.check import Check

GOOD = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}


def surroundings(home: Path | None, env: dict[str, str] | None = None, **others: Any) -> Surroundings:
    """Everything is well, but for what is named."""
    place = home or Path("/nonexistent")
    known: dict[str, Any] = {
        "environ": {**GOOD, **(env or {})},
        "clock": ManualClock(NOW),
        "runs_dir": place / ".codebuddy" / "runs",
        "home": home,
        "config": place / ".config" / "buddy-top" / "config.toml",
        "state": place / ".local" / "state" / "buddy-top",
        "archive": place / ".local" / "share" / "buddy-top" / "kept",
        "stdin_tty": True,
        "stdout_tty": True,
        "size": (120, 40),
    }
    return Surroundings(**{**known, **others})


def bad(look: Callable[[Surroundings], Iterator[Check]], around: Surroundings) -> list[tuple[str, str]]:
    """State and words of what is not in order; whoever is told that is told what to do."""
    checks = [check for check in look(around) if check.state != "ok"]
    assert all(check.advice for check in checks)
    return [(check.state, check.found) for check in checks]
