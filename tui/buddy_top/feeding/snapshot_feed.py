"""What the app needs of whatever brings it pictures; the live feed is one such thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol

from buddy_top.state import Snapshot, Wants

if TYPE_CHECKING:
    from buddy_core.runs.facts import RunFacts
    from buddy_top.metering.use import MonitorUse


class SnapshotFeed(Protocol):
    """What the app needs of a feed; tests hand it one that does everything at once."""

    def start(self, publish: Callable[[Snapshot], None], failed: Callable[[BaseException], None]) -> None:
        """Begin; `publish` and `failed` are called from any thread."""
        ...

    def ask(self, wants: Wants) -> None:
        """Say what the screen shows now; a snapshot that holds it follows soon."""
        ...

    def give_way(self) -> None:
        """Somebody has pressed a key: whatever reads in the background stands back for a moment."""
        ...

    def pause(self, paused: bool) -> None:
        """Hold the picture, or let it go on; collecting is not affected."""
        ...

    def reread(self) -> None:
        """Look at every file again now."""
        ...

    def find_runs(self, text: str) -> Future[Sequence[RunFacts]]:
        """Runs with all words of `text` in what is known of them, newest first, some of very many."""
        ...

    def read_runs(self, run_ids: Sequence[str]) -> Future[Sequence[RunFacts]]:
        """The facts of these runs, in their order; runs that are gone are left out."""
        ...

    def keep_runs(self, run_ids: Sequence[str]) -> Future[str]:
        """Copy runs to where no agent removes them; the future says in a sentence what came of it."""
        ...

    def meter(self, told: Callable[[MonitorUse], None] | None) -> None:
        """Call `told` from any thread with what the monitor uses itself, every few seconds; None: measure nothing."""
        ...

    def stop(self) -> None:
        """End the thread and let go of all files."""
        ...
