"""What one picture of the dashboard shows, read at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from buddy_core.metrics.looking.model import Activity, DashboardState, WindowView
from buddy_core.metrics.model import ErrorRecord, SessionMetrics


@dataclass(frozen=True, slots=True)
class Glance:
    """Everything one picture shows, read at one moment."""

    now_ms: int
    state: DashboardState
    view: WindowView
    """Everything recorded."""
    session: SessionMetrics | None
    errors: Sequence[ErrorRecord]
    """The newest, oldest of them first."""
    activity: Activity | None
    """The last minutes in slices, for the sparklines; None leaves them out."""
