"""What the monitor uses, as words for its header."""

from __future__ import annotations

from buddy_core import format as fmt
from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Span
from buddy_top.metering.use import MonitorUse, cpu_words, memory_words


def use_spans(use: MonitorUse) -> tuple[Span, ...]:
    """Every number with its name, the most telling first; a drop moves ahead of what is merely slow."""
    dropped = Span(Plain(f"dropped {fmt.count(use.dropped_events)}"), "warn" if use.dropped_events else "dim")
    times = (
        Span(Plain(f"frame {fmt.duration(use.slowest_frame_ms):>6}"), "label"),
        Span(Plain(f"picture {fmt.duration(use.picture_ms):>6}"), "dim"),
        Span(Plain(f"queue {fmt.count(use.queue_depth)}"), "dim"),
    )
    rest = (dropped, *times) if use.dropped_events else (*times, dropped)
    return (Span(cpu_words(use), "label"), Span(memory_words(use), "label"), *rest)
