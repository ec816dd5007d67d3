"""Hostile text to printable text: the one gate between what a run recorded and anything a person looks at.

A terminal obeys bytes. ESC starts commands that set the clipboard, answer for the keyboard or rewrite what
was shown before; C1 controls do the same in one character; bidi and zero-width characters make a line read
as something it is not; a pile of combining marks covers its neighbours. So observed text becomes `Plain`
where it enters: every such character is replaced by a visible symbol, and none is dropped in silence.

The allow-list: printable characters (`str.isprintable`) and the other spaces of Unicode, less the invisible
ones below, with at most eight combining marks on one base.
"""

from __future__ import annotations

import unicodedata
from typing import NewType

Plain = NewType("Plain", str)
"""One line of text that is safe to show. Made from observed text only by `plain` and `plain_lines`."""

MAX_MARKS = 8
"""Combining marks one base character may carry; the rest is replaced by its number."""

_NEWLINE = "⏎"
_ELLIPSIS = "…"
_LONE_MARK_BASE = "◌"
_CACHE_SIZE = 4096

_INVISIBLE = (
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x115F, 0x115F),  # Hangul fillers: letters that are blank
    (0x3164, 0x3164),
    (0xFFA0, 0xFFA0),
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian variation selectors
    (0xFE00, 0xFE0F),  # variation selectors: terminals disagree about the width they leave behind
    (0xFFF0, 0xFFFB),  # specials
    (0x1F1E6, 0x1F1FF),  # regional indicators: a flag is one, two or four cells wide, as the terminal likes
    (0x1F3FB, 0x1F3FF),  # skin tones: no width or two
    (0xE0000, 0xE0FFF),  # tags and more variation selectors: whole sentences that cannot be seen
)
"""Ranges that `str.isprintable` lets through although they are not seen, or break the count of columns."""

_JOINING_JAMO = ((0x1160, 0x11FF), (0xD7B0, 0xD7FF))
"""Hangul vowels and finals, which stack on the letter before them as marks do."""


def plain(text: object, *, limit: int = 2000, newline: str = _NEWLINE) -> Plain:
    """One safe line of at most `limit` characters from anything; never raises.

    C0 controls and DEL become their pictures (`␛`), a line break becomes `newline`, everything else that is
    not allowed becomes its code point in angle brackets (`⟨202e⟩`). What is cut off ends in `…`. Text is cut
    before it is looked at, so megabytes cost no more than a line. Safe text comes back unchanged.
    """
    raw = _as_str(text)
    head = raw[: limit + 1] if len(raw) > limit else raw
    if head.isascii() and head.isprintable():
        return Plain(_cut(head, limit))
    if "\n" in head:
        head = head.replace("\r\n", "\n").replace("\n", newline)
    return Plain(_cut(_stack_marks(head.translate(_LINE)), limit, cut=len(raw) > limit))


def plain_lines(
    text: object, *, limit_lines: int = 2000, limit_width: int = 2000, tab: int = 4
) -> list[Plain]:
    """Text of several lines as safe lines of at most `limit_width` characters; never raises.

    Only LF (and CR LF) ends a line. Tabs move to the next multiple of `tab`. Beyond `limit_lines` one more
    line says how many were left out.
    """
    raw = _as_str(text)
    lines: list[Plain] = []
    start = 0
    while start < len(raw) and len(lines) < limit_lines:
        end = raw.find("\n", start)
        end = len(raw) if end < 0 else end
        lines.append(_plain_line(raw, start, end, limit_width, tab))
        start = end + 1
    if start < len(raw):
        left = raw.count("\n", start) + (not raw.endswith("\n"))
        lines.append(Plain(f"{_ELLIPSIS} {left:,} more line{'s' if left != 1 else ''}"))
    return lines


def is_plain(text: str) -> bool:
    """True when `text` holds nothing but what `plain` may return."""
    if text.isascii():
        return text.isprintable()
    return _stack_marks(text.translate(_LINE)) == text


def _plain_line(raw: str, start: int, end: int, width: int, tab: int) -> Plain:
    if end > start and raw[end - 1] == "\r" and end < len(raw):
        end -= 1
    head = raw[start : min(end, start + width + 1)]
    if not (head.isascii() and head.isprintable()):
        head = _stack_marks(head.translate(_TABBED)).expandtabs(tab)
    return Plain(_cut(head, width, cut=end - start > width))


def _as_str(text: object) -> str:
    if type(text) is str:
        return text
    if text is None:
        return ""
    try:
        if isinstance(text, bytes | bytearray):
            return text.decode("utf-8", "replace")
        return str.__str__(text) if isinstance(text, str) else str.__str__(str(text))
    except Exception:  # noqa: BLE001 - a stranger's __str__ may do anything
        return f"⟨unprintable {type(text).__name__}⟩"


def _cut(text: str, limit: int, *, cut: bool = False) -> str:
    if len(text) > limit:
        return text[: max(0, limit - 1)] + _ELLIPSIS if limit > 0 else ""
    if cut:
        return text[: max(0, limit - 1)] + _ELLIPSIS
    return text


class _Replacements(dict[int, str]):
    """A table for `str.translate`, filled as characters are met and bounded against those who send them all."""

    def __missing__(self, point: int) -> str:
        shown = _shown(point)
        if len(self) < _CACHE_SIZE:
            self[point] = shown
        return shown


_LINE = _Replacements()
_TABBED = _Replacements({0x09: "\t"})


def _shown(point: int) -> str:
    if point < 0x20:
        return chr(0x2400 + point)
    if point == 0x7F:
        return "␡"
    char = chr(point)
    allowed = char.isprintable() or unicodedata.category(char) == "Zs"
    return char if allowed and not _within(point, _INVISIBLE) else f"⟨{point:x}⟩"


def _within(point: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= point <= last for first, last in ranges)


def _stack_marks(text: str) -> str:
    """`text` with no more than `MAX_MARKS` marks on a base, and none without a base to sit on."""
    if text.isascii() or max(text) < "\u0300":
        return text
    out: list[str] = []
    marks = 0
    for char in text:
        if char >= "\u0300" and _is_mark(char):
            marks += 1
            if not out:
                out.append(_LONE_MARK_BASE)
            if marks <= MAX_MARKS:
                out.append(char)
        else:
            if marks > MAX_MARKS:
                out.append(f"⟨+{marks - MAX_MARKS}⟩")
            marks = 0
            out.append(char)
    if marks > MAX_MARKS:
        out.append(f"⟨+{marks - MAX_MARKS}⟩")
    return "".join(out)


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "M" or _within(ord(char), _JOINING_JAMO)
