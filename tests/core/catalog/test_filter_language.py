"""The filter language: what is understood, what is refused and in which words, and what completes it (case 53)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.filter_texts import queries

from buddy_core.runs.query.canonical import canonical
from buddy_core.runs.query.completion import Known, complete
from buddy_core.runs.query.fields import FIELDS
from buddy_core.runs.query.glob import glob_fits
from buddy_core.runs.query.model import (
    Ago,
    Compare,
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
from buddy_core.runs.query.parser import MAX_TERMS, parse


def conditions(text: str) -> list[object]:
    parsed = parse(text)
    assert parsed.problems == ()
    return [term.condition for term in parsed.query.terms]


def problem(text: str) -> str:
    (only,) = parse(text).problems
    return only.words


def test_words_apart_are_conditions_apart_and_quotes_hold_them_together() -> None:
    assert conditions('fix  "login test"') == [Word("fix"), Word("login test")]


def test_a_quote_inside_quotes_is_written_with_a_backslash() -> None:
    assert conditions(r'"say \"hi\""') == [Word('say "hi"')]


def test_a_quotation_that_is_still_being_typed_is_good() -> None:
    assert conditions('content:"exit co') == [Content("exit co")]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("status:failed,stalled", StatusIs(("failed", "stalled"))),
        ("STATUS:Failed", StatusIs(("failed",))),
        ("tag:bugfix", NameIs("tag", (Pattern("bugfix"),))),
        ("tool:view_*,bash", NameIs("tool", (Pattern("view_*", glob=True), Pattern("bash")))),
        ('has:"a*b, c.md"', NameIs("has", (Pattern("a*b, c.md"),))),
        ("since:2h", Started("since", Ago(7_200_000))),
        ("since:1h30m", Started("since", Ago(5_400_000))),
        ("since:yesterday", Started("since", DaysBack(1))),
        ("before:14:02", Started("before", TimeOfDay(50_520))),
        ("before:2026-01-08", Started("before", Date("2026-01-08"))),
        ("since:2026-01-08T14:02", Started("since", Date("2026-01-08T14:02:00"))),
        ("cost>0.5", Compare("cost", ">", 0.5)),
        ("cost>=$12", Compare("cost", ">=", 12.0)),
        ("tokens>100k", Compare("tokens", ">", 100_000.0)),
        ("tokens<1.5M", Compare("tokens", "<", 1_500_000.0)),
        ("took>5m", Compare("took", ">", 300_000.0)),
        ("errors=0", Compare("errors", "=", 0.0)),
        ("calls:7", Compare("calls", "=", 7.0)),
        ('content:"exit code"', Content("exit code")),
        ("content:a,b", Content("a,b")),
        ("https://example.org/x", Word("https://example.org/x")),
    ],
)
def test_each_field_takes_its_values(text: str, condition: object) -> None:
    assert conditions(text) == [condition]
    assert parse(f"-{text}").query.terms == (Term(condition, negated=True),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stauts:failed", "there is no field stauts: did you mean status?"),
        ("foo:x", "there is no field foo: there are status, tag,"),
        ("status:faild", "“faild” is no status: did you mean failed?"),
        ("status:", "status needs a value"),
        ("status>failed", "status is not compared: write status:failed"),
        ("cost>much", "“much” is no number: write cost>0.5"),
        ("took>5", "“5” is no duration: write took>5m"),
        ("since:soon", "“soon” is no time: write 2h"),
        ("before:2026-13-45", "is no time"),
        ("cost>1e999", "is no number"),
        ("-", "- needs a word"),
        ("x" * 300, "this is longer than 200 characters"),
    ],
)
def test_what_is_not_understood_is_said_in_plain_words(text: str, words: str) -> None:
    assert words in problem(text)


def test_a_problem_says_where_it_is_and_the_rest_of_the_filter_holds() -> None:
    text = "login status:failed,faild tool:bash"
    parsed = parse(text)
    (found,) = parsed.problems
    assert text[found.begin : found.end] == "faild"
    assert [term.condition for term in parsed.query.terms] == [
        Word("login"),
        NameIs("tool", (Pattern("bash"),)),
    ]


@given(st.one_of(st.text(), st.text(alphabet='-:"\\ <>=,*?abstu0123456789.')))
def test_no_text_raises_and_problems_lie_within_it(text: str) -> None:
    parsed = parse(text)
    assert all(0 <= found.begin <= found.end <= len(text) for found in parsed.problems)
    again = parse(canonical(parsed.query))
    assert (again.query, again.problems) == (parsed.query, ())


@given(queries())
def test_every_filter_can_be_written_down_and_reads_the_same(query: Query) -> None:
    parsed = parse(canonical(query))
    assert (parsed.query, parsed.problems) == (query, ())


def test_a_megabyte_is_understood_in_a_moment_and_cut_with_a_word() -> None:
    """Case 53."""
    for text in ('"' * 1_000_000, "a:" * 500_000, "\\" * 1_000_000, "x " * 500_000, "tag:" + "," * 1_000_000):
        begin = time.perf_counter()
        parsed = parse(text)
        complete(text, len(text))
        assert time.perf_counter() - begin < 5
        assert len(parsed.query.terms) <= MAX_TERMS
    assert f"at most {MAX_TERMS} conditions" in parse("x " * 100).problems[-1].words


def options(text: str, cursor: int | None = None, known: Known | None = None) -> list[str]:
    found = complete(text, len(text) if cursor is None else cursor, known)
    return [text[: found.begin] + option.text + text[found.end :] for option in found.options]


def test_fields_complete_with_the_sign_they_take() -> None:
    assert options("to") == ["tool:", "tokens>", "took>"]
    assert options("login -st") == ["login -status:"]
    assert len(options("")) == len(options("login ")) == len(FIELDS)


def test_statuses_complete_and_are_not_offered_twice() -> None:
    assert options("status:st") == ["status:stalled"]
    assert "status:failed,failed" not in options("status:failed,")
    assert "status:failed,stalled" in options("status:failed,")


def test_names_that_are_there_complete_and_are_quoted_where_they_must_be() -> None:
    known = Known(tools=lambda: ["bash", "view file", "web_bash"], tags=lambda: ["x"])
    assert options("tool:ba", known=known) == ["tool:bash", "tool:web_bash"]
    assert options("tool:vi", known=known) == ['tool:"view file"']
    assert options("tag:", known=known) == ["tag:x"]


def test_what_stands_behind_the_cursor_stays() -> None:
    assert options("st login", 2) == ["status: login"]


@given(st.text(alphabet='-:"\\ <>=,*?stau'), st.integers(-5, 50))
def test_completion_never_raises(text: str, cursor: int) -> None:
    found = complete(text, cursor)
    assert 0 <= found.begin <= found.end <= len(text)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*.md", "plan.md", True),
        ("*.md", "plan.mdx", False),
        ("p*n", "plan", True),
        ("?lan", "plan", True),
        ("?", "", False),
        ("*", "", True),
        ("a*b*c", "a1b2b3c", True),
        ("[a]", "a", False),
    ],
)
def test_patterns(pattern: str, name: str, fits: bool) -> None:
    assert glob_fits(pattern, name) is fits


def test_a_pattern_of_many_stars_takes_no_time_to_speak_of() -> None:
    assert not glob_fits("*a" * 100 + "b", "a" * 200)
