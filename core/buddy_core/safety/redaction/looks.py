"""Judging a value by its looks: is it a stand-in, a piece of code, or made at random?"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "‹masked›"
"""Stands where a secret was."""

_STAND_INS = frozenset(
    "none null nil undefined true false yes no on off string str int integer number float bool boolean bytes "
    "any object unknown optional required redacted masked hidden filtered secret? n/a na tbd todo empty unset "
    "missing invalid valid ok default list dict map array void never bearer basic digest token? include omit "
    "same-origin set".split()
)
_EXPRESSION = re.compile(
    r"[$%]?[{(<\[]|\$[A-Za-z_{(]|%[A-Za-z_]+%?\Z|%\(|@[A-Za-z{]|\*+\Z|[.…]+\Z|[xX*•●#._-]{3,}\Z|&[A-Za-z*(]"
)
_YOURS = re.compile(
    r"(?i)\A[<\[]?(?:your|my|the|insert|replace|some|enter|paste|put)[-_ ](?:[a-z]{2,12}[-_ ]?){0,5}(?:here)?[>\]]?\Z"
)
_WORDY = re.compile(r"[A-Za-z_$][A-Za-z_$.]*+\Z")
_FIELD_WORDS = frozenset(
    "password passwd pwd pass passphrase passcode token tokens secret secrets key keys api access auth user "
    "username userid client id x header authorization bearer cookie cookies session csrf xsrf refresh new old "
    "current confirm db database credential credentials private public oauth jwt apikey name value code otp "
    "dsn sentry url string text type login email data env self cls this none account service admin root "
    "provider config get set req request res response body params args kwargs options opts settings".split()
)
_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_placeholder(value: str) -> bool:
    """True for what stands in a secret's place: nothing, `null`, `${PASSWORD}`, `<your key>`, `****`, the mask."""
    head = value[:80].strip()
    if not head or head.lower() in _STAND_INS or MASK in value:
        return not head.replace(MASK, "") or MASK not in value
    return _EXPRESSION.match(head) is not None or _YOURS.match(head) is not None


def is_field_word(value: str) -> bool:
    """True for the name of a field (`access_token`, `newPassword`): code says `password = "password"`."""
    words = _SPLIT.findall(value[:64])
    return (
        bool(words)
        and all(word.lower() in _FIELD_WORDS for word in words)
        and not any(map(str.isdigit, value))
    )


def is_wordy(value: str) -> bool:
    """True for a name or a dotted path of names, such as code has on the right of an equals sign."""
    return _WORDY.match(value) is not None


def looks_random(value: str) -> bool:
    """True for what nobody would write by hand: digits mixed with letters, or long runs of mixed case."""
    head = value[:256]
    digits = sum(map(str.isdigit, head))
    letters = sum(map(str.isalpha, head))
    if digits and letters:
        return len(head) >= 8 and len(set(head)) >= 5
    return len(head) >= 20 and head != head.lower() and head != head.upper() and len(set(head)) >= 12
