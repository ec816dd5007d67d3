"""What a collector tells of: the events there are, by name, and what each carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from buddy_core.metrics.model import ApiRequest, ErrorRecord, SessionMetrics, ToolExecution

EventName = Literal[
    "metric", "api:request", "tool:executed", "error", "session:started", "session:ended", "reset"
]

EVENT_NAMES: tuple[EventName, ...] = get_args(EventName)
"""Every name there is."""


@dataclass(frozen=True, slots=True)
class MetricRecorded:
    """A value was recorded; the payload of `metric`."""

    name: str
    """`history` when a whole batch was absorbed; the value is then the number of its items."""
    timestamp: int
    value: float
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CollectorReset:
    """Everything was set back to nothing; the payload of `reset`."""

    timestamp: int


Payload = MetricRecorded | ApiRequest | ToolExecution | ErrorRecord | SessionMetrics | CollectorReset


@dataclass(frozen=True, slots=True)
class CollectorEvent:
    """One thing that happened, under the name it can be subscribed to."""

    name: EventName
    payload: Payload


def checked_name(name: object) -> EventName:
    """`name` if there are events of that name; raises `ValueError` for any other, which would never be heard."""
    for known in EVENT_NAMES:
        if name == known:
            return known
    raise ValueError(f"there is no event {name!r}; there are {', '.join(EVENT_NAMES)}")
