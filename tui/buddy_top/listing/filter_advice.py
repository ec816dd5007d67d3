"""What the filter line says while somebody types a filter of runs: ways to go on, or what is wrong. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain

if TYPE_CHECKING:
    from buddy_core.runs.query.completion import Completion
    from buddy_core.runs.query.parser import Problem
    from buddy_top.state import FilterNames

LONGEST_CHOICE = 40
"""Characters of a way to go on that are shown; what is put into the line is whole."""

MOST_CONDITIONS = 64
"""Conditions before a wrong one that are looked through."""

LONGEST_WORDS = 300
_NOTHING_TYPED = ("", ":", "=", "<", ">")
_BEGUN_TIME = re.compile(r"(?:since|before)[:=][\d:T-]+", re.ASCII | re.IGNORECASE)
_WORD_HINT = Plain("looked for in objective, id, tags, tools, errors and artifact names")
_VALUE_HINT = Plain("comma: another value · space: another condition · - before one: its contrary")


class Choice(msgspec.Struct, frozen=True):
    """One way to go on."""

    text: str
    """What is put into the line."""
    label: Plain
    """How it is shown."""
    hint: Plain = Plain("")
    """What it means."""


class Advice(msgspec.Struct, frozen=True):
    """What is to be said of a text with the cursor at one place."""

    good: bool = True
    """It means something as a whole, so the list may follow it."""
    begin: int = 0
    end: int = 0
    """A choice takes the place of `text[begin:end]`."""
    choices: tuple[Choice, ...] = ()
    wrong: tuple[tuple[int, int], ...] = ()
    """The parts that are to be marked."""
    words: Plain = Plain("")
    """A sentence: what is wrong where `good` is False, else what else there is to know."""
    before: int = 0
    """Where the condition begins that is wrong: what stands before it can be in force."""
    unfinished: bool = False
    """What is being typed may be the beginning of something longer."""


Adviser = Callable[[str, int | None], Advice]
"""Text and place of the cursor, None once the typing is over, to what is to be said of it."""


def advise(text: str, cursor: int | None, names: FilterNames | None = None) -> Advice:
    """What to say of a filter of runs. Never raises. `names` are those that are there, as far as they are known."""
    from buddy_core.runs.query.parser import parse

    problems = parse(text).problems
    found = _completion(text, cursor, names)
    typing = [one for one in problems if cursor is not None and one.begin <= cursor <= one.end]
    if found is not None and found.options and len(typing) == len(problems):
        return Advice(
            good=not problems,
            begin=found.begin,
            end=found.end,
            choices=tuple(_choice(option.text, option.hint) for option in found.options),
            before=_condition_at(text, problems[0].begin) if problems else 0,
            unfinished=found.begin < found.end,
        )
    if problems:
        return _about(text, cursor, problems)
    return Advice(words=_hint(text, cursor), unfinished=False)


def _about(text: str, cursor: int | None, problems: Sequence[Problem]) -> Advice:
    """The first problem, and what was probably meant; none is marked while it is only about to be typed."""
    wrong = [one for one in problems if not _is_begun(text, cursor, one)]
    first = (wrong or problems)[0]
    return Advice(
        good=False,
        begin=first.begin,
        end=first.end,
        choices=(_choice(first.instead),) if first.instead else (),
        wrong=tuple((one.begin, one.end) for one in wrong),
        words=shown(first.words, limit=LONGEST_WORDS),
        before=_condition_at(text, first.begin),
    )


def _condition_at(text: str, place: int) -> int:
    """Where the condition begins that `place` is in."""
    from buddy_core.runs.query.lexer import cut

    terms, rest = cut(text[: place + 1], MOST_CONDITIONS)
    return next((term.begin for term in reversed(terms) if term.begin <= place), rest)


def _is_begun(text: str, cursor: int | None, problem: Problem) -> bool:
    """True when what is wrong lacks nothing but its end, which is where the cursor is."""
    part = text[problem.begin : problem.end]
    begun = part.rstrip('"')[-1:] in _NOTHING_TYPED or _BEGUN_TIME.fullmatch(_term_at(text, problem.end))
    return cursor == problem.end and bool(begun)


def _term_at(text: str, end: int) -> str:
    """What stands between the last blank and `end`, without a `-`."""
    return text[:end].rsplit(maxsplit=1)[-1].removeprefix("-") if text[:end].strip() else ""


def _completion(text: str, cursor: int | None, names: FilterNames | None) -> Completion | None:
    """How it can go on, where the cursor is at the end of something."""
    if cursor is None or text[cursor : cursor + 1].strip(" ,"):
        return None
    from buddy_core.runs.query.completion import Known, complete

    if names is None:
        return complete(text, cursor)
    known = Known(
        lambda: names.tags,
        lambda: names.tools,
        lambda: names.models,
        lambda: names.artifacts,
    )
    return complete(text, cursor, known)


def _choice(text: str, hint: str = "") -> Choice:
    return Choice(text, shown(text, limit=LONGEST_CHOICE), Plain(hint))


def _hint(text: str, cursor: int | None) -> Plain:
    """What the part before the cursor means, or how to go on behind it."""
    from buddy_core.runs.query.lexer import cut

    at = len(text) if cursor is None else cursor
    terms, _ = cut(text[:at], at + 1)
    if not terms:
        return Plain("")
    return _WORD_HINT if terms[-1].field is None else _VALUE_HINT
