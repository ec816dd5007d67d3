"""Stores of runs for time travel, and what a store was at a moment: its files, cut by hand."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.past.moment import PastMoment
from buddy_core.prices.rates import Rates
from buddy_core.prices.table import PriceEntry, PriceTable
from buddy_core.runs.names import started_at_of
from buddy_core.testing import RunDirectoryBuilder

T0 = 1_767_890_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
NOW = T0 + 100 * HOUR
_ENDS = ("completed", "failed", "cancelled")

_GAPS = st.sampled_from([0, 0, 1, 700, 4_000, 70_000, 11 * MINUTE, 61 * MINUTE])
_STEPS = st.tuples(
    st.sampled_from(
        ["tool", "fails", "open", "request", "dear", "error", "value", "artifact", "step", "torn", "twice"]
    ),
    _GAPS,
)
_RUNS = st.tuples(
    st.integers(0, 30).map(lambda n: T0 + n * 7 * MINUTE),
    st.lists(_STEPS, max_size=8),
    st.sampled_from(["ended", "ended", "failed", "crashed", "summary only", "original"]),
)
STORES = st.lists(_RUNS, min_size=1, max_size=4)
"""What `write_store` takes: for each run its start, its events with the gaps before them, and how it ends."""

TURNS = st.lists(st.integers(-20_000, 4 * HOUR).map(lambda ms: T0 + ms), max_size=3)


def write_store(runs: Path, store: list[Any], turns: list[int]) -> list[str]:
    """Write it; gives the run ids."""
    runs.mkdir(parents=True)
    ids = []
    for number, (start, steps, end) in enumerate(store):
        start += (
            13 * number
        )  # no two runs do something in the same millisecond: then either may be told of first
        run = RunDirectoryBuilder(runs, started_at=start, suffix=f"{number:06x}", objective=f"Task {number}")
        for kind, gap in steps:
            run.wait(gap)
            _add(run, kind)
        _end(run, end)
        run.write()
        if end == "crashed" and number % 2:
            with run.events_file.open("ab") as file:
                file.write(b'{"ts":1767')
        ids.append(run.run_id)
    if turns:
        lines = [
            {
                "version": 1,
                "at": _iso(at),
                "provider": "openai",
                "model": "gpt-5.2",
                "totalMs": 900,
                "inputTokens": 50,
                "outputTokens": 7,
            }
            for at in sorted(turns)
        ]
        (runs.parent / "turn-metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return ids


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _add(run: RunDirectoryBuilder, kind: str) -> None:
    match kind:
        case "tool":
            run.tool("bash", {"command": "make"}, took_ms=350)
        case "fails":
            run.tool("edit", {"path": "a.py"}, took_ms=0, error=f"no such line {run.now_ms}")
        case "open":
            run.call("search", {"pattern": "x"})
        case "request":
            run.request(prompt=900, completion=80, latency_ms=1_200)
        case "dear":
            run.request("openai", "gpt-5.2", prompt=700, completion=30, cost=0.02, latency_ms=900)
        case "error":
            run.error("anthropic: overloaded")
        case "value":
            run.event("metric", {"kind": "value", "name": "depth", "value": 3.5})
        case "artifact":
            run.artifact(f"plan{run.now_ms % 3}.md", "text")
        case "step":
            run.step("plan")
        case "torn":
            run.raw(b'{"ts":1767890000000,"type":"tool_ca\n')
        case "twice":
            line = json.dumps(
                {"ts": run.now_ms, "runId": run.run_id, "type": "error", "data": {"message": "a"}}
            )
            run.raw((line + line + "\n").encode())


def _end(run: RunDirectoryBuilder, end: str) -> None:
    run.wait(500)
    if end == "ended":
        run.end()
    elif end == "failed":
        run.end("failed").wait(3)
        run.summary(endedAt=run.now_ms)
    elif end == "summary only":
        run.summary(status="cancelled", endedAt=run.now_ms)
    elif end == "original":
        run.end().metrics(totalTokens=9_000, promptTokens=8_000, completionTokens=1_000, totalCost=0.5)


def cut_store(source: Path, target: Path, moment: PastMoment) -> None:
    """Copy a store as it was at a moment: later lines and runs are left out, and what was written at an end."""
    target.mkdir(parents=True)
    for run_dir in sorted(source.iterdir()):
        if (started_at_of(run_dir.name) or 0) <= moment.at_ms:
            _cut_run(run_dir, target / run_dir.name, moment)
    turns = source.parent / "turn-metrics.jsonl"
    if turns.exists():
        kept = []
        for line in turns.read_text().splitlines(keepends=True):
            if datetime.fromisoformat(json.loads(line)["at"]).timestamp() * 1000 > moment.at_ms:
                break
            kept.append(line)
        (target.parent / "turn-metrics.jsonl").write_text("".join(kept))


def _cut_run(source: Path, target: Path, moment: PastMoment) -> None:
    shutil.copytree(source, target)
    most = moment.events if moment.run_id == source.name else None
    kept, last, whole = _cut_lines((source / "events.jsonl").read_bytes(), moment.at_ms, most)
    (target / "events.jsonl").write_bytes(kept)
    summary = json.loads((source / "summary.json").read_text())
    last = max(last, summary["startedAt"])
    ended = any(b'"run_end"' in line for line in kept.splitlines())
    if not ended and (most is None or whole):
        if summary["status"] in _ENDS:
            ended = summary["endedAt"] <= moment.at_ms
        else:
            ended = whole and moment.at_ms - last >= HOUR
    if ended:
        return
    begun = {
        name: summary[name] for name in ("runId", "objective", "startedAt", "metadata") if name in summary
    }
    (target / "summary.json").write_text(json.dumps(begun | {"status": "running"}))
    (target / "metrics.json").unlink()
    for artifact in (target / "artifacts").iterdir():
        if f'"artifact":"{artifact.name}"'.encode() not in kept:
            artifact.unlink()


def _cut_lines(data: bytes, at_ms: int, most: int | None) -> tuple[bytes, int, bool]:
    """Lines up to the first with a later time, or the first so many records; the last time; was it all."""
    kept, last, records = b"", 0, 0
    for line in data.splitlines(keepends=True):
        times = _times(line)
        later = any(time > at_ms for time in times) if most is None else records + len(times) > most
        if times and later:
            return kept, last, False
        kept += line
        records += len(times)
        last = max([last, *times])
    return kept, last, True


def _times(line: bytes) -> list[int]:
    try:
        found = [json.loads(line)]
    except ValueError:
        if b"}{" not in line:
            return []
        first, second = line.split(b"}{")
        found = [json.loads(first + b"}"), json.loads(b"{" + second)]
    return [record["ts"] for record in found]


def numbers(observer: Observer, collector: MetricsCollector, now_ms: int) -> dict[str, Any]:
    """Everything that any screen takes from an observer and its collector."""
    found: dict[str, Any] = {"facts": observer.facts(), "state": collector.get_dashboard_state()}
    found["errors"] = sorted(map(repr, collector.get_recent_errors(100)))
    sources = observer.sources()
    found["sources"] = (sources.total, sources.skipped_lines, sources.turn_requests, sources.ambiguous_turns)
    for window in Window:
        view = collector.view(window, now_ms=now_ms)
        found[window.value] = view
        found[f"{window.value} activity"] = collector.activity(window, 30, now_ms=now_ms)
        for kind, keys in (
            ("provider", [f"{row.provider}/{row.model}" for row in view.providers]),
            ("tool", [row.name for row in view.tools]),
            ("error", [row.fingerprint for row in view.errors]),
        ):
            found[f"{window.value} {kind} trends"] = collector.trends(kind, window, now_ms=now_ms)  # type: ignore[arg-type]
            for key in keys:
                found[f"{window.value} {key}"] = collector.history(kind, key, window, 30, now_ms=now_ms)  # type: ignore[arg-type]
        for tool in view.tools:
            found[f"{window.value} {tool.name} calls"] = collector.tool_depth(
                tool.name, window, now_ms=now_ms
            )
        for row in view.providers:
            uses = observer.model_uses(row.provider, row.model, view.since_ms or 0)
            found[f"{window.value} {row.provider}/{row.model} uses"] = uses
    found["values"] = collector.export().metrics
    return {name: plain(value) for name, value in found.items()}


def plain(value: Any) -> Any:
    """Nested dataclasses and floats as values that are equal when they mean the same."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value) if one.name != "taken_at"}
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    return value


PRICES = PriceTable([PriceEntry("claude-*", Rates(3.0, 15.0)), PriceEntry("gpt-*", Rates(1.0, 2.0))])


def fresh(runs: Path, at_ms: int, prices: PriceTable | None = None) -> dict[str, Any]:
    """What an observer says that looks at a store for the first time at this moment."""
    clock = ManualClock(at_ms)
    collector = MetricsCollector(clock=clock, prices=prices)
    observer = Observer(runs, collector, clock=clock)
    observer.load()
    try:
        return numbers(observer, collector, at_ms)
    finally:
        observer.close()
