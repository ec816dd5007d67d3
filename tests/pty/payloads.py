"""Hostile payloads by the thousand, from a grammar of what a terminal or a toolkit would obey.

Each begins with a word of its own (`Qabcde`, in every tenth behind one hostile character), so that a test can
tell which of them it has seen where.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import NamedTuple

TAG = re.compile(rb"Q[a-z]{5}Z")
"""The word that is a payload's own, in what was sent to the terminal."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_OSC = (
    "0",
    "1",
    "2",
    "4;1",
    "7",
    "8;",
    "8;id=1",
    "9",
    "9;4;1",
    "10",
    "52;c",
    "52;p",
    "104",
    "133;C",
    "777;notify",
    "1337",
)
_OSC_TEXTS = (
    "LEAK", "?", "TEVBSw==", "file:///etc/passwd", "File=inline=1:AAAA", "rgb:00/00/00", "\u202eLEAK", "a\x1b]b",
)  # fmt: skip
_ENDS = ("\x07", "\x1b\\", "\x9c", "", "\x18", "\x1a", "\x1b[", "\r")
_STRINGS = ("\x1bP", "\x1b_", "\x1bX", "\x1b^", "\x1bk", "\x90", "\x98", "\x9e", "\x9f")
_STRING_TEXTS = (
    "$qm",
    "+q544e",
    "1;2q#0;2;0;0;0#0~~",
    "Gf=100;AAAA",
    "tmux;\x1b\x1b]0;LEAK\x07",
    "1000p",
    "LEAK",
)
_FINALS = "@ABCDEFGHIJKLMPSTXZ`abcdefghilmnpqrstuvwxyz{|}~"
_ESCAPES = ("c", "7", "8", "=", ">", "D", "E", "H", "M", "N", "O", "Z", "(0", ")B", "*A", "#8", "#3", "%G", "%@", " F", "n", "|", "~", "\x1b")  # fmt: skip
_CONTROLS = "\r\x08\x0b\x0c\x00\x7f\t\x05\x0e\x0f\x11\x13\x16\x18\x1a\x1c\x1f"
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u180e\u200b\u200c\u200d\u2060\u2061\u2064\u206a\u2800\u3164\ufeff\uffa0\ufff9\ufffb"
    "\U0001bca0\U0001d173\U000e0001\U000e0041\U000e0062\U000e007f\U000e0100"
)
_PRIVATE = (
    "\ue000\uf8ff\U000f0000\U000ffffd\U00100000\U0010fffd\ufdd0\ufffe\uffff\U0001fffe\U0010ffff\u0378\u0530"
)
_LINES = ("\u2028", "\u2029", "\x85", "\n", "\r\n", "\n\n", "\r", "\x0b", "\x1c", "\x1e")
_MARKS = (
    "\u0300\u0301\u0316\u0323\u0338\u0489\u05b0\u0610\u0e31\u0f71\u1dc0\u20d0\u20dd\u302a\ufe20\U0001d165"
)
_EMOJI = (
    "\u26a0\ufe0f", "\u270b\ufe0e", "1\ufe0f\u20e3", "\U0001f468\u200d\U0001f4bb", "\U0001f44d\U0001f3fd",
    "\U0001f1e9\U0001f1ea", "\U0001f3f4\U000e0067\U000e0062\U000e007f", "日本", "ｗ", "\ufdfd", "\U00012021", "각",
    "\u1100\u1161\u11a8",
)  # fmt: skip
_MARKUP = (
    "[/x]", "[/]", "[red", "[red]", "[@click=app.quit]click[/]", "[@click=app.bell]b[/]", "[@click='app.quit()']c",
    "[link=file:///etc/passwd]l[/link]", "[link='file:///x']l", "[TODO]", "[bold on red]x[/bold on red]", "[[x]]",
    "\\[x]", "\\\\[/x]", "[$error]e", "[b][i][u]", ":warning:", "]][[//", "[/red][/][/]", "[on $boost 50%]x",
)  # fmt: skip
MARKUP_FORMS = frozenset(_MARKUP)
_FORMATS = (
    "%s%n%d",
    "{0}{x!r}{}",
    "$HOME $(id) `id`",
    "%1$s",
    "{{}}",
    "\\x1b[31m",
    "\\033]0;x\\007",
    "&lt;&#27;",
    "=1+1",
)
_EXAMPLES = ("error", "ok", "日本", "é", "path/to/file.py", "…", "a b")


class Payload(NamedTuple):
    """One hostile text."""

    tag: bytes
    """What `TAG` finds of it where it is shown."""
    text: str
    kinds: tuple[str, ...]
    """Of what it is made, in order."""


def payloads(count: int, seed: int = 1) -> list[Payload]:
    """So many, the same ones for the same seed; every kind is among any fifty."""
    chance = random.Random(seed)
    return [_payload(index, chance) for index in range(count)]


def tag(index: int) -> str:
    """The word of the payload with this number: letters only, since digits are blanked where errors are grouped."""
    letters = ""
    for _ in range(5):
        index, letter = divmod(index, 26)
        letters = _LETTERS[letter] + letters
    return f"Q{letters}Z"


def _payload(index: int, chance: random.Random) -> Payload:
    kinds = [list(_KINDS)[index % len(_KINDS)], *chance.choices(list(_KINDS), k=chance.choice((0, 0, 1, 2)))]
    own = tag(index)
    lead = chance.choice("\x1b\x9b\x08\r\u202e\u200b[") if index % 10 == 9 else ""
    pieces: list[str] = []
    for kind in kinds:
        pieces += [_KINDS[kind](chance), chance.choice(_EXAMPLES)]
    return Payload(own.encode(), lead + own + "".join(pieces), tuple(kinds))


def _csi(chance: random.Random) -> str:
    private = chance.choice(("", "", "?", ">", "=", "<"))
    numbers = ";".join(
        chance.choice(("", "0", "1", "2", "5", "6", "31", "25", "1049", "2004", "99999"))
        for _ in range(chance.randrange(4))
    )
    between = chance.choice(("", "", "", " ", "$", "!", '"', "'"))
    return chance.choice(("\x1b[", "\x1b[", "\x9b")) + private + numbers + between + chance.choice(_FINALS)


def _osc(chance: random.Random) -> str:
    return (
        chance.choice(("\x1b]", "\x1b]", "\x9d"))
        + f"{chance.choice(_OSC)};{chance.choice(_OSC_TEXTS)}{chance.choice(_ENDS)}"
    )


def _string(chance: random.Random) -> str:
    return chance.choice(_STRINGS) + chance.choice(_STRING_TEXTS) + chance.choice(_ENDS)


def _some(characters: str, most: int) -> Callable[[random.Random], str]:
    """Up to so many of these, words in between."""

    def made(chance: random.Random) -> str:
        return "".join(
            chance.choice(characters) + chance.choice(("", "x")) for _ in range(chance.randint(1, most))
        )

    return made


def _one(texts: tuple[str, ...]) -> Callable[[random.Random], str]:
    return lambda chance: chance.choice(texts)


def _flood(chance: random.Random) -> str:
    return chance.choice(_CONTROLS) * chance.choice((1, 3, 40, 200))


def _zalgo(chance: random.Random) -> str:
    marks = "".join(chance.choices(_MARKS, k=6))
    return chance.choice(("Z", "e", " ", "")) + marks * chance.choice((1, 2, 30, 300))


_KINDS: dict[str, Callable[[random.Random], str]] = {
    "csi": _csi,
    "osc": _osc,
    "string": _string,
    "escape": lambda chance: "\x1b" + chance.choice(_ESCAPES),
    "control": _some(_CONTROLS, 6),
    "flood": _flood,
    "c1": _some("".join(map(chr, range(0x80, 0xA0))), 6),
    "bidi": _some(_BIDI, 5),
    "invisible": _some(_INVISIBLE, 5),
    "private": _some(_PRIVATE, 4),
    "lines": _one(_LINES),
    "zalgo": _zalgo,
    "emoji": _one(_EMOJI),
    "markup": _one(_MARKUP),
    "format": _one(_FORMATS),
}
