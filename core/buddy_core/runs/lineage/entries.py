"""A family as entries of a JSON document, under the names of its frozen types; unknown is None."""

from __future__ import annotations

from typing import Any

from buddy_core.runs.lineage.model import Amount, Family, Member, Sums
from buddy_core.runs.viewing.entries import Entry, run_entry

_AMOUNTS = {
    "cost": "total_cost",
    "tokens": "total_tokens",
    "prompt": "prompt_tokens",
    "completion": "completion_tokens",
    "took": "took_ms",
    "tool_calls": "tool_calls",
    "failures": "failures",
}


def family_entry(family: Family) -> Entry:
    """Everything that is known of a family, the listed members in the order of its tree."""
    return {
        "run_id": family.run_id,
        "size": family.size,
        "missing_parent": family.missing,
        "circular": [member.run_id for member in family.members if member.circular],
        "unread": family.unread,
        "members_before": family.before,
        "members_after": family.after,
        "total": _sums(family.total),
        "members": [member_entry(member) for member in family.members],
    }


def member_entry(member: Member) -> Entry:
    """One run in its place, with its own and its inclusive numbers."""
    return {
        "run_id": member.run_id,
        "depth": member.depth,
        "forks": member.forks,
        "circular": member.circular,
        "copied_tool_calls": member.copied,
        "run": None if member.facts is None else run_entry(member.facts),
        "own": _sums(member.own),
        "inclusive": _sums(member.inclusive),
    }


def _sums(sums: Sums) -> Entry:
    amounts: dict[str, Any] = {name: _amount(getattr(sums, field)) for field, name in _AMOUNTS.items()}
    return {"runs": sums.runs, "outcomes": dict(sums.outcomes), **amounts}


def _amount(amount: Amount) -> Entry:
    return {
        "value": amount.value,
        "at_least": amount.at_least,
        "unknown_runs": amount.unknown,
        "estimated": amount.estimated,
    }
