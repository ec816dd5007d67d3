"""What an alert is, and what the rules look at: frozen values, so that a rule is a function of what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias, get_args

Rule = Literal[
    "stalled", "waiting", "repeating", "tool_errors", "provider_errors", "cost_per_hour", "cost_per_day"
]
"""Why somebody should look; stable names, for JSON and for scripts."""

RULES: tuple[Rule, ...] = get_args(Rule)

Severity = Literal["warn", "bad"]

AlertKey: TypeAlias = tuple[Rule, str, str | None]
"""Rule, subject and run: two alerts with the same key are one alert at two moments."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that somebody should look at."""

    rule: Rule
    subject: str
    """What it is about: a tool, a provider with its model, a run's objective, a budget. Observed text."""
    run_id: str | None
    """The run it happens in; None where it is about several."""
    severity: Severity
    since_ms: int
    """Wall time from which it holds."""
    why: str
    """A sentence with the numbers; masked, and on one line."""
    numbers: Mapping[str, float] = field(default_factory=dict, hash=False)
    """The numbers of that sentence by name, for programs: `failed` of `calls`, `waited_ms`, `times`, `spent`, …"""

    @property
    def key(self) -> AlertKey:
        """What stays the same while the alert holds; the sentence and its numbers move on."""
        return self.rule, self.subject, self.run_id


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """What was spent of one budget, over the length of time that it is for."""

    rule: Literal["cost_per_hour", "cost_per_day"]
    limit: float
    """US dollars."""
    spent: float | None
    """US dollars; None while no cost is known."""
    estimated: bool = False
    """True when some of it was priced from tokens."""


class Known(NamedTuple):
    """What is known of how long a tool takes."""

    calls: int
    """Calls whose duration is known."""
    longest_ms: float


class Repetition(NamedTuple):
    """One tool called again and again in one run, with the same arguments and the same result each time."""

    run_id: str
    tool: str
    argument: str
    """The argument that says most about the calls; may be empty. Observed text."""
    times: int
    since_ms: int
    """When the result came that made it too many."""


@dataclass(frozen=True, slots=True)
class AlertState:
    """The alerts that hold at one moment, worst and newest first, and the budgets that are set."""

    alerts: tuple[Alert, ...] = ()
    budgets: tuple[BudgetUse, ...] = ()


NO_ALERTS = AlertState()
