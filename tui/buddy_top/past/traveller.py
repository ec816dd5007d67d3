"""Where one stands in a finished run, and how time goes on there. No files, no widgets."""

from __future__ import annotations

from buddy_core.clock import Clock
from buddy_core.past.moment import PastMoment
from buddy_core.past.moments import RunMoments

SPEEDS: tuple[int | None, ...] = (1, 4, 16, 64, None)
"""How many times faster than it happened; None: event by event, with waits cut short."""

FIRST_SPEED = 1
"""Which of them it begins with: four times."""

LONGEST_WAIT_MS = 1_000
"""A wait between two events is played no longer than this when it goes event by event."""

TICK_S = 0.25
"""How often the moment moves while it plays: as often as the picture changes under load."""


class Traveller:
    """One journey through the run `run_id`, begun at the time `at_ms`.

    Args:
        clock: Of the present; only its monotonic time is used.
        offset: Where in the run's file the event stands that is begun at; None: only the time counts.
        step: How many events further it is gone at once, when it is known which there are.
    """

    def __init__(
        self, run_id: str, at_ms: int, clock: Clock, *, offset: int | None = None, step: int = 0
    ) -> None:
        self.run_id = run_id
        self.moment = PastMoment(at_ms, run_id)
        self.playing = False
        self.speed = FIRST_SPEED
        self._clock = clock
        self._moments: RunMoments | None = None
        self._offset = offset
        self._step = step
        self._since = 0.0  # monotonic, when playing began at `_from_ms`
        self._from_ms = at_ms

    @property
    def speed_words(self) -> str:
        """`4×`, or that waits are cut short."""
        times = SPEEDS[self.speed]
        return "events, waits cut to 1 s" if times is None else f"{times}×"

    def adopt(self, moments: RunMoments) -> bool:
        """Learn which moments there are; True when it goes on to another moment by that."""
        if moments is self._moments or moments.run_id != self.run_id:
            return False
        first, self._moments = self._moments is None, moments
        if not first or not len(moments):
            return False
        by_now = moments.events_by(self.moment.at_ms)
        if self._offset is None and not self._step:
            return self._stand(PastMoment(self.moment.at_ms, self.run_id, by_now))
        return self.go_to((by_now if self._offset is None else moments.events_to(self._offset)) + self._step)

    def go_to(self, events: int) -> bool:
        """Stand where so many events have happened, or as near as there are; False when that is no news."""
        if self._moments is None or not len(self._moments):
            return False
        return self._stand(self._moments.at(events))

    def step(self, events: int) -> bool:
        """Go on by so many events, or back; playing goes on from there. False at the ends."""
        if self._moments is None:
            self._step += events
            return False
        return self.go_to(self._events + events)

    def go_to_event_at(self, offset: int) -> bool:
        """Stand right behind the event that begins there in the file."""
        return self._moments is not None and self.go_to(self._moments.events_to(offset))

    def play(self) -> None:
        """Let time go on, or stop it; at the end it begins anew."""
        self.playing = not self.playing
        if self.playing and self._moments is not None and self._events >= len(self._moments):
            self._stand(self._moments.at(1))
        self._begin_here()

    def change_speed(self, step: int) -> None:
        """Faster, or slower."""
        self.speed = max(0, min(len(SPEEDS) - 1, self.speed + step))
        self._begin_here()

    def tick(self) -> bool:
        """Go on by the time that has passed; True when the moment is another. At the last event it stops."""
        if not self.playing or self._moments is None:
            return False
        passed, times = self._clock.monotonic_ms() - self._since, SPEEDS[self.speed]
        before = self.moment
        if times is None:
            self._by_events(passed)
        else:
            self._by_time(int(self._from_ms + passed * times))
        self.playing = self._events < len(self._moments)
        return self.moment != before

    @property
    def _events(self) -> int:
        return self.moment.events or 0

    def _by_time(self, at_ms: int) -> None:
        moments = self._moments
        assert moments is not None
        events = max(self._events, moments.events_by(at_ms))
        last = moments.times[-1]
        self.moment = PastMoment(max(self.moment.at_ms, min(at_ms, last)), self.run_id, events)

    def _by_events(self, passed: float) -> None:
        moments = self._moments
        assert moments is not None
        while self._events < len(moments):
            wait = min(LONGEST_WAIT_MS, max(TICK_S * 1000, moments.times[self._events] - self.moment.at_ms))
            if passed < wait:
                return
            passed -= wait
            self.moment = moments.at(self._events + 1)
            self._since += wait

    def _stand(self, moment: PastMoment) -> bool:
        if moment == self.moment:
            return False
        self.moment = moment
        self._begin_here()
        return True

    def _begin_here(self) -> None:
        self._since, self._from_ms = self._clock.monotonic_ms(), self.moment.at_ms
