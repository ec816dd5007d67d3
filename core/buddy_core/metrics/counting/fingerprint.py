"""Which errors are the same error: type and message with numbers, paths and ids blanked."""

from __future__ import annotations

import re
from functools import cache, lru_cache

LOOKED_AT = 400
"""Characters of a message that decide its group; what follows is usually output, not message."""

KEPT = 200
"""Characters of the blanked message in the fingerprint."""

_IDS_AND_NUMBERS = r"""
      (?P<id> \b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b
            | \b(?=[a-z_]{0,12}[0-9a-z]*[0-9]) [a-z]{2,12}_[0-9A-Za-z_]{6,64}\b
            | \b(?=[0-9]{0,40}[a-f]) (?=[a-f]{0,40}[0-9]) [0-9a-f]{7,64}\b | \b0x[0-9a-f]{1,32}\b )
    | (?P<number> (?<![A-Za-z0-9_]) [0-9]+ (?: [.,:] [0-9]+ ){0,8} )
    """

_PLACES = r"""
      (?P<url> \b[a-z][a-z0-9+.-]{1,15}://[^\s'"<>)]{1,300} )
    | (?P<path> (?<![\w<]) (?: ~?/ | \.{1,2}/ | [A-Za-z]:\\ ) [^\s:'"<>()\[\],;]{1,300}
              | (?<![\w./-]) \w[\w.-]{0,60} (?: / [\w.-]{1,60} ){1,20} )
    | """


@cache
def _variable() -> re.Pattern[str]:
    """Compiled for the first error: a program that has none need not wait for it."""
    return re.compile(_PLACES + _IDS_AND_NUMBERS, re.VERBOSE | re.IGNORECASE)


@cache
def _ids_and_numbers() -> re.Pattern[str]:
    return re.compile(_IDS_AND_NUMBERS, re.VERBOSE | re.IGNORECASE)


def without_ids(text: str) -> str:
    """`text` with ids and numbers blanked as in a fingerprint, but with its paths and addresses."""
    return _ids_and_numbers().sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    return f"<{match.lastgroup}>"


@lru_cache(maxsize=2048)
def _blanked(message: str) -> str:
    text = _variable().sub(_blank, message)
    return " ".join(text.split())[:KEPT]


def fingerprint(type_: str, message: str) -> str:
    """Stable group key of an error: its type, a space, and its message with the variable parts blanked.

    `"read_error cannot open <path> (errno <number>)"`: the same for every path and number. The text is
    still observed text and must be treated as such wherever it is shown.
    """
    return f"{type_} {_blanked(message[:LOOKED_AT])}"
