"""The monitor with a crowd in it: `python crowd_monitor.py FILE ARGUMENTS…` of the command line.

Before each picture, and as many pictures as `--refresh` allows, every one of 2,000 tools has a call and every one
of 200 models a request. They come from nowhere, so that no reading of files is measured. FILE holds what was
done, kept up to date at the cost of writing sixteen bytes into memory.
"""

from __future__ import annotations

import mmap
import random
import struct
import sys
import time
from itertools import cycle
from pathlib import Path
from string import ascii_lowercase
from typing import NamedTuple

from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.counting.stats import RequestSample
from buddy_core.metrics.model import ErrorRecord
from buddy_top.cli.entry import main
from buddy_top.feeding.pictures import Pictures
from buddy_top.frame.workspace import Workspace
from buddy_top.state import Snapshot

TOOLS, MODELS, ERRORS = 2_000, 200, 20
BEATS = 15
"""Different ones; then they come again."""

_TOLD = struct.Struct("<qd")


class Told(NamedTuple):
    """What a monitor has done so far."""

    pictures: int
    """Drawn, of however many were taken."""
    recording_s: float
    """CPU seconds that went into recording what the crowd did."""


def told(file: Path) -> Told:
    """What the monitor with this file says."""
    return Told(*_TOLD.unpack(file.read_bytes()))


class Beat(NamedTuple):
    """What the crowd does between two pictures: of 100 calls and requests one fails."""

    calls: list[tuple[str, float, bool]]
    """Name of each tool, duration and success."""
    requests: list[tuple[str, str, int, float, bool]]
    """Provider and name of each model, prompt tokens, latency and success."""
    errors: list[str]

    def tell(self, collector: MetricsCollector, now_ms: int) -> None:
        """Count it in the ledger itself: what recording costs is measured elsewhere, and would leave no time to draw."""
        with collector._lock:
            ledger = collector._ledger
            for name, took, ok in self.calls:
                ledger.add_tool(ledger.tool(name), now_ms, took, ok, now_ms)
            for provider, model, prompt, took, ok in self.requests:
                sample = RequestSample(now_ms, prompt, 300, 0, 0, 0.01, took, took / 3, ok)
                ledger.add_request(ledger.provider(provider, model), sample, now_ms)
            for text in self.errors:
                ledger.add_error(ErrorRecord(now_ms, "network", text), now_ms)


def a_beat(chance: random.Random) -> Beat:
    """One call of each tool, one request to each model, and some errors."""
    return Beat(
        [
            (f"mcp__server_{n % 40}__tool_{n}", _took(chance, 5.5), chance.random() > 0.01)
            for n in range(TOOLS)
        ],
        [
            (
                f"provider-{n % 20}",
                f"model-{n}",
                chance.randrange(60_000),
                _took(chance, 8),
                chance.random() > 0.01,
            )
            for n in range(MODELS)
        ],
        [f"connection {letter} was refused" for letter in ascii_lowercase[:ERRORS]],
    )


def _took(chance: random.Random, middle: float) -> float:
    return float(int(chance.lognormvariate(middle, 1.0)))


def let_the_crowd_in(file: Path) -> None:
    """From now on every monitor of this process has it, and tells in `file` what it does."""
    file.write_bytes(_TOLD.pack(0, 0.0))
    with file.open("r+b") as opened:
        shared = mmap.mmap(opened.fileno(), _TOLD.size)
    draw, take = Workspace.draw, Pictures.take
    pictures, recording_s, chance = 0, 0.0, random.Random(7)
    beats = cycle([a_beat(chance) for _ in range(BEATS)])

    async def taking(self: Pictures) -> Snapshot:
        nonlocal recording_s
        begin = time.thread_time()
        next(beats).tell(self.collector, self._clock.now_ms())
        recording_s += time.thread_time() - begin
        return await take(self)

    def drawing(self: Workspace) -> None:
        nonlocal pictures
        draw(self)
        pictures += 1
        _TOLD.pack_into(shared, 0, pictures, recording_s)

    Pictures.take = taking  # type: ignore[method-assign]
    Pictures.due_in_s = lambda self: 0.0  # type: ignore[method-assign]
    Workspace.draw = drawing  # type: ignore[method-assign]


if __name__ == "__main__":
    let_the_crowd_in(Path(sys.argv[1]))
    del sys.argv[1]
    sys.exit(main())
