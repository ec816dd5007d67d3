"""The numbers of one run over its time, up to a moment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_core.past.moment import PastMoment
from buddy_core.past.observer import PastTurns
from buddy_core.past.run import PastEvents
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.folding.turns import TURN_METRICS
from buddy_core.runs.numbers.runnumbers import RunNumbers
from buddy_core.safety.paths import real_root
from buddy_top.reading.numbers_reader import NumbersReader

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable


class PastNumbers:
    """Reads on as long as the moment goes forward in the same run, and anew where it does not.

    Where model requests stand in a file of their own it reads anew each time: whose they are may have changed.
    """

    def __init__(self, runs_dir: Path, prices: PriceTable | None, clock: Clock) -> None:
        self._runs_dir = runs_dir
        self._prices = prices
        self._clock = clock
        self._at = PastMoment(0)
        self._run_id = ""
        self._sources: tuple[NumbersReader, PastEvents, PastTurns] | None = None

    async def read(self, run: RunFacts, every: Sequence[RunFacts], moment: PastMoment) -> RunNumbers:
        """The numbers of `run` as of the moment; `every` run of then tells whose the turns are."""
        back = moment.at_ms < self._at.at_ms or (moment.events or 0) < (self._at.events or 0)
        if self._sources is None or run.run_id != self._run_id or back or self._sources[2].present:
            self._begin(run)
        assert self._sources is not None
        self._at = moment
        reader, events, turns = self._sources
        events.advance(moment.at_ms, moment.events if moment.run_id == run.run_id else None)
        turns.advance(moment.at_ms)
        numbers = await reader.read(run, every, moment.at_ms)
        while reader.more:
            numbers = await reader.read(run, every, moment.at_ms)
        return numbers

    def close(self) -> None:
        """Let go of what was read."""
        if self._sources is not None:
            self._sources[0].close()
            self._sources = None

    def _begin(self, run: RunFacts) -> None:
        self.close()
        self._run_id, now_ms = run.run_id, self._clock.now_ms()
        events = PastEvents(real_root(self._runs_dir), run.run_id, now_ms)
        turns = PastTurns(self._runs_dir.parent / TURN_METRICS, now_ms)
        reader = NumbersReader(self._runs_dir, run, self._prices, events=events, turns=turns)
        self._sources = reader, events, turns
