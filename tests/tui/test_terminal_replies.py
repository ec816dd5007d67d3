"""Case 59: what a terminal answers is not what a person typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_top.replies import MAX_HELD, ReplyFilter

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
