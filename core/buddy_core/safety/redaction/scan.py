"""All finders over one text, and the mask in the place of what they found.

A text without any hint of a secret is passed over after a few searches for fixed words. Otherwise each
finder names spans of the same text, so none is misled by the mask of another; overlapping spans become one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from buddy_core.safety.redaction.addresses import find_addresses
from buddy_core.safety.redaction.assignments import find_assignments
from buddy_core.safety.redaction.credentials import find_credentials
from buddy_core.safety.redaction.keyblocks import find_key_blocks
from buddy_core.safety.redaction.looks import MASK
from buddy_core.safety.redaction.shapes import Span, find_dotted, find_shapes

_PASSES = 6
"""A mask may bring to light what it stood beside; each pass is linear, and the second finds hardly anything."""

_NAME_HINTS = (
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "auth",
    "cred",
    "cookie",
    "dsn",
    "jwt",
    "otp",
    "sig",
    "sid",
    "conn",
)


def mask_secrets(text: str) -> str:
    """`text` with every secret that is found replaced by the mask; the same object where there is none."""
    for _ in range(_PASSES):
        masked = put_mask(text, _spans(text))
        if masked == text:
            return text
        text = masked
    return text


def put_mask(text: str, spans: Iterable[Span]) -> str:
    """`text` with the mask in the place of each span; spans may overlap and come in any order."""
    ordered = sorted(spans)
    if not ordered:
        return text
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


def _spans(text: str) -> Iterator[Span]:
    low = text.lower()
    if len(text) >= 20:
        yield from find_shapes(text)
        yield from find_dotted(text)
        yield from find_key_blocks(text)
    if "://" in text:
        yield from find_addresses(text)
    if any(hint in low for hint in _NAME_HINTS):
        yield from find_assignments(text)
    yield from find_credentials(text, low)
