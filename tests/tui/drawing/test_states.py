"""States are told apart without colour."""

from __future__ import annotations

from typing import get_args

from rich.cells import cell_len

from buddy_core.runs.model import Status
from buddy_core.safety.ascii import to_ascii
from buddy_top.drawing.cells import text_of
from buddy_top.drawing.states import STATE_INKS, STATE_SIGNS, status_cell

STATES = get_args(Status)


def test_each_state_of_a_run_has_a_shape_of_its_own_one_column_wide() -> None:
    assert len({STATE_SIGNS[state] for state in STATES}) == len(STATES)
    assert {cell_len(shape) for shape in STATE_SIGNS.values()} == {1}
    assert STATE_SIGNS.keys() == STATE_INKS.keys()


def test_the_shapes_still_differ_on_a_terminal_without_unicode() -> None:
    drawn = [to_ascii(STATE_SIGNS[state]) for state in STATES]
    assert len(set(drawn)) == len(STATES)
    assert "?" not in {to_ascii(shape) for shape in STATE_SIGNS.values()}


def test_a_state_is_glyph_and_word_where_there_is_room_and_the_glyph_alone_where_not() -> None:
    assert text_of(status_cell("failed")) == "✗ failed"
    assert text_of(status_cell("failed", wide=False)) == "✗"
    assert {span.ink for span in status_cell("failed")} == {"bad"}


def test_a_state_nobody_knows_is_still_shown() -> None:
    assert text_of(status_cell("daydreaming")) == "· daydreaming"
