"""Signatures of short runs: they never pass over a run that holds a text, and spare the opening of most that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.catalog.test_catalog import by_catalog, by_scan, opened, plan, write

from buddy_core.runs.catalog.words.signs import WIDTHS, Asked, Signer
from buddy_core.runs.query.parser import parse
from buddy_core.runs.searching import search

WORDS = st.lists(st.text("abcdef012_", min_size=3, max_size=14), min_size=1, max_size=120)


@settings(deadline=None)
@given(WORDS, st.data())
def test_no_part_of_a_word_is_denied(words: list[str], data: st.DataObject) -> None:
    bits = Signer().signature(" ".join(words))
    word = data.draw(st.sampled_from(words))
    begin = data.draw(st.integers(0, len(word) - 1))
    part = word[begin : data.draw(st.integers(begin + 1, len(word)))]
    other = data.draw(st.sampled_from(words))
    for text in (part, word.upper(), f"É{other}-{part}ſ"):
        assert Asked([text]).may_be_in(bits)


def test_a_text_made_of_parts_of_other_words_is_denied() -> None:
    bits = Signer().signature("login_test search_module")
    assert bits is not None
    assert len(bits) == WIDTHS[0][1]
    assert [Asked([text]).may_be_in(bits) for text in ("search_mod", "login_module", "t_mod")] == [
        True,
        False,
        True,
    ]


def test_signatures_grow_with_the_words_and_many_words_have_none() -> None:
    sizes = [Signer().signature("x" * length) for length in (900, 901, 4_000, 4_001)]
    assert [len(bits or b"") for bits in sizes] == [256, 1_024, 1_024, 0]
    assert Asked(["anything"]).may_be_in(None)
    assert Asked(["anything"]).may_be_in(b"of another width")


def test_runs_whose_signature_denies_a_text_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, *(plan(number, text="login_test search_module", tools=["bash"]) for number in range(3)))
    write(tmp_path, plan(3, text="login_module", tools=["bash"]))
    asked: list[str] = []
    monkeypatch.setattr(search, "_is_surely_not_in", lambda _needle, _root, run_id: asked.append(run_id))
    with opened(tmp_path) as catalog:
        catalog.keep()
        for text, hits in (("content:login_module", 1), ("-content:login_module", 3)):
            assert len(by_catalog(catalog, parse(text).query)) == hits
        assert set(asked) == {plan(3).run_id}
        assert catalog.suspects(["login_module"]) == {plan(3).run_id}
        write(tmp_path, plan(0, text="now it has login_module"))
        catalog.keep()
        found = parse("content:login_module").query
        assert by_catalog(catalog, found) == by_scan(tmp_path, found)


def test_a_letter_that_is_written_as_an_escape_is_found(tmp_path: Path) -> None:
    write(tmp_path, plan(0, text="needle", tools=["bash"]), plan(1, text="kelvin", tools=["bash"]))
    for number, plain, written in ((0, "needle", "n\\u0065edle"), (1, "kelvin", "\\u212aelvin")):
        events = tmp_path / "runs" / plan(number).run_id / "events.jsonl"
        events.write_text(events.read_text().replace(plain, written))
    with opened(tmp_path) as catalog:
        catalog.keep()
        for text in ("needle", "kelvin"):
            query = parse(f"content:{text}").query
            assert len(by_catalog(catalog, query)) == 1
            assert by_catalog(catalog, query) == by_scan(tmp_path, query)
