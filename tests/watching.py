"""Run an observer in the background of a test and wait for what it sees, without sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from buddy_core.observing.observer import Observer

LONGEST_S = 20.0

Until = Callable[[Callable[[], bool]], Awaitable[None]]
"""Waits until a condition holds; it is looked at after every change the observer tells of."""


@asynccontextmanager
async def following(observer: Observer) -> AsyncIterator[Until]:
    """Follow for the length of the block; what follows ends with it, and its errors reach the test."""
    changed = asyncio.Event()
    task = asyncio.create_task(observer.follow(changed.set))

    async def until(condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(LONGEST_S):
                while not condition():
                    changed.clear()
                    await _first(task, asyncio.create_task(changed.wait()))
        except TimeoutError:
            pytest.fail(f"not seen within {LONGEST_S:.0f} s; facts: {observer.facts()}")

    try:
        yield until
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        observer.close()


async def _first(task: asyncio.Task[None], waiting: asyncio.Task[bool]) -> None:
    try:
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if task.done():
        task.result()
