"""Private keys in blocks of lines (`-----BEGIN … PRIVATE KEY-----`), whole, cut off, or with their line breaks escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator

Span = tuple[int, int]

_EDGE = re.compile(r"-----(BEGIN|END) ?(?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_PUTTY = re.compile(r"Private-Lines: \d+")
_BODY = re.compile(r"[A-Za-z0-9+/=\s\\\"',:.>|-]*+")
_FARTHEST = 40_000
"""Characters between a BEGIN and its END; the largest RSA keys in use have 13,000."""


def find_key_blocks(text: str) -> Iterator[Span]:
    """What stands between the two lines; without one of them, all that looks like the inside of a key."""
    if "PRIVATE KEY" in text:
        yield from _armoured(text)
    done = 0
    for found in _PUTTY.finditer(text) if "Private-Lines" in text else ():
        body = _BODY.match(text, found.end(), found.end() + _FARTHEST) if found.start() >= done else None
        if body is not None:
            done = body.end()
            yield body.span()


def _armoured(text: str) -> Iterator[Span]:
    edges = [(match.group(1), *match.span()) for match in _EDGE.finditer(text)]
    done = 0
    for index, (kind, begin, end) in enumerate(edges):
        if kind == "BEGIN":
            following = edges[index + 1] if index + 1 < len(edges) else None
            if following and following[0] == "END" and following[1] - end <= _FARTHEST:
                done = following[1]
            else:
                body = _BODY.match(text, end, following[1] if following else len(text))
                done = body.end() if body else end
            yield end, done
        elif begin > done:
            yield _inside_before(text, done, begin), begin
        done = max(done, end)


def _inside_before(text: str, least: int, end: int) -> int:
    """Where the base64 lines that lead up to `end` begin."""
    head = text[max(least, end - _FARTHEST) : end]
    kept = head.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n\t\\ ")
    return end - len(head) + len(kept)
