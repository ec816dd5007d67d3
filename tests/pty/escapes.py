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


def leaks(out: bytes) -> list[str]:
    """What of `out` was not allowed, with a little of what surrounds it."""
    text = out.decode("utf-8", "surrogateescape")
    remaining = ALLOWED.sub("\n", text)
    return [
        remaining[max(0, at - 12) : at + 12]
        for at, char in enumerate(remaining)
        if char != "\n" and unicodedata.category(char) in _NEVER
    ]


def colours(out: bytes) -> list[str]:
    """The colour codes in `out`: SGR parameters that set a foreground or background."""
    found = re.findall(r"\x1b\[([0-9;:]*)m", out.decode("utf-8", "replace"))
    return [one for one in found if re.search(r"(?:^|;)(?:[349][0-9]|10[0-7])(?:;|:|$)", one)]
