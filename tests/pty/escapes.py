"""What may leave for the terminal: a grammar that allows what the screen needs, so that the rest is a leak.

It knows nothing of the program's own filters. Everything is text, a cursor move, a colour or the switching
of one of a few modes; no title, no clipboard, no device control, no link.
"""

from __future__ import annotations

import re
import unicodedata

_MODES = "1049|1000|1003|1015|1006|1016|1004|2004|2026|2048|25|7"

ALLOWED = re.compile(
    "|".join(
        (
            r"\x1b\[[0-9;:]*m",  # colours and weights
            r"\x1b\[[0-9]*;?[0-9]*H",  # cursor to row and column
            r"\x1b\[[0-9]*[ABCDG]",  # cursor by so many cells
            rf"\x1b\[\?(?:{_MODES})[hl]",
            r"\x1b\[\?(?:2026|2048)\$p",  # does the terminal know this mode?
            r"\x1b\[>[0-9]+u|\x1b\[<u",  # keyboard protocol on and off
            r"\x1b\]22;[a-z-]*\x07",  # the shape of the mouse pointer
            r"\x18",  # an end to a sequence that was cut short
            r"\r\n",
        )
    )
)

_NEVER = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_UNSEEN = frozenset("\u034f\u115f\u3164\uffa0\u17b4\u17b5\u180b\u180c\u180d") | {
    chr(point)
    for first, last in ((0xFE00, 0xFE0F), (0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF), (0xE0100, 0xE01EF))
    for point in range(first, last + 1)
}
"""Letters and marks that are blank, or as wide as the terminal likes."""

_MOST_MARKS = 8


def leaks(out: bytes | bytearray, *, also: str = "(?!)") -> list[str]:
    """What of `out` was not allowed, with a little of what surrounds it.

    Args:
        also: One more form that is allowed here, as a regular expression.
    """
    remaining = re.sub(also, "\n", out.decode("utf-8", "surrogateescape"))
    remaining = ALLOWED.sub("\n", remaining)
    characters = set(remaining) - {"\n"}
    forms = []
    if forbidden := {char for char in characters if unicodedata.category(char) in _NEVER or char in _UNSEEN}:
        forms.append(f"[{re.escape(''.join(forbidden))}]")
    if marks := {char for char in characters if unicodedata.category(char)[0] == "M"}:
        forms.append(f"[{re.escape(''.join(marks))}]{{{_MOST_MARKS + 1}}}")
    if not forms:
        return []
    found = re.finditer("|".join(forms), remaining)
    return [remaining[max(0, one.start() - 12) : one.start() + 12] for one in found]


def colours(out: bytes | bytearray) -> list[str]:
    """The colour codes in `out`: SGR parameters that set a foreground or background."""
    found = re.findall(r"\x1b\[([0-9;:]*)m", out.decode("utf-8", "replace"))
    return [one for one in found if re.search(r"(?:^|;)(?:[349][0-9]|10[0-7])(?:;|:|$)", one)]
