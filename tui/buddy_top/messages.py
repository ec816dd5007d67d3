"""Messages between the parts of the monitor: facts in the past tense, requests in the imperative."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from buddy_top.state import Snapshot, Tab

if TYPE_CHECKING:
    from buddy_core.runs.timeline.timeline import TimelineRow
    from buddy_top.metering.use import MonitorUse
    from buddy_top.run_view.timeline.shown_rows import ShownRows

CallNamed = tuple[str, float | None]
"""Tool and duration of a call, which tell it from others that ended at the same moment."""


class SnapshotTaken(Message):
    """A newer picture of the world is here. Only the newest one waiting is ever handled."""

    bubble = False

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """An older picture that nobody has looked at yet gives way to this one."""
        return isinstance(message, SnapshotTaken)


class UseTaken(Message):
    """The monitor has measured itself. Only the newest measurement waiting is ever handled."""

    bubble = False

    def __init__(self, use: MonitorUse) -> None:
        self.use = use
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """An older one that nobody has looked at yet gives way to this one."""
        return isinstance(message, UseTaken)


class FeedFailed(Message):
    """The thread that reads the runs died of an unexpected error; the monitor must not pretend to be live."""

    bubble = False

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__()


class WantsChanged(Message):
    """The visible pane shows something else now, so the next snapshot has to hold something else."""


class KeysChanged(Message):
    """Other keys do something now than before: there is something to open, or no longer."""


class OpenTab(Message):
    """Go to a tab and put its cursor on the row with this key."""

    def __init__(self, tab: Tab, key: str | None = None) -> None:
        self.tab = tab
        self.key = key
        super().__init__()


class MomentChosen(Message):
    """While looking at the past: somebody went to the event that begins at `offset` in the run's file."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        super().__init__()


class OpenRun(Message):
    """Show one run full screen, at the event that happened at `at_ms` where one is given.

    With `call` it is that call, whose end `at_ms` is.
    """

    def __init__(self, run_id: str, at_ms: int | None = None, call: CallNamed | None = None) -> None:
        self.run_id = run_id
        self.at_ms = at_ms
        self.call = call
        super().__init__()


class OpenEvent(Message):
    """Show the row at place `at` of a run's timeline in full, over the others; `raw` as it stands in the file.

    `left_at` hears of the row that was shown last.
    """

    def __init__(
        self,
        run_id: str,
        rows: ShownRows,
        at: int,
        left_at: Callable[[TimelineRow], None],
        *,
        raw: bool = False,
    ) -> None:
        self.run_id = run_id
        self.rows = rows
        self.at = at
        self.left_at = left_at
        self.raw = raw
        super().__init__()
