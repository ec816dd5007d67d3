"""What the monitor itself uses, in its own header: switched on and off, and nothing at all while it is off."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from buddy_core.safety.text import Plain
from buddy_top.messages import UseTaken
from buddy_top.widgets.frame.header import USE

if TYPE_CHECKING:
    from buddy_core.origins.model import Origin
    from buddy_top.drawing.cells import Span
    from buddy_top.frame.stage import Stage
    from buddy_top.metering.frames import FrameTimes
    from buddy_top.metering.use import MonitorUse


class OwnUse:
    """Belongs to one stage; `now` is there while it is shown and has been measured."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._use: MonitorUse | None = None
        self._frames: FrameTimes | None = None
        self._is_new = False

    @property
    def shown(self) -> bool:
        """True while it is measured."""
        return self._frames is not None

    @property
    def now(self) -> MonitorUse | None:
        """The last measurement, with the slowest frame of the last minute."""
        if self._use is None or self._frames is None:
            return None
        return replace(self._use, slowest_frame_ms=self._frames.slowest_ms)

    @property
    def spans(self) -> tuple[Span, ...]:
        """For the header; empty while there is nothing to show."""
        use = self.now
        if use is None:
            return ()
        from buddy_top.metering.spans import use_spans

        return use_spans(use)

    def toggle(self) -> None:
        """Show it, or show it no more."""
        self.show(not self.shown)
        if self.shown:
            self._is_new = True
        else:
            self._stage.footer.say(Plain("the monitor does not measure itself any more"))

    def show(self, shown: bool) -> None:
        """Begin to measure, or end it."""
        self._use, self._frames = None, self._new_frames() if shown else None
        self._stage.root.frames = self._frames
        self._stage.feed.meter(self._tell if shown else None)
        self._stage.show_header()

    def arrived(self, use: MonitorUse) -> None:
        """Show a measurement; where the header has no room for it, the footer says it once."""
        if self._frames is None:
            return
        self._use = use
        stage = self._stage
        stage.show_header()
        if self._is_new and stage.snapshot is not None:
            self._is_new = False
            said = "the monitor itself, in the header; i explains it"
            if not stage.header.has(USE):
                said = f"no room in the header: {'  '.join(span.text for span in self.spans[:3])}"
            stage.footer.say(Plain(said))

    def preparing(self) -> contextlib.AbstractContextManager[None]:
        """What happens inside is counted with the next frame, if frames are timed."""
        return contextlib.nullcontext() if self._frames is None else self._frames.preparing()

    def origins(self) -> list[Origin]:
        """A page about these numbers, for the card that says where numbers come from."""
        if self.now is None:
            return []
        from buddy_top.metering.origin import origin_of_use

        return [origin_of_use(self.now)]

    def _new_frames(self) -> FrameTimes:
        from buddy_top.metering.frames import FrameTimes

        return FrameTimes(self._stage.options.clock)

    def _tell(self, use: MonitorUse) -> None:
        self._stage.post_message(UseTaken(use))
