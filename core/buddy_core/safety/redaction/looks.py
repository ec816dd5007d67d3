"""Judging a value by its looks: is it a stand-in, a piece of code, or made at random?"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "‹masked›"
"""Stands where a secret was."""


def words(listed: str) -> frozenset[str]:
    """The words of a list that is written as one text."""
    return frozenset(listed.split())


_STAND_INS = words(
    "none null nil undefined true false yes no on off string str int integer number float bool boolean bytes "
    "any object unknown optional required redacted masked hidden filtered n/a na tbd todo empty unset "
    "missing invalid valid ok default list dict map array void never inherit bearer basic digest include omit "
    "same-origin set"
)
_EXPRESSION = re.compile(
    r"[$%]?[{(<\[]|\$[A-Za-z_{(]|%[A-Za-z_]+%?\Z|%\(|@[A-Za-z{]|\*+\Z|[.…]+\Z|[xX*•●#._-]{3,}\Z|&[A-Za-z*(]|0x[0-9A-Fa-f]{1,8}\Z"
)
_YOURS = re.compile(
    r"(?i)\A[<\[]?(?:your|my|the|insert|replace|some|enter|paste|put)[-_ ](?:[a-z]{2,12}[-_ ]?){0,5}(?:here)?[>\]]?\Z"
)
_WORDY = re.compile(r"[A-Za-z_$][A-Za-z_$.]*+\Z")
_NUMBERED_WORD = re.compile(r"[A-Za-z_$.-]*+[0-9]{0,3}\Z")
_DIGIT, _LETTER = re.compile(r"[0-9]"), re.compile(r"[A-Za-z]")
_FIELD_WORDS = words(
    "password passwd pwd pass passphrase passcode token tokens secret secrets key keys api access auth user "
    "username userid client id x header authorization bearer cookie cookies session csrf xsrf refresh new old "
    "current confirm db database credential credentials private public oauth jwt apikey name value code otp "
    "dsn sentry url string text type login email data env self cls this none account service admin root "
    "provider config get set req request res response body params args kwargs options opts settings"
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
    """True for what nobody would choose as a name: letters and digits mixed, other than a word with a number."""
    head = value[:64]
    if len(head) < 8 or _NUMBERED_WORD.match(head) or len(set(head)) < 5:
        return False
    return _DIGIT.search(head) is not None and _LETTER.search(head) is not None
