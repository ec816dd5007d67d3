"""How the screen was left, for the next time: a small file that nobody needs and nobody has to trust."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from buddy_top.config.schema import BY_NAME, BadValue, Value
from buddy_top.options import TABS

MAX_BYTES = 64 * 1024
_REMEMBERED = ("tab", "window", "theme", "meter")


class Remembered(msgspec.Struct, frozen=True):
    """What a screen is opened with again."""

    values: Mapping[str, Value] = msgspec.field(default_factory=dict)
    """Of the settings tab, window, theme and meter, those that were chosen on the screen."""
    orders: Mapping[str, tuple[str, bool]] = msgspec.field(default_factory=dict)
    """By tab: the column its table was sorted by, and whether the largest came first."""


def load(path: Path) -> Remembered:
    """What the file says; nothing when it is absent, damaged or odd."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        tree = json.loads(data[:MAX_BYTES])
        if isinstance(tree, dict):
            return Remembered(_values(tree), _orders(tree.get("orders")))
    return Remembered()


def save(path: Path, remembered: Remembered) -> bool:
    """Replace the file, private to the user; False where that cannot be, which harms nobody."""
    tree = {**remembered.values, "orders": {tab: list(order) for tab, order in remembered.orders.items()}}
    import tempfile

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd, temporary = tempfile.mkstemp(prefix=".screen-", dir=path.parent)
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                json.dump(tree, file)
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError:
        return False
    return True


def _values(tree: Mapping[str, Any]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name in _REMEMBERED:
        with contextlib.suppress(BadValue):
            if name in tree:
                values[name] = BY_NAME[name].parse(tree[name])
    return values


def _orders(found: object) -> dict[str, tuple[str, bool]]:
    if not isinstance(found, dict):
        return {}
    return {
        tab: (order[0], order[1])
        for tab, order in found.items()
        if tab in TABS
        and isinstance(order, list)
        and len(order) == 2
        and isinstance(order[0], str)
        and isinstance(order[1], bool)
    }
