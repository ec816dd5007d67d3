"""A family in words: its tree as lines of text, and sums that say how sure they are.

`≥` before a sum: some of its runs do not know their part, and it would be more. `≈`: some of it was priced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from buddy_core import format as fmt
from buddy_core.runs.lineage.model import Amount, Family, Member
from buddy_core.runs.lineage.tree import MAX_RAILS
from buddy_core.safety.columns import Column, cells, cut, lay_out
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_core.signs import STATE_SIGNS

_COLUMNS = (
    Column("run", limit=60),
    Column("status", priority=2),
    Column("started", right=True, priority=5),
    Column("took", right=True, priority=4),
    Column("cost", right=True),
    Column("with forks", right=True),
    Column("tokens", right=True, priority=1),
    Column("with forks", right=True, priority=6),
    Column("tools", right=True, priority=3),
    Column("failed", right=True, priority=3),
    Column("objective", limit=120, grows=True),
)


def amount_words(amount: Amount, words: Callable[[float | None], str]) -> Plain:
    """A number with what is known of its parts: `$1.20`, `≈$1.20`, `≥$1.20`, `≥≈$1.20`, `–`."""
    if amount.value is None:
        return fmt.UNKNOWN
    estimate = fmt.ESTIMATE if amount.estimated else ""
    return Plain(f"{fmt.AT_LEAST if amount.at_least else ''}{estimate}{words(amount.value)}")


def branch(member: Member, *, levels: int = MAX_RAILS) -> Plain:
    """The lines of the tree that lead to a member; of deep ones the nearest `levels`, after how many are left out."""
    if not member.depth:
        return Plain("")
    rails = member.rails[-levels:]
    through = "".join("│ " if on else "  " for on in rails[:-1])
    deeper = f"{member.depth - len(rails):,}… " if member.depth > len(rails) else ""
    return Plain(f"{deeper}{through}{'├ ' if rails[-1] else '└ '}")


def remark(member: Member) -> Plain:
    """What is odd about a member, in a few words; mostly nothing."""
    words = []
    if member.facts is None:
        words.append("gone")
    if member.circular:
        own = member.facts is not None and member.facts.parent_run_id == member.run_id
        words.append("its own parent" if own else "in a circle")
    if member.copied:
        words.append(f"{fmt.plural(member.copied, 'copied call')} not counted again")
    return Plain(", ".join(words))


def total_words(family: Family) -> Iterator[Plain]:
    """The sums of the whole family, and what they leave out."""
    total = family.total
    ends = ", ".join(f"{count:,} {status}" for status, count in total.outcomes)
    yield Plain(f"{fmt.plural(total.runs, 'run')}: {ends}")
    tokens = amount_words(total.tokens, fmt.tokens_full)
    parts = (
        (total.prompt, fmt.tokens_full, "prompt"),
        (total.completion, fmt.tokens_full, "completion"),
    )
    kinds = ", ".join(f"{amount_words(amount, words)} {name}" for amount, words, name in parts)
    yield Plain(f"cost {amount_words(total.cost, fmt.cost)}{_silent(total.cost)}")
    split = f" ({kinds})" if total.tokens.value is not None else ""
    yield Plain(f"tokens {tokens}{_silent(total.tokens)}{split}")
    took, calls = amount_words(total.took, fmt.duration), amount_words(total.tool_calls, _whole)
    yield Plain(f"time {took} · tool calls {calls}, failed {amount_words(total.failures, _whole)}")
    yield from oddities(family)


def _silent(amount: Amount) -> str:
    if not amount.unknown:
        return ""
    does = "does" if amount.unknown == 1 else "do"
    return f" ({fmt.plural(amount.unknown, 'run')} {does} not say)"


def oddities(family: Family) -> Iterator[Plain]:
    """What is not as in an ordinary tree, and so worth a word; mostly nothing."""
    if family.missing is not None:
        yield Plain("the run on top is not there any more: what it spent is not known")
    if family.circle:
        whose = "runs name each other as parents, in a circle: the oldest of them stands on top"
        yield Plain("a run names itself as its parent" if family.circle == 1 else whose)
    if family.unread:
        yield Plain("the family is larger than this: the sums are of what was read")


def family_lines(family: Family, *, now_ms: int, width: int | None = None) -> Iterator[str]:
    """The tree, a member a line, then the sums; in at most `width` cells a line."""
    if family.before:
        yield f"… {family.before:,} more runs above"
    rows = [_row(member, family, now_ms) for member in family.members]
    yield from lay_out(_COLUMNS, rows, width=width)
    if family.after:
        yield f"… {family.after:,} more runs below"
    yield ""
    for line in total_words(family):
        yield line if width is None or cells(line) <= width else cut(line, width)


def _row(member: Member, family: Family, now_ms: int) -> tuple[str, ...]:
    run, own, all_of_it = member.facts, member.own, member.inclusive
    notes = ("this run" if member.run_id == family.run_id else "", remark(member))
    note = ", ".join(words for words in notes if words)
    objective = "" if run is None else shown(run.objective, limit=200)
    return (
        f"{branch(member)}{'?' if run is None else STATE_SIGNS[run.status]} {shown(member.run_id, limit=40)}",
        "" if run is None else run.status,
        str(fmt.UNKNOWN) if run is None else fmt.date_time(run.started_at or None, now_ms),
        amount_words(own.took, fmt.duration),
        amount_words(own.cost, fmt.cost),
        amount_words(all_of_it.cost, fmt.cost) if member.forks else "",
        amount_words(own.tokens, fmt.tokens),
        amount_words(all_of_it.tokens, fmt.tokens) if member.forks else "",
        amount_words(own.tool_calls, _whole),
        amount_words(own.failures, _whole),
        f"← {note}  {objective}".rstrip() if note else objective,
    )


def _whole(value: float | None) -> str:
    return fmt.count(None if value is None else round(value))
