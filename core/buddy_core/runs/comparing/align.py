"""Which calls of two runs belong together: a longest common subsequence, in memory that is linear.

`difflib` is made for lines of text, most of which occur once; of an agent's calls a few occur thousands of times, and
for 10,000 of them it then takes 200 times as long as this, and finds fewer pairs. Here whole columns of the table are computed at once, as bits of Python's
long integers (Hyyrö, Bit-parallel LCS-length computation revisited, 2004): some n·m/60 steps of C. Where the bits
of the whole table would be too many to keep it is halved first (Hirschberg, 1975).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol, Self, TypeAlias, TypeVar

Pairs: TypeAlias = list[tuple[int, int]]
"""Indices into both sequences; both grow from one pair to the next."""


class Key(Protocol):
    """What two calls must share to be the same one."""

    def __hash__(self) -> int: ...

    def __lt__(self, other: Self, /) -> bool: ...


K = TypeVar("K", bound=Key)

MAX_BITS = 2**27
"""Bits of a table that is kept whole: 16 MB."""

_RARE = 64
"""Up to so many places of a key are cheaper to set again than to keep, each of them as long as the sequence."""


def aligned(a: Sequence[K], b: Sequence[K]) -> Pairs:
    """The most pairs of equal keys that keep the order of both; what both begin with is always paired.

    `aligned(b, a)` gives the same pairs turned around.
    """
    if list(b) < list(a):
        return [(i, j) for j, i in aligned(b, a)]
    begin = _common(a, b)
    end = _common(a[begin:][::-1], b[begin:][::-1])
    inner = _shared(a[begin : len(a) - end], b[begin : len(b) - end])
    return [
        *((i, i) for i in range(begin)),
        *((i + begin, j + begin) for i, j in inner),
        *((len(a) - back, len(b) - back) for back in range(end, 0, -1)),
    ]


def _common(a: Sequence[K], b: Sequence[K]) -> int:
    """How many keys both begin with."""
    together = enumerate(zip(a, b, strict=False))
    return next((index for index, (one, other) in together if one != other), min(len(a), len(b)))


def _shared(a: Sequence[K], b: Sequence[K]) -> Pairs:
    """Pairs among the keys that both have; the others only make the table larger."""
    both = {*a} & {*b}
    in_a = [index for index, key in enumerate(a) if key in both]
    in_b = [index for index, key in enumerate(b) if key in both]
    return [(in_a[i], in_b[j]) for i, j in _paired([a[i] for i in in_a], [b[j] for j in in_b])]


def _paired(a: Sequence[K], b: Sequence[K]) -> Pairs:
    if not a or not b:
        return []
    if len(b) < 2 or len(a) * len(b) <= MAX_BITS:
        return _traced(_columns(a, b), len(a))
    half = len(b) // 2
    split = _best_split(a, b[:half], b[half:])
    rest = _paired(a[split:], b[half:])
    return [*_paired(a[:split], b[:half]), *((i + split, j + half) for i, j in rest)]


def _best_split(a: Sequence[K], first: Sequence[K], second: Sequence[K]) -> int:
    """Where `a` is cut so that its parts have most in common with the two parts of the other sequence."""
    ahead = _lengths(_columns(a, first, last_only=True)[-1], len(a))
    behind = _lengths(_columns(a[::-1], second[::-1], last_only=True)[-1], len(a))
    return max(range(len(a) + 1), key=lambda cut: ahead[cut] + behind[len(a) - cut])


def _lengths(column: int, size: int) -> list[int]:
    """For each length of a beginning of `a`, how much of it is in the common subsequence."""
    bits = format(column, f"0{size}b")[::-1]
    return [0, *accumulate(int(bit == "0") for bit in bits)]


def _columns(a: Sequence[K], b: Sequence[K], *, last_only: bool = False) -> list[int]:
    """A bit vector for each key of `b`: bit `i` is 0 where `a[i]` makes the common subsequence longer."""
    places = _Places(a)
    column = mask = (1 << len(a)) - 1
    columns: list[int] = []
    for key in b:
        hits = column & places.of(key)
        if hits:
            column = ((column + hits) | (column - hits)) & mask
        if not last_only:
            columns.append(column)
    return columns or [column]


class _Places:
    """Of each key the set of its places, as bits; that of a rare key is made when it is asked for, and not kept."""

    def __init__(self, keys: Sequence[K]) -> None:
        self._where: dict[object, list[int]] = {}
        for index, key in enumerate(keys):
            self._where.setdefault(key, []).append(index)
        self._kept = {key: _bits(where) for key, where in self._where.items() if len(where) > _RARE}

    def of(self, key: object) -> int:
        """Bit `i` is 1 where the key stands at place `i`."""
        kept = self._kept.get(key)
        return _bits(self._where.get(key, ())) if kept is None else kept


def _bits(indices: Sequence[int]) -> int:
    if len(indices) < 2:
        return 1 << indices[0] if indices else 0
    data = bytearray(indices[-1] // 8 + 1)
    for index in indices:
        data[index >> 3] |= 1 << (index & 7)
    return int.from_bytes(data, "little")


def _traced(columns: Sequence[int], size: int) -> Pairs:
    """The pairs, found by walking from the end of the table to its beginning."""
    rows = [column.to_bytes(size // 8 + 1, "little") for column in columns]
    pairs: Pairs = []
    i, j = size, len(rows)
    while i and j:
        if _is_set(rows[j - 1], i - 1):
            i -= 1
        elif j > 1 and not _is_set(rows[j - 2], i - 1):
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    return pairs[::-1]


def _is_set(row: bytes, index: int) -> int:
    return row[index >> 3] >> (index & 7) & 1
