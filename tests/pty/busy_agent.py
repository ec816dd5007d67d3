"""An agent that is never done: `python busy_agent.py ROOT SEED` records all that a run can hold until it is ended.

A run lasts some seconds, and no more than eight are kept: what is on the screen grows, ends, and is pruned.
"""

from __future__ import annotations

import contextlib
import random
import sys
import time
from pathlib import Path

from buddy_core import MetricsCollector, Run, RunStore, bridge

_TOOLS = ("bash", "view_file", "search", "web", "mcp__files__read")
_BEAT_S = 0.002


def main(root: Path, seed: int) -> None:
    """Record run after run; every fifth fails."""
    chance = random.Random(seed)
    store, metrics = RunStore(runs_dir=root, max_runs=8), MetricsCollector()
    bridge(metrics, store)
    number = 0
    while True:
        number += 1
        with contextlib.suppress(ArithmeticError), store.run(f"Task {number}", {"tags": ["storm"]}) as run:
            for turn in range(chance.randint(5, 60)):
                _turn(run, metrics, chance, turn)
            if number % 5 == 0:
                raise ArithmeticError("the task cannot be done")


def _turn(run: Run, metrics: MetricsCollector, chance: random.Random, turn: int) -> None:
    with run.step(f"turn {turn}"):
        metrics.record_api_request(
            provider="anthropic",
            model=chance.choice(("opus", "haiku")),
            prompt_tokens=chance.randint(1, 9_000),
            completion_tokens=80,
            cost=chance.random() / 10,
            latency_ms=chance.random() * 5_000,
            success=chance.random() > 0.1,
        )
        for _ in range(chance.randint(0, 8)):
            with run.tool(chance.choice(_TOOLS), {"command": "make " + "x" * chance.randint(0, 300)}) as call:
                time.sleep(_BEAT_S)
                call.returned("fine", error="exit code 2" if chance.random() < 0.2 else None)
    if turn % 10 == 3:
        run.save_artifact(f"note-{turn}.md", "# What was found\n\n- nothing\n")
        run.emit("error", {"message": f"no such file: {turn}"})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
