"""Lines of the list of runs that somebody knows better than the catalog does."""

from __future__ import annotations

from typing import NamedTuple


class KnownRun(NamedTuple):
    """A run of which somebody knows more than the catalog, as a line of the list: it takes the place of its row."""

    run_id: str
    value: float | str | None
    """What it is ordered by: as the column of the sort key, None where that is not known or it is the start."""
    age: int
    """Its start, as far as that is believed (`roster.age_of`)."""
    on_top: bool = False
    """Above all others, whatever the order."""
