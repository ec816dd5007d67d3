"""The monitor, telling what it has read: `python telling_monitor.py FILE ARGUMENTS…` of the command line.

With each of its pictures FILE becomes one JSON object (`Told`): what it has read of each run, by the account of its
tail, and what it has counted.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from buddy_core.metrics.window import Window
from buddy_top.cli.entry import main
from buddy_top.feeding.pictures import Pictures
from buddy_top.state import Snapshot


@dataclass
class Told:
    """What a monitor has read and counted so far."""

    pictures: int = 0
    calls: int = 0
    """Tool calls in all windows, of runs that are gone too."""
    events: dict[str, int] = field(default_factory=dict)
    """By run, also of those that are gone since."""
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Bytes seen, delivered, pending and skipped of each run that is followed."""
    history_problem: str | None = None


def told(file: Path) -> Told:
    """What the monitor with this file says; nothing before its first picture."""
    return Told(**json.loads(file.read_bytes())) if file.exists() else Told()


def let_it_tell(file: Path) -> None:
    """From now on every monitor of this process does."""
    take, says = Pictures.take, Told()

    async def taking(self: Pictures) -> Snapshot:
        snapshot = await take(self)
        observer = self.observer
        says.pictures += 1
        says.calls = self.collector.view(Window.ALL, now_ms=self._clock.now_ms()).total_tool_calls
        says.events |= {facts.run_id: facts.event_count for facts in observer.facts()}
        awake = {run_id: observer._runs.get(run_id) for run_id in observer._runs}
        says.accounts = {run_id: _account(run._tail.accounting) for run_id, run in awake.items() if run}
        says.history_problem = observer.sources().history_problem
        new = file.with_suffix(".new")
        new.write_text(json.dumps(asdict(says)))
        new.replace(file)
        return snapshot

    Pictures.take = taking  # type: ignore[method-assign]


def _account(account: Any) -> dict[str, Any]:
    return {
        "seen": account.seen,
        "delivered": account.delivered,
        "pending": account.pending,
        "skipped": sum(account.skipped.values()),
        "balanced": account.balanced,
    }


if __name__ == "__main__":
    let_it_tell(Path(sys.argv[1]))
    del sys.argv[1]
    sys.exit(main())
