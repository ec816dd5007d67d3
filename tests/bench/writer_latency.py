"""How long recording keeps its host waiting, on a quiet disk and beside somebody who writes and syncs all the time.

    python tests/bench/writer_latency.py [ROUNDS]

Prints p50, p99, p99.9 and the worst of each call in milliseconds, twice: how long it took, and how much of
that was neither work nor waiting for a processor (from `/proc/thread-self/schedstat`), that is, waiting for
the disk. Promise C9 allows 5.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from buddy_core.runs.store.store import RunStore

EVENT = {
    "toolName": "bash",
    "toolCallId": "call_1",
    "args": {"command": "ls -la /home/user/project", "timeout": 30},
}
HOG = "while :; do dd if=/dev/zero of={}/hog bs=1M count=64 conv=fsync 2>/dev/null; done"


T = TypeVar("T")


class Stopwatch:
    """Collects how long calls took, in milliseconds, by name."""

    def __init__(self) -> None:
        self._took: dict[str, list[float]] = defaultdict(list)
        self._waited: dict[str, list[float]] = defaultdict(list)

    def __call__(self, name: str, call: Callable[[], T]) -> T:
        """Do it and note how long it took."""
        busy, begin = _busy_ns(), time.perf_counter_ns()
        result = call()
        took = time.perf_counter_ns() - begin
        self._took[name].append(took / 1e6)
        self._waited[name].append(max(0, took - (_busy_ns() - busy)) / 1e6)
        return result

    def report(self) -> Iterator[str]:
        """One line a name."""
        for name, took in self._took.items():
            yield f"  {name:16} n={len(took):6} {_marks(took)}  of which waiting {_marks(self._waited[name])}"


def _marks(took: list[float]) -> str:
    took.sort()
    marks = (took[int((len(took) - 1) * share)] for share in (0.5, 0.99, 0.999, 1.0))
    return " ".join(f"{mark:8.3f}" for mark in marks)


def _busy_ns() -> int:
    """Time this thread has worked or waited for a processor."""
    worked, queued, _ = Path("/proc/thread-self/schedstat").read_bytes().split()
    return int(worked) + int(queued)


def record(root: Path, rounds: int) -> Stopwatch:
    """Runs of a hundred events, ten updates and two artifacts each."""
    watch, store = Stopwatch(), RunStore(root)
    for _ in range(rounds):
        run_id = watch("start_run", lambda: store.start_run("x"))
        for number in range(100):
            watch("emit", partial(store.emit, run_id, "tool_call", EVENT))
            if number % 10 == 0:
                watch("update_metrics", partial(store.update_metrics, run_id, total_tokens=1))
            if number % 50 == 0:
                watch("save_artifact", partial(store.save_artifact, run_id, "plan.md", "x" * 2_000))
        watch("end_run", partial(store.end_run, run_id, "completed"))
    store.close()
    return watch


@contextmanager
def hog(directory: Path) -> Iterator[None]:
    """Somebody who fills the disk's queue for as long as the block lasts."""
    process = subprocess.Popen(["sh", "-c", HOG.format(directory)])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Measure twice, print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    directory = Path(tempfile.mkdtemp(dir="."))
    try:
        for title in ("quiet", "beside a writer that syncs"):
            print(f"{title}: p50, p99, p99.9, worst (ms)")
            if title == "quiet":
                watch = record(directory / "quiet", rounds)
            else:
                with hog(directory):
                    watch = record(directory / "busy", rounds)
            print("\n".join(watch.report()))
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
