"""The writing end of `events.jsonl`: whole lines or none acknowledged, and anything can be recorded."""

from __future__ import annotations

import decimal
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.errors import RunLocked
from buddy_core.runs.writing import eventlog
from buddy_core.runs.writing.eventlog import MAX_EVENT_BYTES, EventLog, encode_event
from buddy_core.runs.writing.lock import RunLock

RUN = "run_mk5k1qoj_724ab2"
NOW = 1_770_000_000_000


@pytest.fixture
def dir_fd(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def event(data: object, type: str = "decision") -> dict[str, Any]:
    line = encode_event(NOW, RUN, type, data)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    record = json.loads(line)
    assert list(record) == ["ts", "runId", "type", "data"]
    assert isinstance(record["data"], dict)
    return dict(record["data"])


class TestAppending:
    def test_after_a_crash_at_any_byte_the_next_event_is_intact(self, tmp_path: Path) -> None:
        """Case 3 and promise C2: the torn line is ended first, so that it swallows nothing."""
        first, torn = encode_event(NOW, RUN, "a", {"n": 1}), encode_event(NOW, RUN, "b", {"n": 2})
        for cut in range(len(torn)):
            directory = tmp_path / str(cut)
            directory.mkdir()
            (directory / "events.jsonl").write_bytes(first + torn[:cut])
            fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            log = EventLog(fd)
            assert log.append(encode_event(NOW, RUN, "c", {"n": 3}))
            log.close()
            os.close(fd)
            lines = (directory / "events.jsonl").read_bytes().split(b"\n")
            assert json.loads(lines[0])["data"] == {"n": 1}
            assert json.loads(lines[-2])["data"] == {"n": 3}
            assert lines[1:-2] == ([torn[:cut]] if cut else [])

    def test_a_short_write_is_continued(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 4."""
        write = os.write
        monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data)[:7]))
        log = EventLog(dir_fd)
        line = encode_event(NOW, RUN, "a", {"n": 1})
        assert log.append(line)
        log.close()
        assert (tmp_path / "events.jsonl").read_bytes() == line

    def test_a_write_that_fails_half_way_is_not_acknowledged_and_spoils_no_later_line(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Cases 4, 5 and 6: the disk fills up inside a line, then space returns."""
        write, room = os.write, [10]

        def fills_up(fd: int, data: bytes) -> int:
            if not room[0]:
                raise OSError(28, "No space left on device")
            taken = write(fd, data[: room[0]])
            room[0] -= taken
            return taken

        log = EventLog(dir_fd)
        monkeypatch.setattr(os, "write", fills_up)
        assert not log.append(encode_event(NOW, RUN, "lost", {}))
        assert log.error is not None
        assert log.error.strerror == "No space left on device"
        assert not log.append(encode_event(NOW, RUN, "lost", {}))
        monkeypatch.setattr(os, "write", write)
        kept = encode_event(NOW, RUN, "kept", {})
        assert log.append(kept)
        log.close()
        assert (tmp_path / "events.jsonl").read_bytes() == b'{"ts":1770\n' + kept

    def test_of_a_file_that_is_known_to_be_whole_nothing_is_asked(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One `write(2)` an event, from the second one on."""
        log = EventLog(dir_fd)
        assert log.error is None
        assert log.append(b'{"n":1}\n')
        for name in ("fstat", "pread"):
            monkeypatch.delattr(os, name)
        assert log.append(b'{"n":2}\n')
        assert log.append(b'{"n":3}\n')
        monkeypatch.undo()
        log.close()
        assert (tmp_path / "events.jsonl").read_bytes() == b'{"n":1}\n{"n":2}\n{"n":3}\n'

    def test_an_interrupt_in_the_middle_of_a_line_spoils_no_later_one(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Promise C2: what a signal handler raises comes out of the write itself."""
        write = os.write

        def interrupted(fd: int, data: bytes) -> int:
            write(fd, data[:4])
            raise KeyboardInterrupt

        log = EventLog(dir_fd)
        assert log.append(b'{"n":1}\n')
        monkeypatch.setattr(os, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            log.append(b'{"n":2}\n')
        monkeypatch.setattr(os, "write", write)
        assert log.append(b'{"n":3}\n')
        log.close()
        assert (tmp_path / "events.jsonl").read_bytes() == b'{"n":1}\n{"n"\n{"n":3}\n'

    def test_a_torn_line_is_not_taken_for_the_beginning_of_the_next_one(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Promise C2: not where both end, and begin, with the same sign, and the disk refused in between."""
        (tmp_path / "events.jsonl").write_bytes(b'{"data":{')
        write = os.write
        log = EventLog(dir_fd)

        def full(_fd: int, _data: bytes) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        assert not log.append(b'{"n":1}\n')
        assert not log.resume(b'{"n":1}\n')
        monkeypatch.setattr(os, "write", write)
        assert log.resume(b'{"n":1}\n')
        log.close()
        assert (tmp_path / "events.jsonl").read_bytes() == b'{"data":{\n{"n":1}\n'

    def test_closing_closes_once_whatever_the_number(
        self, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = EventLog(dir_fd)
        log.close()
        closed: list[int] = []
        monkeypatch.setattr(eventlog, "close_quietly", closed.append)
        log.close()
        assert closed == []
        log._fd = 0  # as it is in a host that has closed its standard input
        log.close()
        assert closed == [0]

    def test_a_link_in_place_of_the_file_is_refused(self, tmp_path: Path, dir_fd: int) -> None:
        """Cases 28 and 76."""
        (tmp_path / "events.jsonl").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(OSError, match="symbolic"):
            EventLog(dir_fd)
        assert not (tmp_path / "elsewhere").exists()

    def test_a_pipe_in_place_of_the_file_is_refused(self, tmp_path: Path, dir_fd: int) -> None:
        """Case 28: it is refused at once; nothing waits for somebody to read it."""
        os.mkfifo(tmp_path / "events.jsonl")
        with pytest.raises(OSError, match="not a plain file"):
            EventLog(dir_fd)


class TestTheLock:
    def test_a_second_writer_is_refused_until_the_first_lets_go(self, dir_fd: int) -> None:
        """Case 11 and promise C3."""
        first = RunLock(dir_fd)
        with pytest.raises(RunLocked):
            RunLock(dir_fd)
        first.release()
        first.release()
        RunLock(dir_fd).release()


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no words")


def cycle() -> dict[str, object]:
    inner: dict[str, object] = {"name": "x"}
    inner["self"] = inner
    return inner


class TestEncoding:
    @pytest.mark.parametrize(
        ("value", "stored"),
        [
            (10**5000, "an integer of 16610 bits"),
            ("half a \ud83c", "half a �"),
            (cycle(), {"name": "x", "self": "…"}),
            (Hostile(), "<Hostile>"),
            ({(1, 2): 3}, {"(1, 2)": 3}),
            (object, "<class 'object'>"),
            (float("nan"), None),
            ([1.5, {"deep": float("-inf")}], [1.5, {"deep": None}]),
            (b"ab", "ab"),
            (decimal.Decimal("1.5"), "1.5"),
            (10**400, "an integer of 1329 bits"),
        ],
        ids=[
            "huge",
            "surrogate",
            "cycle",
            "raising",
            "tuple key",
            "class",
            "nan",
            "infinity",
            "bytes",
            "decimal",
            "many digits",
        ],
    )
    def test_what_json_cannot_say_is_described_and_marked(self, value: object, stored: object) -> None:
        """Case 18."""
        assert event({"value": value, "kept": 1}) == {"value": stored, "kept": 1, "truncated": True}

    @pytest.mark.parametrize(
        ("value", "stored"),
        [({3}, [3]), ((1, 2), [1, 2]), (2**64 - 1, 2**64 - 1), (None, None)],
        ids=["set", "tuple", "large", "none"],
    )
    def test_what_json_can_say_another_way_is_stored_that_way(self, value: object, stored: object) -> None:
        """Case 18."""
        assert event({"value": value}) == {"value": stored}

    def test_a_payload_that_is_no_mapping_becomes_one(self) -> None:
        assert event(None) == {}
        assert event([1, 2]) == {"value": [1, 2]}

    def test_an_event_too_long_is_cut_and_says_what_it_was(self) -> None:
        """Case 19."""
        data = {"command": "make", "output": "x" * (2 * MAX_EVENT_BYTES)}
        stored = event(data)
        assert stored["command"] == "make"
        assert stored["output"].startswith("xxx")
        assert len(encode_event(NOW, RUN, "decision", data)) <= MAX_EVENT_BYTES
        output = data["output"].encode()
        assert stored["fullLength"] == len(output)
        assert stored["sha256"] == hashlib.sha256(output).hexdigest()
        assert stored["truncated"] is True

    @pytest.mark.parametrize(
        "data",
        [{str(n): "x" * 200 for n in range(20_000)}, {"deep": [["x" * 300] * 300] * 300}],
        ids=["many keys", "many strings"],
    )
    def test_no_shape_of_payload_makes_a_line_longer_than_readers_take(self, data: dict[str, object]) -> None:
        assert len(encode_event(NOW, RUN, "decision", data)) <= MAX_EVENT_BYTES
        assert event(data)["truncated"] is True

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=3) | st.integers() | st.none(), inner, max_size=3)
            ),
            max_leaves=10,
        )
    )
    def test_nothing_that_is_handed_in_makes_it_raise(self, data: object) -> None:
        event(data)

    def test_a_type_that_is_no_text_is_recorded_without_one(self) -> None:
        assert json.loads(encode_event(NOW, RUN, Hostile(), {}))["type"] == "<Hostile>"  # type: ignore[arg-type]
