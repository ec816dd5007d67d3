"""The steps of a comparison in words: which call one is about, how it went in either run, and how much more B has.

Every text out of the runs' files is made printable here.
"""

from __future__ import annotations

from collections.abc import Callable

from buddy_core import format as fmt
from buddy_core.runs.comparing.model import Call, Change, DiffStep, RunDiff, StepKind
from buddy_core.runs.viewing.show import beneath
from buddy_core.safety.shown import shown
from buddy_core.signs import STATE_SIGNS

SIGNS: dict[StepKind, str] = {
    "same": "=",
    "outcome": "!",
    "changed": "~",
    "only_a": "<",
    "only_b": ">",
    "before": "·",
}
"""One column each, as in `diff --side-by-side`: `<` stands only in A, `>` only in B."""

WORDS: dict[StepKind, tuple[str, str]] = {
    "same": ("same", "the same"),
    "outcome": ("with another outcome", "went another way"),
    "changed": ("with other arguments", "has other arguments"),
    "only_a": ("only in A", "is only in A"),
    "only_b": ("only in B", "is only in B"),
    "before": ("before the fork", "was before the fork"),
}
"""Of each kind of step: in a count, and said of one call."""


def difference(words: Callable[[float | None], str], change: Change) -> str:
    """How much more B has, with its sign; `=` for none at all, `–` where it is not known, `≈` before an estimate."""
    value = change.delta
    if value is None:
        return fmt.UNKNOWN
    if value == 0:
        return "="
    return f"{fmt.ESTIMATE if change.estimated else ''}{'+' if value > 0 else ''}{words(value)}"


def headline(step: DiffStep) -> str:
    """Which call a step is about, and what is different, in one sentence."""
    call = step.a or step.b
    if call is None:
        return ""
    where = [f"call {one.number:,} of {name}" for one, name in ((step.a, "A"), (step.b, "B")) if one]
    said = f"{WORDS[step.kind][1]}"
    if step.kind == "outcome" and step.a is not None and step.b is not None:
        said = f"{step.a.row.state} in A, {step.b.row.state} in B"
        said = "failed for another reason" if step.a.row.state == step.b.row.state else said
    elif step.kind == "changed":
        said = f"other {_names(step)}"
    return f"{', '.join(where)}: {shown(call.row.title, limit=40)}: {said}"


def call_words(call: Call, diff: RunDiff) -> str:
    """A call as it was made: how it ended, its tool, and its telling argument."""
    side = diff.a if call in diff.a.calls[call.number - 1 : call.number] else diff.b
    detail = shown(beneath(side.facts.cwd, call.row.detail), limit=300)
    return f"{STATE_SIGNS[call.row.state]} {shown(call.row.title, limit=40)} {detail}".rstrip()


def remark(step: DiffStep) -> str:
    """What the call itself does not show: why it failed, how it went in either run, which argument differs."""
    if step.kind in ("only_a", "only_b"):
        call = step.a or step.b
        return f" — {shown(call.row.error, limit=200)}" if call is not None and call.row.error else ""
    if step.a is None or step.b is None:
        return ""
    if step.kind == "changed":
        return f" ({_names(step)})" if step.a.row.detail == step.b.row.detail else ""
    return f" — A {_ended(step.a)}, B {_ended(step.b)}" if step.kind == "outcome" else ""


def _ended(call: Call) -> str:
    return f"{call.row.state}: {shown(call.row.error, limit=160)}" if call.row.error else call.row.state


def _names(step: DiffStep) -> str:
    names = [shown(name, limit=24) or "arguments" for name in step.differs[:3]]
    return ", ".join(names) + (", …" if len(step.differs) > len(names) else "")
