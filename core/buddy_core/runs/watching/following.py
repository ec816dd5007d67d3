"""One run's events as they are written, from the first line to the end of the run.

Ends with the last event of a run that has ended, of one whose writer is gone, and of one that was removed
while it was read; waits, without polling where notifications can be had, for all others.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Literal

from buddy_core.clock import Clock, SystemClock
from buddy_core.runs.model import RunEvent, Status
from buddy_core.runs.names import EVENTS_NAME, started_at_of
from buddy_core.runs.reading.reader import read_summary
from buddy_core.runs.reading.tail import BUDGET, FileTail, TailChange
from buddy_core.runs.records.wire import payload
from buddy_core.runs.watching.liveness import conclude_status, lock_state
from buddy_core.runs.watching.notify import make_notifier
from buddy_core.safety.paths import real_root

SWEEP_S = 1.0
"""The file is looked at as often as this even if nothing tells of a change: notifications are hints."""

Note = Literal["stalled", "replaced"]
"""What happens to a run beside its events: it falls silent, or its file becomes another one."""

_LIVE: tuple[Status, ...] = ("running", "stalled")


class RunFollower:
    """Follows one run once; `status` and `gone` tell, afterwards, why it ended.

    `read_bytes` bounds what is read and decoded before the event loop gets a turn. `on_note` is called once
    for each silence that makes the run stalled, and before the events of a file that replaced another.
    """

    def __init__(
        self,
        runs_dir: Path,
        run_id: str,
        *,
        clock: Clock | None = None,
        read_bytes: int = BUDGET,
        on_note: Callable[[Note], object] = lambda _note: None,
    ) -> None:
        self._root = real_root(runs_dir)
        self.status: Status = "running"
        self.gone = False
        """True when the run was removed while it was read."""
        self.skipped_lines = 0
        """Damaged lines of which no record could be had."""
        self._run_dir = self._root / run_id
        self._clock = clock or SystemClock()
        self._tail = FileTail(self._root, run_id, EVENTS_NAME)
        self._said: str | None = None
        self._last_at = started_at_of(run_id) or 0
        self._caught_up = False
        self._read_bytes = read_bytes
        self._on_note = on_note
        self._silent = False

    async def events(self) -> AsyncIterator[RunEvent]:
        """Every intact event, in the order of the file; again from the first when the file is replaced."""
        import asyncio  # those who only list runs need not load it

        notifier, _, _ = make_notifier(self._run_dir)
        try:
            with contextlib.suppress(OSError):  # without a watch the sweep finds what is new
                notifier.watch(self._run_dir)
            while True:
                ended = self._has_ended()  # asked before reading, so that nothing is missed in between
                change = self._tail.poll(self._read_bytes)
                for event in self._taken(change):
                    yield event
                if change.more:
                    await asyncio.sleep(0)
                    continue
                self.gone = change.gone
                if ended or self.gone:
                    return
                self._caught_up = True
                if self._said is None and not self._has_ended():
                    self._note_silence()
                    await notifier.wait(SWEEP_S)
        finally:
            notifier.close()
            self._tail.close()

    def _taken(self, change: TailChange) -> Iterator[RunEvent]:
        self.skipped_lines = change.accounting.skipped_lines
        if change.reset:
            self._said = None
            self._on_note("replaced")
        now_ms = self._clock.now_ms()
        for event in change.batch.events:
            data = payload(event.data)
            if event.type == "run_end":
                self._said = str(data.get("status") or "completed")
            self._silent = False
            self._last_at = now_ms if self._caught_up else min(event.ts, now_ms)
            yield RunEvent(event.ts, event.type, self._run_dir.name, data)

    def _note_silence(self) -> None:
        if self.status == "stalled" and not self._silent:
            self._silent = True
            self._on_note("stalled")

    def _has_ended(self) -> bool:
        word = self._said or read_summary(self._root, self._run_dir.name).status
        self.status = conclude_status(
            word,
            lock=lock_state(self._run_dir),
            now_ms=self._clock.now_ms(),
            last_activity_ms=self._last_at if self._caught_up else self._clock.now_ms(),
        )
        return self.status not in _LIVE or not self._run_dir.is_dir()
