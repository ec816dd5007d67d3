"""Reads the one run that is on the screen: its timeline, grown as the file grows, and its artifacts."""

from __future__ import annotations

import asyncio
from pathlib import Path

from buddy_core.errors import BuddyError
from buddy_core.runs.artifacts import list_artifacts
from buddy_core.runs.reading.tail import FileTail
from buddy_core.runs.viewing.timeline import TimelineBuilder
from buddy_top.state import RunDetail

PIECE_BYTES = 512 * 1024
"""Read and sorted into the timeline at once; between two pieces the other runs have their turn."""

PIECES = 8
"""Pieces between two pictures: a long file says how far it is, and can be left for another run."""


class RunReader:
    """Follows one run's events for the detail view. Not thread-safe: it lives in the feed's thread."""

    def __init__(self, runs_dir: Path, run_id: str) -> None:
        self.run_id = run_id
        self._runs_dir = runs_dir
        self._tail = FileTail(runs_dir, run_id, "events.jsonl")
        self._builder = TimelineBuilder()
        self._problem: str | None = None
        self._whole = False  # what stood in the file was read to its end once
        self.more = True
        """There is more to read at once: ask again soon."""

    async def read(self) -> RunDetail:
        """Read on; `more` says that it was not all."""
        await self._grow()
        run_dir = self._runs_dir / self.run_id
        try:
            artifacts = list_artifacts(run_dir)
        except (OSError, BuddyError) as error:
            artifacts, self._problem = (), str(error)
        return RunDetail(
            run_id=self.run_id,
            rows=tuple(self._builder.rows()) if self._whole else (),
            hidden=self._builder.hidden,
            artifacts=artifacts,
            accounting=self._accounting,
            problem=self._problem,
            reading=not self._whole,
        )

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()

    async def _grow(self) -> None:
        for _ in range(PIECES):
            change = self._tail.poll(PIECE_BYTES)
            if change.reset:
                self._builder, self._whole = TimelineBuilder(), False
            self._builder.feed(change.batch)
            self._problem = change.problem
            self._accounting = change.accounting
            self.more = change.more
            if not change.more:
                self._whole = True
                return
            await asyncio.sleep(0)
