"""What the thread that reads runs hands to the thread that stores them."""

from __future__ import annotations

from typing import NamedTuple

from buddy_core.history.contribution import Contribution, StoredUsage
from buddy_core.metrics.counting.grains import EARLIEST_AT
from buddy_core.metrics.recording.checks import LATEST_AT
from buddy_core.runs.folding.observed import Signature


class Piece(NamedTuple):
    """More of a run than was stored before, as it was counted."""

    run_id: str
    found: Contribution
    signature: Signature
    """Of the events up to this piece; of an `opening` one that is not the `last`, of the whole file."""
    opening: bool = False
    """The run has been read from its beginning: what was stored of it goes, unless it is the very same."""
    initial: bool = False
    """Part of the first reading of a file."""
    last: bool = False
    """The end of that reading."""
    ended: bool = False
    """Nothing more is expected of the run."""


class Beyond(NamedTuple):
    """What a run used beyond its requests, as of now."""

    run_id: str
    usage: StoredUsage


class Turns(NamedTuple):
    """Requests of `turn-metrics.jsonl` that are not stored yet."""

    found: Contribution


Job = Piece | Beyond | Turns


def size_of(job: Job) -> int:
    """Items that wait with this job."""
    return 1 if isinstance(job, Beyond) else 1 + len(job.found)


def span_of(found: Contribution) -> tuple[int | None, int | None]:
    """The earliest and the latest time anybody can believe; Nones where there is none."""
    times = [at for column in found.tools.values() for at in column.at_ms]
    times += [row[0] for rows in found.rows.values() for row in rows]
    times += [error.timestamp for error in found.errors]
    times += [value.at_ms for value in found.values.values()]
    dated = [at for at in times if EARLIEST_AT <= at < LATEST_AT]
    return (min(dated), max(dated)) if dated else (None, None)
