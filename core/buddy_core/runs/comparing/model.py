"""The comparison of two runs as frozen values: what the plain text, the JSON and the screen show.

Texts are observed and hostile. Unknown is None, also in every sum and difference it takes part in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from buddy_core.runs.comparing.keys import CallKey
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.timeline.timeline import TimelineRow

StepKind = Literal["same", "outcome", "changed", "only_a", "only_b", "before"]
"""`same`: the same call with the same outcome. `outcome`: the same call went another way. `changed`: the same tool with
arguments that are only much alike (`likeness.ALIKE`). `only_a`, `only_b`: a call that the other run did not make. `before`: a call of the parent before
its fork began, which belongs to the history of both."""

Relation = Literal["fork", "parent", "siblings"]
"""What B is to A: its fork, its parent, or another fork of the same parent."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """One tool call of one run."""

    number: int
    """Counts the calls of the run from 1."""
    row: TimelineRow
    """The call with its result, as a timeline has it; its `index` counts calls and steps only."""
    key: CallKey
    literal: bytes
    """Digest of the arguments as they stand."""
    tokens: int | None
    """Of the model requests recorded since the call before; None where there was none."""
    cost: float | None
    """US dollars of these requests; None when nothing is known of it."""
    estimated: bool = False
    """True when some of the cost was priced from tokens."""


class Side(msgspec.Struct, frozen=True):
    """One of the two runs."""

    facts: RunFacts
    calls: tuple[Call, ...]
    left_out: int = 0
    """Calls beyond the limit, which are not compared."""

    @property
    def tools_ms(self) -> float | None:
        """Time in tools as far as it is known; None when that of no call is."""
        known = [call.row.duration_ms for call in self.calls if call.row.duration_ms is not None]
        return sum(known) if known else None


class Change(msgspec.Struct, frozen=True):
    """One quantity in both runs."""

    a: float | None
    b: float | None
    estimated: bool = False
    """True when one of them was reckoned, not stated, at least in part."""

    @property
    def delta(self) -> float | None:
        """How much more B has than A; None unless both are known."""
        return None if self.a is None or self.b is None else self.b - self.a


class DiffStep(msgspec.Struct, frozen=True):
    """One line of the comparison: a call of A, of B, or one of each that belong together."""

    kind: StepKind
    a: Call | None
    b: Call | None
    differs: tuple[str, ...] = ()
    """Names of the arguments that differ, where `kind` is `changed`."""

    @property
    def took_ms(self) -> Change:
        """How long the call took."""
        return self._change(lambda call: call.row.duration_ms)

    @property
    def tokens(self) -> Change:
        """Tokens of the requests that led to the call."""
        return self._change(lambda call: call.tokens)

    @property
    def cost(self) -> Change:
        """US dollars of the requests that led to the call."""
        change = self._change(lambda call: call.cost)
        estimated = any(call.estimated for call in (self.a, self.b) if call is not None)
        return Change(change.a, change.b, estimated)

    @property
    def output_bytes(self) -> Change:
        """Size of what the call returned."""
        return self._change(lambda call: call.row.output_bytes)

    @property
    def literal(self) -> bool:
        """True when both calls have the same arguments to the letter, not only but for numbers, ids and places."""
        return self.a is not None and self.b is not None and self.a.literal == self.b.literal

    def _change(self, quantity: Callable[[Call], float | None]) -> Change:
        a, b = (None if call is None else quantity(call) for call in (self.a, self.b))
        return Change(a, b)


class RunDiff(msgspec.Struct, frozen=True):
    """Two runs side by side."""

    a: Side
    b: Side
    steps: tuple[DiffStep, ...]
    divergence: int | None
    """Index of the first step in which the runs part; None when they do not."""
    relation: Relation | None

    @property
    def same(self) -> bool:
        """True when both made the same calls with the same outcomes, and ended alike."""
        cut = self.a.left_out or self.b.left_out
        return self.divergence is None and self.a.facts.status == self.b.facts.status and not cut

    @property
    def shared(self) -> int:
        """Steps before the runs part."""
        return len(self.steps) if self.divergence is None else self.divergence

    def count(self, kind: StepKind) -> int:
        """How many steps are of one kind."""
        return sum(step.kind == kind for step in self.steps)

    @property
    def totals(self) -> dict[str, Change]:
        """The quantities of the whole runs, by their names in `RunFacts`; `tools_ms` is the time in tools."""
        names = ("duration_ms", "total_tokens", "total_cost", "tool_calls", "tool_failures", "errors")
        found = {name: Change(getattr(self.a.facts, name), getattr(self.b.facts, name)) for name in names}
        cost = found["total_cost"]
        estimated = any(side.facts.estimated_cost is not None for side in (self.a, self.b))
        found["total_cost"] = Change(cost.a, cost.b, estimated)
        tools = Change(self.a.tools_ms, self.b.tools_ms)
        return {"duration_ms": found.pop("duration_ms"), "tools_ms": tools, **found}
