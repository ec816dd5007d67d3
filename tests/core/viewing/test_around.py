"""The events around an error: found by its time in a file of any size, without reading all of it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core.runs.timeline import around
from buddy_core.runs.timeline.around import MOST, Moment, Surroundings, events_around
from buddy_core.runs.timeline.timeline import load_timeline
from buddy_core.testing import RunDirectoryBuilder

START = 1_767_961_000_000


def seen(found: Surroundings) -> list[str]:
    """What each row is about, the event itself in brackets."""
    words = [row.error or row.detail or row.title for row in found.rows]
    return [f"[{word}]" if index == found.at else word for index, word in enumerate(words)]


def test_the_event_stands_in_the_midst_of_its_neighbours(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=START)
    run.tool("bash", {"command": "before"}, took_ms=10).error("the disk is full")
    at_ms = run.now_ms
    run.wait(5).tool("bash", {"command": "after"}, took_ms=10).write()
    found = events_around(tmp_path, Moment(run.run_id, at_ms, "the disk is full"))
    assert seen(found) == ["Fix the flaky login test", "before", "[the disk is full]", "after"]
    assert (found.at, found.later, found.gone, found.problem) == (2, 1, False, None)
    assert found.rows[2].since_start_ms == at_ms - START


def test_a_failed_call_is_one_row_with_its_result(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=START)
    run.tool("bash", {"command": "make"}, took_ms=700, error="Exit code 2")
    found = events_around(tmp_path, Moment(run.write().name, run.now_ms, "Exit code 2"))
    assert seen(found)[-1] == "[Exit code 2]"
    assert found.rows[-1].kind == "tool_call"
    assert found.rows[-1].duration_ms == 700


def test_of_several_errors_at_one_time_the_one_that_says_so_is_meant(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=START)
    run.error("first").error("the second").error("second").error("third").write()
    found = events_around(tmp_path, Moment(run.run_id, run.now_ms, "second"))
    assert seen(found) == ["Fix the flaky login test", "first", "the second", "[second]", "third"]


def write_long(root: Path, *, events: int, clock: list[int] | None = None) -> tuple[str, Path]:
    """A run of numbered errors a second apart, half a kilobyte each, or at the times given."""
    run_id = RunDirectoryBuilder(root, started_at=START).write().name
    path = root / run_id / "events.jsonl"
    times = clock or [START + 1000 * number for number in range(events)]
    with path.open("a") as file:
        for number, at in enumerate(times):
            data = {"message": f"number {number}", "padding": "x" * 400}
            record = {"ts": at, "runId": run_id, "type": "error", "data": data}
            file.write(json.dumps(record, separators=(",", ":")) + "\n")
    return run_id, path


@pytest.mark.parametrize("number", [0, 1, 13, 5_000, 9_998, 9_999])
def test_in_a_long_run_only_the_bytes_near_the_event_are_read(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, path = write_long(tmp_path, events=10_000)
    read, pread = 0, os.pread

    def counting(fd: int, size: int, offset: int) -> bytes:
        nonlocal read
        data = pread(fd, size, offset)
        read += len(data)
        return data

    monkeypatch.setattr(os, "pread", counting)
    found = events_around(tmp_path, Moment(run_id, START + 1000 * number, f"number {number}"))
    assert found.at is not None
    assert found.rows[found.at].error == f"number {number}"
    assert found.at == min(MOST, number + 1)
    assert found.later == min(MOST, 9_999 - number)
    assert read < path.stat().st_size / 2


def test_an_event_that_lies_where_the_clock_was_set_back_is_found_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(around, "SPANS", (4096, 8192))
    clock = [START + 1000 * number for number in range(1000)]
    clock[300:600] = [at - 3_000_000 for at in clock[300:600]]
    run_id, _ = write_long(tmp_path, events=1000, clock=clock)
    for number in (10, 299, 300, 450, 599, 600, 900):
        found = events_around(tmp_path, Moment(run_id, clock[number], f"number {number}"))
        assert found.at is not None, number
        assert found.rows[found.at].error == f"number {number}"


def test_large_records_around_it_are_read_further_out(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=START)
    for number in range(30):
        run.wait(1000).event("note", {"number": number, "text": "y" * 30_000})
    run.error("in between")
    at_ms = run.now_ms
    for number in range(30):
        run.wait(1000).event("note", {"number": number, "text": "y" * 30_000})
    found = events_around(tmp_path, Moment(run.write().name, at_ms, "in between"))
    assert (found.at, found.later) == (MOST, MOST)


def test_a_pruned_run_and_an_event_that_is_not_there_are_said(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=START).error("here")
    run.write()
    assert events_around(tmp_path, Moment("run_nobody_000000", START, "x")) == Surroundings(gone=True)
    lost = events_around(tmp_path, Moment(run.run_id, START - 5, "elsewhere"))
    assert (lost.at, lost.rows, lost.problem) == (None, (), None)


def test_what_is_no_plain_file_or_no_name_is_not_opened(tmp_path: Path) -> None:
    """A pipe in the place of the events would hold the reader for ever."""
    run = RunDirectoryBuilder(tmp_path, started_at=START).error("here")
    run.write()
    events = run.run_dir / "events.jsonl"
    events.unlink()
    os.mkfifo(events)
    assert "not a plain file" in str(events_around(tmp_path, Moment(run.run_id, START, "here")).problem)
    assert events_around(tmp_path, Moment("../etc", START, "here")).problem


def test_damaged_lines_in_between_leave_the_others(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=START).tool("bash", {"command": "before"}, took_ms=1)
    run.raw(b'{"ts":17,"type":\x00\xff{{{\n').error("here").raw(b'{"ts":').write()
    found = events_around(tmp_path, Moment(run.run_id, run.now_ms, "here"))
    assert seen(found)[-2:] == ["before", "[here]"]


@given(
    gaps=st.lists(st.integers(0, 2), min_size=1, max_size=60),
    sizes=st.lists(st.integers(0, 400), min_size=60, max_size=60),
    wanted=st.integers(0, 59),
    back=st.none() | st.integers(0, 59),
)
@settings(max_examples=80, deadline=None)
def test_what_is_found_is_what_stands_there_in_the_whole_timeline(
    gaps: list[int], sizes: list[int], wanted: int, back: int | None
) -> None:
    """Also with several events at a time, records of any size, and a clock that was set back once."""
    wanted %= len(gaps)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(around, "SPANS", (512, 2048))
        root = Path(folder)
        run = RunDirectoryBuilder(root, started_at=START)
        at_ms = 0
        for number, (gap, size) in enumerate(zip(gaps, sizes, strict=False)):
            run.wait(-40 if number == back and number else gap)
            run.event("error", {"message": f"number {number}", "padding": "x" * size})
            at_ms = run.now_ms if number == wanted else at_ms
        run.write()
        found = events_around(root, Moment(run.run_id, at_ms, f"number {wanted}"))
        whole = load_timeline(root / run.run_id).rows
    assert found.at is not None
    assert found.rows[found.at].error == f"number {wanted}"
    offsets = [row.offset for row in whole]
    first = offsets.index(found.rows[0].offset)
    assert [row.offset for row in found.rows] == offsets[first : first + len(found.rows)], "without a gap"
    assert [row.error for row in found.rows] == [row.error for row in whole[first : first + len(found.rows)]]
