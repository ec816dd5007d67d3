"""States are told apart without colour."""

from __future__ import annotations

from typing import get_args

import pytest
from rich.cells import cell_len

from buddy_core.runs.model import Status
from buddy_top.cells import text_of
from buddy_top.states import ASCII, STATE_INKS, UNICODE, Glyphs, status_cell

STATES = get_args(Status)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_each_state_of_a_run_has_a_shape_of_its_own_one_column_wide(glyphs: Glyphs) -> None:
    shapes = [glyphs.states[state] for state in STATES]
    assert len(set(shapes)) == len(STATES)
    assert {cell_len(shape) for shape in glyphs.states.values()} == {1}


def test_the_plain_shapes_are_ascii_and_cover_the_same_states() -> None:
    assert all(shape.isascii() for shape in ASCII.states.values())
    assert ASCII.states.keys() == UNICODE.states.keys() == STATE_INKS.keys()


def test_a_state_is_glyph_and_word_where_there_is_room_and_the_glyph_alone_where_not() -> None:
    assert text_of(status_cell("failed")) == "✗ failed"
    assert text_of(status_cell("failed", wide=False)) == "✗"
    assert text_of(status_cell("failed", glyphs=ASCII)) == "x failed"
    assert {span.ink for span in status_cell("failed")} == {"bad"}
