"""One thing that was looked at, and what came of it."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

State = Literal["ok", "note", "warning", "failed"]
"""Note: worth knowing. Warning: something is less than it could be. Failed: something cannot work."""

STATES: tuple[State, ...] = get_args(State)


class Check(msgspec.Struct, frozen=True):
    """One finding. Its sentences may hold observed text (paths, variables): show them masked."""

    subject: str
    """What it is about: `terminal`, `history`."""
    state: State
    found: str
    """One sentence: what there is."""
    advice: str = ""
    """One sentence: what to do; empty where there is nothing to do."""
