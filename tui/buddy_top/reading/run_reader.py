"""Reads the one run that is on the screen: the rows in sight, how far its index is, and its artifacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.errors import BuddyError
from buddy_core.runs.artifacts.files import ArtifactInfo, list_artifacts
from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.timeline.index.eventindex import EventIndex
from buddy_core.runs.timeline.index.rowmaker import RowMaker
from buddy_core.runs.timeline.newest import newest_rows
from buddy_core.safety.paths import stat_beneath
from buddy_top.reading.run_indexing import RunIndexing
from buddy_top.state import RunDetail, Wants

if TYPE_CHECKING:
    from buddy_core.runs.timeline.timeline import TimelineRow

FIRST_ROWS = 120
"""Rows that are made before anybody has said which are in sight: more than most screens have lines."""


class RunReader:
    """Follows one run for the detail view. Not thread-safe: it lives in the feed's thread.

    `wake` is called, from another thread, when there is more to show of a long run.
    """

    def __init__(self, runs_dir: Path, run_id: str, wake: Callable[[], None] = lambda: None) -> None:
        self.run_id = run_id
        self.place = runs_dir, run_id
        self._runs_dir = runs_dir
        self._indexing = RunIndexing(runs_dir, run_id, wake)
        self._maker = RowMaker(runs_dir, run_id)
        self._newest: tuple[tuple[int | None, ...], tuple[TimelineRow, ...]] | None = None

    def read(self, wants: Wants) -> RunDetail:
        """Read on, and the rows that are wanted."""
        indexing = self._indexing
        indexing.go_on(wants.row_filter)
        index = indexing.index
        events, rows = len(index), index.rows
        problem = indexing.problem
        size, written_ns = self._stat()
        try:
            artifacts: tuple[ArtifactInfo, ...] = list_artifacts(self._runs_dir / self.run_id)
        except (OSError, BuddyError) as error:
            artifacts, problem = (), str(error)
        return RunDetail(
            run_id=self.run_id,
            run_dir=self._runs_dir / self.run_id,
            index=index,
            events=events,
            rows=rows,
            page=self._page(index, rows, wants.rows),
            artifacts=artifacts,
            accounting=indexing.accounting,
            newest=() if indexing.whole else self._newest_rows(index.first_at, size, written_ns),
            size=size,
            found=indexing.found(),
            problem=problem,
            reading=not indexing.whole,
        )

    @property
    def busy(self) -> bool:
        """A long file is being indexed or searched."""
        return self._indexing.busy

    def close(self) -> None:
        """Let go of the files."""
        self._indexing.close()
        self._maker.close()

    def _page(self, index: EventIndex, rows: int, wanted: tuple[int, ...]) -> Mapping[int, TimelineRow]:
        numbers = {row for row in wanted if row < rows}
        if not numbers:
            last = range(max(rows - FIRST_ROWS, FIRST_ROWS), rows)  # a live run is seen from its end
            numbers.update(range(min(rows, FIRST_ROWS)), last)
        elif max(numbers) >= rows - FIRST_ROWS:  # near its end: what has come since may be in sight
            numbers.update(range(max(numbers), rows))
        return {row.index: row for row in self._maker.rows(index, sorted(numbers))}

    def _newest_rows(self, first_at: int | None, *file: int) -> tuple[TimelineRow, ...]:
        """The last rows, read again only when the file is another than before."""
        if self._newest is None or self._newest[0] != (first_at, *file):
            self._newest = (first_at, *file), newest_rows(self._runs_dir, self.run_id, first_at)
        return self._newest[1]

    def _stat(self) -> tuple[int, int]:
        """Bytes of the event file, and when it was written to (ns)."""
        try:
            found = stat_beneath(self._runs_dir, self.run_id, EVENTS_NAME)
        except (OSError, ValueError):
            return 0, 0
        return found.st_size, found.st_mtime_ns
