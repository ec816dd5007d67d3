"""The sentences of the alerts: what a colleague would say who has just looked, with the numbers.

Observed text in them is masked and printable already: cut off in a sentence, a secret would no longer be
known for one.
"""

from __future__ import annotations

from buddy_core import format as fmt
from buddy_core.alerts.model import Known
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain

_NAME = 80
"""Characters of an observed name in a sentence."""


def stalled(quiet_ms: float, waiting_for: str | None) -> str:
    """A run without an event; `waiting_for` is the tool it called last, if that has not answered."""
    silence = f"no event for {fmt.duration(quiet_ms)}"
    return silence if waiting_for is None else f"{silence}, and {_short(waiting_for)} has not answered"


def waiting(tool: str, waited_ms: float, known: Known) -> str:
    """A call that takes much longer than such calls do."""
    took = f"its longest of {known.calls:,} calls took {fmt.duration(known.longest_ms)}"
    return f"{_short(tool)} has waited {fmt.duration(waited_ms)}; {took}"


def repeating(tool: str, argument: str, times: int) -> str:
    """The same call with the same result."""
    what = f": {_short(argument)}" if argument else ""
    return f"{_short(tool)} was called {times:,} times in a row with the same arguments and the same result{what}"


def failing(name: str, failed: int, calls: int) -> str:
    """Too many calls of a tool, or requests to a model, that failed."""
    share = fmt.percent(100 * failed / calls)
    return f"{_short(name)} failed {failed:,} of {calls:,} times in the last 15 minutes ({share})"


def spent(cost: float, limit: float, hours: int, *, estimated: bool) -> str:
    """More money than was meant to be spent; `estimated` when some of it was priced from tokens."""
    length = "hour" if hours == 1 else f"{hours} hours"
    told = f"{fmt.cost(cost, estimated=estimated)} spent in the last {length}, over the budget of {fmt.cost(limit)}"
    return f"{told}; estimated from tokens, in part or all" if estimated else told


def _short(text: str) -> Plain:
    return shown(text, limit=_NAME)
