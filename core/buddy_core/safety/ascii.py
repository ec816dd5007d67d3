"""What a terminal without UTF-8 can show: ASCII of the same width for every sign the interface uses.

Columns must not move, so each character becomes as many ASCII characters as it is wide: one, two for
East Asian wide ones, none for a combining mark.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

_LEVELS = ".:-=+*%#"
"""Eight heights, from a trace to full, in place of `▁▂▃▄▅▆▇█`."""

_SIGNS = {
    "-": "─┄┅┈┉╌╍╼╾–—―−▔⎯‐‑‒",
    "|": "│┃┆┇┊┋╎╏║▏▕▎⏸",
    "/": "╱⏎",
    "\\": "╲",
    "#": "■▉▊▋▐▀▖▗▘▙▚▛▜▝▞▟",
    "=": "▌▍≡═━╸╺",
    "*": "●•★✱",
    "+": "✓✔",
    "x": "✗✘╳×",
    "~": "◐≈…",
    "o": "◌○◯◦",
    "@": "◷",
    ">": "▌▸▶►→›»⟩↳⇒≥",
    "<": "◂◀◄←‹«⟨",
    "^": "▴▲↑⇧",
    "v": "▾▼↓",
    ".": "·░",
    ":": "▒",
    "%": "▓",
    "!": "⚠⊘",
    "i": "ℹ",
    "'": "‘’′",
    '"': "“”″",
    "_": "␣",
}


class _Table(dict[int, str]):
    """Filled as characters are met; at most one entry for each character of the Basic Multilingual Plane."""

    def __missing__(self, point: int) -> str:
        ascii_text = _stand_in(chr(point))
        if point <= 0xFFFF:
            self[point] = ascii_text
        return ascii_text


def _drawn() -> dict[int, str]:
    table = {ord(char): sign for sign, chars in _SIGNS.items() for char in chars}
    table.update({0x2581 + level: sign for level, sign in enumerate(_LEVELS)})
    for point in range(0x2800, 0x2900):
        dots = (point - 0x2800).bit_count()
        table[point] = " .:-=+*%#"[dots]
    for point in range(0x2500, 0x2580):
        table.setdefault(point, "+")
    return table


def _stand_in(char: str) -> str:
    if char.isascii():
        return char
    if unicodedata.category(char).startswith("M"):
        return ""
    wide = unicodedata.east_asian_width(char) in "WF"
    plainer = unicodedata.normalize("NFKD", char)[0]
    sign = plainer if plainer.isascii() and plainer.isprintable() else "?"
    return sign + (" " if sign != "?" else "?") if wide else sign


_TABLE = _Table(_drawn())


def to_ascii(text: str) -> str:
    """`text` in ASCII, as wide as before; what has no likeness becomes `?`."""
    return text if text.isascii() else text.translate(_TABLE)


def speaks_utf8(env: Mapping[str, str]) -> bool:
    """True unless the environment names a character set that is not UTF-8.

    Where nothing is said (a bare container) UTF-8 is assumed, as terminals do. Python itself sets
    LC_CTYPE when it finds LANG=C (PEP 538); such a value is not the user's word.
    """
    if "utf" not in env.get("PYTHONIOENCODING", "utf").lower():
        return False
    named = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG") or "utf-8"
    if (
        not env.get("LC_ALL")
        and env.get("LANG") in ("C", "POSIX")
        and named in ("C.UTF-8", "C.utf8", "UTF-8")
    ):
        named = env["LANG"]
    return "utf" in named.lower()
