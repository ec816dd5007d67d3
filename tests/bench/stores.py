"""Stores of any size, written in a few seconds for each ten thousand runs: what a catalog is measured with."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

from buddy_core.runs.names import run_id_at

STATUSES = ("completed",) * 7 + ("failed",) * 2 + ("cancelled",)
TOOLS = ("bash", "view_file", "search", "edit_file", "web_fetch", "list_dir", "run_tests", "git")
MODELS = ("claude-sonnet-4-5", "gpt-5.5", "gemini-3-pro", "qwen3-coder")
ERRORS = ("exit code 2", "No such file or directory", "timed out after 30 s", "permission denied")
VERBS = ("Fix", "Refactor", "Explain", "Write tests for", "Speed up", "Document", "Remove", "Port")
PARTS = ("login", "payment", "search", "export", "cache", "queue", "parser", "scheduler", "report", "upload")
THINGS = (
    "test",
    "module",
    "endpoint",
    "migration",
    "screen",
    "script",
    "worker",
    "handler",
    "client",
    "index",
)
START = 1_760_000_000_000


def write_store(
    root: Path, runs: int, *, long_every: int = 2_000, long_events: int = 2_000, seed: int = 1
) -> int:
    """Write `runs` ended runs, a minute apart, every `long_every`-th with `long_events` tool calls; gives the bytes."""
    rng = random.Random(seed)
    vocabulary = _vocabulary(rng)
    root.mkdir(parents=True, exist_ok=True)
    return sum(
        _write_run(root, rng, vocabulary, number, long_events if number % long_every == long_every - 1 else 2)
        for number in range(runs)
    )


def _vocabulary(rng: random.Random) -> list[str]:
    """Words as they stand in code and its messages."""
    parts = [
        *PARTS,
        *THINGS,
        "user",
        "order",
        "token",
        "total",
        "value",
        "state",
        "error",
        "retry",
        "batch",
        "file",
    ]
    return [
        f"{rng.choice(parts)}_{rng.choice(parts)}{rng.choice(('', '.py', '.ts', '()', 'Id'))}"
        for _ in range(4_000)
    ]


def _write_run(root: Path, rng: random.Random, vocabulary: list[str], number: int, calls: int) -> int:
    at = START + number * 60_000
    run_id = run_id_at(at, f"{rng.getrandbits(24):06x}")
    folder = root / run_id
    folder.mkdir()
    status, model = rng.choice(STATUSES), rng.choice(MODELS)
    objective = (
        f"{rng.choice(VERBS)} the {rng.choice(PARTS)} {rng.choice(THINGS)} of {rng.choice(vocabulary)}"
    )
    metadata = {"channel": "headless", "tags": ["headless", model]}
    lines = [_line(at, run_id, "run_start", {"objective": objective, "metadata": metadata})]
    lines += _calls(rng, vocabulary, run_id, at, calls)
    end = at + 1_000 * calls + rng.randrange(50_000)
    lines.append(_line(end, run_id, "run_end", {"status": status}))
    events = "".join(lines).encode()
    (folder / "events.jsonl").write_bytes(events)
    tokens = rng.randrange(1_000, 400_000)
    summary = {"runId": run_id, "objective": objective, "status": status, "startedAt": at, "endedAt": end}
    summary |= {"eventCount": len(lines), "artifactCount": 0, "metadata": metadata}
    metrics = {
        "totalTokens": tokens,
        "promptTokens": tokens,
        "completionTokens": 0,
        "totalCost": tokens / 3e5,
    }
    metrics |= {"durationMs": end - at, "toolCallCount": calls, "failoverCount": 0}
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    for name in ("events.jsonl", "summary.json", "metrics.json"):
        os.utime(folder / name, (at / 1000, at / 1000))
    return len(events)


def _calls(rng: random.Random, vocabulary: list[str], run_id: str, at: int, calls: int) -> Iterator[str]:
    for call in range(calls):
        name, tool = f"toolu_{rng.getrandbits(64):016x}", rng.choice(TOOLS)
        words = " ".join(rng.choices(vocabulary, k=8))
        data = {
            "toolName": tool,
            "toolCallId": name,
            "args": {"command": words, "path": f"src/{words[:9]}.py"},
        }
        yield _line(at + 1_000 * call, run_id, "tool_call", data)
        failed = rng.random() < 0.05
        result = {
            "toolName": tool,
            "toolCallId": name,
            "success": not failed,
            "durationMs": rng.randrange(2_000),
        }
        yield _line(
            at + 1_000 * call + 900,
            run_id,
            "tool_result",
            result | ({"error": rng.choice(ERRORS)} if failed else {}),
        )


def _line(ts: int, run_id: str, kind: str, data: Mapping[str, object]) -> str:
    return json.dumps({"ts": ts, "runId": run_id, "type": kind, "data": data}) + "\n"
