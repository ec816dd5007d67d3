"""Pruning from many processes at once, and by processes that are killed: no exception, no live run lost.

`BUDDY_PRUNE_ROUNDS` (runs that each of the eight processes starts, 25) makes the races longer.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock, SystemClock
from buddy_core.runs.store.store import RunStore
from buddy_core.testing import RunDirectoryBuilder

pytestmark = pytest.mark.sweep

ROUNDS = int(os.environ.get("BUDDY_PRUNE_ROUNDS", "25"))
PROCESSES = 8

RACER = """
import sys
from buddy_core.runs.store.store import RunStore
root, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = RunStore(root, max_runs=5, durable=False)
kept = store.start_run("kept " + name)
for number in range(rounds):
    with store.run(f"{name} {number}") as run:
        assert run.emit("note", {"name": name, "number": number})
        run.save_artifact("plan.md", "x")
        assert store.runs_dir.joinpath(run.run_id, "events.jsonl").exists(), "a live run was taken"
        if number % 5 == 0:
            store.prune()
    assert store.emit(kept, "note", {"number": number})
assert not store.refused, store.refused
assert not store.prune_problems, store.prune_problems
store.wait_for_prune(30)
store.end_run(kept, "completed")
print(kept)
"""

PRUNER = """
import sys
from buddy_core.runs.store.store import RunStore
store = RunStore(sys.argv[1], max_runs=0, durable=False)
print("ready", flush=True)
while True:
    store.prune()
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(children: Sequence[subprocess.Popen[str]]) -> list[str]:
    told = [child.communicate(timeout=300) for child in children]
    assert [child.returncode for child in children] == [0] * len(children), [err for _, err in told]
    return [out.strip() for out, _ in told]


def test_eight_processes_that_start_end_and_prune_at_once_never_lose_a_live_run(tmp_path: Path) -> None:
    """Case 81: every run that is being recorded stays, complete, and nobody trips over anybody."""
    kept = finish([start(RACER, str(tmp_path), str(n), str(ROUNDS)) for n in range(PROCESSES)])
    reader = RunStore(tmp_path, max_runs=5)
    for run_id in kept:
        events = reader.get_events(run_id)
        if events:  # the others were over, and were pruned, before this line
            assert [event.data.get("number") for event in events[1:-1]] == list(range(ROUNDS))
    reader.prune()
    assert len(reader.list_runs(100)) == 5
    assert list((tmp_path / ".trash").iterdir()) == []


def test_a_run_is_never_seen_half_removed(tmp_path: Path) -> None:
    """Case 81: it is there with all its files, or it is not there."""
    pruner = start(PRUNER, str(tmp_path))
    assert pruner.stdout is not None
    assert pruner.stdout.readline() == "ready\n"
    try:
        for number in range(80):
            staged = RunDirectoryBuilder(tmp_path / "staged", started_at=1_000_000 + number)
            run_dir = staged.artifact("plan.md", "x").end().write()
            target = tmp_path / run_dir.name
            run_dir.rename(target)
            while target.exists():
                try:
                    fd = os.open(target, os.O_RDONLY)
                except FileNotFoundError:
                    break
                with os.scandir(fd) as entries:
                    found = {entry.name for entry in entries}
                os.close(fd)
                whole = {"events.jsonl", "summary.json", "metrics.json", "artifacts"}
                assert found == whole or not target.exists()
    finally:
        pruner.kill()
        pruner.communicate()


def few_left(root: Path, number: int) -> bool:
    """True when the pruner has come so far: by turns while it takes runs, and while it empties the trash."""
    if number % 8:
        return len([entry for entry in root.iterdir() if entry.name != ".trash"]) <= number
    trash = root / ".trash"
    return len(list(root.iterdir())) == 1 and trash.exists() and len(list(trash.iterdir())) <= number


def test_killed_pruners_leave_nothing_that_the_next_does_not_finish(tmp_path: Path) -> None:
    """Case 81: SIGKILL after every number of removed entries that comes up."""
    for attempt in range(5):
        for number in range(40):
            run = RunDirectoryBuilder(tmp_path, started_at=1_000_000 + 1_000 * attempt + number)
            for name in range(3):
                run.artifact(f"{name}.md", "x")
            run.end().write()
        pruner = start(PRUNER, str(tmp_path))
        assert pruner.stdout is not None
        pruner.stdout.readline()
        while not few_left(tmp_path, 36 - 4 * attempt):
            pass
        pruner.send_signal(signal.SIGKILL)
        pruner.communicate()
        ours = re.compile(r"run_[0-9a-z]+_[0-9a-f]{6}\.[0-9a-f]{16}")
        assert all(ours.fullmatch(entry.name) for entry in (tmp_path / ".trash").iterdir())
        RunStore(tmp_path, max_runs=0).prune()
        assert list((tmp_path / ".trash").iterdir()) == []
        assert [entry.name for entry in tmp_path.iterdir()] == [".trash"]


SLEEPER = """
import sys
from buddy_core.runs.store.store import RunStore
store = RunStore(sys.argv[1], durable=False)
run_id = store.start_run("asleep")
print(run_id, flush=True)
sys.stdin.readline()
print(store.emit(run_id, "note", {}), flush=True)
store.end_run(run_id, "completed")
"""


def test_a_writer_that_is_stopped_for_a_day_keeps_its_run(tmp_path: Path) -> None:
    """Case 41: SIGSTOP, or a lid that is closed; the lock says that it lives, whatever the times say."""
    writer = start(SLEEPER, str(tmp_path))
    assert writer.stdin is not None
    assert writer.stdout is not None
    run_id = writer.stdout.readline().strip()
    writer.send_signal(signal.SIGSTOP)
    for file in (tmp_path / run_id).iterdir():
        os.utime(file, (1_000_000, 1_000_000))
    tomorrow = ManualClock(SystemClock().now_ms() + 86_400_000)
    assert RunStore(tmp_path, max_runs=0, clock=tomorrow).prune().live == 1
    writer.send_signal(signal.SIGCONT)
    out, err = writer.communicate("wake up\n", timeout=60)
    assert (out, err, writer.returncode) == ("True\n", "", 0)
    assert [event.type for event in RunStore(tmp_path).get_events(run_id)] == ["run_start", "note", "run_end"]


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_reader_of_a_run_that_is_pruned_has_its_events_and_no_exception(
    tmp_path: Path, *, streaming: bool
) -> None:
    """Case 27."""
    run = RunDirectoryBuilder(tmp_path, started_at=1_000_000)
    for number in range(500):
        run.event("note", {"n": number})
    run.end().write()
    store = RunStore(tmp_path, max_runs=0)
    if streaming:
        events = [await anext(stream := store.stream_events(run.run_id))]
        store.prune()
        events += [event async for event in stream]
        assert len(events) == 502
    else:
        store.prune()
        assert store.get_events(run.run_id) == []
        assert store.get_run(run.run_id) is None
