"""One thing that is not as it should be, in words for a person and with a name for a program."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["problem", "warning", "note"]
"""`problem`: something was lost, or cannot be read or trusted. `warning`: numbers disagree, or a run never ended.
`note`: unusual, and harmless."""


class Finding(NamedTuple):
    """What was found, and what would be done about it."""

    run_id: str | None
    """None for the runs directory itself."""
    severity: Severity
    kind: str
    """The same for the same matter in every run: `torn`, `event_count`, `permissions`, …"""
    message: str
    """A sentence without a full stop; parts of it are observed text and hostile."""
    would: str
    """What would be done, beginning with “would”; nothing is."""
