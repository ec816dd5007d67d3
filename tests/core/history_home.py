"""A home whose runs are pruned, its history, and every number that a monitor shows of it."""

from __future__ import annotations

import json
import math
import random
import shutil
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from buddy_core.clock import ManualClock
from buddy_core.history.keeper import RunHistory
from buddy_core.history.writer import Writer
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import DashboardState
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.prices.rates import Rates
from buddy_core.prices.table import PriceEntry, PriceTable
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_767_890_000_000
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
PRICES = PriceTable([PriceEntry("claude-*", Rates(3.0, 15.0)), PriceEntry("gpt-*", Rates(1.0, 2.0))])
TOOLS = ("bash", "view_file", "edit", "mcp__db__query")


class Home:
    """A runs directory with a file of turns beside it, and a history."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runs = path / "runs"
        self.runs.mkdir(parents=True)
        self.history = path / "state" / "history.sqlite3"
        self.clock = ManualClock(NOW)

    def monitor(self, *, history: bool = True, writes: bool = True) -> tuple[MetricsCollector, Observer]:
        """Start, read everything, and end."""
        collector = MetricsCollector(clock=self.clock, prices=PRICES)
        kept = RunHistory(self.history, writes=writes, clock=self.clock) if history else None
        observer = Observer(self.runs, collector, clock=self.clock, history=kept)
        observer.load()
        if kept is not None and kept._writer is not None:
            until_it_rests(kept._writer)
        observer.close()
        return collector, observer

    def run(self, number: int, *, minutes_ago: float, seed: int) -> RunDirectoryBuilder:
        return a_run(self.runs, number, minutes_ago, seed)

    def turn(self, minutes_ago: float, tokens: int = 100, model: str = "gpt-5.5") -> None:
        at = datetime.fromtimestamp((NOW - minutes_ago * MINUTE) / 1000, UTC).isoformat()
        line = {"version": 1, "at": at, "provider": "openai", "model": model, "totalMs": 900, "ttftMs": 100}
        line |= {"inputTokens": tokens, "outputTokens": 7, "totalTokens": tokens + 7}
        with (self.path / "turn-metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    def prune(self, *runs: RunDirectoryBuilder) -> None:
        for run in runs:
            shutil.rmtree(run.run_dir)


def until_it_rests(writer: Writer) -> None:
    """Everything is stored, and what is old is hours."""
    while writer._thread.is_alive() and (writer.backlog or writer._ageing is not None):
        writer._thread.join(0.001)


def a_run(runs: Path, number: int, minutes_ago: float, seed: int) -> RunDirectoryBuilder:
    """Some calls, requests and errors, with whatever a run may leave out."""
    dice = random.Random(seed)
    run = RunDirectoryBuilder(
        runs,
        started_at=int(NOW - minutes_ago * MINUTE) - 7 * number,  # of two errors at once none is the latest
        suffix=f"{number:06x}",
        metadata=dice.choice((None, {"tags": ["headless", "claude-opus"]})),
    )
    for _ in range(dice.randrange(25)):
        run.wait(dice.randrange(20_000))
        match dice.randrange(3 if dice.random() < 0.5 else 6):
            case 0 if seed % 3:
                cost = dice.choice((None, 0.25, dice.random()))
                run.request(
                    model=dice.choice(("claude-sonnet-4-5", "claude-haiku")),
                    prompt=dice.randrange(5_000),
                    cost=cost,
                    latency_ms=dice.choice((None, dice.randrange(9_000))),
                    ttft_ms=dice.choice((None, 120)),
                    success=dice.random() < 0.9,
                )
            case 1:
                run.error(f"read failed: /tmp/{dice.randrange(99)}")
            case 2:
                run.tool(
                    dice.choice(TOOLS), took_ms=dice.randrange(3_000), error=dice.choice((None, "exit 1"))
                )
            case 3:
                run.event("metric", {"kind": "value", "name": "cache_hits", "value": dice.randrange(9)})
            case _:
                run.tool(dice.choice(TOOLS), took_ms=dice.randrange(3_000))
    if dice.random() < 0.4:
        run.metrics(totalTokens=90_000, promptTokens=80_000, completionTokens=10_000)
    if dice.random() < 0.3:
        run.metrics(totalCost=1.5)
    if dice.random() < 0.8:
        run.end("completed")
    run.write()
    return run


def numbers(collector: MetricsCollector) -> dict[str, Any]:
    """Everything that anybody can be shown, but for how long the process has lived."""
    found: dict[str, Any] = {window.value: plain(collector.view(window)) for window in Window}
    state = collector.get_dashboard_state()
    found["state"] = {
        f.name: plain(getattr(state, f.name)) for f in fields(DashboardState) if f.name != "uptime_ms"
    }
    found["activity"] = {
        window.value: plain(collector.activity(window, 96)) for window in Window if window is not Window.ALL
    }
    # How finely everything is cut depends on whether minutes are known; what the slices add up to does not.
    slices = [plain(slice_) for slice_ in collector.activity(Window.ALL, 96).buckets]
    found["activity"]["all"] = (
        {name: sum(s[name] for s in slices) for name in slices[0] if name != "start_at"} if slices else {}
    )
    found["errors"] = sorted(map(repr, collector.get_recent_errors(100)))
    found["totals"] = plain(sorted(collector.totals().providers, key=lambda one: one.row.model))
    found["histograms"] = [
        plain(collector.latency_histogram("tool", tool, window)) for tool in TOOLS for window in Window
    ]
    return found


def plain(value: Any) -> Any:
    """Frozen values as plain ones."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: plain(getattr(value, f.name))
            for f in fields(value)
            if f.name not in ("run_id", "run_ids")
        }
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Where two of `numbers` differ, by more than adding fractions in another order explains."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [found for key in one for found in differences(one[key], other[key], f"{where}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [found for n, (a, b) in pairs for found in differences(a, b, f"{where}[{n}]")]
    if isinstance(one, float) and isinstance(other, float):
        return [] if math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9) else [f"{where}: {one} {other}"]
    return [] if one == other else [f"{where}: {one} {other}"]


def saw_everything(home: Home, everything: Path) -> MetricsCollector:
    """A monitor that still has every run."""
    collector = MetricsCollector(clock=home.clock, prices=PRICES)
    observer = Observer(everything / "runs", collector, clock=home.clock)
    observer.load()
    observer.close()
    return collector
