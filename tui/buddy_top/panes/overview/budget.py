"""The budget bar: what was spent of each budget that is set, on one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span, width_of
from buddy_top.widgets.frame.line import FrameLine, Piece, blank
from buddy_top.widgets.table.bars import share_bar

if TYPE_CHECKING:
    from buddy_core.alerts.model import BudgetUse

NEAR = 0.8
"""From this share on a budget is nearly used up."""

_LEAST_BAR, _LONGEST_BAR = 4, 40
_PERCENT = 6
_GAP = 3
_LENGTHS = {"cost_per_hour": "last hour", "cost_per_day": "last 24 h"}


class BudgetLine(FrameLine):
    """One line; it is not there while no budget is set."""

    def __init__(self) -> None:
        super().__init__(id="budget")
        self._budgets: Sequence[BudgetUse] = ()
        self.display = False

    def show_budgets(self, budgets: Sequence[BudgetUse]) -> None:
        """Show what was spent."""
        if budgets != self._budgets:
            self._budgets = budgets
            self.display = bool(budgets)
            self.update_pieces()

    def pieces(self, width: int) -> tuple[Piece, ...]:
        """Each budget in an equal part of the line."""
        count = len(self._budgets)
        if not count:
            return ()
        room = (width - 2 - _GAP * (count - 1)) // count
        parts = [Piece(budget_cell(budget, room)) for budget in self._budgets]
        return (blank(2), *(piece for part in parts for piece in (part, blank(_GAP))))[:-1]


def budget_cell(budget: BudgetUse, width: int) -> Cell:
    """`last hour $0.82 of $2.00  ━━━━────  41 %` in `width` columns; short of room the bar goes first."""
    share = None if budget.spent is None else budget.spent / budget.limit
    ink = _ink(share)
    spans: Cell = (
        Span(Plain(f"{_LENGTHS[budget.rule]} "), "label"),
        Span(fmt.cost(budget.spent, estimated=budget.estimated), ink if ink != "accent" else "value"),
        Span(Plain(f" of {fmt.cost(budget.limit)}  "), "label"),
    )
    percent = fmt.UNKNOWN if share is None else fmt.percent(100 * share)
    room = min(width - width_of(spans) - _PERCENT, _LONGEST_BAR)
    if room >= _LEAST_BAR:
        spans = (*spans, *share_bar(share, room, ink=ink))
    return (*spans, Span(Plain(f"{percent:>{_PERCENT}}"), ink if ink != "accent" else "label"))


def _ink(share: float | None) -> str:
    if share is None or share < NEAR:
        return "accent"
    return "warn" if share <= 1 else "bad"
