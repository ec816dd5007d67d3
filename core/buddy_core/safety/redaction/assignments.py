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
    words,
)
from buddy_core.safety.redaction.names import MAX_NAME, Promise, promise

Span = tuple[int, int]

HINTS = words(
    "pass pwd secret token key auth cred cookie dsn jwt bearer otp mfa signature sessid .sid connectionstr "
    "connection_str connection-str connstr conn_str verification"
)
"""One of these stands in every name that promises something."""

HINTS_TO_SIGN = ("sig=", "sid=", "pin=", "pin:", 'pin":', "sig%3d")
"""Short words that are looked for with what follows them; alone they are parts of many others."""

_NAME_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$.-"
_AFTER = re.compile(r"[A-Za-z0-9_\-]{0,64}+")
_KIND_BEFORE_KEY = re.compile(r"(?:api|access|secret|private|account|license) \Z")
_SEPARATOR = re.compile(
    r"""(?P<close>\\*["'`]?)\]?(?P<close2>\\*["'`]?)[ \t]{0,16}"""
    r"""(?P<sign>:=|=>|=(?![=~])|:(?![:=])|%3[DdAa]|>(?=[^\s<>]))"""
    r"""[ \t]{0,64}(?:\r?\n[ \t]{0,64}(?=["']))?"""
    r"""(?P<prefix>(?:[bBrRuUfF]{1,2}(?=["']))?)(?P<open>\\*["'`]|%2[27]|)"""
)
_NEXT_WORD = re.compile(r"""[ \t]{1,8}(?:(?:is|was)[ \t]{1,4})?(?P<open>\\*["'`]?)(?=[^\s\-=:|&;<>])""")
_ELSEWHERE = re.compile(
    r"""\\*["'](?:[ \t]{1,8}value[ \t]{0,4}=|\s{0,64},\s{0,64}\\*["'](?:value|val|default|content)\\*["']\s{0,8}:"""
    r"""|\s{0,8}\{[^{}"]{0,200}\bdefault[ \t]{0,16}=)[ \t]{0,16}(?P<open>\\*["'])""",
    re.IGNORECASE,
)
"""`key="ApiKey" value="…"`, `"name": "ApiKey", "value": "…"`, `variable "api_key" { default = "…" }`."""
_NEXT_ITEM = re.compile(r"""\\*["'],[ \t]{0,8}[bBrRuU]?(?P<open>\\*["'])""")
_NEXT_CELL = re.compile(r"[ \t]{0,64}\|[ \t]{0,64}(?=[^|\s])")
_PARAMETERS = re.compile(r"""(?:[A-Za-z_-]{1,40}=(?:\\*"[^"\n]{0,2000}"|[^\s,"\\]{1,2000}+)[, \t]{0,8})++""")
_SCHEME = re.compile(
    r"(?i)(?:bearer|basic|token|digest|negotiate|ntlm|apikey|api-key|key|aws4-hmac-sha256)[ \t]+"
)
_BARE = re.compile(r"(?:[^\s\"'`,;&<>(){}\[\]\\]|\\(?![nrtu\"'`\\]))*+")
_ENCODED_BARE = re.compile(r"(?:(?!%2[267]|%7[DBdb]|%0[AaDd])[^\s\"'`,;&<>(){}\[\]\\])*+")
_TO_LINE_END = re.compile(r"(?:[^\n\r\"'`\\]|\\(?![nr\"'`]))*+")
_JUDGED = 96
"""Characters of a value that decide about it; only a value that is masked is followed to its end."""
_HINTS_ANYWHERE, _CHARS_PER_HINT = 2_000, 16
"""A text that has more names of secrets than this is made to keep the search busy: all the rest is masked."""
_BLOCK_MARKS = ("|", "|-", "|+", ">", ">-")
_BLOCK = re.compile(r"(?:[ \t]*\n[ \t]+[^\s][^\n]*+)++")
"""The indented lines of a text in YAML."""
_CODE = re.compile(r"!?[A-Za-z_$][A-Za-z0-9_$]*+(?:\??\.[A-Za-z_$][A-Za-z0-9_$]*+)*+")
_QUOTE_REACH = 65_536
"""Characters after which a string that is never closed is given up."""


class _Place:
    """What stands between a name and its value."""

    __slots__ = ("opening", "quoted_name", "sign", "value_at")

    def __init__(self, value_at: int, opening: str, sign: str, quoted_name: bool) -> None:
        self.value_at = value_at
        self.opening = opening
        self.sign = sign
        self.quoted_name = quoted_name


def find_assignments(text: str, low: str) -> Iterator[Span]:
    """The values beside names that promise a secret; `low` is `text` in small letters."""
    done = 0
    for number, (start, stop) in enumerate(_hints(low)):
        if start < done:
            continue
        if number > _HINTS_ANYWHERE + start // _CHARS_PER_HINT:
            yield start, len(text)
            return
        begin, end = _name_around(text, start, stop, done)
        sure = _promise_at(text, low, begin, end)
        if sure == Promise.NONE:
            continue
        done = end
        place = _place_after(text, begin, end, sure)
        span = None if place is None else _value(text, begin, end, sure, place)
        if span is not None:
            done = span[1]
            yield span


def _hints(low: str) -> list[Span]:
    """Where a name that promises something may be, in order."""
    found: list[Span] = []
    for word in HINTS:
        at = low.find(word)
        while at >= 0:
            found.append((at, at + len(word)))
            at = low.find(word, at + 1)
    for word in HINTS_TO_SIGN:
        at = low.find(word)
        while at >= 0:
            found.append((at, at + 3))
            at = low.find(word, at + 1)
    found.sort()
    return found


def _name_around(text: str, start: int, end: int, least: int) -> Span:
    head = text[max(least, start - 64) : start]
    begin = start - len(head) + len(head.rstrip(_NAME_CHARS))
    if text.startswith(("n", "r", "t"), begin) and text[begin - 1 : begin] == "\\":  # an escaped line break
        begin += 1
    after = _AFTER.match(text, end)
    end = after.end() if after else end
    return begin, min(end, begin + MAX_NAME + 1)


def _promise_at(text: str, low: str, begin: int, end: int) -> Promise:
    """What the name promises, also when it is two words: `API key`."""
    sure = promise(text[begin:end].strip(".-$"))
    if (
        sure == Promise.NONE
        and low.startswith("key", begin)
        and _KIND_BEFORE_KEY.search(low[max(0, begin - 9) : begin])
    ):
        return Promise.STRONG
    return sure


def _place_after(text: str, begin: int, end: int, sure: Promise) -> _Place | None:
    match = _SEPARATOR.match(text, end)
    if match is not None:
        quoted = bool(match["close"] or match["close2"])
        sign = match["sign"]
        if sign == ">" and (quoted or text[begin - 1 : begin] not in "<:"):
            return None
        return _Place(match.end(), match["open"], sign, quoted)
    if text[begin - 1 : begin] in ("'", '"'):
        return _elsewhere(text, end)
    if text[begin : begin + 1] == "-" and sure >= Promise.FAIR:  # --password hunter2
        return _next_word(text, end)
    if sure < Promise.STRONG:
        return None
    if text[max(0, begin - 16) : begin].rstrip(" \t*`").endswith("|"):
        return _next_cell(text, end)
    place = _next_word(text, end)
    return place if place is not None and (place.opening or _reads_random(text, place.value_at)) else None


def _elsewhere(text: str, end: int) -> _Place | None:
    """The value of a name that stands by itself, as an attribute, an item or an argument."""
    match = _ELSEWHERE.match(text, end)
    if match is not None:
        return _Place(match.end(), match["open"], "=", True)
    match = _NEXT_ITEM.match(text, end)
    return None if match is None else _Place(match.end(), match["open"], ",", False)


def _next_cell(text: str, end: int) -> _Place | None:
    match = _NEXT_CELL.match(text, end)
    return None if match is None else _Place(match.end(), "", "|", False)


def _next_word(text: str, end: int) -> _Place | None:
    match = _NEXT_WORD.match(text, end)
    return None if match is None else _Place(match.end(), match["open"], " ", False)


def _reads_random(text: str, at: int) -> bool:
    word = _BARE.match(text, at, at + _JUDGED)
    return word is not None and len(word.group()) >= 8 and looks_random(word.group())


def _value(text: str, begin: int, end: int, sure: Promise, place: _Place) -> Span | None:
    name = text[begin:end].lower()
    if "authorization" in name or name.endswith("auth"):
        scheme = _SCHEME.match(text, place.value_at)
        if scheme is not None:
            return _credentials(text, scheme.end(), place, begin)
    if "cookie" in name and (place.opening or place.sign == ":"):
        return _credentials(text, place.value_at, place, begin, pairs=True)
    if place.opening.startswith("%"):
        return _encoded(text, place.value_at, sure)
    if place.opening:
        return _quoted(text, sure, place, flag=name.startswith("-"))
    return _bare(text, begin, sure, place)


def _credentials(text: str, at: int, place: _Place, begin: int, *, pairs: bool = False) -> Span | None:
    """To the closing quote of the value or of the whole header, or else to the end of the line.

    With `pairs`, only what holds an equals sign soon: `Cookie: ` is a heading as well.
    """
    line = _TO_LINE_END.match(text, at, at + _JUDGED)
    head = line.group().strip() if line is not None else ""
    if (
        is_placeholder(head)
        or len(head) < 3
        or text[at] in " {"
        or (pairs and "=" not in text[at : at + _JUDGED])
    ):
        return None
    around = _quote_before(text, begin) if not place.opening and not place.quoted_name else ""
    parameters = _PARAMETERS.match(text, at)
    if place.opening and not place.opening.startswith("%"):
        stop = _closing(text, at, place.opening)
    elif around:
        stop = min(_closing(text, at, around), _line_end(text, at))
    elif parameters is not None:
        stop = parameters.end()
    else:
        line = _TO_LINE_END.match(text, at)
        stop = line.end() if line is not None else at
    return at, at + len(text[at:stop].rstrip(" \t,"))


def _quote_before(text: str, begin: int) -> str:
    """The quote, with the backslashes before it, that stands right before the name."""
    if text[begin - 1 : begin] not in ("'", '"', "`"):
        return ""
    head = text[max(0, begin - 9) : begin - 1]
    return text[begin - 1 - (len(head) - len(head.rstrip("\\"))) : begin]


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at, at + _QUOTE_REACH)
    return found if found >= 0 else min(len(text), at + _QUOTE_REACH)


def _quoted(text: str, sure: Promise, place: _Place, *, flag: bool) -> Span | None:
    at = place.value_at
    stop = _closing(text, at, place.opening)
    value = text[at : min(stop, at + 300)]
    if is_placeholder(value) or value[0] in " )]},;+":
        return None
    if place.quoted_name and sure >= Promise.FAIR:
        return at, stop
    if is_field_word(value) or (place.sign == "," and not flag and (is_wordy(value) or " " in value)):
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
    return _line_end(text, at)


def _bare(text: str, begin: int, sure: Promise, place: _Place) -> Span | None:
    at = place.value_at
    head = _BARE.match(text, at, at + _JUDGED)
    value = head.group() if head is not None else ""
    if not value or is_placeholder(value):
        return None
    following = text[at + len(value) : at + len(value) + 1] if len(value) < _JUDGED else ""
    if value in _BLOCK_MARKS and (block := _BLOCK.match(text, at + len(value))) is not None:
        return at + len(value), block.end()
    told = text[max(0, begin - 1) : at] if text[begin - 1 : begin] in ("?", "&", ";") else text[begin:at]
    if not _is_bare_secret(value.rstrip(".:"), sure, place, following, told):
        return None
    whole = _BARE.match(text, at)
    return at, whole.end() if whole is not None else at


def _is_bare_secret(value: str, sure: Promise, place: _Place, following: str, told: str) -> bool:
    if not value or _is_code(value, place, following, told):
        return False
    if place.sign == " " and value.startswith("/"):
        return False
    if is_wordy(value):
        return _is_word_a_secret(value, sure, place, following, told)
    if sure == Promise.STRONG:
        return not value.isdigit() or len(value) >= 4
    if value.isdigit():
        return (sure == Promise.FAIR and len(value) >= 8) or (
            sure == Promise.WEAK and 4 <= len(value) <= 12 and "pin" in told.lower()
        )
    if sure == Promise.FAIR and told.isupper() and len(value) >= 6:
        return True
    return looks_random(value) or (sure == Promise.FAIR and len(value) >= 12 and not value.startswith("/"))


def _is_code(value: str, place: _Place, following: str, told: str) -> bool:
    """True for a call, and for `= object.member`: in settings nothing stands around the equals sign."""
    if following in ("(", "[", "{"):
        return _CODE.fullmatch(value) is not None
    return place.sign == "=" and told.endswith(" ") and "." in value and _CODE.fullmatch(value) is not None


def _is_word_a_secret(value: str, sure: Promise, place: _Place, following: str, told: str) -> bool:
    """Of letters, dots and underscores only: in a setting it is a secret, in code a name."""
    attached = place.sign == "=" and not told.endswith((" ", "\t"))
    if sure == Promise.STRONG and attached and told.startswith(("?", "&", ";")):
        return True  # of a link, a form or a connection string
    if sure >= Promise.FAIR and attached and told.isupper():
        return True  # DB_PASSWORD=swordfish
    if sure < Promise.STRONG or "." in value or is_field_word(value) or place.sign == "|":
        return False
    if following in (",", ")", "]", "}") or (following == ";" and not attached) or value[0].isupper():
        return False
    return len(value) >= 4 and (place.sign != "=" or attached)


def _encoded(text: str, at: int, sure: Promise) -> Span | None:
    head = _ENCODED_BARE.match(text, at, at + _JUDGED)
    if sure < Promise.FAIR or head is None or is_placeholder(head.group()):
        return None
    whole = _ENCODED_BARE.match(text, at)
    return at, whole.end() if whole is not None else at


__all__ = ["MASK", "find_assignments"]
