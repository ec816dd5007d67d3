"""Case 59: what a terminal answers is not what a person typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual._xterm_parser import XTermParser
from textual.events import Key, Paste
from textual.message import Message

from buddy_top.terminal.replies import MAX_HELD, PASTE_BEGINS, PASTE_ENDS, ReplyFilter

VISIBLE = {point: 0x2400 + point for point in range(32) if chr(point) not in "\t\n\r"} | {0x7F: 0x2421}

REPLIES = [
    "\x1b]lq\x1b\\",
    "\x1b]0;qqq\x07",
    "\x1b]52;c;cXFx\x1b\\",
    "\x1b]11;rgb:0000/0000/0000\x1b\\",
    "\x1bP1$rq\x1b\\",
    "\x1bP>|xterm(370)\x1b\\",
    "\x1b_qq\x1b\\",
    "\x1b^q\x1b\\",
    "\x1bXq\x1b\\",
    "\x1b[?62;22c",
    "\x1b[>0;370;0c",
    "\x1b[0n",
    "\x1b[?25u",
    "\x1b[8;24;80t",
    "\x1b[2;1;1;120;120;1;0x",
    "\x9d0;q\x9c",
    "\x90q\x9c",
    "\x9b?1;2c",
]
KEYS = [
    "q",
    "é",
    "\r",
    "\x1b[A",
    "\x1b[1;5C",
    "\x1bOP",
    "\x1b[15~",
    "\x1b[97;5u",
    "\x1b[<0;10;20M",
    "\x1b[<0;10;20m",
    "\x1b[200~pasted\x1b[201~",
    "\x1b[I",
    "\x1b[O",
    "\x1b[?2026;2$y",
    "\x1b[48;40;120;800;1200t",
    "\x1b[24;80R",
]


def typed(*pieces: str) -> str:
    """All that reaches the parser, the end of patience included."""
    replies = ReplyFilter()
    return "".join(map(replies.feed, pieces)) + replies.give_up()


@pytest.mark.parametrize("reply", REPLIES, ids=ascii)
def test_a_reply_is_taken_out(reply: str) -> None:
    assert typed(f"a{reply}b") == "ab"


@pytest.mark.parametrize("key", KEYS, ids=ascii)
def test_a_key_passes(key: str) -> None:
    assert typed(f"a{key}b") == f"a{key}b"


@given(st.lists(st.sampled_from(REPLIES + KEYS), max_size=6), st.data())
def test_pieces_of_any_size_make_no_difference(sequences: list[str], data: st.DataObject) -> None:
    text = "".join(sequences)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert typed(*pieces) == "".join(key for key in sequences if key in KEYS)


def test_the_escape_key_is_held_for_a_moment_and_then_let_go() -> None:
    replies = ReplyFilter()
    assert replies.patience_s is None
    assert replies.feed("\x1b") == ""
    assert replies.patience_s == 0.025
    assert replies.give_up() == "\x1b"
    assert replies.patience_s is None


def test_alt_and_a_bracket_does_not_swallow_the_keys_after_it() -> None:
    replies = ReplyFilter()
    assert replies.feed("\x1b]") == ""
    assert replies.give_up() == ""
    assert replies.feed("q") == "q"


def test_a_string_cut_short_by_another_sequence_leaves_that_one_whole() -> None:
    assert typed("\x1b]0;q\x1b[Aj") == "\x1b[Aj"


def test_an_endless_string_takes_no_memory() -> None:
    replies = ReplyFilter()
    for _ in range(3 * MAX_HELD // 1024):
        assert replies.feed("\x1b]" if replies.patience_s is None else "q" * 1024) == ""
    assert len(replies._held) <= MAX_HELD + 1024


@given(st.text(alphabet="ab\x1b[]PX^_\\\x07;?0~cnR\x9b\x9d\x9c\x18"))
def test_plain_letters_outside_of_sequences_are_never_lost_and_nothing_raises(text: str) -> None:
    passed = typed(text)
    assert "\x9d" not in passed
    if "\x1b" not in text and not set(text) & set("\x9b\x9d\x9c"):
        assert passed == text


HOSTILE_PASTES = (
    "\x1bq",
    "\x1b\x1a",
    "\x1b]0;x",
    "\x1bPq\x1b\\q",
    "\x1b[99;99;99!q",
    "\x9b201~q",
    "\x1b[20",
    "\x1b[200~q",
    "\x00\x1a",
)


def events_of(*pieces: str) -> list[Message]:
    """What the toolkit makes of what passes the filter, in pieces as they come."""
    replies, parser = ReplyFilter(), XTermParser()
    return [event for piece in pieces if (text := replies.feed(piece)) for event in parser.feed(text)]


@given(
    st.one_of(
        st.sampled_from(HOSTILE_PASTES),
        st.text(alphabet="aq1~\x1b[]P\\;?0\x07\x1a\x9b\x9d\x9c\t\n", max_size=40),
    ),
    st.integers(1, 9),
)
def test_a_paste_is_one_text_and_presses_no_key(text: str, size: int) -> None:
    """Case 59: also where a terminal lets escapes pass that somebody wrote into what is pasted."""
    text = text.replace(PASTE_ENDS, "")
    sent = f"{PASTE_BEGINS}{text}{PASTE_ENDS}"
    if sent.index(PASTE_ENDS) < len(sent) - len(PASTE_ENDS):
        return  # its own end and the beginning of the end make an end: no terminal can tell
    [event] = events_of(*[sent[at : at + size] for at in range(0, len(sent), size)])
    assert isinstance(event, Paste)
    assert "\x1b" not in event.text
    assert event.text.replace("␛", "") == text.translate(VISIBLE).replace("␛", "")


@pytest.mark.parametrize("text", ["\x1bq", "\x1b\x1a", "\x1b[99;99;99!q"], ids=ascii)
def test_the_toolkit_alone_presses_keys_so_the_test_above_can_fail(text: str) -> None:
    """The negative control."""
    events = list(XTermParser().feed(f"{PASTE_BEGINS}{text}{PASTE_ENDS}"))
    assert [event for event in events if isinstance(event, Key)]


def test_an_end_that_comes_late_is_still_the_end() -> None:
    """A slow line may part it anywhere, for longer than a key may take."""
    replies = ReplyFilter()
    passed = replies.feed("\x1b[200~words\x1b")
    assert replies.patience_s is None
    passed += replies.give_up() + replies.feed("[201~q")
    assert passed == "\x1b[200~words\x1b[201~q"
