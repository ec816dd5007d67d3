"""Where the numbers about the monitor itself come from."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core import format as fmt
from buddy_core.origins.model import Figure, Origin, kind_of
from buddy_core.selfuse import STATM
from buddy_top.metering.use import MonitorUse, cpu_words, memory_words

_FRAME = "the slowest of the last minute: laying out a picture and drawing it, until it is on its way to the terminal"


def origin_of_use(use: MonitorUse) -> Origin:
    """A page for the card."""
    return Origin(
        title="the monitor itself",
        about="what it uses",
        span="measured every two seconds while it is shown, and not at all while it is not",
        figures=tuple(_figures(use)),
        files=(f"{STATM} (memory now)", "clock_gettime(2) and getrusage(2) of this process"),
        missing=("what other programs use: a pager, an editor, a test that runs again, the terminal",),
    )


def _figures(use: MonitorUse) -> Iterator[Figure]:
    over = "over no time yet" if use.cpu_over_ms is None else f"over the last {fmt.duration(use.cpu_over_ms)}"
    share = cpu_words(use).removeprefix("cpu").strip()
    how = f"processor time of all threads as a share of one core, {over}"
    yield Figure("cpu", "cpu", share, kind_of(use.cpu_percent, otherwise="derived"), how)
    so_far = "processor time since the program began"
    yield Figure("cpu_ms", "  so far", str(fmt.duration(use.cpu_ms)), "measured", so_far)
    yield _memory(use)
    most = "the most that was ever resident"
    peak = str(fmt.bytes_(use.peak_memory_bytes))
    yield Figure("peak", "  peak", peak, kind_of(use.peak_memory_bytes, otherwise="measured"), most)
    yield _took("frame", use.slowest_frame_ms, _FRAME)
    yield _took("picture", use.picture_ms, "making the last picture's numbers, in the thread that reads")
    yield _counted("queue", use.queue_depth, "runs whose files have grown and wait to be read")
    refused = "values that were read, made no sense (NaN, below zero), and are in no number"
    yield _counted("dropped", use.dropped_events, refused)


def _memory(use: MonitorUse) -> Figure:
    how = "resident now" if use.memory_bytes is not None else "not told on this system: at most the peak"
    return Figure(
        "memory", "memory", str(memory_words(use)), kind_of(use.memory_bytes, otherwise="measured"), how
    )


def _took(name: str, ms: float | None, how: str) -> Figure:
    return Figure(name, name, str(fmt.duration(ms)), kind_of(ms, otherwise="measured"), how)


def _counted(name: str, value: int | None, how: str) -> Figure:
    return Figure(name, name, str(fmt.count(value)), kind_of(value, otherwise="measured"), how)
