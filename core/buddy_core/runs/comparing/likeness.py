"""Which calls are not the same and yet belong side by side: the same tool, on the same file or with much the same words.

Unrelated runs call the same few tools with arguments that have nothing in common; such calls stand alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from buddy_core.runs.comparing.align import Pairs
from buddy_core.runs.comparing.keys import comparable

ALIKE = 0.6
"""So much of the words of both calls' telling arguments is the same at least (Dice: twice the shared words by all words).

Of two paths the words are their parts, and the last parts must be equal: another file is another call.
"""

STRETCH = 40
"""Calls that are looked at together; longer stretches are cut into pieces of the same share of both."""

_WORD = re.compile(r"\w+")
_PATH = re.compile(r"(?!\w+://)\S*(?:/\S*|\.\w{1,8})")


class Telling(NamedTuple):
    """What of a call decides whether another is like it."""

    tool: str
    name: str
    """The last part of a path; empty where the argument is none."""
    words: frozenset[str]


def telling(tool: str, argument: str, *, base: str | None) -> Telling:
    """From the tool and the argument that tells most (`toolargs.key_argument`); `base` is the run's directory."""
    path = _PATH.fullmatch(argument) is not None
    text = comparable(argument, base=base, path=path)
    if not path:
        return Telling(tool, "", frozenset(_WORD.findall(text)))
    parts = [part for part in text.split("/") if part]
    return Telling(tool, parts[-1] if parts else text, frozenset(parts))


def likeness(a: Telling, b: Telling) -> float:
    """From `ALIKE` to 1 for calls that belong together, else 0."""
    if a.tool != b.tool or a.name != b.name or not a.words or not b.words:
        return 0.0
    found = 2 * len(a.words & b.words) / (len(a.words) + len(b.words))
    return found if found >= ALIKE else 0.0


def alike(a: Sequence[Telling], b: Sequence[Telling]) -> Pairs:
    """Pairs of calls that are alike, in the order of both, with the most likeness together.

    Turned around it gives the same pairs turned around.
    """
    pieces = max(1, -(-max(len(a), len(b)) // STRETCH))
    pairs: Pairs = []
    for piece in range(pieces):
        i, j = piece * len(a) // pieces, piece * len(b) // pieces
        end_i, end_j = (piece + 1) * len(a) // pieces, (piece + 1) * len(b) // pieces
        pairs += [(i + x, j + y) for x, y in _best(a[i:end_i], b[j:end_j])]
    return pairs


def _best(a: Sequence[Telling], b: Sequence[Telling]) -> Pairs:
    if not a or not b:
        return []
    if _order(b) < _order(a):
        return [(x, y) for y, x in _best(b, a)]
    table = [[0.0] * (len(b) + 1)]
    likes: list[list[float]] = []
    for one in a:
        row, above = [0.0], table[-1]
        likes.append([likeness(one, other) for other in b])
        for y, like in enumerate(likes[-1]):
            kept = max(above[y + 1], row[y])
            row.append(max(kept, above[y] + like) if like else kept)
        table.append(row)
    return list(_traced(table, likes))[::-1]


def _traced(table: Sequence[Sequence[float]], likes: Sequence[Sequence[float]]) -> Iterator[tuple[int, int]]:
    """The pairs of the best sum, the last one first."""
    x, y = len(table) - 1, len(table[0]) - 1
    while x and y:
        if table[x][y] == table[x - 1][y]:
            x -= 1
        elif table[x][y] == table[x][y - 1]:
            y -= 1
        else:
            x, y = x - 1, y - 1
            yield x, y


def _order(calls: Sequence[Telling]) -> list[tuple[str, str, list[str]]]:
    return [(call.tool, call.name, sorted(call.words)) for call in calls]
