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

    hints: str
    """Words, one of which stands in every such token: searching for them is all that ordinary text costs."""
    prefix: str
    alphabet: str
    least: int
    bound: bool = False
    """The prefix may occur by chance inside a longer word, which is then left alone."""


SHAPES: Final = (
    Shape("ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_", _BASE62 + "_", 16),
    Shape("github_pat_", r"github_pat_", _BASE62 + "_", 20),
    Shape(
        "glpat- gldt- glrt- glptt- glft- glsoat- glimt- glagent- glcbt-",
        r"gl(?:pat|dt|rt|ptt|ft|soat|imt|agent|cbt)-",
        _WORD + ".",
        16,
    ),
    Shape("sk-", r"sk-(?:proj-|ant-|or-|svcacct-|admin-|lf-)?", _WORD, 16, bound=True),
    Shape("AKIA ASIA ABIA ACCA", r"(?:AKIA|ASIA|ABIA|ACCA)", "A-Z2-7", 16, bound=True),
    Shape("AIza", r"AIza", _WORD, 30, bound=True),
    Shape("ya29.", r"ya29\.", _WORD + ".", 16, bound=True),
    Shape("GOCSPX-", r"GOCSPX-", _WORD, 16),
    Shape("1//0", r"1//0", _WORD, 24, bound=True),
    Shape("xox xapp-", r"(?:xox[abceoprs](?:\.xox[abceprs])?|xapp)-", _BASE62 + r"\-", 10, bound=True),
    Shape("k_live_ k_test_", r"[spr]k_(?:live|test)_", _BASE62 + "_", 10),
    Shape("whsec_", r"whsec_", _DOTTED, 16),
    Shape("npm_", r"npm_", _BASE62, 30, bound=True),
    Shape("pypi-AgE", r"pypi-AgE", _WORD, 16),
    Shape("hf_", r"hf_", _BASE62, 20, bound=True),
    Shape("SG.", r"SG\.", _WORD + ".", 32, bound=True),
    Shape("dop_v1_ doo_v1_ dor_v1_", r"do[por]_v1_", "a-f0-9", 32),
    Shape("shpat_ shpss_ shpca_ shppa_", r"shp(?:at|ss|ca|pa)_", _BASE62, 16),
    Shape("gsk_ r8_ ntn_ fw_ pcsk_", r"(?:gsk|r8|ntn|fw|pcsk)_", _BASE62 + "_", 24, bound=True),
    Shape("xai- pplx- nvapi- tvly- tgp_v1_", r"(?:xai-|pplx-|nvapi-|tvly-|tgp_v1_)", _WORD, 20, bound=True),
    Shape(
        "lin_api_ figd_ sntrys_ sntryu_ glsa_ rubygems_ dckr_pat_ sbp_ pscale_ lsv2_",
        r"(?:lin_api|figd|sntry[su]|glsa|rubygems|dckr_pat|sbp|pscale_(?:tkn|pw|oauth)|lsv2_(?:pt|sk))_",
        _DOTTED,
        16,
        bound=True,
    ),
    Shape("ATATT3 ATCTT3", r"AT[AC]TT3", _WORD + "=", 20),
    Shape("hvs. hvb. hvr. dp.", r"(?:hv[sbr]|dp\.(?:pt|st|ct|sa|scim|audit))\.", _WORD + ".", 20, bound=True),
    Shape("AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1", "A-Z0-9", 20),
    Shape("tskey- PMAK- NRAK-", r"(?:tskey|PMAK|NRAK)-", _WORD, 16),
    Shape("sq0", r"sq0[a-z]{3}-", _WORD, 20),
    Shape("EAA", r"(?<![A-Za-z0-9/])EAA(?![A-Za-z0-9]{80,500}[+/])", _BASE62, 80, bound=True),
    Shape("key-", r"key-(?=[0-9a-f]{32})", "a-f0-9", 32, bound=True),
    Shape("hooks.slack.com/", r"hooks\.slack\.com/(?:services|workflows|triggers)/", _PATH, 8),
    Shape("/api/webhooks/", r"/api/webhooks/(?=[0-9])", _PATH, 16),
    Shape("webhook.office.com/", r"webhook\.office\.com/(?:webhookb2/)?", _PATH + "@", 16),
    Shape("hooks.zapier.com/", r"hooks\.zapier\.com/hooks/catch/", _PATH, 8),
    Shape("api.telegram.org/bot", r"api\.telegram\.org/bot(?=[0-9])", _BASE62 + r"_\-:", 16),
)

_RUN = re.compile(r"[A-Za-z0-9_\-./+:=]{15,}")
"""What is long enough to be a token; everything else is passed over at the speed of one scan."""

_SIGNED = re.compile(
    r"(?<![A-Za-z0-9_\-])eyJ([A-Za-z0-9_\-]{6,}+\.[A-Za-z0-9_\-]{4,}+(?:\.[A-Za-z0-9_\-]*+){0,3})"
)
_TELEGRAM = re.compile(r"(?<![0-9])([0-9]{8,10}:AA[A-Za-z0-9_\-]{30,}+)")
_DISCORD = re.compile(
    r"(?<![A-Za-z0-9_\-])([MNO][A-Za-z0-9_\-]{22,28}+\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,40}+)"
)
_CUT_OFF_HINTS: Final = (
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-ant-", "sk-proj-", "k_live_"),
    *("xoxb-", "xoxp-", "AIza", "AKIA", "hvs.", "SG.", "eyJhbGciOi"),
)
_CUT_OFF = re.compile(
    r"(?:gh[pousr]_|github_pat_|glpat-|sk-ant-|sk-proj-|[sr]k_live_|xox[bp]-|AIza|AKIA|hvs\.|SG\.|eyJhbGciOi)"
    r"([A-Za-z0-9_\-.]{4,60})(?:…|\.{3})?\Z"
)
"""A token at the end of a text that was cut: arguments are, after 500 characters."""

_ESCAPES = re.compile(
    r"(?:\x1b|\u241b|\\x1b|\\u001[bB]|\\033|\\e)\[[0-9;]{0,16}m|\\[abfnrtv0]|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}"
)


def without_escapes(text: str) -> str:
    """`text` with blanks for escaped characters and colours, each in its place: a token may begin behind one."""
    if "\\" not in text and "\x1b" not in text and "\u241b" not in text:
        return text
    return _ESCAPES.sub(lambda escape: " " * len(escape.group()), text)


def long_runs(text: str) -> list[str]:
    """The pieces of `text` that are long enough to be a token and have no other characters."""
    return _RUN.findall(text)


def ends_cut_off(text: str) -> bool:
    """True when a token may stand at the end of `text` of which only a part is there."""
    return _cut_off(without_escapes(text)) is not None


def may_end_cut_off(joined: str) -> bool:
    """False when `ends_cut_off` is true of none of the texts that stand one below another in `joined`."""
    return any(hint in joined for hint in _CUT_OFF_HINTS)


def _cut_off(text: str) -> re.Match[str] | None:
    return _CUT_OFF.search(text, max(0, len(text) - 90))


def find_shapes(text: str, runs: str) -> Iterator[Span]:
    """Every token of a known shape, without its prefix; `runs` are the long runs of `text`, joined."""
    cut = _cut_off(text)
    if cut is not None:
        yield cut.span(1)
    hints, shapes = _compiled()
    for number in {number for hint, number in hints if hint in runs}:
        yield from _tokens(text, shapes[number])


def _tokens(text: str, shape: _Compiled) -> Iterator[Span]:
    """Tokens of one shape; the search goes on behind each, so that nothing is read twice."""
    found = shape.prefix.search(text)
    while found is not None:
        begin = end = found.end()
        if not shape.bound or _begins_here(text, found.start()):
            body = shape.alphabet.match(text, begin)
            end = body.end() if body is not None else end
            yield begin, end
        found = shape.prefix.search(text, end)


def find_dotted(text: str, runs: str) -> Iterator[Span]:
    """Tokens of several parts: JSON web tokens, and bots of Telegram and Discord."""
    if "eyJ" in runs:
        yield from (match.span(1) for match in _SIGNED.finditer(text))
    if ":AA" in runs:
        yield from (match.span(1) for match in _TELEGRAM.finditer(text))
    if "." in runs and _DISCORD.search(runs):
        yield from (match.span(1) for match in _DISCORD.finditer(text))


def _begins_here(text: str, start: int) -> bool:
    return start == 0 or not (text[start - 1].isascii() and text[start - 1].isalnum())


class _Compiled(NamedTuple):
    prefix: re.Pattern[str]
    """With as many characters behind it as the shape demands."""
    alphabet: re.Pattern[str]
    bound: bool


@cache
def _compiled() -> tuple[list[tuple[str, int]], list[_Compiled]]:
    """Every hint with the number of its shape, and the shapes; made when the first text is looked at."""
    shapes = [
        _Compiled(
            re.compile(f"{shape.prefix}(?=[{shape.alphabet}]{{{shape.least}}})"),
            re.compile(f"[{shape.alphabet}]++"),
            shape.bound,
        )
        for shape in SHAPES
    ]
    return [(hint, number) for number, shape in enumerate(SHAPES) for hint in shape.hints.split()], shapes
