"""Between two pictures that are due one may come early, for a run that had been silent; never a second one."""

from __future__ import annotations

import asyncio

from buddy_top.feeding.pace import Pace

NEVER_S = 3600.0
"""An interval that does not pass during a test."""


async def resting(pace: Pace, asked: asyncio.Event, interval_s: float = NEVER_S) -> asyncio.Task[None]:
    """A picture was taken just now, and the next one is waited for."""
    asked.clear()
    pace.picture()
    rest = asyncio.create_task(pace.rest(asked, interval_s))
    await settled()
    return rest


async def settled() -> None:
    """Whatever has no reason to wait has gone on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_run_that_was_silent_is_not_kept_waiting() -> None:
    pace, asked = Pace(), asyncio.Event()
    rest = await resting(pace, asked)
    pace.note(1)
    await rest


async def test_what_is_known_already_ends_no_rest() -> None:
    pace, asked = Pace(), asyncio.Event()
    pace.note(1)
    rest = await resting(pace, asked)
    pace.note(1)
    await settled()
    assert not rest.done()
    rest.cancel()


async def test_after_an_early_picture_the_interval_counts_unless_somebody_asks() -> None:
    pace, asked = Pace(), asyncio.Event()
    rest = await resting(pace, asked)
    pace.note(1)
    await rest

    rest = await resting(pace, asked)
    pace.note(2)
    await settled()
    assert not rest.done()
    asked.set()
    await rest


async def test_once_the_interval_is_over_another_picture_may_come_early() -> None:
    pace, asked = Pace(), asyncio.Event()
    rest = await resting(pace, asked)
    pace.note(1)
    await rest
    await (await resting(pace, asked, 0.0))

    rest = await resting(pace, asked)
    pace.note(2)
    await rest


async def test_what_stirs_while_a_picture_is_taken_is_shown_in_the_next_one_at_once() -> None:
    pace, asked = Pace(), asyncio.Event()
    pace.picture()
    pace.note(1)
    await pace.rest(asked, NEVER_S)

    rest = await resting(pace, asked)
    assert not rest.done()
    rest.cancel()
