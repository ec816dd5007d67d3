"""From where on something is too much. Nothing is imported here: a command line reads the defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What the rules compare with; money is US dollars."""

    stalled: bool = True
    """Tell of runs without an event for ten minutes (`runs.liveness.STALLED_AFTER_MS`)."""
    error_calls: int = 10
    """So many calls within a quarter of an hour at least, before a rate of errors says anything."""
    error_percent: float = 30.0
    """More of them than this failed."""
    cost_per_hour: float | None = None
    """Budget for any sixty minutes; None sets none."""
    cost_per_day: float | None = None
    """Budget for any twenty-four hours; None sets none."""
    repeats: int = 4
    """So many calls in a row that are the same in all, their results included."""
    wait_ms: int = 60_000
    """A call that waits no longer than this is never too slow."""
    wait_factor: float = 3.0
    """Too slow is what takes so many times the longest that this tool ever took."""
    wait_known: int = 5
    """So many calls with a known duration at least, before "the longest ever" says anything."""

    def wait_limit_ms(self, longest_ms: float) -> float:
        """How long a call may wait, of a tool whose longest call took `longest_ms`."""
        return max(float(self.wait_ms), self.wait_factor * longest_ms)
