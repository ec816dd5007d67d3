"""Completion of a filter: names anybody can type, units, what was probably meant; whatever it offers can be read."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.query.candidate import Candidate
from buddy_core.runs.query.canonical import typable
from buddy_core.runs.query.completion import Known, complete
from buddy_core.runs.query.evaluate import Matcher
from buddy_core.runs.query.fields import FIELDS, language
from buddy_core.runs.query.parser import parse
from buddy_core.safety.text import plain


def options(text: str, known: Known | None = None) -> list[str]:
    """What the text can become."""
    found = complete(text, len(text), known)
    return [text[: found.begin] + option.text for option in found.options]


def test_a_bare_number_is_offered_the_units_of_its_field() -> None:
    assert options("took>5") == ["took>5s", "took>5m", "took>5h", "took>5d"]
    assert options("since:3") == ["since:3m", "since:3h", "since:3d", "since:3w"]
    assert options("tokens>2") == ["tokens>2k", "tokens>2M"]
    assert options("errors>3") == []


def test_what_may_become_a_date_is_offered_no_unit() -> None:
    assert options("since:2026") == []


def test_a_free_word_may_become_a_status_or_a_name_with_its_field() -> None:
    known = Known(tools=lambda: ["bash", "web_bash"], tags=lambda: ["bashful"])
    assert options("bas", known) == ["tag:bashful", "tool:bash"]
    assert "status:failed" in options("fai")
    assert options("ba", known) == []


def test_what_is_there_already_is_not_offered_again() -> None:
    assert options("status:failed") == []
    assert options("tool:bash", Known(tools=lambda: ["bash", "bash_two"])) == ["tool:bash_two"]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("bash", "bash"),
        ("view file", '"view file"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("日本語", "日本語"),
        ("evil\x1b[2Jname", "evil?[2Jname"),
        ("two\nlines and a blank", "two?lines?and?a?blank"),
        ("\u202eexe.md", "?exe.md"),
        ("x" * 300, "x" * 80 + "*"),
    ],
)
def test_a_name_is_written_as_anybody_can_type_and_read_it(name: str, written: str) -> None:
    assert typable(name) == written


@given(st.one_of(st.text(min_size=1, max_size=12), st.text(min_size=70, max_size=300)))
@example("\x00\x1f\ud800")
@example("a" * 79 + "ß" * 3)
def test_the_completed_name_finds_its_run_and_can_be_shown(name: str) -> None:
    """Case 53."""
    text = f"tool:{typable(name)}"
    parsed = parse(text)
    assert not parsed.problems
    assert plain(text) == text
    facts = RunFacts("run_mk3x9_aaaaaa", "", "completed", None, 1, 1, 1, 0, 0, 0, 0, 0)
    matcher = Matcher(parsed.query, now_ms=0, content=lambda _run, _text: False)
    if name.strip():
        assert matcher.fits(Candidate(facts, tools=(name,)))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("stauts:failed", "status:failed"),
        ("-stauts:failed", "-status:failed"),
        ("cots>3 login", "cost>3 login"),
        ("status:failed,faild", "status:failed,failed"),
    ],
)
def test_a_problem_says_what_was_probably_meant_where_something_is_near(text: str, meant: str) -> None:
    (problem,) = parse(text).problems
    assert text[: problem.begin] + problem.instead + text[problem.end :] == meant


def test_every_line_of_the_table_of_the_language_can_be_typed() -> None:
    assert all(not parse(written).problems for written, _ in language())
    assert all(any(field.example == written for written, _ in language()) for field in FIELDS)
