"""The thread that reads the past: one world, gone from moment to moment, the newest wish first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from buddy_core.clock import Clock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.past.moment import PastMoment
from buddy_core.past.moments import RunMoments, read_moments
from buddy_core.past.observer import Cancelled, PastObserver
from buddy_core.past.world import MOST_RUNS, Abandoned, PastWorld
from buddy_core.prices.table import PriceTable


class Standing(NamedTuple):
    """The world at the moment that was asked for; it stays there until another one is."""

    moments: RunMoments
    moment: PastMoment
    observer: PastObserver
    collector: MetricsCollector


class PastReader:
    """Goes where it is asked to, in a thread of its own that ends with `close`.

    Args:
        runs_dir: Where run directories live.
        prices: What requests that state no cost are priced by.
        clock: Of the present.
        arrived: Called from the thread each time a moment was reached, and when it failed.
    """

    def __init__(
        self,
        runs_dir: Path,
        prices: PriceTable | None,
        clock: Clock,
        arrived: Callable[[], None],
        most_runs: int = MOST_RUNS,
    ) -> None:
        self._runs_dir = runs_dir
        self._clock = clock
        self._arrived = arrived
        self._world = PastWorld(runs_dir, prices=prices, clock=clock, most_runs=most_runs)
        self._changed = threading.Condition()
        self._wanted: PastMoment | None = None
        self._standing: Standing | None = None
        self._moments: RunMoments | None = None
        self._failure: BaseException | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="buddy-top past", daemon=True)
        self._thread.start()

    @property
    def moments(self) -> RunMoments | None:
        """Those of the run that was asked for last, as soon as they have been read."""
        return self._moments

    @property
    def on_the_way(self) -> bool:
        """True while the moment that was asked for last is not reached."""
        return self._wanted is not None and self._standing is None

    @property
    def progress(self) -> tuple[int, int]:
        """Runs read on the way, and how many there are."""
        return self._world.progress

    def at(self, moment: PastMoment) -> Standing | None:
        """The world at this moment; None while it is on its way there.

        Nothing moves before the next call, so what it gives may be read in peace until then.
        """
        with self._changed:
            if self._failure is not None:
                raise self._failure
            if self._standing is not None and self._wanted == moment:
                return self._standing
            if self._wanted != moment:
                self._wanted, self._standing = moment, None
                self._changed.notify_all()
        return None

    def close(self) -> None:
        """Let go of everything; a read that has begun is given up at the next run."""
        with self._changed:
            self._closed, self._wanted, self._standing = True, None, None
            self._changed.notify_all()

    def _run(self) -> None:
        while (wanted := self._next()) is not None:
            try:
                standing = self._go(wanted)
            except Abandoned:
                continue
            except BaseException as error:  # noqa: BLE001 - told to whoever asks next, or the picture would wait for ever
                with self._changed:
                    self._failure = error
                self._arrived()
                break
            with self._changed:
                if self._wanted == wanted:
                    self._standing = standing
            self._arrived()
        self._world.close()

    def _next(self) -> PastMoment | None:
        """Wait for a wish that has not been granted; None when it is over."""
        with self._changed:
            while not self._closed and (self._wanted is None or self._standing is not None):
                self._changed.wait()
            return self._wanted

    def _go(self, wanted: PastMoment) -> Standing:
        def given_up() -> bool:
            """Only another run is reason to turn round: who holds a key down wants to see something on the way."""
            now_wanted = self._wanted
            return self._closed or now_wanted is None or now_wanted.run_id != wanted.run_id

        run_id, moments = wanted.run_id or "", self._moments
        if moments is None or moments.run_id != run_id:
            now_ms = self._clock.now_ms()
            moments = self._moments = read_moments(self._runs_dir, run_id, now_ms=now_ms, cancelled=given_up)
        return stand(self._world, moments, wanted, cancelled=given_up)


def stand(
    world: PastWorld, moments: RunMoments, wanted: PastMoment, *, cancelled: Cancelled = bool
) -> Standing:
    """Go to the moment; where only its time is named, to as many events of the run as had happened by then.

    Raises:
        Abandoned: `cancelled` said so.
    """
    if wanted.events is None and len(moments):
        wanted = wanted._replace(events=moments.events_by(wanted.at_ms))
    world.go(wanted, cancelled=cancelled)
    return Standing(moments, wanted, world.observer, world.collector)
