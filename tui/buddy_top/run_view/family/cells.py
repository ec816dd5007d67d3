"""What is told of a family: the cells of each member in its place in the tree, and the sums above."""

from __future__ import annotations

from collections.abc import Callable

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.lineage.model import Amount, Family, Member
from buddy_core.runs.lineage.words import amount_words, branch, oddities, remark
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.drawing.states import STATE_INKS, status_cell
from buddy_top.panes.columns.cells import number_cell, run_cell
from buddy_top.widgets.table.table import Column

COLUMNS = (
    Column("here", Plain(""), 1, sortable=False),
    Column("run", Plain("run"), 18, grow=1, sortable=False),
    Column("status", Plain("status"), 11, priority=9, sortable=False),
    Column("started", Plain("started"), 12, align="right", priority=8, sortable=False),
    Column("took", Plain("took"), 7, align="right", priority=5, sortable=False),
    Column("cost", Plain("cost"), 8, align="right", sortable=False),
    Column("all_cost", Plain("+ forks"), 8, align="right", sortable=False),
    Column("tokens", Plain("tokens"), 6, align="right", priority=2, sortable=False),
    Column("all_tokens", Plain("+ forks"), 7, align="right", priority=4, sortable=False),
    Column("tools", Plain("tools"), 5, align="right", priority=3, sortable=False),
    Column("failed", Plain("fail"), 4, align="right", priority=3, sortable=False),
)

_HERE = Plain("▸")
_GAP = Span(Plain(" · "), "dim")


def member_cells(
    member: Member, family: Family, now_ms: int, *, levels: int, kept: bool = False
) -> tuple[Cell, ...]:
    """A member in its place in the tree, of which the nearest `levels` are drawn; what it cost in all only where it has forks."""
    run, own, in_all = member.facts, member.own, member.inclusive
    failed = own.failures.value
    return (
        (Span(_HERE, "accent"),) if member.run_id == family.run_id else (),
        _name(member, family, levels, kept),
        () if run is None else (Span(Plain(run.status), STATE_INKS[run.status]),),
        number_cell(fmt.UNKNOWN if run is None else fmt.date_time(run.started_at or None, now_ms), "label"),
        number_cell(amount_words(own.took, fmt.duration)),
        number_cell(amount_words(own.cost, fmt.cost)),
        number_cell(amount_words(in_all.cost, fmt.cost), "strong") if member.forks else (),
        number_cell(amount_words(own.tokens, fmt.tokens)),
        number_cell(amount_words(in_all.tokens, fmt.tokens), "strong") if member.forks else (),
        number_cell(_whole(own.tool_calls.value)),
        number_cell(_whole(failed), "bad" if failed else "dim"),
    )


def _name(member: Member, family: Family, levels: int, kept: bool) -> Cell:
    lines = Span(branch(member, levels=levels), "dim")
    odd = ", ".join(words for words in ("kept" if kept else "", remark(member)) if words)
    note = (Span(Plain(f"{odd}  "), "warn"),) if odd else ()
    if member.facts is None:
        return (
            lines,
            Span(Plain("? "), "warn"),
            Span(shown(member.run_id, limit=60), "label"),
            Span(Plain("  ")),
            *note,
        )
    glyph = status_cell(member.facts.status, wide=False)
    return (
        lines,
        *glyph,
        Span(Plain(" ")),
        *note,
        *_what_for(member.facts, here=member.run_id == family.run_id),
    )


def _what_for(run: RunFacts, *, here: bool) -> Cell:
    """Of a fork why it was made, before what all of a family is for."""
    ink = "strong" if here else "value"
    reason = run.fork_reason
    if not reason:
        return run_cell(run, ink)
    rest = shown(run.objective.removeprefix(f"[fork:{reason}]").strip(), limit=200)
    return (Span(shown(reason, limit=60), ink), Span(Plain("  ")), Span(rest, "dim"))


def sum_lines(family: Family) -> list[Cell]:
    """How many runs ended how; what they spent; what is odd about them."""
    total = family.total
    ends = [Span(fmt.plural(total.runs, "run"), "strong")]
    for status, count in total.outcomes:
        ends += [_GAP, Span(Plain(f"{count:,} {status}"), STATE_INKS[status])]
    ends += [_GAP, *_told("took", total.took, fmt.duration), _GAP, *_told("tools", total.tool_calls, _whole)]
    ends += [_GAP, *_told("failed", total.failures, _whole)]
    spent = [*_told("cost", total.cost, fmt.cost), _GAP, *_told("tokens", total.tokens, fmt.tokens_full)]
    if total.tokens.value is not None:
        for label, amount in (("prompt", total.prompt), ("completion", total.completion)):
            spent += [_GAP, *_told(label, amount, fmt.tokens_full)]
    silent = total.cost.unknown
    if silent and total.cost.value is not None:
        spent += [_GAP, Span(Plain(f"{fmt.plural(silent, 'run')} of unknown cost"), "dim")]
    odd = " · ".join(oddities(family))
    return [tuple(ends), tuple(spent), (Span(Plain(odd), "warn"),)]


def _told(label: str, amount: Amount, words: Callable[[float | None], str]) -> list[Span]:
    text = amount_words(amount, words)
    return [Span(Plain(f"{label} "), "label"), Span(text, "dim" if text == fmt.UNKNOWN else "value")]


def _whole(value: float | None) -> Plain:
    return fmt.count(None if value is None else round(value))
