"""A picture that is held still, with what is opened meanwhile."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from buddy_top.state import Snapshot, Wants


class Looking(msgspec.Struct):
    """What somebody looks at just now: the app's thread says so, the feed's takes its pictures by it."""

    wants: Wants = msgspec.field(default_factory=Wants)
    paused: bool = False
    """The picture is held still."""
    behind: int = 0
    """Changes since it has been."""


def waits(held: Snapshot) -> bool:
    """True when what stands around an error, or in the list of runs, was asked for and is still to be read."""
    around, listing = held.around, held.listing
    return (around is not None and around[1] is None) or (listing is not None and not listing.settled)


def with_detail_of(held: Snapshot, fresh: Snapshot) -> Snapshot:
    """The held picture with what has been opened since; another window of time needs another picture."""
    if (held.wants.window, held.wants.slices) != (fresh.wants.window, fresh.wants.slices):
        return fresh
    return replace(
        held,
        wants=fresh.wants,
        series=fresh.series,
        trends=held.trends if held.wants.trends == fresh.wants.trends else fresh.trends,
        run=fresh.run,
        family=fresh.family,
        listing=fresh.listing,
        names=fresh.names,
        by_id=fresh.by_id,
        numbers=fresh.numbers,
        raw=fresh.raw,
        kept=fresh.kept,
        place=fresh.place,
        around=fresh.around,
        behind=fresh.behind,
        paused=True,
    )
