"""The cells of rows, of which those are made once that no time changes: most of a table stands still."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from buddy_top.drawing.cells import Cell
from buddy_top.panes.columns.fields import Field, Row

MOST_STILL = 500
"""Rows whose cells are remembered: more than any screen has lines."""


class RowCells(Generic[Row]):
    """Remembers, by the key of a row, the cells that depend on nothing but the row itself."""

    def __init__(self) -> None:
        self._still: dict[str, tuple[Row, list[Cell | None]]] = {}

    def of(self, row: Row, key: str, fields: Sequence[Field[Row]], now_ms: int) -> list[Cell]:
        """One cell for each field."""
        still = self._still_cells(row, key, fields, now_ms)
        return [
            field.cell(row, now_ms) if cell is None else cell
            for field, cell in zip(fields, still, strict=True)
        ]

    def _still_cells(
        self, row: Row, key: str, fields: Sequence[Field[Row]], now_ms: int
    ) -> list[Cell | None]:
        """The cells that stay as they are until the row itself is another; None for each of the others."""
        known = self._still.get(key)
        if known is None or known[0] is not row:
            if len(self._still) >= MOST_STILL:
                self._still.clear()
            cells = [field.cell(row, now_ms) if field.still else None for field in fields]
            known = self._still[key] = (row, cells)
        return known[1]
