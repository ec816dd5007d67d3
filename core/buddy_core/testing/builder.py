"""Build run directories of any kind, also damaged ones, event by event.

They are written byte by byte in the original writer's format, independently of `RunStore`: a reader that
is tested with them is tested against the format, not against our own writer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from buddy_core.runs.model import EndStatus
from buddy_core.runs.names import run_id_at


class RunDirectoryBuilder:
    """One run directory, event by event, on a time line of its own.

    Each method that adds something returns the builder, and time moves only when it is told to (`wait`)
    or when a tool or a request takes some. `write` puts everything on the disk; called again after more
    events it appends them, so a live run can be played.

    Args:
        root: The runs directory; made if it is missing.
        started_at: Wall time of `run_start` in milliseconds since the epoch; also goes into the id.
        objective: What the run is for.
        suffix: The six hex digits of the id.
        metadata: Under the names of the wire (`tags`, `parentRolloutId`, …).
    """

    def __init__(
        self,
        root: Path | str,
        *,
        started_at: int = 1_767_890_000_000,
        objective: str = "Fix the flaky login test",
        suffix: str = "0a1b2c",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.root = Path(root)
        self.run_id = run_id_at(started_at, suffix)
        self.now_ms = started_at
        self.objective = objective
        self._started_at = started_at
        self._metadata = dict(metadata or {})
        self._lines: list[bytes] = []
        self._written = 0
        self._calls = 0
        self._artifacts: dict[str, tuple[bytes, int]] = {}
        self._totals = {"totalTokens": 0, "promptTokens": 0, "completionTokens": 0, "totalCost": 0.0}
        self._summary: dict[str, Any] | None = {"status": "running"}
        self._metrics: dict[str, Any] | None = {}
        start = {"objective": objective} | ({"metadata": self._metadata} if self._metadata else {})
        self.event("run_start", start)

    @property
    def run_dir(self) -> Path:
        """Where `write` puts the run."""
        return self.root / self.run_id

    @property
    def events_file(self) -> Path:
        """The `events.jsonl` of the run."""
        return self.run_dir / "events.jsonl"

    def wait(self, ms: int) -> Self:
        """Let time pass before the next event."""
        self.now_ms += ms
        return self

    def event(self, type: str, data: Mapping[str, Any] | None = None) -> Self:
        """Add any event at the present time."""
        record = {"ts": self.now_ms, "runId": self.run_id, "type": type, "data": dict(data or {})}
        return self.raw(json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")

    def raw(self, data: bytes) -> Self:
        """Add bytes as they are: torn lines, NUL runs, anything a real file may hold."""
        self._lines.append(data)
        return self

    def step(self, name: str, objective: str | None = None) -> Self:
        """Begin a step."""
        return self.event("step_start", {"step": name} | ({"objective": objective} if objective else {}))

    def step_end(self, name: str, **data: Any) -> Self:  # noqa: ANN401
        """End a step; `data` goes beside its name (`outputLength`, `passed`)."""
        return self.event("step_end", {"step": name} | data)

    def call(self, tool: str, args: Mapping[str, Any] | None = None) -> str:
        """Add a tool call that has no result yet; its id is for `result`."""
        self._calls += 1
        call_id = f"toolu_{self.run_id[-6:]}{self._calls:04d}"
        self.event("tool_call", {"toolName": tool, "toolCallId": call_id, "args": dict(args or {})})
        return call_id

    def result(
        self, tool: str, call_id: str, *, took_ms: int | None, error: str | None = None, output: int = 120
    ) -> Self:
        """Add the result of a call at the present time; an `error` makes it a failure."""
        data: dict[str, Any] = {"toolName": tool, "toolCallId": call_id, "success": error is None}
        data["outputLength"] = output
        if error is not None:
            data["error"] = error
        if took_ms is not None:
            data["durationMs"] = took_ms
        return self.event("tool_result", data)

    def tool(
        self,
        tool: str,
        args: Mapping[str, Any] | None = None,
        *,
        took_ms: int = 100,
        error: str | None = None,
        output: int = 120,
    ) -> Self:
        """Add a call and, `took_ms` later, its result."""
        call_id = self.call(tool, args)
        return self.wait(took_ms).result(tool, call_id, took_ms=took_ms, error=error, output=output)

    def request(
        self,
        provider: str = "anthropic",
        model: str = "claude-sonnet-4-5",
        *,
        prompt: int = 1000,
        completion: int = 100,
        cache_read: int = 0,
        cache_write: int = 0,
        cost: float | None = None,
        latency_ms: int | None = None,
        ttft_ms: int | None = None,
        success: bool = True,
    ) -> Self:
        """Add a `metric` event for one model request, `latency_ms` from now. Unknown values are left out."""
        self.wait(latency_ms or 0)
        data = {"kind": "api_request", "provider": provider, "model": model, "promptTokens": prompt}
        data |= {"completionTokens": completion, "cacheReadTokens": cache_read}
        data |= {"cacheWriteTokens": cache_write, "success": success}
        optional = {"cost": cost, "latencyMs": latency_ms, "ttftMs": ttft_ms}
        self._totals["totalTokens"] += prompt + completion + cache_read + cache_write
        self._totals["promptTokens"] += prompt
        self._totals["completionTokens"] += completion
        self._totals["totalCost"] += cost or 0.0
        return self.event("metric", data | {name: v for name, v in optional.items() if v is not None})

    def error(self, message: str) -> Self:
        """Add an `error` event."""
        return self.event("error", {"message": message})

    def artifact(self, name: str, content: str | bytes) -> Self:
        """Add an artifact with its `patch_created` event; its file is as old as that."""
        self._artifacts[name] = content.encode() if isinstance(content, str) else content, self.now_ms
        path = str(self.run_dir / "artifacts" / name)
        return self.event("patch_created", {"artifact": name, "path": path})

    def metrics(self, **fields: Any) -> Self:  # noqa: ANN401
        """Set fields of `metrics.json` under the wire's names; else they are the sums of the requests."""
        self._metrics = (self._metrics or {}) | fields
        return self

    def summary(self, **fields: Any) -> Self:  # noqa: ANN401
        """Set fields of `summary.json` under the wire's names, right or wrong."""
        self._summary = (self._summary or {}) | fields
        return self

    def without_summary(self) -> Self:
        """Write no `summary.json`, like a run whose writer died at once."""
        self._summary = None
        return self

    def without_metrics(self) -> Self:
        """Write no `metrics.json`."""
        self._metrics = None
        return self

    def end(self, status: EndStatus = "completed") -> Self:
        """Add `run_end` and the totals that the original writer leaves at the end."""
        self.event("run_end", {"status": status})
        self.summary(status=status, endedAt=self.now_ms)
        totals = self._totals | {"durationMs": self.now_ms - self._started_at, "toolCallCount": self._calls}
        return self.metrics(**(totals | (self._metrics or {})))

    def write(self) -> Path:
        """Put the run on the disk; events that an earlier call wrote stay, new ones are appended."""
        (self.run_dir / "artifacts").mkdir(parents=True, exist_ok=True)
        with self.events_file.open("ab") as events:
            events.write(b"".join(self._lines[self._written :]))
        self._written = len(self._lines)
        for name, (content, written_at) in self._artifacts.items():
            file = self.run_dir / "artifacts" / name
            file.write_bytes(content)
            written_ns = written_at * 1_000_000
            os.utime(file, ns=(written_ns, written_ns))
        if self._summary is not None:
            self._write_json("summary.json", self._summary_fields() | self._summary)
        if self._metrics is not None:
            self._write_json("metrics.json", self._metric_zeros() | self._metrics)
        return self.run_dir

    def _summary_fields(self) -> dict[str, Any]:
        fields = {"runId": self.run_id, "objective": self.objective, "startedAt": self._started_at}
        fields |= {"eventCount": len(self._lines), "artifactCount": len(self._artifacts)}
        return fields | ({"metadata": self._metadata} if self._metadata else {})

    def _metric_zeros(self) -> dict[str, Any]:
        return dict.fromkeys((*self._totals, "durationMs", "toolCallCount", "failoverCount"), 0)

    def _write_json(self, name: str, fields: Mapping[str, Any]) -> None:
        (self.run_dir / name).write_text(json.dumps(fields, indent=2), encoding="utf-8")
