"""Secrets that give themselves away by their shape: the prefixes services put before their tokens.

The prefixes are those the services document, for exactly this purpose. The prefix stays and says what was
there; all that follows it in the token's alphabet goes. Each beginning costs a bounded look ahead, and only
what is accepted is followed to its end, so the time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

Span = tuple[int, int]
"""Where a secret begins and ends in a text."""

_BASE62: Final = "A-Za-z0-9"
_WORD: Final = r"A-Za-z0-9_\-"
_PATH: Final = r"A-Za-z0-9_\-/+"
_DOTTED: Final = r"A-Za-z0-9_\-.+/="


class Shape(NamedTuple):
    """A family of tokens: what they begin with, of which characters they are, how many at least follow."""

    prefix: str
    alphabet: str
    least: int
    bound: bool = False
    """The prefix may occur by chance inside a longer word, which is then left alone."""


SHAPES: Final = (
    Shape(r"gh[pousr]_", _BASE62 + "_", 16),
    Shape(r"github_pat_", _BASE62 + "_", 20),
    Shape(r"gl(?:pat|dt|rt|ptt|ft|soat|imt|agent|cbt)-", _WORD + ".", 16),
    Shape(r"sk-(?:proj-|ant-|or-|svcacct-|admin-|lf-)?", _WORD, 16, bound=True),
    Shape(r"(?:AKIA|ASIA|ABIA|ACCA)", "A-Z2-7", 16, bound=True),
    Shape(r"AIza", _WORD, 30, bound=True),
    Shape(r"ya29\.", _WORD + ".", 16, bound=True),
    Shape(r"GOCSPX-", _WORD, 16),
    Shape(r"1//0", _WORD, 24, bound=True),
    Shape(r"(?:xox[abceoprs](?:\.xox[abceprs])?|xapp)-", _BASE62 + r"\-", 10, bound=True),
    Shape(r"[spr]k_(?:live|test)_", _BASE62 + "_", 10),
    Shape(r"whsec_", _DOTTED, 16),
    Shape(r"npm_", _BASE62, 30, bound=True),
    Shape(r"pypi-AgE", _WORD, 16),
    Shape(r"hf_", _BASE62, 20, bound=True),
    Shape(r"SG\.", _WORD + ".", 32, bound=True),
    Shape(r"do[por]_v1_", "a-f0-9", 32),
    Shape(r"shp(?:at|ss|ca|pa)_", _BASE62, 16),
    Shape(r"(?:gsk|r8|ntn|fw|pcsk)_", _BASE62 + "_", 24, bound=True),
    Shape(r"(?:xai-|pplx-|nvapi-|tvly-|tgp_v1_)", _WORD, 20, bound=True),
    Shape(
        r"(?:lin_api|figd|sntry[su]|glsa|rubygems|dckr_pat|sbp|pscale_(?:tkn|pw|oauth)|lsv2_(?:pt|sk))_",
        _DOTTED,
        16,
        bound=True,
    ),
    Shape(r"AT[AC]TT3", _WORD + "=", 20),
    Shape(r"(?:hv[sbr]|dp\.(?:pt|st|ct|sa|scim|audit))\.", _WORD + ".", 20, bound=True),
    Shape(r"AGE-SECRET-KEY-1", "A-Z0-9", 20),
    Shape(r"(?:tskey|PMAK|NRAK)-", _WORD, 16),
    Shape(r"sq0[a-z]{3}-", _WORD, 20),
    Shape(r"EAA", _BASE62, 80, bound=True),
    Shape(r"key-(?=[0-9a-f]{32})", "a-f0-9", 32, bound=True),
    Shape(r"hooks\.slack\.com/(?:services|workflows|triggers)/", _PATH, 8),
    Shape(r"/api/webhooks/(?=[0-9])", _PATH, 16),
    Shape(r"webhook\.office\.com/(?:webhookb2/)?", _PATH + "@", 16),
    Shape(r"hooks\.zapier\.com/hooks/catch/", _PATH, 8),
    Shape(r"api\.telegram\.org/bot(?=[0-9])", _BASE62 + r"_\-:", 16),
)

_RUN = re.compile(r"[A-Za-z0-9_\-./+:=]{20,}")
"""What is long enough to be a token; everything else is passed over at the speed of one scan."""

_DOTTED_TOKENS = re.compile(
    r"(?<![A-Za-z0-9_\-])(?:"
    r"eyJ([A-Za-z0-9_\-]{6,}+\.[A-Za-z0-9_\-]{4,}+(?:\.[A-Za-z0-9_\-]*+){0,3})"  # a signed or sealed JSON token
    r"|([0-9]{8,10}:AA[A-Za-z0-9_\-]{30,}+)"  # a bot of Telegram
    r"|([MNO](?=[A-Za-z_\-]*+[0-9])[A-Za-z0-9_\-]{22,28}+\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,40}+)"  # of Discord
    r")"
)
_ESCAPED_END = re.compile(
    r"(?:\\[abfnrtv0]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\[[0-9;]{0,12}m)\Z"
)
_LOOK_BACK = 14


def find_shapes(text: str) -> Iterator[Span]:
    """Every token of a known shape, without its prefix."""
    search = _beginnings().search
    for run in _RUN.finditer(text):
        begin, end = run.span()
        while (match := search(text, begin, end)) is not None:
            number = match.lastindex
            shape = SHAPES[number - 1] if number else SHAPES[0]
            begin = match.end()
            if shape.bound and not begins_here(text, match.start()):
                begin = match.start() + 1
                continue
            body = _alphabet(shape.alphabet).match(text, begin)
            if body is not None and body.end() > begin:
                yield body.span()
                begin = body.end()


def find_dotted(text: str) -> Iterator[Span]:
    """Tokens of several parts: JSON web tokens, and bots of Telegram and Discord."""
    if "eyJ" in text or ":AA" in text or "." in text:
        for match in _DOTTED_TOKENS.finditer(text):
            yield match.span(match.lastindex or 0)


def begins_here(text: str, start: int) -> bool:
    """True when a word may begin at `start`: after no letter or digit, or after one that ends an escape."""
    if start == 0 or not (text[start - 1].isascii() and text[start - 1].isalnum()):
        return True
    return _ESCAPED_END.search(text[max(0, start - _LOOK_BACK) : start]) is not None


@cache
def _beginnings() -> re.Pattern[str]:
    """All prefixes, each in a group of its own, followed by as many characters as its tokens have at least."""
    return re.compile("|".join(f"({s.prefix})(?=[{s.alphabet}]{{{s.least}}})" for s in SHAPES))


@cache
def _alphabet(letters: str) -> re.Pattern[str]:
    return re.compile(f"[{letters}]*+")
