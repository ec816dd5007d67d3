"""Finding a row again by its key, among any number of rows. Pure function."""

from __future__ import annotations

from collections.abc import Sequence

NEARBY = 200
"""Rows on either side of its old place where a key is looked for before all keys are."""


def find_key(keys: Sequence[str], key: str, near: int) -> int | None:
    """Index of `key`, or None. Rows rarely move far, so the surroundings of `near` are looked at first.

    Keys that are no list may know a shorter way: they have a `find_key` of their own.
    """
    shorter = getattr(keys, "find_key", None)
    if shorter is not None:
        found: int | None = shorter(key)
        return found
    start = max(near - NEARBY, 0)
    for index in range(start, min(near + NEARBY, len(keys))):
        if keys[index] == key:
            return index
    try:
        return keys.index(key)
    except ValueError:
        return None
