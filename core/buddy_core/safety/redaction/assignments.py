"""Secrets that stand beside a name that promises one: in code, JSON, YAML, .env files, headers, forms, flags.

Every word that may be part of such a name is looked at once: the name is read to both sides, then what
stands between it and its value, then the value. Each step is a match at one place with a bounded reach; only
a value that is masked is followed to its end, and nothing inside it is looked at again. So the time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from buddy_core.safety.redaction.looks import (
    MASK,
    is_field_word,
    is_placeholder,
    is_wordy,
    looks_random,
)
from buddy_core.safety.redaction.names import MAX_NAME, Promise, promise

Span = tuple[int, int]

_HINT = re.compile(
    r"(?i)pass|pwd|secret|token|key|auth|cred|cookie|dsn|jwt|bearer|otp|pin\b|sig|sid|conn|code\b", re.ASCII
)
_BEFORE = re.compile(r"[A-Za-z0-9_$.\-]*\Z")
_AFTER = re.compile(r"[A-Za-z0-9_\-]{0,64}")
_SEPARATOR = re.compile(
    r"""(?P<close>\\*["'`]?)(?:\]|\))?(?P<close2>\\*["'`]?)[ \t]{0,16}"""
    r"""(?P<sign>:=|=>|=(?![=~])|:(?![:=])|%3[DdAa]|>(?=[^\s<>]))"""
    r"""[ \t]{0,64}(?:\r?\n[ \t]{0,64}(?=["']))?"""
    r"""(?P<prefix>(?:[bBrRuUfF]{1,2}(?=["']))?)(?P<open>\\*["'`]|%2[27]|)"""
)
_NEXT_WORD = re.compile(r"""[ \t]{1,8}(?P<open>\\*["'`]?)(?=[^\s\-=:|&;<>])""")
_ATTRIBUTE = re.compile(r"""["'][ \t]{1,8}value[ \t]{0,4}=[ \t]{0,4}(?P<open>["'])""", re.IGNORECASE)
_SCHEME = re.compile(
    r"(?i)(?:bearer|basic|token|digest|negotiate|ntlm|apikey|api-key|key|aws4-hmac-sha256)[ \t]+"
)
_BARE = re.compile(r"(?:[^\s\"'`,;&<>(){}\[\]\\]|\\(?![nrtu\"'`\\]))*+")
_BARE_HEAD = re.compile(r"(?:[^\s\"'`,;&<>(){}\[\]\\]|\\(?![nrtu\"'`\\])){0,256}+")
_ENCODED_BARE = re.compile(r"(?:(?!%2[267]|%7[DBdb]|%0[AaDd])[^\s\"'`,;&<>(){}\[\]\\])*+")
_TO_LINE_END = re.compile(r"(?:[^\n\r\"'`\\]|\\(?![nr\"'`]))*+")
_QUOTE_REACH = 65_536


class _Place:
    """What stands between a name and its value."""

    __slots__ = ("opening", "quoted_name", "sign", "value_at")

    def __init__(self, value_at: int, opening: str, sign: str, quoted_name: bool) -> None:
        self.value_at = value_at
        self.opening = opening
        self.sign = sign
        self.quoted_name = quoted_name


def find_assignments(text: str) -> Iterator[Span]:
    """The values beside names that promise a secret."""
    done = 0
    for hint in _HINT.finditer(text):
        if hint.start() < done:
            continue
        begin, end = _name_around(text, hint.start(), hint.end(), done)
        sure = promise(text[begin:end].strip(".-$"))
        if sure == Promise.NONE:
            continue
        done = end
        place = _place_after(text, begin, end, sure)
        if place is None:
            continue
        span = _value(text, begin, end, sure, place)
        if span is not None:
            done = span[1]
            yield span


def _name_around(text: str, start: int, end: int, least: int) -> tuple[int, int]:
    head = text[max(least, start - 64) : start]
    before = _BEFORE.search(head)
    begin = start - (len(head) - before.start() if before else 0)
    after = _AFTER.match(text, end)
    end = after.end() if after else end
    if text.startswith(("n", "r", "t"), begin) and text[begin - 1 : begin] == "\\":  # an escaped line break
        begin += 1
    return begin, min(end, begin + MAX_NAME + 1)


def _place_after(text: str, begin: int, end: int, sure: Promise) -> _Place | None:
    match = _SEPARATOR.match(text, end)
    if match is not None:
        quoted = bool(match["close"] or match["close2"])
        sign = match["sign"]
        if sign == ">" and (quoted or text[begin - 1 : begin] not in "<:"):
            return None
        return _Place(match.end(), match["open"], sign, quoted)
    if text[begin : begin + 1] == "-" and sure >= Promise.FAIR:  # --password hunter2
        return _next_word(text, end)
    if text[begin - 1 : begin] in ("'", '"'):
        attribute = _ATTRIBUTE.match(text, end)
        return _Place(attribute.end(), attribute["open"], "=", True) if attribute else None
    if sure == Promise.STRONG:
        place = _next_word(text, end)
        return place if place is not None and (place.opening or _reads_random(text, place.value_at)) else None
    return None


def _next_word(text: str, end: int) -> _Place | None:
    match = _NEXT_WORD.match(text, end)
    return None if match is None else _Place(match.end(), match["open"], " ", False)


def _reads_random(text: str, at: int) -> bool:
    word = _BARE_HEAD.match(text, at)
    return word is not None and len(word.group()) >= 12 and looks_random(word.group())


def _value(text: str, begin: int, end: int, sure: Promise, place: _Place) -> Span | None:
    name = text[begin:end].lower()
    if "authorization" in name or name.endswith("auth"):
        scheme = _SCHEME.match(text, place.value_at)
        if scheme is not None:
            return _credentials(text, scheme.end(), place)
    if "cookie" in name and place.sign in (":", "="):
        return _credentials(text, place.value_at, place)
    if place.opening.startswith("%"):
        return _encoded(text, place.value_at, sure)
    if place.opening:
        return _quoted(text, sure, place)
    return _bare(text, begin, sure, place)


def _credentials(text: str, at: int, place: _Place) -> Span | None:
    """To the closing quote, or else to the end of the line."""
    if place.opening and not place.opening.startswith("%"):
        stop = _closing(text, at, place.opening)
    else:
        match = _TO_LINE_END.match(text, at)
        stop = match.end() if match else at
    value = text[at:stop].rstrip()
    if is_placeholder(value) or len(value) < 3 or value.startswith((" ", "{")):
        return None
    return at, at + len(value)


def _quoted(text: str, sure: Promise, place: _Place) -> Span | None:
    at = place.value_at
    stop = _closing(text, at, place.opening)
    value = text[at : min(stop, at + 300)]
    if is_placeholder(value) or value[0] in " )]},;+":
        return None
    if place.quoted_name and sure >= Promise.FAIR:
        return at, stop
    if is_field_word(value):
        return None
    if sure == Promise.STRONG or looks_random(value):
        return at, stop
    if (
        sure == Promise.FAIR
        and (len(value) >= 20 or not is_wordy(value))
        and " " not in value
        and len(value) >= 6
    ):
        return at, stop
    return None


def _closing(text: str, at: int, opening: str) -> int:
    """Where the string that was opened ends: at its quote, unescaped; without one at the end of the line."""
    quote, depth = opening[-1], len(opening) - 1
    reach = min(len(text), at + _QUOTE_REACH)
    found = at
    while (found := text.find(quote, found, reach)) >= 0:
        slashes = 0
        while slashes < 64 and found - slashes > at and text[found - slashes - 1] == "\\":
            slashes += 1
        if slashes <= depth if depth else slashes % 2 == 0:
            return found - min(slashes, depth)
        found += 1
    line = text.find("\n", at, reach)
    return line if line >= 0 else reach


def _bare(text: str, begin: int, sure: Promise, place: _Place) -> Span | None:
    at = place.value_at
    head = _BARE_HEAD.match(text, at)
    value = head.group() if head else ""
    if not value or is_placeholder(value):
        return None
    whole = _BARE.match(text, at)
    stop = whole.end() if whole else at
    following = text[stop : stop + 1]
    if not _is_bare_secret(value.rstrip(".:"), sure, place, following, text[begin:at]):
        return None
    return at, stop


def _is_bare_secret(value: str, sure: Promise, place: _Place, following: str, told: str) -> bool:
    if not value or following in ("(", "[", "{") and is_wordy(value):
        return False
    if place.sign == " " and value.startswith("/"):
        return False
    if is_wordy(value):
        return _is_word_a_secret(value, sure, place, following, told)
    if sure == Promise.STRONG:
        return not value.isdigit() or len(value) >= 4
    if value.isdigit():
        return sure == Promise.WEAK and 4 <= len(value) <= 12 and "pin" in told.lower()
    if sure == Promise.FAIR and told.isupper() and len(value) >= 6:
        return True
    return looks_random(value) or (sure == Promise.FAIR and len(value) >= 12 and not value.startswith("/"))


def _is_word_a_secret(value: str, sure: Promise, place: _Place, following: str, told: str) -> bool:
    """Of letters, dots and underscores only: in a setting it is a secret, in code a name."""
    if looks_random(value) and "." not in value and len(value) >= 24:
        return True
    if sure < Promise.FAIR or "." in value or is_field_word(value):
        return False
    attached = not told.endswith((" ", "\t"))
    if place.sign == "=" and attached and told.strip("=").replace("_", "").isupper():
        return True  # DB_PASSWORD=swordfish
    if sure < Promise.STRONG or following in (",", ")", "]", "}", ";") or value[0].isupper():
        return False
    return len(value) >= 4 and (place.sign != "=" or attached)


def _encoded(text: str, at: int, sure: Promise) -> Span | None:
    match = _ENCODED_BARE.match(text, at)
    value = match.group() if match else ""
    if not value or is_placeholder(value) or sure < Promise.FAIR:
        return None
    return at, at + len(value)


__all__ = ["MASK", "find_assignments"]
