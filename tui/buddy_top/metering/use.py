"""One measurement of the monitor by itself, and how it is written."""

from __future__ import annotations

import msgspec

from buddy_core import format as fmt
from buddy_core.safety.text import Plain
from buddy_core.selfuse import process_use


class MonitorUse(msgspec.Struct, frozen=True):
    """What the monitor uses. None is what nobody has measured, or what the system does not say."""

    cpu_ms: float
    """Processor time since the program began, all threads."""
    cpu_percent: float | None = None
    """Of one core, over `cpu_over_ms`."""
    cpu_over_ms: float | None = None
    memory_bytes: int | None = None
    """Resident now."""
    peak_memory_bytes: int | None = None
    queue_depth: int | None = None
    """Runs whose files have grown and wait to be read."""
    dropped_events: int | None = None
    """Values that were read, made no sense, and are in no number."""
    slowest_frame_ms: float | None = None
    """The longest that drawing one picture has taken, of the last minute; None without a screen."""
    picture_ms: float | None = None
    """How long the last picture of the numbers took to make, on its way to the screen."""


def own_use(*, queue_depth: int | None, dropped_events: int | None, picture_ms: float | None) -> MonitorUse:
    """One look at this process, without the last seconds: where nobody measured while it ran."""
    found = process_use()
    return MonitorUse(
        cpu_ms=found.cpu_ms,
        memory_bytes=found.memory_bytes,
        peak_memory_bytes=found.peak_memory_bytes,
        queue_depth=queue_depth,
        dropped_events=dropped_events,
        picture_ms=picture_ms,
    )


def cpu_words(use: MonitorUse) -> Plain:
    """`cpu  0.8 %`: always as wide, so that nothing beside it moves."""
    value = use.cpu_percent
    told = f"{fmt.UNKNOWN:>4}" if value is None else f"{value:4.1f}" if value < 99.95 else f"{value:4.0f}"
    return Plain(f"cpu {told} %")


def memory_words(use: MonitorUse) -> Plain:
    """`88.3 MB`; `≤ 91.0 MB` where only the most that ever was is known."""
    if use.memory_bytes is not None or use.peak_memory_bytes is None:
        return fmt.bytes_(use.memory_bytes)
    return Plain(f"≤ {fmt.bytes_(use.peak_memory_bytes)}")
