"""A file of a run for the raw view, read in a thread: what was read of it stays while the file does not answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from buddy_core.runs.reading.rawfile import RawName
from buddy_core.runs.watching.troubles import stalled_words
from buddy_top.reading.aside import Aside
from buddy_top.reading.raw_reader import RawReader
from buddy_top.state import RawPage, RawWants


class OpenRaw:
    """It belongs to the feed's task; `wake` is called when there is more to show."""

    def __init__(self, run_dir: Path, name: RawName, wake: Callable[[], None]) -> None:
        self._reader = RawReader(run_dir, name)
        self._run_id = run_dir.name
        self._aside: Aside[RawWants, RawPage] = Aside(self._reader.read, wake=wake, close=self._reader.close)

    @property
    def file(self) -> tuple[Path, RawName]:
        """The run's directory, and which of its files is read."""
        return self._reader.file

    @property
    def more(self) -> bool:
        """There is more to read at once: ask again soon. While the file does not answer, `wake` says when."""
        return self._aside.waiting_ms == 0 and self._reader.more

    async def read(self, wants: RawWants) -> RawPage:
        """What is asked for; while the file does not answer, what was read before, and since when it does not."""
        found = await self._aside.read(wants)
        if found is not None:
            return found
        problem = f"{stalled_words(self._aside.waiting_ms)}: {wants.name} does not answer"
        known = self._aside.last
        return (
            RawPage(self._run_id, wants, problem=problem)
            if known is None
            else replace(known, problem=problem)
        )

    def close(self) -> None:
        """Let go of the file."""
        self._aside.close()
