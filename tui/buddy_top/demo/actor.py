"""One run of the demonstration agent: what it does takes time, and is recorded as it happens.

Everything that takes time is a generator that yields the milliseconds until it goes on; whoever drives it
lets them pass, at once for runs of yesterday, in real time for runs of now.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple, TypeAlias

from buddy_core.runs.model import EndStatus
from buddy_core.runs.store.store import RunStore
from buddy_top.demo.models import FAILURES, Model, other_provider
from buddy_top.demo.projects import Project

Script: TypeAlias = Generator[float, None, None]
"""Yields the milliseconds that pass before it goes on."""

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz"
_SYSTEM_TOKENS = 14_200
"""The system prompt and the tool descriptions: in the cache from the first request on."""


class Job(NamedTuple):
    """One tool call and how it will go."""

    tool: str
    args: Mapping[str, Any]
    ms: float
    output: int
    """Bytes."""
    error: str | None = None


class Actor:
    """Acts and records one run, which `store` has begun.

    Args:
        speed: How many times faster than life everything goes, recorded durations included.
    """

    def __init__(
        self, store: RunStore, run_id: str, *, rng: Random, project: Project, model: Model, speed: float = 1.0
    ) -> None:
        self.run_id = run_id
        self.rng = rng
        self.project = project
        self._stamina = rng.choice((0.7, 1.0, 1.0, 1.4, 2.4))
        self.model = model
        self.store = store
        self.ended = False
        self.status: EndStatus | None = None
        """The word it ended with; None while it lives, and after a crash."""
        self._speed = speed
        self._context = _SYSTEM_TOKENS + rng.randrange(3_000)
        self._unread = rng.randrange(200, 900)  # tokens that the next request will read first
        self._steps: list[str] = []
        self._totals = {"total_tokens": 0, "prompt_tokens": 0, "completion_tokens": 0, "failover_count": 0}
        self._cost = 0.0

    def emit(self, type: str, **data: Any) -> None:  # noqa: ANN401
        """Record one event."""
        self.store.emit(self.run_id, type, data)

    def rounds(self, low: int, high: int) -> int:
        """How often to go around: some runs are quick, a few are long."""
        return max(1, round(self.rng.randint(low, high) * self._stamina))

    def begin(self, step: str, **data: Any) -> None:  # noqa: ANN401
        """Begin a step."""
        self._steps.append(step)
        self.emit("step_start", step=step, **data)

    def done(self, **data: Any) -> None:  # noqa: ANN401
        """End the innermost step."""
        if self._steps:
            self.emit("step_end", step=self._steps.pop(), **data)

    def artifact(self, name: str, content: str) -> None:
        """Leave a file beside the run."""
        self.store.save_artifact(self.run_id, name, content)

    def end(self, status: EndStatus) -> None:
        """Write the totals and end the run."""
        self.ended = True
        self.status = status
        self.store.update_metrics(self.run_id, total_cost=round(self._cost, 6), **self._totals)
        self.store.end_run(self.run_id, status)

    def crash(self) -> None:
        """Die in the middle: the lock is let go, nothing is written any more."""
        self.ended = True
        self.store.close()

    def pause(self, ms: float) -> Script:
        """Let time pass."""
        yield ms / self._speed

    def tool(self, job: Job) -> Script:
        """Call one tool and wait for its result."""
        yield from self.tools([job])

    def tools(self, jobs: Sequence[Job]) -> Script:
        """Call several tools at once; their results come in the order in which they finish."""
        started = []
        for job in jobs:
            started.append((max(1, round(job.ms / self._speed)), self.call(job), job))
        passed = 0
        for ms, call_id, job in sorted(started, key=lambda item: item[0]):
            yield ms - passed
            passed = ms
            self._result(job, call_id, ms)

    def call(self, job: Job) -> str:
        """Call a tool without waiting for it; returns the id of the call."""
        letters = "".join(self.rng.choices(_LETTERS, k=22))
        call_id = f"toolu_01{letters}" if self.model.provider == "anthropic" else f"call_{letters}"
        self.emit("tool_call", toolName=job.tool, toolCallId=call_id, args=dict(job.args))
        return call_id

    def refuse(self, job: Job, policy: str) -> None:
        """A call that a policy does not let through."""
        call_id = self.call(job)
        self.emit("decision", kind="tool_filter_block", tool=job.tool, policy=policy)
        error = f"blocked by policy {policy}"
        fields = {"success": False, "outputLength": 0, "error": error, "durationMs": 0, "blockedBy": policy}
        self.emit("tool_result", toolName=job.tool, toolCallId=call_id, **fields)

    def think(self, least: int = 60, most: int = 620) -> Script:
        """Ask the model, again when its provider fails, and elsewhere when it keeps failing."""
        failures = 0
        while self.rng.random() < self.model.failure_rate * (1 if failures == 0 else 9):
            failures += 1
            yield from self._failed_request()
            if failures == 2:
                self._fall_back()
                break
            yield from self.pause(self.rng.uniform(900, 2_400))
        completion = int(least + (most - least) * self.rng.betavariate(1.6, 3.2))
        first = self.model.first_token(self.rng) / self._speed
        latency = first + self.model.writing(self.rng, completion) / self._speed
        yield latency
        self._record_request(completion, latency, first)

    def _failed_request(self) -> Script:
        message, typical_ms = self.rng.choice(FAILURES[self.model.provider])
        latency = typical_ms * self.rng.uniform(0.85, 1.25) / self._speed
        yield latency
        fields = {"promptTokens": 0, "completionTokens": 0, "latencyMs": round(latency), "success": False}
        self.emit("metric", kind="api_request", provider=self.model.provider, model=self.model.name, **fields)
        self.emit("error", message=f"{self.model.provider}: {message}")

    def _fall_back(self) -> None:
        before, self.model = self.model, other_provider(self.model)
        self._totals["failover_count"] += 1
        self.emit(
            "decision",
            kind="provider_fallback",
            **{"from": before.provider},
            to=self.model.provider,
            toModel=self.model.name,
            reason="two requests in a row failed",
        )

    def _record_request(self, completion: int, latency_ms: float, first_token_ms: float) -> None:
        read, new = self._context, self._unread
        prompt, written = (new, 0) if self.model.price_cache_write == 0 else (4 + new % 9, new)
        cost = self.model.cost(prompt, completion, read, written)
        self.emit(
            "metric",
            kind="api_request",
            provider=self.model.provider,
            model=self.model.name,
            promptTokens=prompt,
            completionTokens=completion,
            cacheReadTokens=read,
            cacheWriteTokens=written,
            cost=cost,
            latencyMs=round(latency_ms),
            ttftMs=round(first_token_ms),
            success=True,
        )
        self._totals["total_tokens"] += prompt + completion + read + written
        self._totals["prompt_tokens"] += prompt
        self._totals["completion_tokens"] += completion
        self._cost += cost
        self._context += new + completion
        self._unread = self.rng.randrange(30, 160)

    def _result(self, job: Job, call_id: str, ms: int) -> None:
        fields: dict[str, Any] = {"success": job.error is None, "outputLength": job.output}
        if job.error is not None:
            fields["error"] = job.error[:500]
        self.emit("tool_result", toolName=job.tool, toolCallId=call_id, **fields, durationMs=ms)
        self._unread += min(job.output, 40_000) // 4
