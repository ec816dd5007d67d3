"""The run on the screen, read in a thread: what is known of it stays there while its file does not answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from buddy_core.runs.watching.troubles import stalled_words
from buddy_top.kept.shelf import unopened
from buddy_top.reading.aside import Aside
from buddy_top.reading.run_reader import RunReader
from buddy_top.state import RunDetail, Wants


class OpenRun:
    """One run for the detail view. It belongs to the feed's task; `wake` is called when there is more to show."""

    def __init__(self, runs_dir: Path, run_id: str, wake: Callable[[], None]) -> None:
        reader = RunReader(runs_dir, run_id, wake)
        self.place = reader.place
        self._run_dir = runs_dir / run_id
        self._aside: Aside[Wants, RunDetail] = Aside(reader.read, wake=wake, close=reader.close)

    async def read(self, wants: Wants) -> RunDetail:
        """What `wants` asks for; while the file does not answer, what was read before, and since when it does not."""
        found = await self._aside.read(wants)
        if found is not None:
            return found
        problem = f"{stalled_words(self._aside.waiting_ms)}: its file does not answer"
        known = self._aside.last
        return unopened(self._run_dir, problem) if known is None else replace(known, problem=problem)

    def close(self) -> None:
        """Let go of the files."""
        self._aside.close()
