"""Passwords in addresses: `scheme://user:password@host`, and a token that stands alone before the `@`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from buddy_core.safety.redaction.looks import is_placeholder, looks_random

Span = tuple[int, int]

_USERINFO = re.compile(
    r"""://([^\s:/?\#@"'`<>\\]{0,128}+)(?::([^\s"'`<>]{1,512}?))?@(?=[^\s@"'`<>/]{0,256}(?:[\s"'`<>/]|\Z))"""
)
_PORT = re.compile(r"[0-9]{1,5}(?:[/?#]|\Z)")


def find_addresses(text: str) -> Iterator[Span]:
    """The password of each address that has one, else a name before `@` that looks like a token."""
    if "://" not in text:
        return
    for match in _USERINFO.finditer(text):
        user, password = match.group(1), match.group(2)
        if password is not None:
            if not is_placeholder(password) and not _PORT.match(password):
                yield match.span(2)
        elif len(user) >= 16 and looks_random(user):
            yield match.span(1)
