"""Secrets in base64: a run that decodes to text in which there is a secret, or to `user:password`."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator

Span = tuple[int, int]

_PLAIN = "[CDGI-Za-f]"
"""What base64 begins each three characters of ASCII with; half of all words have another letter there."""

_CODE = re.compile(
    rf"(?<![A-Za-z0-9+/_\-])(?=(?:{_PLAIN}.{{3}}){{2}}{_PLAIN})[A-Za-z0-9+/_\-]{{12,}}+={{0,2}}"
)
_PAIR = re.compile(r"[A-Za-z0-9_.@\-]{1,64}:[!-~]{3,128}\Z")
_LAYOUT = dict.fromkeys(map(ord, "\n\r\t\x1b"))
_PEEK = 16
"""Characters that are decoded to see whether the rest is worth it: a picture shows at once that it is no text."""


def find_encoded(text: str, is_secret: Callable[[str], bool]) -> Iterator[Span]:
    """Every run of base64 whose text `is_secret`, or is a user name and a password."""
    for match in _CODE.finditer(text):
        code = match.group()
        if decoded(code[:_PEEK]) is None:
            continue
        plain = decoded(code)
        if plain is not None and (is_secret(plain) or _is_pair(plain)):
            yield match.span()


def decoded(code: str) -> str | None:
    """The printable text that `code` is base64 of, in either alphabet; None when it is none."""
    try:
        text = urlsafe_b64decode(code + "==").decode("ascii")  # more of them than it needs are passed over
    except ValueError:
        return None
    return text if text.translate(_LAYOUT).isprintable() else None


def _is_pair(plain: str) -> bool:
    return _PAIR.match(plain) is not None
