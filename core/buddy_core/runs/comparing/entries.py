"""The comparison of two runs as entries of a JSON document, under the names of its frozen types."""

from __future__ import annotations

from buddy_core.runs.comparing.model import Call, Change, DiffStep, RunDiff, Side
from buddy_core.runs.viewing.entries import Entry, run_entry


def diff_entry(diff: RunDiff) -> Entry:
    """Everything a comparison knows, every step included; unknown is None."""
    return {
        "a": _side(diff.a),
        "b": _side(diff.b),
        "same": diff.same,
        "relation": diff.relation,
        "divergence": diff.divergence,
        "totals": {name: _change(change) for name, change in diff.totals.items()},
        "steps": [_step(step) for step in diff.steps],
    }


def _side(side: Side) -> Entry:
    return {**run_entry(side.facts), "calls_compared": len(side.calls), "calls_left_out": side.left_out}


def _step(step: DiffStep) -> Entry:
    return {
        "kind": step.kind,
        "tool": next(call.row.title for call in (step.a, step.b) if call is not None),
        "differs": list(step.differs),
        "literal": step.literal,
        "took_ms": _change(step.took_ms),
        "tokens": _change(step.tokens),
        "cost": _change(step.cost),
        "output_bytes": _change(step.output_bytes),
        "a": _call(step.a),
        "b": _call(step.b),
    }


def _call(call: Call | None) -> Entry | None:
    if call is None:
        return None
    row = call.row
    return {
        "number": call.number,
        "at_ms": row.at_ms,
        "since_start_ms": row.since_start_ms,
        "detail": row.detail,
        "state": row.state,
        "error": row.error,
        "step": row.step_id,
        "offset": row.offset,
    }


def _change(change: Change) -> Entry:
    return {"a": change.a, "b": change.b, "delta": change.delta, "estimated": change.estimated}
