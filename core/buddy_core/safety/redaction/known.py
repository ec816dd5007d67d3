"""Secrets that are known by value, found in every spelling a log may give them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from buddy_core.safety.redaction.looks import MASK

SHORTEST = 6
"""Characters a known value must have to be looked for."""

_SHORTEST_CODE = 8
_Trie = dict[str, "_Trie"]


class KnownValues:
    """Finds any of a set of values in one pass over a text, however many there are."""

    def __init__(self, values: Iterable[str]) -> None:
        spellings = {s for value in values if isinstance(value, str) for s in _spellings(value)}
        self._pattern = _pattern({s for s in spellings if s not in MASK})

    def masked(self, text: str) -> str:
        """`text` with each known value replaced by the mask."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)


def _spellings(value: str) -> Iterator[str]:
    if len(value.strip()) < SHORTEST:
        return
    lines = [line.strip() for line in value.splitlines()]
    for whole in {value, value.strip(), *(line for line in lines if len(line) >= 12)}:
        yield whole
        for ascii_only in (True, False):
            yield json.dumps(whole, ensure_ascii=ascii_only)[1:-1]
        yield repr(whole)[1:-1]
        raw = whole.encode("utf-8", "surrogatepass")
        yield from (quote(raw, safe=""), quote(raw), quote_plus(raw), raw.hex(), raw.hex().upper())
        yield from _base64(raw)


def _base64(raw: bytes) -> Iterator[str]:
    """The characters of base64 that depend on `raw` alone, for each of the three places it may begin at."""
    for shift in range(3):
        padded = bytes(shift) + raw
        whole = len(padded) // 3 * 3
        code = base64.b64encode(padded[:whole]).decode()[(0, 2, 3)[shift] :]
        if len(code) >= _SHORTEST_CODE:
            yield code
            yield code.replace("+", "-").replace("/", "_")


def _pattern(spellings: Iterable[str]) -> re.Pattern[str] | None:
    root: _Trie = {}
    for spelling in spellings:
        node = root
        for char in spelling:
            node = node.setdefault(char, {})
        node[""] = {}
    return re.compile(_expression(root)) if root else None


def _expression(node: _Trie) -> str:
    """The branches of `node`, the longest first; a chain without branches is written as it is."""
    chain = ""
    while len(node) == 1 and "" not in node:
        char, node = next(iter(node.items()))
        chain += re.escape(char)
    branches = [re.escape(char) + _expression(rest) for char, rest in node.items() if char]
    if not branches:
        return chain
    optional = "?" if "" in node else ""
    return f"{chain}(?:{'|'.join(branches)}){optional}"
