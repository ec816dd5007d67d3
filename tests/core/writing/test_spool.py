"""A disk that is full for a while: what was refused waits in order, within bounds, and comes once (cases 5 and 6)."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core.clock import ManualClock
from buddy_core.runs.reading.jsonl import JsonlReader
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.writing import backlog
from buddy_core.runs.writing.eventlog import EventLog

NOW = 1_770_000_000_000


class Disk:
    """Stands for `os.write` to event files: takes `room` bytes, then none; None is endless."""

    def __init__(self) -> None:
        self.room: int | None = None
        self.calls = 0
        self._write = os.write

    def write(self, fd: int, data: bytes) -> int:
        self.calls += 1
        if self.room is None:
            return self._write(fd, data)
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = self._write(fd, bytes(data[: self.room]))
        self.room -= taken
        return taken


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "write", disk.write)
    return disk


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs", clock=ManualClock(NOW), durable=False)
    yield store
    store.close()


def ticks(store: RunStore, run_id: str, numbers: range) -> list[bool]:
    return [store.emit(run_id, "tick", {"n": number}) for number in numbers]


def events(store: RunStore, run_id: str) -> list[dict[str, Any]]:
    data = (store.runs_dir / run_id / "events.jsonl").read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def numbers(store: RunStore, run_id: str) -> list[int]:
    return [event["data"]["n"] for event in events(store, run_id) if event["type"] == "tick"]


def test_what_was_refused_is_written_first_when_the_disk_takes_events_again(
    store: RunStore, disk: Disk
) -> None:
    """Case 5: refused events are not acknowledged, come late, in order, once, and are told of."""
    run_id = store.start_run("x")
    assert ticks(store, run_id, range(2)) == [True, True]
    disk.room = 0
    assert ticks(store, run_id, range(2, 5)) == [False, False, False]
    disk.room = None
    assert ticks(store, run_id, range(5, 7)) == [True, True]

    assert numbers(store, run_id) == list(range(7))
    note = events(store, run_id)[6]
    assert note["type"] == "decision"
    assert note["data"]["late"] == 3
    assert note["data"]["lost"] == 0
    assert "No space left" in note["data"]["description"]
    assert store.refused == {"write failed": 3}
    store.end_run(run_id, "completed")
    summary = store.get_run(run_id)
    assert summary is not None
    assert summary.summary.event_count == len(events(store, run_id)) == 10


@pytest.mark.parametrize("room", [1, 30, 85, 86, 100])
def test_a_line_of_which_a_part_fitted_is_completed_where_it_stopped(
    store: RunStore, disk: Disk, room: int
) -> None:
    """Cases 4 and 5: no torn line, not even one."""
    run_id = store.start_run("x")
    disk.room = room
    assert ticks(store, run_id, range(4))[-1] is False
    disk.room = None
    ticks(store, run_id, range(4, 5))
    assert numbers(store, run_id) == list(range(5))


def test_a_file_that_was_cut_meanwhile_gets_the_whole_line(store: RunStore, disk: Disk) -> None:
    """What counts is what is in the file, not what was written to it."""
    run_id = store.start_run("x")
    disk.room = 20
    ticks(store, run_id, range(1))
    file = store.runs_dir / run_id / "events.jsonl"
    os.truncate(file, file.stat().st_size - 5)
    disk.room = None
    ticks(store, run_id, range(1, 2))

    reader = JsonlReader()
    found = [event.type for event in reader.feed(file.read_bytes()).events]
    assert found == ["run_start", "tick", "decision", "tick"]
    assert reader.accounting().skipped_lines == 1


def test_what_waits_is_bounded_and_what_is_lost_is_counted_where_it_is_missing(
    store: RunStore, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 5."""
    monkeypatch.setattr(backlog, "MAX_WAITING", 3)
    run_id = store.start_run("x")
    disk.room = 0
    ticks(store, run_id, range(10))
    disk.room = None
    ticks(store, run_id, range(10, 12))

    assert [event["data"].get("n", event["data"].get("lost")) for event in events(store, run_id)[1:]] == [
        0, 1, 2, 7, 10, 11,
    ]  # fmt: skip
    assert events(store, run_id)[4]["type"] == "error"
    assert events(store, run_id)[4]["data"]["message"].startswith(
        "the disk took no events for a while (No space"
    )


def test_what_waits_is_bounded_in_bytes(store: RunStore, disk: Disk) -> None:
    run_id = store.start_run("x")
    disk.room = 0
    for number in range(20):
        store.emit(run_id, "tick", {"n": number, "text": "x" * 100_000})
    disk.room = None
    store.emit(run_id, "tick", {"n": 20})
    assert numbers(store, run_id) == [*range(10), 20]


def test_what_waits_fills_its_room_to_the_last_byte_and_leaves_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "MAX_WAITING_BYTES", 10)
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    log = EventLog(fd)
    waiting = backlog.Backlog(log, NOW)
    written: list[bytes] = []
    for lines in ([b"12345678\n", b"\n", b"\n"], [b"123456789\n", b"\n"]):
        for line in lines:
            waiting.hold(line)
        assert waiting.drain(written.append)
    assert written == [b"12345678\n", b"\n", b"123456789\n"]
    assert waiting.gap == backlog.Gap(3, 2, NOW, "the disk refused")
    log.close()
    os.close(fd)


def test_a_full_disk_is_asked_once_an_event_and_not_in_between(store: RunStore, disk: Disk) -> None:
    """Case 5: no busy loop."""
    run_id = store.start_run("x")
    disk.room = 0
    disk.calls = 0
    ticks(store, run_id, range(500))
    assert disk.calls == 500


def test_an_end_on_a_full_disk_is_reported_and_lets_go(store: RunStore, disk: Disk) -> None:
    """Cases 5 and 16."""
    run_id = store.start_run("x")
    disk.room = 0
    ticks(store, run_id, range(3))
    store.end_run(run_id, "completed")
    assert store.refused["write failed"] == 4
    disk.room = None
    assert not store.emit(run_id, "tick", {})
    assert numbers(store, run_id) == []


def test_events_that_wait_come_with_the_end(store: RunStore, disk: Disk) -> None:
    run_id = store.start_run("x")
    disk.room = 0
    ticks(store, run_id, range(3))
    disk.room = None
    store.end_run(run_id, "completed")
    assert [event["type"] for event in events(store, run_id)] == [
        "run_start", "tick", "tick", "tick", "decision", "run_end",
    ]  # fmt: skip


def test_tool_calls_that_came_late_are_counted(store: RunStore, disk: Disk) -> None:
    run_id = store.start_run("x")
    disk.room = 0
    store.emit(run_id, "tool_call", {"toolName": "bash"})
    store.emit(run_id, "note", {"type": "tool_call"})
    disk.room = None
    store.end_run(run_id, "completed")
    record = store.get_run(run_id)
    assert record is not None
    assert record.metrics is not None
    assert record.metrics.tool_call_count == 1


@settings(max_examples=60, deadline=None)
@given(rooms=st.lists(st.none() | st.integers(0, 400), max_size=12))
def test_whatever_the_disk_does_the_order_stands_and_nothing_comes_twice(
    rooms: list[int | None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Case 5, with a disk that fills up and empties at any byte."""
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk()
        patch.setattr(os, "write", disk.write)
        store = RunStore(tmp_path_factory.mktemp("runs"), clock=ManualClock(NOW), durable=False)
        run_id = store.start_run("x")
        acked = []
        for number, room in enumerate([*rooms, None]):
            disk.room = room
            if store.emit(run_id, "tick", {"n": number}):
                acked.append(number)
        store.end_run(run_id, "completed")
        assert numbers(store, run_id) == list(range(len(rooms) + 1))
        assert set(acked) <= set(numbers(store, run_id))


RECORDING = textwrap.dedent(
    """
    import json, os, sys
    from pathlib import Path
    from buddy_core.runs.store.store import RunStore

    root = Path(sys.argv[1])
    store = RunStore(root / "runs")
    run_id = store.start_run("x")
    acked, number = [], 0
    def emit():
        global number
        taken = store.emit(run_id, "tick", {"n": number, "text": "x" * 500})
        acked.append(number) if taken else None
        number += 1
        return taken
    while emit():
        pass
    for _ in range(5):
        emit()
    print(json.dumps({"refused": number - len(acked)}), flush=True)
    sys.stdin.readline()
    emit()
    store.end_run(run_id, "completed")
    lines = (root / "runs" / run_id / "events.jsonl").read_bytes().splitlines()
    found = [json.loads(line)["data"].get("n") for line in lines if b'"tick"' in line]
    print(json.dumps({"whole": found == list(range(number)), "acked": set(acked) <= set(found), "n": number}))
    """
)


def finish(command: list[str], between: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """Run a recording until the disk is full, do something about it, and read what it says before and after."""
    done = subprocess.run(
        command, input=between + "\n", capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    full, after = done.stdout.splitlines()
    return json.loads(full), json.loads(after)


def test_a_real_disk_that_is_full_and_then_is_not(tmp_path: Path) -> None:
    """Case 5, on a file system of 64 KiB of its own."""
    mount = f"mount -t tmpfs -o size=64k none {tmp_path}"
    if (
        subprocess.run(["unshare", "-Urm", "sh", "-c", mount], capture_output=True, check=False).returncode
        != 0
    ):
        pytest.skip("no mount namespace to be had here")
    script = f"""
        {mount}
        head -c 20000 /dev/zero > {tmp_path}/filler
        mkfifo {tmp_path}/go
        {sys.executable} -c "$0" {tmp_path} < {tmp_path}/go &
        exec 3> {tmp_path}/go
        sleep 0.2
        while ! tail -c 600 {tmp_path}/runs/*/events.jsonl | grep -q tick; do sleep 0.1; done
        sleep 0.3
        rm {tmp_path}/filler
        echo >&3
        wait $!
    """
    full, after = finish(["unshare", "-Urm", "bash", "-c", script, RECORDING])
    assert full["refused"] >= 6
    assert after == {"whole": True, "acked": True, "n": after["n"]}


LIMITED = """
import resource, signal
assert signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
import builtins, sys
stdin = sys.stdin
class Lift:
    def readline(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
sys.stdin = Lift()
"""


def test_a_limit_on_the_size_of_files_neither_kills_nor_loses(tmp_path: Path) -> None:
    """Case 6: EFBIG, and the interpreter ignores SIGXFSZ."""
    full, after = finish([sys.executable, "-c", LIMITED + RECORDING, str(tmp_path)])
    assert full["refused"] >= 6
    assert after == {"whole": True, "acked": True, "n": after["n"]}
