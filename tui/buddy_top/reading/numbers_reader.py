"""Reads the events of the run on the screen for its numbers over time, on its own and only while they are looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.metrics.model import ApiRequest
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.folding.observed import EVENTS, EventSource
from buddy_core.runs.folding.turnfile import TurnFile
from buddy_core.runs.folding.turns import JOIN_MARGIN_MS, TURN_METRICS, TurnBook, span_of
from buddy_core.runs.names import started_at_of
from buddy_core.runs.numbers.runnumbers import NumbersFold, RunNumbers
from buddy_core.runs.reading.garbage import without_collection
from buddy_core.runs.reading.tail import Tail
from buddy_core.runs.records.typed import TYPED_EVENTS
from buddy_core.safety.paths import real_root

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

PIECE_BYTES = 512 * 1024
PIECES = 4
"""Pieces between two pictures."""


class NumbersReader:
    """Follows one run. Not thread-safe: it lives in the feed's thread.

    Args:
        runs_dir: The directory of runs that it lies in.
        run: The run as it is now; only its id and its start are kept.
        events: Where its events come from; its file as it grows unless given.
        turns: The same of the turns.
    """

    def __init__(
        self,
        runs_dir: Path,
        run: RunFacts,
        prices: PriceTable | None,
        *,
        events: EventSource | None = None,
        turns: TurnFile | None = None,
    ) -> None:
        self.run_id = run.run_id
        self.place = runs_dir, run.run_id
        self.more = True
        """There is more to read at once: ask again soon."""
        self._started_at = run.started_at or started_at_of(run.run_id) or 0
        self._prices = prices
        self._tail = events or Tail(
            real_root(runs_dir), run.run_id, EVENTS, dialect=TYPED_EVENTS, places=False
        )
        self._turn_file = turns or TurnFile(runs_dir.parent / TURN_METRICS)
        self._turns: list[ApiRequest] = []
        self._fold = self._new_fold()

    async def read(self, run: RunFacts, every: Iterable[RunFacts], now_ms: int) -> RunNumbers:
        """Read on; `every` run there is tells whose the turns are."""
        for _ in range(PIECES):
            with without_collection():
                change = self._tail.poll(PIECE_BYTES)
                if change.reset:
                    self._fold = self._new_fold()
                    self._fold.add_turns(self._turns)
                self._fold.feed(change.batch, now_ms=now_ms)
            self.more = change.more
            if not self.more:
                self._read_turns(every)
                break
            await asyncio.sleep(0)
        if self.more:  # what has not been read yet is no silence
            return self._fold.numbers(until=0, live=False, reading=True)
        until = now_ms if run.live else run.ended_at or run.last_event_at or 0
        return self._fold.numbers(until=until, live=run.live)

    def close(self) -> None:
        """Let go of the files."""
        self._tail.close()
        self._turn_file.close()

    def _new_fold(self) -> NumbersFold:
        return NumbersFold(self.run_id, self._started_at, self._prices)

    def _read_turns(self, every: Iterable[RunFacts]) -> None:
        """Turns that were added to their file, as far as they are this run's and nobody else's."""
        found, self.more = self._turn_file.read()
        near = [turn for turn in found if turn.at_ms >= self._started_at - JOIN_MARGIN_MS]
        if not near:
            return
        joined = TurnBook().enter(near, map(span_of, every))
        own = [turn for turn in joined if turn.run_id == self.run_id]
        self._turns += own
        self._fold.add_turns(own)
