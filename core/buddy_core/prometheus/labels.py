"""Label names and values that Prometheus takes: valid UTF-8, bounded, and without secrets.

A value keeps its line breaks, quotes and backslashes; writing them escaped is the exposition's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from buddy_core.safety.redact import MASK, is_secret_name, redact

LONGEST_VALUE = 256
"""Characters of a label value; a longer one is cut and ends in `…`."""

LONGEST_NAME = 128
"""Characters of a label or metric name."""

_LOOKED_AT = 4 * LONGEST_VALUE
"""Characters searched for secrets: what is cut off anyway is never looked at."""

_RESERVED = frozenset({"le", "quantile"})
"""Names that histograms and summaries give a meaning of their own."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHERS = re.compile(r"[^a-zA-Z0-9]+")


@lru_cache(maxsize=8192)
def label_value(text: str) -> str:
    """`text` without secrets and lone surrogates, at most `LONGEST_VALUE` characters."""
    return shortened(redact(text[:_LOOKED_AT]), LONGEST_VALUE)


def shortened(text: str, limit: int) -> str:
    """`text` as valid UTF-8 of at most `limit` characters; a lone surrogate becomes U+FFFD."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def snake_case(text: str) -> str:
    """`text` as lower-case ASCII words joined by underscores; empty where it has no ASCII letter or digit."""
    return _OTHERS.sub("_", _HUMP.sub("_", text[:LONGEST_NAME])).strip("_").lower()


@lru_cache(maxsize=8192)
def label_set(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Labels that an agent chose, as Prometheus takes them: no name twice, none reserved."""
    taken: dict[str, str] = {}
    for name, value in sorted(pairs):
        known = unused(_label_name(name), taken)
        taken[known] = MASK if is_secret_name(name) else label_value(value)
    return tuple(sorted(taken.items()))


def _label_name(text: str) -> str:
    name = snake_case(redact(text[:_LOOKED_AT]))
    if not name or name[0].isdigit() or name in _RESERVED:
        name = f"label_{name}".rstrip("_")
    return name


def unused(name: str, taken: Iterable[str]) -> str:
    """`name`, or the first of `name_2`, `name_3`, … that is not taken."""
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate
