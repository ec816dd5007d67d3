"""Whether the words of a filter can be in rows at all, told from the bytes of the file without decoding it.

A row says what its records say, and a few words of its own. Each run of letters and digits in a word that is
looked for has to stand in the bytes of the event or of its result, or in those words. Where the bytes may hide
letters (an escape, a letter that folds to one of ASCII) every row of the block is looked at.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence

from buddy_core.runs.timeline.index.eventindex import CALL, KINDS, METRIC, NONE, RESULT, EventIndex

BLOCK = 1024 * 1024
"""Bytes of the file that are probed at once."""

_FRAGMENT = re.compile(r"[a-z0-9_]+")
_FOLDING = "\xdf\u0130\u0149\u017f\u01f0\u1e96\u1e97\u1e98\u1e99\u1e9a\u1e9e\u212a\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06"
"""Letters beyond ASCII that fold to letters of ASCII, alone or with others."""

_FOLDING_BYTES = tuple(letter.encode() for letter in _FOLDING)
_ESCAPES = re.compile(
    rb"\\u(?:00[2-7]|" + b"|".join(b"%04x" % ord(letter) for letter in _FOLDING) + b")", re.IGNORECASE
)

_OWN_WORDS = {
    CALL: "(unnamed) blocked by no result was recorded before the run ended",
    RESULT: "(unnamed) blocked by",
    METRIC: "api request failed tokens in out value null",
}
_OTHERS_WORDS = "not passed fork of fallback from to files (no type) value null"
_COUNTING = (METRIC, KINDS.index("patch_applied"))
"""Kinds whose rows say numbers that no record says: sums and lengths."""


class Probe:
    """Looks for the words of one filter; they are folded."""

    def __init__(self, words: Sequence[str]) -> None:
        self._fragments = sorted({part for word in words for part in _FRAGMENT.findall(word)})
        self._own: dict[tuple[int, str], bool] = {}

    def among(self, index: EventIndex, rows: Sequence[int], read: Callable[[int, int], bytes]) -> list[int]:
        """Those of `rows` (in order, within a block of the file) that may have all words.

        `read` takes a place in the file and a number of bytes.
        """
        if not rows or not self._fragments:
            return list(rows)
        begin, end = index.offsets[index.events[rows[0]]], _end_of(index, rows[-1])
        block = read(begin, end - begin)
        if _may_hide(block):
            return list(rows)
        block = block.lower()
        hits = [(part, _events_with(index, block, begin, part.encode())) for part in self._fragments]
        beyond = bisect_right(index.offsets, end - 1)
        return [row for row in rows if self._may_have(index, row, hits, beyond)]

    def _may_have(
        self, index: EventIndex, row: int, hits: Sequence[tuple[str, set[int]]], beyond: int
    ) -> bool:
        event = index.events[row]
        kind = index.kinds[event]
        answer = index.answers[row] if kind == CALL else NONE
        if answer != NONE and answer >= beyond:
            return True
        return all(event in found or answer in found or self._is_own(kind, part) for part, found in hits)

    def _is_own(self, kind: int, part: str) -> bool:
        """True where rows of that kind may say this without a record saying it."""
        known = self._own.get((kind, part))
        if known is None:
            counts = kind in _COUNTING and part.isdigit()
            known = self._own[kind, part] = counts or part in _OWN_WORDS.get(kind, _OTHERS_WORDS)
        return known


def block_of(index: EventIndex, row: int, last: int) -> int:
    """The row before which a block ends that begins at `row`: at most `last`, and one row at least."""
    begin = index.offsets[index.events[row]]
    end = bisect_right(index.events, begin + BLOCK, row + 1, last, key=index.offsets.__getitem__)
    return max(end, row + 1)


def _may_hide(block: bytes) -> bool:
    """True where letters of ASCII may stand in these bytes in another guise."""
    if b"\\/" in block or (b"\\u" in block and _ESCAPES.search(block) is not None):
        return True
    return not block.isascii() and any(letter in block for letter in _FOLDING_BYTES)


def _end_of(index: EventIndex, row: int) -> int:
    """Where the records end that stand between the event of a row and that of the next one."""
    following = index.events[row + 1] if row + 1 < index.rows else len(index)
    if following < len(index.offsets):
        return min(index.offsets[following], index.offsets[index.events[row]] + 2 * BLOCK)
    return index.offsets[-1] + BLOCK + 1


def _events_with(index: EventIndex, block: bytes, begin: int, part: bytes) -> set[int]:
    """The events in whose bytes a word stands."""
    found: set[int] = set()
    at = block.find(part)
    while at >= 0:
        event = bisect_right(index.offsets, begin + at) - 1
        found.add(event)
        if event + 1 >= len(index.offsets):
            break
        at = block.find(part, index.offsets[event + 1] - begin)
    return found
