"""Rows are found by words and conditions as if each had been made and read, and folded without a list of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.viewing.test_eventindex import FILES, LONG, NOW, indexed, line, written

from buddy_core.runs.reading.jsonl import LineReader
from buddy_core.runs.timeline.finding.rowfilter import parse_row_filter
from buddy_core.runs.timeline.finding.rowsearch import RowSearch
from buddy_core.runs.timeline.index.eventindex import EventIndex
from buddy_core.runs.timeline.index.folds import Folded, outermost_steps, steps_around
from buddy_core.runs.timeline.index.indexing import Indexer
from buddy_core.runs.timeline.index.indexlines import INDEX_LINES
from buddy_core.runs.timeline.index.rowmaker import RowMaker

ANY_WORD = st.sampled_from(
    [
        "a",
        "make",
        "bash",
        "no",
        "tool",
        "result",
        "failed",
        "api",
        "1",
        "12",
        "null",
        "value",
        "pla",
        "é",
        "s",
        ":",
    ]
) | st.text("abetool_/{}:,\"' 0123éßK", min_size=1, max_size=4)
CONDITION = st.sampled_from(
    [
        "type:tool",
        "-type:tool_call",
        "tool:bash",
        "-tool:b,a",
        "is:failed",
        "-is:ok,running",
        "took>2ms",
        "took<=9ms",
    ]
)
FILTER = st.lists(ANY_WORD | CONDITION, min_size=1, max_size=3).map(" ".join)


def found(index: EventIndex, maker: RowMaker, text: str) -> list[int]:
    search = RowSearch(index, parse_row_filter(text), maker)
    while search.more:
        search.advance()
    return list(search.matches)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(FILES, FILTER, st.integers(1, 300))
def test_a_search_finds_what_reading_every_row_finds(
    tmp_path: Path, parts: list[bytes], text: str, cut: int
) -> None:
    """Also while the file still grows, and whatever letters hide in it."""
    whole = b"".join(parts)
    maker, wanted = written(tmp_path, whole), parse_row_filter(text)
    index, reader = EventIndex(), LineReader(INDEX_LINES)
    indexer, search = Indexer(index), RowSearch(index, wanted, maker)
    for start in range(0, len(whole), cut):
        indexer.feed(reader.feed(whole[start : start + cut]))
        search.advance()
    while search.more:
        search.advance()
    rows = maker.rows(index, range(index.rows))
    maker.close()
    assert list(search.matches) == [row.index for row in rows if wanted.fits(row)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("make", [2]),
        ("MAKE bash", [2]),
        ("boom", [6]),
        ("is:failed", [2, 6]),
        ("type:step", [1, 3, 5, 7]),
        ("type:decision,error", [4, 6, 8]),
        ("tool:bash", [2]),
        ("-type:step_,tool,run", [4, 6, 8]),
        ("took>3ms", [1, 7]),
        ("took<=2ms", [2]),
        ("is:nonsense", []),
        ("type:", []),
        ("step end", [5, 7]),
        ("", list(range(9))),
    ],
)
def test_conditions_and_words_narrow_the_rows(tmp_path: Path, text: str, rows: list[int]) -> None:
    maker = written(tmp_path, LONG)
    assert found(indexed(LONG), maker, text) == rows
    maker.close()


def test_a_word_that_no_byte_of_the_file_has_is_found_where_the_row_says_it(tmp_path: Path) -> None:
    text = line("metric", {"kind": "api_request", "provider": "p", "model": "m", "promptTokens": 1200}) * 3
    text += line("metric", {"kind": "api_request", "cacheReadTokens": 41, "promptTokens": 1}) + LONG
    maker, index = written(tmp_path, text), indexed(text)
    assert found(index, maker, "1,200") == [0, 1, 2]
    assert found(index, maker, "p/m") == [0, 1, 2]
    assert found(index, maker, "42") == [3]
    maker.close()


def test_a_row_that_is_answered_after_it_was_searched_is_looked_at_again(tmp_path: Path) -> None:
    cut = LONG.index(b'"tool_result"') - 60
    maker = written(tmp_path, LONG)
    index, reader = EventIndex(), LineReader(INDEX_LINES)
    indexer, search = Indexer(index), RowSearch(index, parse_row_filter("is:failed"), maker)
    indexer.feed(reader.feed(LONG[:cut]))
    while search.more:
        search.advance()
    assert list(search.matches) == []
    indexer.feed(reader.feed(LONG[cut:]))
    while search.more:
        search.advance()
    assert list(search.matches) == [2, 6]
    maker.close()


def test_a_folded_step_leaves_its_own_line() -> None:
    index = indexed(LONG)
    inner, outer = Folded(index, 9, [1]), Folded(index, 9, [0, 1])
    assert [inner.row(place) for place in range(len(inner))] == [0, 1, 2, 3, 6, 7, 8]
    assert [outer.row(place) for place in range(len(outer))] == [0, 1, 8]
    assert [outer.place(row) for row in range(9)] == [0, 1, 1, 1, 1, 1, 1, 1, 2]
    assert (inner.hidden, outer.hidden) == (2, 6)
    assert steps_around(index, 4) == [1, 0]
    assert outermost_steps(index) == [0]


@given(st.integers(0, 2**32), st.data())
def test_places_and_rows_of_any_folding_belong_together(seed: int, data: st.DataObject) -> None:
    random_ = random.Random(seed)
    names = ("a", "b", "c")
    kinds = ("step_start", "step_end", "decision")
    text = b"".join(
        line(random_.choice(kinds), {"step": random_.choice(names)}, NOW + at)
        for at in range(random_.randrange(40))
    )
    index = indexed(text)
    steps = len(index.step_rows)
    folded = data.draw(st.sets(st.integers(0, steps - 1), max_size=4)) if steps else set()
    view = Folded(index, index.rows, folded)
    hidden = {row for step in folded for row in range(*index.folded_by(step))}
    shown = [row for row in range(index.rows) if row not in hidden]
    assert [view.row(place) for place in range(len(view))] == shown
    assert [view.place(row) for row in shown] == list(range(len(shown)))
    assert {row for row in range(index.rows) if view.hides(row)} == hidden
    assert all(view.row(view.place(row)) < row for row in hidden)
