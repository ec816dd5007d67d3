"""One growing event file for tests of the tail: its records, and what a tail said of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from buddy_core.runs.reading.descriptors import DescriptorPool
from buddy_core.runs.reading.tail import FileTail, TailChange

TS = 1_767_890_000_000
RUN = "run_mk000000_aaaaaa"


def line(number: int, **data: object) -> bytes:
    body = msgspec.json.encode({"ts": TS + number, "runId": RUN, "type": "tool_call", "data": data})
    return body + b"\n"


def event_file(folder: Path) -> Path:
    """The path of an event file that does not exist yet, in a run directory that does."""
    run = folder / "runs" / RUN
    run.mkdir(parents=True)
    return run / "events.jsonl"


@contextmanager
def own_pool() -> Iterator[DescriptorPool]:
    """A pool that nothing else uses, emptied at the end."""
    pool = DescriptorPool()
    yield pool
    pool.clear()


def tail_of(events: Path, pool: DescriptorPool) -> FileTail:
    return FileTail(events.parents[1], RUN, "events.jsonl", descriptors=pool)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def numbers(change: TailChange) -> list[int]:
    return [event.ts - TS for event in change.batch.events]


def poll_all(tail: FileTail, budget: int = 4096) -> list[TailChange]:
    changes = [tail.poll(budget)]
    while changes[-1].more:
        changes.append(tail.poll(budget))
    assert all(change.accounting.balanced for change in changes)
    return changes
