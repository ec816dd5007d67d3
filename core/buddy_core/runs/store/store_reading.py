"""The reading half of `RunStore`: runs of any process, from the disk, and the store's own as they are now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_core.runs.artifacts.names import check_component
from buddy_core.runs.model import RunEvent, RunSummary
from buddy_core.runs.names import ARTIFACTS_NAME, is_run_id
from buddy_core.runs.reading.reader import read_small_file, read_summary, run_ids
from buddy_core.runs.store.streaming import stream_run
from buddy_core.runs.writing.writer import RunWriter

if TYPE_CHECKING:
    from buddy_core.runs.reading.wholerun import RunRecord

MAX_TEXT_ARTIFACT_BYTES = 16 * 1024 * 1024
"""Longer artifacts are not returned as text; read them in parts with `read_artifact`."""


class RunReading:
    """Reads one directory of runs, and never writes there.

    The methods whose names end in `_async` do their reading in a thread, and keep no event loop waiting.

    Args:
        runs_dir: Where run directories live.
        clock: Decides what is still alive when a run is streamed.
        writers: The runs that are being recorded right here; asked before the disk.
    """

    def __init__(self, runs_dir: Path, clock: Clock, writers: Mapping[str, RunWriter]) -> None:
        self.runs_dir = runs_dir
        self._clock = clock
        self._writers = writers

    @property
    def clock(self) -> Clock:
        """Where event times and durations come from."""
        return self._clock

    def get_run(self, run_id: str) -> RunRecord | None:
        """What the files of a run say; of one that this store is writing, what it is at this moment."""
        from buddy_core.runs.reading.wholerun import read_run  # a program that records reads none

        record = read_run(self.runs_dir, run_id)
        writer = self._writers.get(run_id)
        if record is None or writer is None:
            return record
        return replace(record, summary=writer.summary, metrics=writer.metrics)

    def list_runs(self, limit: int = 20) -> list[RunSummary]:
        """The newest runs; only as many summaries are read as are returned."""
        newest = run_ids(self.runs_dir)[: max(0, limit)]
        return [
            writer.summary if (writer := self._writers.get(run_id)) else read_summary(self.runs_dir, run_id)
            for run_id in newest
        ]

    def get_events(self, run_id: str) -> list[RunEvent]:
        """Every event of a run that can be read, oldest first; none when there is no such run."""
        from buddy_core.runs.reading.wholerun import read_events

        return read_events(self.runs_dir, run_id) if is_run_id(run_id) else []

    def stream_events(self, run_id: str) -> AsyncIterator[RunEvent]:
        """The events of a run from its first line, then each as it is written, until the run ends.

        Any run in the directory, also one that another process records. Ends too when the writer is gone or
        the run is removed; an unknown run has no events. A file that is replaced is read from its beginning.
        """
        return stream_run(self.runs_dir, run_id, clock=self._clock)

    def get_artifact(self, run_id: str, name: str) -> str | None:
        """The text of an artifact; None when there is none, or it is longer than 16 MiB.

        Raises:
            BadArtifactName: `name` is not one path component.
        """
        check_component(name)
        if not is_run_id(run_id):
            return None
        data = read_small_file(self.runs_dir, run_id, ARTIFACTS_NAME, name, limit=MAX_TEXT_ARTIFACT_BYTES)
        return None if data is None else data.decode("utf-8", "replace")

    async def get_run_async(self, run_id: str) -> RunRecord | None:
        """As `get_run`."""
        import asyncio  # those who only record need not load it

        return await asyncio.to_thread(self.get_run, run_id)

    async def list_runs_async(self, limit: int = 20) -> list[RunSummary]:
        """As `list_runs`."""
        import asyncio

        return await asyncio.to_thread(self.list_runs, limit)

    async def get_events_async(self, run_id: str) -> list[RunEvent]:
        """As `get_events`; for runs that are being written, `stream_events` goes on where this ends."""
        import asyncio

        return await asyncio.to_thread(self.get_events, run_id)

    async def get_artifact_async(self, run_id: str, name: str) -> str | None:
        """As `get_artifact`."""
        import asyncio

        return await asyncio.to_thread(self.get_artifact, run_id, name)
