"""Names against patterns: `*` is any text, `?` any one character, everything else itself."""

from __future__ import annotations

from collections.abc import Callable

from buddy_core.runs.query.candidate import fold
from buddy_core.runs.query.model import NameField, Pattern

Test = Callable[[str], bool]
"""Is this folded name meant?"""


def name_test(field: NameField, pattern: Pattern) -> Test:
    """What a field asks of one name, folded: a whole name, a part of a model's, the beginning of an id."""
    wanted = fold(pattern.text)
    if pattern.glob:
        return lambda name: glob_fits(wanted, name)
    if field == "model":
        return lambda name: wanted in name
    if field == "id":
        starts = (wanted, f"run_{wanted}")
        return lambda name: name.startswith(starts)
    return lambda name: name == wanted


def glob_fits(pattern: str, name: str) -> bool:
    """True when the whole of `name` fits; the time is bounded by the product of both lengths.

    The last star met takes one character more whenever what follows it does not fit: earlier stars never
    need to be tried again.
    """
    at, place, star, restart = 0, 0, -1, 0
    while place < len(name):
        sign = pattern[at] if at < len(pattern) else ""
        if sign == "*":
            star, restart = at, place
            at += 1
        elif sign and sign in ("?", name[place]):
            at += 1
            place += 1
        elif star >= 0:
            restart += 1
            at, place = star + 1, restart
        else:
            return False
    return not pattern[at:].strip("*")
