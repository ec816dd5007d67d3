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
from pathlib import Path
from typing import NamedTuple

from buddy_core.metrics.batch import HistoryBatch, RequestRow, ToolColumn, batches
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.model import ErrorRecord
from buddy_top.cli.entry import main
from buddy_top.feed import Feed
from buddy_top.state import Snapshot
from buddy_top.workspace import Workspace

TOOLS, MODELS, ERRORS = 2_000, 200, 20
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


def beat(collector: MetricsCollector, number: int, now_ms: int) -> None:
    """One call of each tool, one request to each model, and some errors; of 100 calls and requests one fails."""
    chance = random.Random(number)
    tools = {f"mcp__server_{tool % 40}__tool_{tool}": _call(chance, now_ms) for tool in range(TOOLS)}
    rows = {(f"provider-{model % 20}", f"model-{model}"): [_row(chance, now_ms)] for model in range(MODELS)}
    texts = (f"connection {letter} was refused" for letter in "abcdefghijklmnopqrst"[:ERRORS])
    errors = [ErrorRecord(now_ms, "network", text) for text in texts]
    for batch in batches(HistoryBatch(None, tools=tools, rows=rows, errors=errors)):
        collector.absorb(batch)


def _call(chance: random.Random, now_ms: int) -> ToolColumn:
    return ToolColumn([now_ms], [float(int(chance.lognormvariate(5.5, 1.5)))], [chance.random() > 0.01])


def _row(chance: random.Random, now_ms: int) -> RequestRow:
    prompt, latency = chance.randrange(2_000, 60_000), float(int(chance.lognormvariate(8, 0.6)))
    return now_ms, prompt, 300, 0, 0, 0.01, latency, latency / 3, chance.random() > 0.01


def let_the_crowd_in(file: Path) -> None:
    """From now on every monitor of this process has it, and tells in `file` what it does."""
    file.write_bytes(_TOLD.pack(0, 0.0))
    with file.open("r+b") as opened:
        shared = mmap.mmap(opened.fileno(), _TOLD.size)
    draw, take = Workspace.draw, Feed._snapshot
    pictures, beats, recording_s = 0, 0, 0.0

    async def taking(self: Feed) -> Snapshot:
        nonlocal beats, recording_s
        beats, begin = beats + 1, time.thread_time()
        beat(self._collector, beats, self._clock.now_ms())
        recording_s += time.thread_time() - begin
        return await take(self)

    def drawing(self: Workspace) -> None:
        nonlocal pictures
        draw(self)
        pictures += 1
        _TOLD.pack_into(shared, 0, pictures, recording_s)

    Feed._snapshot = taking  # type: ignore[method-assign]
    Feed._next_tick_s = lambda self: 0.0  # type: ignore[method-assign]
    Workspace.draw = drawing  # type: ignore[method-assign]


if __name__ == "__main__":
    let_the_crowd_in(Path(sys.argv[1]))
    del sys.argv[1]
    sys.exit(main())
