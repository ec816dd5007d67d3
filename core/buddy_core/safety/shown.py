"""Observed text on its way to a person's eyes: secrets masked (promise C11), then made printable (C5).

What was recorded stays in its private files as it is; whoever needs a secret back reads it there.
"""

from __future__ import annotations

from functools import lru_cache

from buddy_core.safety.text import Plain, plain, plain_lines

MARGIN = 1_000
"""Characters looked at beyond those shown, so that a secret cut off at the edge is known for one."""

_CACHED = 4_096
"""Texts remembered, and the most characters of each: screens and lists show the same ones again and again."""


def shown(text: object, *, limit: int = 2000) -> Plain:
    """`text` on one line as `plain` makes it, without its secrets."""
    return plain(_masked(_beginning(text, limit)), limit=limit)


def shown_lines(
    text: object, *, limit_lines: int = 2000, limit_width: int = 2000, tab: int = 4
) -> list[Plain]:
    """`text` of several lines as `plain_lines` makes them, without its secrets."""
    whole = text if isinstance(text, str) else str(plain(text))
    return plain_lines(_masked(whole), limit_lines=limit_lines, limit_width=limit_width, tab=tab)


def _beginning(text: object, limit: int) -> str:
    if isinstance(text, str):
        return text if len(text) <= limit + MARGIN else text[: limit + MARGIN]
    return plain(text, limit=limit)


def _masked(text: str) -> str:
    return _remembered(text) if len(text) <= _CACHED else _fresh(text)


def _fresh(text: str) -> str:
    from buddy_core.safety.redact import redact  # a list of runs without objectives does not need it

    return redact(text)


_remembered = lru_cache(maxsize=_CACHED)(_fresh)
