"""One run of very many events, as a busy agent would leave it: steps, requests, parallel calls, failures, texts."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from buddy_core.runs.names import run_id_at

START = 1_760_000_000_000
TOOLS = ("bash", "view_file", "search", "edit_file", "web_fetch", "list_dir", "run_tests", "git")
MODELS = (("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-5.5"), ("local", "qwen3-coder"))
ERRORS = ("Exit code 2", "No such file or directory", "timed out after 30 s", "permission denied")
VERBS = ("read", "change", "check", "compare", "remove", "rename", "measure", "explain")
THINGS = (
    "handler",
    "schema",
    "cache",
    "parser",
    "queue",
    "fixture",
    "migration",
    "client",
    "screen",
    "index",
)
PER_ROUND = 18
"""Events of one round: a step with three requests, six calls in parallel pairs, and what is said on the way."""


def write_long_run(
    root: Path, events: int = 1_000_000, *, ends: bool = True, seed: int = 1
) -> tuple[str, int]:
    """Write a run of about so many events beneath `root`; its id, and the bytes of its event file."""
    run_id = run_id_at(START, f"{seed:06x}")
    folder = root / run_id
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "events.jsonl").open("w", encoding="utf-8") as file:
        for line in _lines(run_id, events, ends, random.Random(seed)):
            file.write(line)
        size = file.tell()
    summary = {"runId": run_id, "objective": "Move the whole service to the new queue", "startedAt": START}
    ended = {"status": "completed", "endedAt": START + events * 90} if ends else {"status": "running"}
    (folder / "summary.json").write_text(json.dumps({**summary, **ended, "eventCount": events}))
    return run_id, size


def _lines(run_id: str, events: int, ends: bool, rng: random.Random) -> Iterator[str]:
    def line(kind: str, data: dict[str, object]) -> str:
        return json.dumps({"ts": clock[0], "runId": run_id, "type": kind, "data": data}) + "\n"

    clock = [START]
    yield line("run_start", {"objective": "Move the whole service to the new queue"})
    for number in range(max(events - 2, 0) // PER_ROUND):
        step = f"{rng.choice(VERBS)}_{rng.choice(THINGS)}"
        yield line("step_start", {"step": step, "objective": f"part {number} of the {rng.choice(THINGS)}"})
        for _ in range(3):
            yield line("metric", _request(rng, clock))
            calls = [_call(rng, number * 6 + at) for at in range(2)]
            for call in calls:
                clock[0] += rng.randrange(3)
                yield line("tool_call", call)
            for call in reversed(calls):
                clock[0] += rng.randrange(1, 400)
                yield line("tool_result", _result(rng, call))
        if number % 40 == 0:
            yield line("error", {"message": f"{rng.choice(ERRORS)} in {rng.choice(THINGS)}", "round": number})
        else:
            yield line("decision", {"description": f"go on with the {rng.choice(THINGS)} of part {number}"})
        yield line(
            "step_end", {"step": step, "passed": rng.random() > 0.1, "outputLength": rng.randrange(9_000)}
        )
    if ends:
        yield line(
            "run_end", {"status": "completed", "finalAnswer": "Everything goes through the new queue."}
        )


def _request(rng: random.Random, clock: list[int]) -> dict[str, object]:
    took = rng.randrange(400, 4_000)
    clock[0] += took
    provider, model = rng.choice(MODELS)
    data: dict[str, object] = {"kind": "api_request", "provider": provider, "model": model, "latencyMs": took}
    return data | {
        "promptTokens": rng.randrange(90_000),
        "completionTokens": rng.randrange(3_000),
        "success": True,
    }


def _call(rng: random.Random, number: int) -> dict[str, object]:
    words = " ".join(f"{rng.choice(VERBS)}_{rng.choice(THINGS)}" for _ in range(rng.randrange(2, 9)))
    args = {"command": f"make {words}", "path": f"src/{rng.choice(THINGS)}/{number}.py", "timeout": 120}
    return {"toolName": rng.choice(TOOLS), "toolCallId": f"toolu_{rng.getrandbits(64):016x}", "args": args}


def _result(rng: random.Random, call: dict[str, object]) -> dict[str, object]:
    failed = rng.random() < 0.03
    data: dict[str, object] = {
        "toolName": call["toolName"],
        "toolCallId": call["toolCallId"],
        "success": not failed,
    }
    data |= {"durationMs": rng.randrange(4_000), "outputLength": rng.randrange(60_000)}
    data["output"] = " ".join(f"{rng.choice(THINGS)}: {rng.choice(VERBS)}d" for _ in range(rng.randrange(16)))
    return data | ({"error": rng.choice(ERRORS)} if failed else {})
