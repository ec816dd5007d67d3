"""Filters and runs made up by chance, for tests that hold two ways of answering against each other."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from buddy_core.runs.query.fields import STATUS_WORDS
from buddy_core.runs.query.model import (
    Ago,
    Compare,
    Condition,
    Content,
    Date,
    DaysBack,
    NameIs,
    Pattern,
    Query,
    Started,
    StatusIs,
    Term,
    TimeOfDay,
    Word,
)

WORDS = (
    "login",
    "Test",
    "bash",
    "plan",
    "é",
    "ß",
    "a",
    'quo"te',
    "two words",
    "a\\b",
    "-x",
    "http://h/",
    "%_",
)

texts = st.one_of(st.sampled_from(WORDS), st.text(min_size=1, max_size=12))
names = st.sampled_from(
    ("bash", "view_file", "bugfix", "gpt-5.5", "plan.md", "patch.diff", "Ä tag", "*", "mk")
)


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    if draw(st.booleans()):
        return Pattern(draw(names))
    return Pattern(draw(st.sampled_from(("*", "b*", "*.md", "p*.???f", "?ash", "**", "gpt-*"))), glob=True)


moments = st.one_of(
    st.builds(Ago, st.integers(0, 10**15)),
    st.builds(DaysBack, st.integers(0, 1)),
    st.builds(TimeOfDay, st.integers(0, 86_399)),
    st.builds(Date, st.dates().map(lambda day: day.isoformat())),
    st.builds(Date, st.datetimes().map(lambda at: at.replace(microsecond=0).isoformat())),
)


def conditions(*, content: bool = True) -> st.SearchStrategy[Condition]:
    amounts = st.one_of(st.integers(0, 10**16).map(float), st.floats(0, 1e20, allow_nan=False))
    signs = st.sampled_from((">", ">=", "<", "<=", "="))
    several: Any = st.lists(patterns(), min_size=1, max_size=3, unique=True).map(tuple)
    kinds: list[st.SearchStrategy[Condition]] = [
        st.builds(Word, texts),
        st.builds(StatusIs, st.lists(st.sampled_from(STATUS_WORDS), min_size=1, unique=True).map(tuple)),
        st.builds(NameIs, st.sampled_from(("tag", "tool", "model", "id", "has")), several),
        st.builds(
            Compare,
            st.sampled_from(("cost", "tokens", "errors", "failed", "calls", "events")),
            signs,
            amounts,
        ),
        st.builds(Compare, st.just("took"), signs, st.integers(0, 10**9).map(float)),
        st.builds(Started, st.sampled_from(("since", "before")), moments),
    ]
    return st.one_of(*kinds, st.builds(Content, texts)) if content else st.one_of(*kinds)


def queries(*, content: bool = True) -> st.SearchStrategy[Query]:
    terms = st.builds(Term, conditions(content=content), st.booleans())
    return st.builds(Query, st.lists(terms, max_size=5).map(tuple))
