"""Reading a run from asyncio: its events as they are written, without holding up the event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from buddy_core.clock import Clock
from buddy_core.runs.model import RunEvent
from buddy_core.runs.names import is_run_id

BREATH = 64
"""Events handed out in a row before other tasks of the event loop get a turn."""

READ_BYTES = 64 * 1024
"""Read and decoded at once: about a millisecond's work."""


async def stream_run(runs_dir: Path, run_id: str, *, clock: Clock) -> AsyncIterator[RunEvent]:
    """What `RunStore.stream_events` yields."""
    if not is_run_id(run_id):
        return
    import asyncio  # those who only record need not load it

    from buddy_core.runs.watching.following import RunFollower

    events = RunFollower(runs_dir, run_id, clock=clock, read_bytes=READ_BYTES).events()
    taken = 0
    try:
        async for event in events:
            yield event
            taken += 1
            if taken % BREATH == 0:
                await asyncio.sleep(0)
    finally:
        await events.aclose()  # type: ignore[attr-defined]  # an async generator, whose type does not say so
