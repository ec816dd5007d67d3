"""Following `turn-metrics.jsonl`, also when it is replaced or begins anew: each turn is handed out once."""

from __future__ import annotations

from pathlib import Path

from buddy_core.metrics.model import ApiRequest
from buddy_core.runs.folding.seen import SeenRecords
from buddy_core.runs.folding.turns import TurnDialect, turn_requests
from buddy_core.runs.reading.accounting import Accounting
from buddy_core.runs.reading.tail import Tail
from buddy_core.runs.records.payloads import TurnLine
from buddy_core.safety.paths import real_root, stat_beneath


class TurnFile:
    """The model requests in the file `path`, which need not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._root = real_root(path.parent)
        self._tail: Tail[TurnLine] = Tail(self._root, None, path.name, dialect=TurnDialect())
        self._seen = SeenRecords()
        self._last_at = 0

    @property
    def present(self) -> bool:
        """True while the file is there."""
        try:
            stat_beneath(self._root, self.path.name)
        except OSError:
            return False
        return True

    @property
    def accounting(self) -> Accounting:
        """What of the file could not be read."""
        return self._tail.accounting

    def read(self) -> tuple[list[ApiRequest], bool]:
        """The next turns never handed out before, not joined to runs yet, and whether more are waiting."""
        change = self._tail.poll()
        if change.reset:
            self._seen.restart()
        turns = change.batch.events
        fresh = self._seen.sift(change.batch.identities)
        if fresh is not None:
            turns = [turn for turn, new in zip(turns, fresh, strict=True) if new]
        requests = turn_requests(turns, after=self._last_at)
        if requests:
            self._last_at = requests[-1].at_ms
        return requests, change.more

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()
