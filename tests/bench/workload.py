"""Run directories to measure with, shaped like those of real agents, and a writer that keeps one alive.

The shares of event types, the lengths of lines and the rate of failures are those of the sample runs that
the original writer left: 41 % calls, 41 % results, one call in thirty fails, 300 bytes a line. A Python
agent adds a `metric` event for each request; here that is one event in twelve.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from buddy_core.runs.names import run_id_at

_TOOLS = (
    ("bash", "command", 80, 30),
    ("view_file", "path", 70, 27),
    ("str_replace_editor", "new_str", 900, 21),
    ("search", "pattern", 105, 18),
    ("update_todo_list", "todos", 520, 2),
    ("create_file", "content", 470, 1),
    ("spawn_subagent", "prompt", 560, 1),
)
"""Name, the argument that is long, how long, and how often of a hundred calls."""

_MODELS = (
    ("anthropic", "claude-opus-4-5-20251101", 0.04),
    ("anthropic", "claude-haiku-4-5", 0.003),
    ("openai", "gpt-5.2", 0.02),
)
_WORDS = (
    "the tests fail because a fixture opens /home/dev/work/shop/src/routes.py:42 twice and never closes it "
)


class RunWriter:
    """Writes one run as an agent does, with times of its own; the same seed gives the same bytes."""

    def __init__(self, root: Path, started_at: int, seed: int, *, requests: bool = True) -> None:
        self._random = random.Random(seed)
        self._requests = requests
        self.run_id = run_id_at(started_at, f"{seed & 0xFFFFFF:06x}")
        self.run_dir = root / self.run_id
        self.now_ms = self._started_at = started_at
        self._calls = self._tokens = 0
        self._cost = 0.0
        self._objective = _WORDS * 2

    @property
    def events_file(self) -> Path:
        """The run's `events.jsonl`."""
        return self.run_dir / "events.jsonl"

    def event(self, type: str, **data: Any) -> bytes:
        """One line of `events.jsonl` at the present moment of the run."""
        record = {"ts": self.now_ms, "runId": self.run_id, "type": type, "data": data}
        return json.dumps(record, separators=(",", ":")).encode() + b"\n"

    def call(self) -> Iterator[bytes]:
        """A tool call and its result, one in thirty a failure."""
        tool, argument, length, _ = self._random.choices(_TOOLS, [often for *_, often in _TOOLS])[0]
        self._calls += 1
        call_id = f"toolu_01{self.run_id[-6:]}{self._calls:016d}"
        text = (_WORDS * 12)[: max(8, int(self._random.gauss(length, length / 3)))]
        yield self.event("tool_call", toolName=tool, toolCallId=call_id, args={argument: text})
        took = int(self._random.lognormvariate(5.5, 1.5))
        self.now_ms += took
        result: dict[str, Any] = {"toolName": tool, "toolCallId": call_id, "success": True}
        result |= {"outputLength": self._random.randrange(20_000), "durationMs": took}
        if self._random.random() < 1 / 30:
            reason = f"Exit code {self._random.randrange(1, 4)}\n{_WORDS * 3}"
            result |= {"success": False, "error": reason[:300]}
        yield self.event("tool_result", **result)

    def request(self) -> bytes:
        """A model request as a Python agent records it."""
        provider, model, price = self._random.choice(_MODELS)
        latency = int(self._random.lognormvariate(8, 0.6))
        prompt, completion = self._random.randrange(2_000, 60_000), self._random.randrange(50, 3_000)
        cost = price * (prompt + 5 * completion) / 10_000
        self._tokens += prompt + completion
        self._cost += cost
        self.now_ms += latency
        tokens = {"promptTokens": prompt, "completionTokens": completion, "cost": round(cost, 6)}
        timing = {"latencyMs": latency, "ttftMs": latency // 3, "success": True}
        return self.event("metric", kind="api_request", provider=provider, model=model, **tokens, **timing)

    def turn(self) -> Iterator[bytes]:
        """Some six calls, one request, and now and then a step, a patch or a decision."""
        if self._requests:
            yield self.request()
        for _ in range(5):
            self.now_ms += self._random.randrange(200, 4_000)
            yield from self.call()
        chance = self._random.random()
        if chance < 0.5:
            yield self.event(
                "patch_created", artifact="patch.diff", path=f"{self.run_dir}/artifacts/patch.diff"
            )
        elif chance < 0.9:
            yield self.event("step_start", step="implement", objective=_WORDS)
            yield self.event("step_end", step="implement", outputLength=0)
        else:
            yield self.event("decision", description=_WORDS)

    def lines(self, events: int) -> list[bytes]:
        """A whole run of exactly so many events, with its beginning and its end."""
        found = [
            self.event("run_start", objective=self._objective, metadata={"tags": ["headless", "gpt-5.2"]})
        ]
        while len(found) < events - 1:
            found += self.turn()
        return [*found[: events - 1], self.event("run_end", status="completed")]

    def write(self, events: int) -> int:
        """Write a finished run; gives the bytes of its event file."""
        data = b"".join(self.lines(events))
        self.run_dir.mkdir(parents=True)
        self.events_file.write_bytes(data)
        self._write_records("completed", events)
        return len(data)

    def begin(self) -> None:
        """Write the beginning of a run that stays alive."""
        self.run_dir.mkdir(parents=True)
        self._objective = f"Live run {self.run_id[-3:]}"
        self.append([self.event("run_start", objective=self._objective)])
        self._write_records("running", 1)

    def end(self) -> None:
        """Write the end of a run that was alive."""
        self.append([self.event("run_end", status="completed")])
        self._write_records("completed", 0)

    def append(self, lines: list[bytes]) -> None:
        """Append lines in one write, as writers do."""
        with self.events_file.open("ab", buffering=0) as file:
            file.write(b"".join(lines))

    def now(self) -> None:
        """Let the next event happen at the wall clock's moment."""
        self.now_ms = time.time_ns() // 1_000_000

    def _write_records(self, status: str, events: int) -> None:
        summary: dict[str, Any] = {"runId": self.run_id, "objective": self._objective, "status": status}
        summary |= {"startedAt": self._started_at, "eventCount": events, "artifactCount": 0}
        if status != "running":
            summary |= {"endedAt": self.now_ms}
        metrics = {"totalTokens": self._tokens, "totalCost": self._cost, "toolCallCount": self._calls}
        (self.run_dir / "summary.json").write_text(json.dumps(summary))
        (self.run_dir / "metrics.json").write_text(json.dumps(metrics))


def finished_runs(root: Path, *, runs: int, events: int, days_ago: int = 0, requests: bool = True) -> int:
    """Write so many finished runs, one every half hour up to an hour (and `days_ago`) ago; gives their events' bytes.

    Without `requests` they are as the original writer leaves them, which logs none in its runs.
    """
    last = time.time_ns() // 1_000_000 - days_ago * 86_400_000
    starts = (last - (2 + number) * 1_800_000 for number in range(runs))
    writers = (RunWriter(root, start, number, requests=requests) for number, start in enumerate(starts))
    return sum(writer.write(events) for writer in writers)


def live_run(root: Path, seed: int) -> RunWriter:
    """Begin a run now."""
    writer = RunWriter(root, time.time_ns() // 1_000_000, seed)
    writer.begin()
    return writer
