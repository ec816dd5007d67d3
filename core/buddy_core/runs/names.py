"""Run ids: `run_<base-36 milliseconds>_<6 hex>`, which is also the name of the run's directory.

The directory's name is the id (promise C7): what a file inside claims about its own id is never used
to find, open or remove anything.
"""

from __future__ import annotations

import os
import re

RUN_ID = re.compile(r"run_([0-9a-z]{1,12})_([0-9a-f]{6})", re.ASCII)
"""Matched against the whole name; anything else in the runs directory is not a run."""

EVENTS_NAME = "events.jsonl"
"""Name of the event file inside a run's directory."""

ARTIFACTS_NAME = "artifacts"
"""Name of the directory of artifacts inside it."""

ID_WIDTH = 24
"""Letters of the longest id, and a space."""

_DAY_MS = 24 * 3_600_000
"""So far ahead of this one's the clock of another machine is believed in."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def is_run_id(name: str) -> bool:
    """True when `name` is a run id and so may name a directory to open."""
    return RUN_ID.fullmatch(name) is not None


def new_run_id(now_ms: int) -> str:
    """A fresh id for a run that starts at `now_ms`; ids sort by start time."""
    return run_id_at(now_ms, os.urandom(3).hex())


def run_id_at(now_ms: int, suffix: str) -> str:
    """The id of a run that starts at `now_ms`, with `suffix` (six hex digits) instead of chance."""
    return f"run_{_base36(max(0, now_ms))}_{suffix}"


def started_at_of(run_id: str) -> int | None:
    """Start in milliseconds since the epoch as encoded in the id; None when it is no run id."""
    match = RUN_ID.fullmatch(run_id)
    return int(match.group(1), 36) if match else None


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if number == 0:
            return digits


def age_key(run_id: str, now_ms: int) -> tuple[int, int, str]:
    """Sorts runs by when they go: the oldest first, and before them those that claim to be from the future."""
    started_at = started_at_of(run_id) or 0
    believed = started_at if started_at <= now_ms + _DAY_MS else 0
    return believed, started_at, run_id
