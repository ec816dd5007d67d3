"""A heartbeat of agents: once a second something happens in everything the monitor shows."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self

from workload import RunWriter, live_run


class Pulse:
    """While open, two live runs get calls, requests and an error each second, so that every pane changes."""

    def __init__(self, root: Path, *, every_s: float = 1.0) -> None:
        self._runs = [live_run(root, seed) for seed in (0xC1, 0xC2)]
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        number = 0
        while not self._ended.wait(self._every_s):
            number += 1
            for run in self._runs:
                run.append(second_of_work(run, number))


def second_of_work(run: RunWriter, number: int) -> list[bytes]:
    """Some calls of several tools, one that stays open, a request of each model in turn, and an error."""
    run.now()
    lines = [run.request(), *run.call(), *run.call()]
    run.now()
    lines.append(run.event("error", message=f"the upstream answered {500 + number % 4}"))
    call = {"toolName": "bash", "toolCallId": f"open{number}", "args": {"command": f"make step-{number}"}}
    done = {"toolName": "bash", "toolCallId": f"open{number - 1}", "success": True, "durationMs": 990}
    return [*lines, run.event("tool_result", **done), run.event("tool_call", **call)]
