"""Lines drawn with braille dots, two by four to a character cell. Pure functions, no widget."""

from __future__ import annotations

from collections.abc import Sequence

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of the dot at [row from the top][column]."""

BRAILLE = 0x2800


def line_cells(
    values: Sequence[float | None], width: int, height: int, top: float
) -> dict[tuple[int, int], int]:
    """Dots of a line through the values: (x, y) of a cell, y from the top, to its eight bits.

    A value that is not known leaves a gap; one that stands alone is a dot.
    """
    cells: dict[tuple[int, int], int] = {}
    before: tuple[int, int] | None = None
    for index, value in enumerate(values):
        if value is None or top <= 0:
            before = None
            continue
        point = _dot(index, len(values), value / top, width, height)
        for x, y in _between(before or point, point):
            key = (x // 2, y // 4)
            cells[key] = cells.get(key, 0) | _DOTS[y % 4][x % 2]
        before = point
    return cells


def _dot(index: int, total: int, share: float, width: int, height: int) -> tuple[int, int]:
    """Place of a value in dots from the top left corner; a value covers its slice, the dot is in its middle."""
    x = int((index + 0.5) / total * width * 2)
    y = round((1 - min(max(share, 0.0), 1.0)) * (height * 4 - 1))
    return min(x, width * 2 - 1), y


def _between(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """Dots of the straight line from `start` to `end`, both included."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    return [
        (
            start[0] + round((end[0] - start[0]) * step / steps),
            start[1] + round((end[1] - start[1]) * step / steps),
        )
        for step in range(steps + 1)
    ]
