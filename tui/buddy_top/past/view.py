"""What a picture of the past says of itself: which moment of which run it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from buddy_core.past.moment import PastMoment
    from buddy_core.past.moments import RunMoments


class PastView(msgspec.Struct, frozen=True):
    """The moment that is shown, or that is being gone to."""

    moment: PastMoment
    moments: RunMoments
    """All moments of the run that is travelled through."""
    reading: tuple[int, int] | None = None
    """Runs read and runs there are, while the numbers of this moment are still being read; None: here they are."""

    @property
    def run_id(self) -> str:
        """The run that is travelled through."""
        return self.moments.run_id

    @property
    def events(self) -> int:
        """How many of its events have happened."""
        known = self.moment.events
        return self.moments.events_by(self.moment.at_ms) if known is None else known

    @property
    def total(self) -> int:
        """How many there are in all."""
        return len(self.moments)

    @property
    def end(self) -> int | None:
        """Where in its file the events begin that came later, in bytes; None when none did."""
        return self.moments.end_of(self.events)
