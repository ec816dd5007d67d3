"""Lines of a table are drawn once for each look, and are found again wherever they come to stand."""

from __future__ import annotations

from rich.segment import Segment
from tests.tui.widgets.test_table import TableApp, rows_of, settle
from textual.strip import Strip

from buddy_top.drawing.cells import literal
from buddy_top.widgets.table.drawn import MOST, DrawnLines


def test_a_line_is_drawn_once_until_what_all_are_made_of_changes() -> None:
    drawn: list[str] = []

    def draw(look: str) -> Strip:
        drawn.append(look)
        return Strip([Segment(look)])

    lines = DrawnLines[str]()
    first = lines.line("a", ("dark", 80), draw)
    assert lines.line("a", ("dark", 80), draw) is first
    assert lines.line("b", ("dark", 80), draw).text == "b"
    assert lines.line("a", ("light", 80), draw) is not first
    assert drawn == ["a", "b", "a"]


def test_no_more_lines_are_remembered_than_some_screens_have() -> None:
    lines = DrawnLines[int]()
    for number in range(3 * MOST):
        lines.line(number, (), lambda look: Strip([Segment(str(look))]))
        assert len(lines) <= 2 * MOST


def test_of_a_small_table_fewer_lines_are_remembered() -> None:
    lines = DrawnLines[int]()
    lines.fit(8)
    for number in range(MOST):
        lines.line(number, (), lambda look: Strip([Segment(str(look))]))
    assert len(lines) <= 4 * 8


def test_a_line_that_is_asked_for_again_and_again_is_never_forgotten() -> None:
    lines = DrawnLines[int]()
    known = lines.line(-1, (), lambda _: Strip([Segment("known")]))
    for number in range(5 * MOST):
        lines.line(number, (), lambda look: Strip([Segment(str(look))]))
        if number % (MOST // 2) == 0:
            assert lines.line(-1, (), lambda _: Strip([Segment("drawn anew")])) is known


async def test_rows_that_only_change_their_places_are_not_drawn_anew() -> None:
    app = TableApp()
    values = {f"k{number}": number for number in range(10)}
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.set_source(*rows_of(values))
        app.table.move_to(9)
        await settle(pilot)
        before = {app.table.render_line(y).text: app.table.render_line(y) for y in range(1, 10)}
        app.table.set_source(*rows_of(dict(sorted(values.items(), key=lambda item: -item[1] % 10))))
        await settle(pilot)
        after = {app.table.render_line(y).text: app.table.render_line(y) for y in range(1, 11)}
        assert all(after[text] is strip for text, strip in before.items())


async def test_rows_take_on_marks_matches_and_the_colours_of_another_theme() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.set_source(["a", "b"], lambda _index: (literal("name"), literal("7")))
        await settle(pilot)
        looks = [list(app.table.render_line(2))]
        app.table.toggle_mark()
        app.table.marks = frozenset({"b"})
        looks.append(list(app.table.render_line(2)))
        app.table.highlight_matches("am")
        looks.append(list(app.table.render_line(2)))
        app.theme = "textual-light"
        await settle(pilot)
        looks.append(list(app.table.render_line(2)))
        assert len({str(look) for look in looks}) == 4
