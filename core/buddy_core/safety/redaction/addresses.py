"""Passwords in addresses: `scheme://user:password@host`, and a token that stands alone before the `@`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from buddy_core.safety.redaction.looks import is_placeholder, looks_random

Span = tuple[int, int]

_USER = re.compile(r"""://([^\s:/?#@"'`<>\\]{0,128}+)([:@])""")
_REST = re.compile(r"""[^\s"'`<>]*+""")
_REACH = 700
_AFTER_HOST = re.compile(r"[/?#]")
_PORT = re.compile(r"[0-9]{1,5}(?:[/?#]|\Z)")


def find_addresses(text: str) -> Iterator[Span]:
    """The password of each address that has one, else a name before `@` that looks like a token."""
    if "://" not in text:
        return
    for match in _USER.finditer(text):
        user, mark = match.groups()
        if mark == ":":
            yield from _password(text, match.end())
        elif len(user) >= 16 and looks_random(user):
            yield match.span(1)


def _password(text: str, begin: int) -> Iterator[Span]:
    """To the last `@` before the path: a password may hold one, and even a slash, which no host does."""
    following = text.find("://", begin, begin + _REACH)
    match = _REST.match(text, begin, following if following >= 0 else begin + _REACH)
    rest = match.group() if match is not None else ""
    at = rest.find("@")
    if at <= 0 or _PORT.match(rest):
        return
    path = _AFTER_HOST.search(rest, at)
    at = rest.rfind("@", at, path.start() if path is not None else len(rest))
    if not is_placeholder(rest[:at]):
        yield begin, begin + at
