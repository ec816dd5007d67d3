"""All finders over one text, and the mask in the place of what they found.

A text without any hint of a secret is passed over after a few searches for fixed words. Otherwise each
finder names spans of the same text, so none is misled by the mask of another; overlapping spans become one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from buddy_core.safety.redaction.addresses import find_addresses
from buddy_core.safety.redaction.assignments import HINTS, HINTS_TO_SIGN, find_assignments
from buddy_core.safety.redaction.credentials import COMMANDS, find_credentials
from buddy_core.safety.redaction.encoded import find_encoded
from buddy_core.safety.redaction.keyblocks import find_key_blocks
from buddy_core.safety.redaction.links import find_in_links
from buddy_core.safety.redaction.looks import MASK
from buddy_core.safety.redaction.shapes import (
    Span,
    find_dotted,
    find_shapes,
    long_runs,
    without_escapes,
)

_PASSES = 6
"""A mask may bring to light what it stood beside; each pass is linear, and the second finds hardly anything."""


_SHORTEST = 7
_SHORT = 2_000
"""Texts up to here are first searched for anything at all; longer ones hold some hint nearly always."""


def mask_secrets(text: str) -> str:
    """`text` with every secret that is found replaced by the mask; the same object where there is none."""
    if len(text) < _SHORTEST:
        return text
    for _ in range(_PASSES):
        masked = put_mask(text, list(_spans(text)))
        if masked == text:
            return text
        text = masked
    return text


def put_mask(text: str, spans: list[Span]) -> str:
    """`text` with the mask in the place of each span; spans may overlap and come in any order."""
    if not spans:
        return text
    ordered = sorted(spans)
    parts: list[str] = []
    done = 0
    for begin, end in ordered:
        if end <= done or begin == end:
            continue
        if begin >= done:
            parts += (text[done:begin], MASK)
        done = end
    parts.append(text[done:])
    return "".join(parts)


def _spans(text: str, *, codes: bool = True, links: bool = True) -> Iterator[Span]:
    """Where there is a secret; also inside base64 (`codes`) and inside what links spell with `%` (`links`)."""
    low = lower(text)
    flat = without_escapes(text)
    runs = long_runs(flat)
    if runs:
        joined = "\n".join(runs)
        yield from find_shapes(flat, joined)
        yield from find_dotted(flat, joined)
        yield from find_encoded(flat, _holds_secret) if codes else ()
        yield from find_in_links(flat, _spans_of_link) if links else ()
    if len(text) > _SHORT or _has_hint(low):
        yield from find_key_blocks(text)
        yield from find_addresses(text)
        yield from find_assignments(text, low)
        yield from find_credentials(text, low)


def _spans_of_link(text: str) -> Iterator[Span]:
    return _spans(text, codes=False, links=False)


def _holds_secret(text: str) -> bool:
    return any(begin < end for begin, end in _spans(text, codes=False))


def _has_hint(low: str) -> bool:
    """Is any of the words there without which only the shape of a long run could give a secret away?"""
    for word in _hints():  # one by one: three times as fast as an expression of them all  # noqa: SIM110
        if word in low:
            return True
    return False


@cache
def _hints() -> tuple[str, ...]:
    """Without words that hold another of them."""
    others = ("://", "basic", "login", "private key", "private-lines")
    found = {*HINTS, *HINTS_TO_SIGN, *COMMANDS, *others}
    return tuple(word for word in found if not any(other in word for other in found - {word}))


def lower(text: str) -> str:
    """`text` in small letters, each in its place: one capital letter of Unicode would become two."""
    low = text.lower()
    return low if len(low) == len(text) else text.replace("\u0130", "i").lower()
