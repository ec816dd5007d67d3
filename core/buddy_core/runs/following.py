"""One run's events as they are written, from the first line to the end of the run.

Ends with the last event of a run that has ended, of one whose writer is gone, and of one that was removed
while it was read; waits, without polling where notifications can be had, for all others.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from buddy_core.clock import Clock, SystemClock
from buddy_core.runs.liveness import conclude_status, lock_state
from buddy_core.runs.model import RunEvent, Status
from buddy_core.runs.notify import make_notifier
from buddy_core.runs.observed import EVENTS, SUMMARY, RecordFile
from buddy_core.runs.records import parse_summary
from buddy_core.runs.tail import FileTail, TailChange
from buddy_core.runs.wire import payload
from buddy_core.safety.paths import real_root

SWEEP_S = 1.0
"""The file is looked at as often as this even if nothing tells of a change: notifications are hints."""

_LIVE: tuple[Status, ...] = ("running", "stalled")


class RunFollower:
    """Follows one run once; `status` and `problem` tell, afterwards, why it ended."""

    def __init__(self, runs_dir: Path, run_id: str, *, clock: Clock | None = None) -> None:
        root = real_root(runs_dir)
        self.status: Status = "running"
        self.gone = False
        """True when the run was removed while it was read."""
        self.skipped_lines = 0
        """Damaged lines of which no record could be had."""
        self._run_dir = root / run_id
        self._clock = clock or SystemClock()
        self._tail = FileTail(root, run_id, EVENTS)
        self._summary = RecordFile(root, run_id, SUMMARY, lambda data: parse_summary(data, run_id))
        self._said: str | None = None
        self._last_at: int | None = None
        self._caught_up = False

    async def events(self) -> AsyncIterator[RunEvent]:
        """Every intact event, in the order of the file; again from the first when the file is replaced."""
        notifier, _, _ = make_notifier(self._run_dir)
        try:
            with contextlib.suppress(OSError):  # without a watch the sweep finds what is new
                notifier.watch(self._run_dir)
            while True:
                change = self._tail.poll()
                for event in self._taken(change):
                    yield event
                if change.more:
                    continue
                if self._has_ended(change):
                    return
                self._caught_up = True
                await notifier.wait(SWEEP_S)
        finally:
            notifier.close()
            self._tail.close()

    def _taken(self, change: TailChange) -> Iterator[RunEvent]:
        self.skipped_lines = change.accounting.skipped_lines
        if change.reset:
            self._said = None
        now_ms = self._clock.now_ms()
        for event in change.batch.events:
            data = payload(event.data)
            if event.type == "run_end":
                self._said = str(data.get("status") or "completed")
            self._last_at = now_ms if self._caught_up else min(event.ts, now_ms)
            yield RunEvent(event.ts, event.type, self._run_dir.name, data)

    def _has_ended(self, change: TailChange) -> bool:
        self._summary.refresh()
        word = self._said or (self._summary.value.status if self._summary.value is not None else None)
        self.gone = change.gone or not self._run_dir.is_dir()
        self.status = conclude_status(
            word,
            lock=lock_state(self._run_dir),
            now_ms=self._clock.now_ms(),
            last_activity_ms=self._last_at,
        )
        return self.gone or self.status not in _LIVE
