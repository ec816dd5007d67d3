"""The way into the past and back: what the keys of time travel do to the screen.

Everything that reads or counts is loaded when somebody sets out, and let go when they are back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from buddy_core.safety.text import Plain
from buddy_top.state import Snapshot

if TYPE_CHECKING:
    from textual.timer import Timer

    from buddy_core.past.moment import PastMoment
    from buddy_top.frame.stage import Stage
    from buddy_top.past.traveller import Traveller

HINT = Plain("◷ esc: now")
"""At the end of the line of tabs."""


class Journey:
    """Belongs to one stage; `traveller` is there while somebody is in the past or about to be."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.traveller: Traveller | None = None
        self._present: Snapshot | None = None
        self._ticking: Timer | None = None

    @property
    def moment(self) -> PastMoment | None:
        """What the feed is asked for; None for the present."""
        return None if self.traveller is None else self.traveller.moment

    @property
    def playing(self) -> str:
        """How fast time goes on, in words; empty while it stands still."""
        traveller = self.traveller
        return traveller.speed_words if traveller is not None and traveller.playing else ""

    def step(self, events: int) -> None:
        """Go by so many events, setting out from the run on the screen if need be."""
        if self.traveller is None:
            self._set_out(events)
        elif self.traveller.step(events):
            self._moved()

    def play(self) -> None:
        """Let time go on, or stop it."""
        if self.traveller is None:
            self._set_out(0)
        if self.traveller is not None:
            self.traveller.play()
            self._keep_time()
            self._moved()

    def change_speed(self, step: int) -> None:
        """Faster or slower."""
        if self.traveller is not None:
            self.traveller.change_speed(step)
            self._stage.footer.say(Plain(f"plays at {self.traveller.speed_words}"))
            self._stage.draw()

    def go_to_event_at(self, offset: int) -> None:
        """Go to the event that begins there in the file of the run."""
        if self.traveller is not None and self.traveller.go_to_event_at(offset):
            self._moved()

    def open_run(self, run_id: str) -> None:
        """Another run is on the screen: from now on its events are stepped through, from the same moment on."""
        before = self.traveller
        if before is not None and before.run_id != run_id:
            self._begin(run_id, before.moment.at_ms)

    def end(self) -> bool:
        """Back to the present, at once with the last picture of it; False for who is there already."""
        if self.traveller is None:
            return False
        self.traveller = None
        self._keep_time()
        stage = self._stage
        if self._present is not None:
            stage.snapshot = self._present
        stage.show_time()
        stage.draw()
        stage.post_wants()
        return True

    def arrived(self, snapshot: Snapshot) -> Snapshot | None:
        """The picture as it is to be drawn; None for one of a past that has been left."""
        if snapshot.past is None:
            self._present = snapshot
            return snapshot
        traveller = self.traveller
        if traveller is None:
            return None
        if traveller.adopt(snapshot.past.moments):
            self._stage.post_wants()
        return self._as_of(snapshot)

    def tick(self) -> None:
        """Time goes on while it plays."""
        if self.traveller is not None and self.traveller.tick():
            self._moved()
        self._keep_time()

    def _set_out(self, step: int) -> None:
        page, snapshot = self._stage.run_page, self._stage.snapshot
        if page is None or snapshot is None or page.run_id not in snapshot.by_id:
            return
        self._present = snapshot
        run, place = snapshot.by_id[page.run_id], page.detail.timeline.event_at_cursor
        if place is None:
            self._begin(run.run_id, run.last_event_at or snapshot.taken_at, step=step)
        else:
            self._begin(run.run_id, place[0], offset=place[1], step=step)

    def _begin(self, run_id: str, at_ms: int, *, offset: int | None = None, step: int = 0) -> None:
        from buddy_top.past.traveller import Traveller

        clock = self._stage.options.clock
        self.traveller = Traveller(run_id, at_ms, clock, offset=offset, step=step)
        self._stage.show_time()
        self._stage.post_wants()

    def _moved(self) -> None:
        """Show at once where one stands; the numbers follow as soon as they have been read."""
        stage = self._stage
        if stage.snapshot is not None and stage.snapshot.past is not None:
            stage.snapshot = self._as_of(stage.snapshot)
            stage.draw()
        stage.post_wants()

    def _as_of(self, snapshot: Snapshot) -> Snapshot:
        """The picture with the moment one stands at, and whether its numbers are those of an earlier one."""
        past, moment = snapshot.past, self.moment
        if past is None or moment is None or past.moment == moment or moment.events is None:
            return snapshot
        return replace(snapshot, past=replace(past, moment=moment, reading=past.reading or (0, 0)))

    def _keep_time(self) -> None:
        from buddy_top.past.traveller import TICK_S

        playing = self.traveller is not None and self.traveller.playing
        if playing and self._ticking is None:
            self._ticking = self._stage.set_interval(TICK_S, self.tick)
        elif not playing and self._ticking is not None:
            self._ticking.stop()
            self._ticking = None
            self._stage.draw()
