"""What the reader of lines says of lines that are damaged, too long, repeated or not the first (C4)."""

from __future__ import annotations

import re

import msgspec
import pytest
from tests.core.reading.damaged_lines import TS, facts, line, read

from buddy_core.runs.reading.jsonl import EVENTS, JsonlReader, LineReader

MARK = b"\xef\xbb\xbf"
TIMELESS = b'{"type":"metric","data":{}}\n'


class Count(msgspec.Struct, frozen=True):
    """A record of one number."""

    n: int


class Hasty:
    """A dialect whose quick decoder takes no record without a blank in it."""

    shape = re.compile(r'\{"n"')

    def bulk(self, text: bytes) -> Count:
        if b" " not in text:
            raise ValueError("not for the quick")
        return self.strict(text)

    def strict(self, text: bytes, /) -> Count:
        return msgspec.json.decode(text, type=Count)

    def loose(self, _text: bytes, _previous: object, _mend: object) -> None:
        return None


def test_what_the_quick_decoder_refuses_and_the_strict_one_takes_is_a_record_like_the_others() -> None:
    text = b'{"n": 1}\n{"n":2}\n{"n":3}\n{"n": 4}\nx\n{"n":5}\n'
    reader, easy = LineReader(Hasty()), LineReader(Hasty())
    batch = reader.feed(text)
    plain = easy.feed(text.replace(b'{"n":', b'{"n": '))

    assert batch.events == plain.events == [Count(number) for number in (1, 2, 3, 4, 5)]
    assert batch.offsets == [text.index(b'{"n"', at) for at in (0, 9, 17, 25, 35)]
    assert batch.identities == [hash(part + b"\n") for part in text.split(b"\n") if b"n" in part]
    assert reader.accounting().delivered == len(text) - 2
    assert reader.accounting().balanced


def test_the_account_names_the_generation_it_is_of() -> None:
    assert JsonlReader().accounting().generation == 1
    assert LineReader(EVENTS).accounting().generation == 1
    assert LineReader(EVENTS, generation=3).accounting().generation == 3


def test_records_recovered_from_several_lines_are_added_up() -> None:
    pair = line(1)[:-1] + line(2)
    batch, reader = read(pair + pair + line(3)[:30] + line(4))
    assert len(batch) == reader.accounting().recovered_lines == 5
    assert reader.accounting().notes[-1] == "5 records recovered from damaged lines"


def test_lines_that_gave_nothing_are_added_up_and_blank_ones_are_none() -> None:
    batch, reader = read(b"x\n\n \n\r\ny\n  " + line(1)[:-1] + b"  \n")
    assert len(batch) == 1
    account = reader.accounting()
    assert (account.skipped_lines, account.recovered_lines) == (2, 0)


@pytest.mark.parametrize("places", [True, False])
def test_a_byte_order_mark_is_told_by_where_it_stands(places: bool) -> None:
    """Case 31."""
    for text, skipped in ((MARK + line(1) + line(2), {"bom": 3}), (line(1) + MARK + line(2), {"invalid": 3})):
        reader = LineReader(EVENTS, places=places)
        assert len(reader.feed(text)) == 2
        assert reader.accounting().skipped == skipped


def test_of_nul_bytes_before_a_line_nothing_else_is_taken_away() -> None:
    """Case 29: what the bytes after them are is another matter."""
    reader = JsonlReader()
    reader.feed(b"\0XX")
    assert reader.pending == 2
    reader.feed(b"\n\0XX\n")
    assert reader.accounting().skipped == {"nul": 2, "invalid": 6}


def test_a_newline_is_entered_with_what_came_last_before_it() -> None:
    """Case 29."""
    for text, skipped in (
        (b"\0\0\n", {"nul": 3}),
        (b"\0 \n", {"nul": 2, "blank": 1}),
        (b" \n\n", {"blank": 3}),
        (b"x\n", {"invalid": 2}),
    ):
        _, reader = read(text)
        assert reader.accounting().skipped == skipped


@pytest.mark.parametrize("others", [b"", b"y" * 400 + b"\n"])
def test_the_longest_line_is_read_and_one_byte_more_is_too_much(others: bytes) -> None:
    """Case 23: whether it is damaged or not."""
    damaged = line(1)[:30] + line(2)
    for text in (line(1), damaged):
        longest = len(text) - 1
        batch, reader = read(others + text, max_line=longest)
        assert len(batch) == 1
        assert reader.accounting().skipped.get("oversize", 0) == len(others)
        batch, reader = read(others + text, max_line=longest - 1)
        assert not batch
        assert reader.accounting().skipped["oversize"] == len(others + text)


@pytest.mark.parametrize("between", [b"", b"x\n"])
def test_a_record_without_a_time_has_that_of_the_record_before_it(between: bytes) -> None:
    """Case 40: in the same chunk and in the next one."""
    together, _ = read(line(1) + line(5) + between + TIMELESS + TIMELESS)
    apart, _ = read(line(1) + line(5), between, TIMELESS, TIMELESS)
    assert [event.ts - TS for event in together.events] == [1, 5, 5, 5]
    assert facts(together) == facts(apart)
