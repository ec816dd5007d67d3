"""Signatures of short runs: which groups of six letters occur in their words, in some hundred bytes.

The full-text index knows groups of three, which say little of a text made of common parts: a run that has `login_test`
and `search_module` may have all of `login_module`. A signature is a Bloom filter of longer groups. It may claim
too much, never too little, no text can be read in it, and it spares the opening of most files for nothing.
Longer runs have none: there are fewer of them, and making theirs would take longer than indexing does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce
from operator import or_
from zlib import crc32

WIDTHS = ((900, 256), (4_000, 1_024))
"""Characters of different words up to which a signature has so many bytes: two of three bits are left free."""

_GROUP = 6
_WORD = re.compile(r"[a-z0-9_]{6,}", re.ASCII)
_MANY_WORDS = 10_000


class Signer:
    """Makes signatures, and remembers what it reckoned for words that come again."""

    def __init__(self) -> None:
        self._known: dict[int, dict[bytes, int]] = {width: {} for _, width in WIDTHS}

    def signature(self, words: str) -> bytes | None:
        """Of all the different words of a run, in small letters with spaces between; None for too many of them."""
        width = next((width for most, width in WIDTHS if len(words) <= most), None)
        if width is None:
            return None
        known, bits = self._known[width], 0
        for word in words.encode().split():
            mask = known.get(word)
            if mask is None:
                if len(known) >= _MANY_WORDS:
                    known.clear()
                known[word] = mask = _mask(word, width)
            bits |= mask
        return bits.to_bytes(width, "little")


class Asked:
    """What a signature must have for all these texts to be in the files of its run."""

    def __init__(self, texts: Iterable[str]) -> None:
        plain = ("".join(sign if sign.isascii() else " " for sign in text).lower() for text in texts)
        self._parts = [part.encode() for text in plain for part in _WORD.findall(text)]
        self._masks = {
            width: reduce(or_, (_mask(part, width) for part in self._parts), 0) for _, width in WIDTHS
        }

    def may_be_in(self, signature: bytes | None) -> bool:
        """True also for a run that has none, and for whatever is no signature."""
        mask = self._masks.get(len(signature), 0) if signature is not None else 0
        return not mask or int.from_bytes(signature or b"", "little") & mask == mask


def _mask(word: bytes, width: int) -> int:
    most = 8 * width - 1
    places = (crc32(word[at : at + _GROUP]) & most for at in range(len(word) - _GROUP + 1))
    return reduce(or_, (1 << place for place in places), 0)
