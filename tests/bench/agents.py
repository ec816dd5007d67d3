"""Several agents that record at once, each a process of its own (`flood.py`)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from flood import Written
from screens import ENVIRONMENT

_FLOOD = str(Path(__file__).with_name("flood.py"))


@dataclass(frozen=True)
class Pace:
    """What the agents are to do, together."""

    per_s: float
    seconds: float
    run_s: Sequence[float]
    """How long the runs of each agent last, and so how many agents there are."""
    store: bool
    """By `RunStore.emit`, else by lines that are encoded already."""


class Agents:
    """Ready when the block begins; they start with `start`, and are killed if the block is left before they end."""

    def __init__(self, root: Path, pace: Pace) -> None:
        share = str(pace.per_s / len(pace.run_s))
        form = ["--store"] if pace.store else []
        common = [share, str(pace.seconds), *form, "--run-s"]
        self._processes = [
            subprocess.Popen(
                [sys.executable, _FLOOD, str(root), str(number + 1), *common, str(run_s)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=ENVIRONMENT,
            )
            for number, run_s in enumerate(pace.run_s)
        ]

    def __enter__(self) -> Self:
        for process in self._processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()

    def start(self) -> None:
        """Let them record."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()

    @property
    def running(self) -> bool:
        """True until all of them have ended."""
        return any(process.poll() is None for process in self._processes)

    def written(self) -> list[Written]:
        """What each wrote; waits for their ends."""
        return [Written(**json.loads(process.communicate()[0])) for process in self._processes]
