"""Rules about a window of time, gone through for stored runs: when would they have begun to hold?

The window slides as it does in the collector, by whole minutes; so a moment is looked at whenever something
happens, and whenever something leaves the window.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from buddy_core.alerts.history import Attempt, Spending
from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import Alert, BudgetUse, Rule
from buddy_core.alerts.rules import failing, overspent, too_many_failed
from buddy_core.metrics.counting.grains import MINUTE, since_of
from buddy_core.metrics.window import Window


def failures(
    rule: Rule, name: str, attempts: Sequence[Attempt], now_ms: int, limits: Limits
) -> Iterator[Alert]:
    """The times at which too many calls of one tool or model had failed; `attempts` ascend in time."""
    window: deque[Attempt] = deque()
    failed, holds = 0, False
    for at_ms, arrived in _moments(attempts, now_ms):
        if arrived is not None:
            window.append(arrived)
            failed += not arrived.ok
        while window and window[0].at_ms < (since_of(Window.M15, at_ms) or 0):
            failed -= not window.popleft().ok
        held, holds = holds, too_many_failed(failed, len(window), limits)
        if holds and not held:
            yield failing(rule, name, failed, len(window), at_ms)


def _moments(attempts: Sequence[Attempt], now_ms: int) -> Iterator[tuple[int, Attempt | None]]:
    """Every moment at which the window's content changes, with what arrives then; None where something leaves."""
    leaving: deque[int] = deque()
    for attempt in attempts:
        if attempt.at_ms > now_ms:
            break
        while leaving and leaving[0] <= attempt.at_ms:
            yield leaving.popleft(), None
        yield attempt.at_ms, attempt
        leaves = _leaves_at(attempt.at_ms)
        if not leaving or leaving[-1] != leaves:
            leaving.append(leaves)
    yield from ((at_ms, None) for at_ms in leaving if at_ms <= now_ms)


def _leaves_at(at_ms: int) -> int:
    """The first moment at which a quarter of an hour no longer holds what happened at `at_ms`."""
    return at_ms // MINUTE * MINUTE + MINUTE + (Window.M15.ms or 0)


def overspending(
    budget: BudgetUse, window: Window, costs: Sequence[Spending], now_ms: int
) -> Iterator[Alert]:
    """The times at which a budget was used up; `costs` ascend in time."""
    spent: deque[Spending] = deque()
    total, estimates, holds = 0.0, 0, False
    for one in costs:
        if one.at_ms > now_ms:
            return
        while spent and spent[0].at_ms < (since_of(window, one.at_ms) or 0):
            left = spent.popleft()
            total -= left.cost
            estimates -= left.estimates
        holds = holds and total > budget.limit
        spent.append(one)
        total += one.cost
        estimates += one.estimates
        if total > budget.limit and not holds:
            holds = True
            yield overspent(replace(budget, estimated=estimates > 0), total, one.at_ms)
