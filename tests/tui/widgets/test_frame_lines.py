"""Header, tabs and footer: what stands there at each width, and what a click means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from textual.app import App, ComposeResult

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Span, text_of
from buddy_top.widgets.frame.footer import FooterLine
from buddy_top.widgets.frame.header import HeaderFields, HeaderLine, header_pieces
from buddy_top.widgets.frame.tabs import TabLabel, TabLine

FIELDS = HeaderFields(
    path=Plain("~/.codebuddy/runs"),
    state="live",
    state_words=Plain("live"),
    running=2,
    stalled=1,
    windows=(("15m", False), ("1h", False), ("24h", True), ("7d", False), ("all", False)),
    cost=Plain("≈$3.41"),
    cost_rate=Plain("$0.82/h"),
    clock=Plain("12:31:07"),
)
USE_WORDS = tuple(
    Span(Plain(words))
    for words in ("cpu  0.8 %", "88.3 MB", "frame  12 ms", "picture   4 ms", "queue 0", "dropped 0")
)
TABS = tuple(
    TabLabel(title.lower(), Plain(str(number)), Plain(title), Plain(count) if count else None)
    for number, (title, count) in enumerate(
        (("Overview", ""), ("Providers", "3"), ("Tools", "12"), ("Errors", "3"), ("Runs", "27")), start=1
    )
)
KEYS = (
    ("/", "filter", "filter"),
    ("s", "sort", "sort"),
    ("enter", "open", "open"),
    ("q", "quit", "back_or_quit"),
)


class FrameApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        self.header, self.tab_line, self.footer = HeaderLine(), TabLine(), FooterLine()
        yield self.header
        yield self.tab_line
        yield self.footer

    def on_mount(self) -> None:
        self.header.set_fields(FIELDS)
        self.tab_line.set_tabs(TABS, "runs")
        self.footer.set_keys(KEYS)

    def on_tab_line_clicked(self, event: TabLine.Clicked) -> None:
        self.said.append(("tab", event.key))

    def on_footer_line_clicked(self, event: FooterLine.Clicked) -> None:
        self.said.append(("key", event.action))

    def on_header_line_window_clicked(self, event: HeaderLine.WindowClicked) -> None:
        self.said.append(("window", event.name))


def line(app: FrameApp, y: int) -> str:
    strip = app.screen._compositor.render_strips()[y]
    return "".join(segment.text for segment in strip)


def header_text(width: int, fields: HeaderFields = FIELDS) -> str:
    return "".join(text_of(piece.spans) for piece in header_pieces(fields, width))


def test_a_wide_header_says_everything() -> None:
    text = header_text(120)
    assert len(text) == 120
    for words in (
        "buddy-top",
        "~/.codebuddy/runs",
        "● live",
        "2 running",
        "1 stalled",
        "[24h]",
        "≈$3.41",
        "$0.82/h",
    ):
        assert words in text
    assert text.endswith("12:31:07 ")


def lost_in_order(fields: HeaderFields, *words: str) -> list[str]:
    """Which of these words go, one after the other, while the header becomes narrower."""
    lost: list[str] = []
    for width in range(220, 12, -1):
        text = header_text(width, fields)
        lost += [word for word in words if word not in text and word not in lost]
    return lost


def test_short_of_room_it_loses_what_can_be_found_elsewhere_first() -> None:
    order = ["12:31:07", "/runs", "$0.82/h", " 7d ", "2 running", "≈$3.41", "[24h]"]
    assert lost_in_order(FIELDS, *order) == order
    assert "● 2  ◐ 1" in header_text(48)


def test_a_demonstration_says_so_wherever_there_is_room_for_what_it_costs() -> None:
    """Its numbers are nobody's: at 80 columns, with alerts, other windows of time go before that word."""
    fields = replace(FIELDS, path=Plain(""), demo=True, alerts=2)
    text = header_text(80, fields)
    assert text.startswith(" buddy-top  demo   ● live  2 running  1 stalled  ▲ 2 alerts")
    assert text.endswith("[24h]   ≈$3.41 ")
    assert lost_in_order(fields, "demo", "≈$3.41") == ["demo", "≈$3.41"]


def test_what_the_monitor_uses_gives_way_word_by_word() -> None:
    fields = replace(FIELDS, use=USE_WORDS)
    assert all(span.text in header_text(220, fields) for span in USE_WORDS)
    falls = ("dropped 0", "frame", "12:31:07", "/runs", "88.3 MB", "cpu", "≈$3.41")
    assert lost_in_order(fields, *falls) == [
        "dropped 0",
        "12:31:07",
        "frame",
        "/runs",
        "88.3 MB",
        "cpu",
        "≈$3.41",
    ]


def test_what_the_monitor_uses_is_there_at_80_columns() -> None:
    plain = replace(FIELDS, use=USE_WORDS)
    assert "cpu  0.8 %  88.3 MB   [24h]   ≈$3.41 " in header_text(80, plain)
    crowded = replace(plain, path=Plain(""), demo=True, alerts=2)
    assert header_text(80, crowded).split("alerts")[1].split() == ["cpu", "0.8", "%", "[24h]", "≈$3.41"]


def test_without_them_the_header_is_as_it_was() -> None:
    for width in range(20, 200):
        assert "cpu" not in header_text(width)


def test_a_long_path_is_cut_from_its_left_before_it_goes() -> None:
    fields = HeaderFields(
        path=Plain("/very/long/way/to/the/project/.codebuddy/runs"), state_words=Plain("live")
    )
    text = header_text(50, fields)
    assert "…" in text
    assert ".codebuddy/runs" in text


def test_the_right_group_does_not_move_when_the_left_one_grows() -> None:
    more = HeaderFields(
        path=FIELDS.path, state_words=Plain("live"), running=12, windows=FIELDS.windows, clock=FIELDS.clock
    )
    less = HeaderFields(
        path=FIELDS.path, state_words=Plain("live"), windows=FIELDS.windows, clock=FIELDS.clock
    )
    assert header_text(120, more).index("[24h]") == header_text(120, less).index("[24h]")


@given(
    st.integers(0, 200),
    st.text("ab/中", max_size=40),
    st.integers(0, 10**6),
    st.sampled_from(["live", "paused", "busy", "trouble"]),
)
def test_no_width_breaks_the_header(width: int, path: str, running: int, state: Any) -> None:
    fields = HeaderFields(
        path=Plain(path), state=state, state_words=Plain("words"), running=running, windows=FIELDS.windows,
        cost=FIELDS.cost, cost_rate=FIELDS.cost_rate, clock=FIELDS.clock,
    )  # fmt: skip
    pieces = header_pieces(fields, width)
    if width >= 40:
        assert sum(piece.width for piece in pieces) <= width


async def test_the_open_tab_lies_on_a_bar_and_counts_stand_beside_names() -> None:
    app = FrameApp()
    async with app.run_test(size=(100, 6)) as pilot:
        await pilot.pause()
        assert line(app, 1).rstrip() == "  1 Overview  2 Providers 3  3 Tools 12  4 Errors 3  5 Runs 27"
        bars = {s.style.bgcolor for s in app.tab_line.render_line(0) if s.style and "Runs" in s.text}
        plain = {s.style.bgcolor for s in app.tab_line.render_line(0) if s.style and "Tools" in s.text}
        assert bars.isdisjoint(plain)


@pytest.mark.parametrize("width", [62, 60, 50, 40])
async def test_on_a_narrow_screen_counts_go_first_and_then_letters(width: int) -> None:
    app = FrameApp()
    async with app.run_test(size=(width, 6)) as pilot:
        await pilot.pause()
        assert len(line(app, 1)) == width
        for number in "12345":
            assert number in line(app, 1)


async def test_clicks_ask_for_tabs_keys_and_windows() -> None:
    app = FrameApp()
    async with app.run_test(size=(100, 6)) as pilot:
        await pilot.pause()
        await pilot.click(app.tab_line, offset=(line(app, 1).index("Tools"), 0))
        await pilot.click(app.footer, offset=(line(app, 2).index("sort"), 0))
        await pilot.click(app.header, offset=(line(app, 0).index("7d"), 0))
        await pilot.click(app.header, offset=(2, 0))
        assert app.said == [("tab", "tools"), ("key", "sort"), ("window", "7d")]


async def test_a_footer_short_of_room_drops_keys_but_not_the_way_out() -> None:
    app = FrameApp()
    async with app.run_test(size=(32, 6)) as pilot:
        await pilot.pause()
        assert line(app, 2).strip() == "/ filter   enter open   q quit"


async def test_a_word_in_the_footer_stands_before_the_keys_and_goes_away() -> None:
    app = FrameApp()
    async with app.run_test(size=(80, 6)) as pilot:
        app.footer.say(Plain("following the newest"))
        await pilot.pause()
        assert line(app, 2).startswith(" following the newest   / filter")
        app.footer.be_silent()
        await pilot.pause()
        assert line(app, 2).startswith(" / filter")
