"""Lines of a file as they stand, found at any size and in any state."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buddy_core.runs.reading import rawfile
from buddy_core.runs.reading.rawfile import SHOWN_BYTES, RawFile

RUN = "run_mk000001_aaaaaa"


def opened(folder: Path, data: bytes, *, whole: bool = True) -> RawFile:
    (folder / RUN).mkdir(exist_ok=True)
    (folder / RUN / "events.jsonl").write_bytes(data)
    file = RawFile(folder / RUN, "events.jsonl")
    while whole and file.grow(1_000):
        pass
    return file


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([b"", b"a", b"{}", b"x" * 9, b"y" * 31, b"\xff\x00", b'{"k":1}']), max_size=30),
    st.booleans(),
    st.integers(0, 30),
    st.integers(0, 12),
)
def test_every_page_is_what_splitting_the_file_gives(
    tmp_path: Path, lines: list[bytes], ended: bool, first: int, count: int
) -> None:
    data = b"\n".join(lines) + (b"\n" if ended else b"")
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rawfile, "PIECE", 16)
        with contextlib.closing(opened(tmp_path, data)) as file:
            assert file.lines == len(expected)
            page = file.page(first, count)
            assert [line.text for line in page] == expected[first : first + count]
            assert [line.number for line in page] == list(range(first, min(first + count, len(expected))))
            assert all(data[line.offset : line.offset + line.size] == line.text for line in page)
            for word, holds in (("A", b"a"), ("k", b"k")):
                there = [number for number, text in enumerate(expected) if holds in text]
                ahead = next((number for number in there if number >= first), None)
                back = next((number for number in reversed(there) if number <= first), None)
                assert file.find(word, first, 1, 10**6)[0] == ahead
                if first < len(expected):
                    assert file.find(word, first, -1, 10**6)[0] == back


def test_damage_is_told_line_by_line_and_a_last_line_without_end_is_unfinished(tmp_path: Path) -> None:
    """Cases 21, 29, 30 and 31."""
    data = b'{"a":1}\n{"a":1}{"b":2}\n\n\x00\x00\n[1]\n{"torn":\n\xff\xfe\n{"last":1}'
    with contextlib.closing(opened(tmp_path, data)) as file:
        states = [line.state for line in file.page(0, 20)]
    assert states == ["ok", "damaged", "blank", "damaged", "damaged", "damaged", "damaged", "unfinished"]


def test_a_line_of_many_pieces_is_cut_and_the_next_one_is_found(tmp_path: Path) -> None:
    """Case 23."""
    long = b'{"text":"' + b"x" * 3_000_000 + b'"}'
    with contextlib.closing(opened(tmp_path, long + b"\n{}\n" + long[:-1] + b"\n" + long)) as file:
        first, second, third, last = file.page(0, 10)
        assert (first.size, len(first.text), first.state) == (len(long), SHOWN_BYTES, "ok")
        assert (second.text, second.state) == (b"{}", "ok")
        assert (third.state, last.state) == ("damaged", "unfinished")
        assert last.size == len(long)
        whole = file.line(0)
        assert whole is not None
        assert len(whole.text) == rawfile.WHOLE_BYTES


def test_a_file_grows_and_one_that_is_replaced_or_cut_is_stale(tmp_path: Path) -> None:
    """Cases 21, 24, 26 and 27."""
    with contextlib.closing(opened(tmp_path, b"{}\n{}")) as file:
        path = tmp_path / RUN / "events.jsonl"
        with path.open("ab") as more:
            more.write(b"\n{}\n")
        assert not file.is_stale()
        file.grow(100)
        assert (file.lines, [line.state for line in file.page(1, 5)]) == (3, ["ok", "ok"])
        path.write_bytes(b"{}")
        assert file.is_stale()
        path.unlink()
        assert file.is_stale()
        assert file.page(0, 3)[0].text == b"{}"


def test_only_plain_files_are_opened(tmp_path: Path) -> None:
    """Case 28."""
    (tmp_path / RUN).mkdir()
    (tmp_path / RUN / "events.jsonl").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="link"):
        RawFile(tmp_path / RUN, "events.jsonl")


@pytest.mark.slow
def test_a_million_lines_cost_little_memory(tmp_path: Path) -> None:
    line = b'{"ts":1767890000000,"type":"decision","data":{"description":"' + b"x" * 190 + b'"}}\n'
    with contextlib.closing(opened(tmp_path, b"", whole=False)) as file:
        with (tmp_path / RUN / "events.jsonl").open("ab") as out:
            for _ in range(1_000):
                out.write(line * 1_000)
        assert not file.grow(10**10)
        assert file.lines == 1_000_000
        assert len(file._numbers) * 16 < 100_000
        assert file.page(999_990, 50)[-1].number == 999_999
