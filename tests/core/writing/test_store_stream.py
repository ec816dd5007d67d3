"""`stream_events`: a run from its first line to its end, whoever writes it and whatever becomes of it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from buddy_core.runs.model import RunEvent
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.writing.flusher import SHARED
from buddy_core.testing import RunDirectoryBuilder

LONGEST_S = 20.0
"""Only a stream that hangs takes as long."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs", durable=False)
    yield store
    store.close()


async def all_of(stream: AsyncIterator[RunEvent]) -> list[RunEvent]:
    async with asyncio.timeout(LONGEST_S):
        return [event async for event in stream]


async def next_of(stream: AsyncIterator[RunEvent]) -> RunEvent:
    async with asyncio.timeout(LONGEST_S):
        return await anext(stream)


async def test_a_finished_run_is_streamed_whole(store: RunStore) -> None:
    with store.run("one") as run:
        for number in range(2_000):
            run.emit("note", {"n": number})
    assert await all_of(store.stream_events(run.run_id)) == store.get_events(run.run_id)


async def test_a_live_run_is_streamed_as_it_is_written_until_it_ends(store: RunStore) -> None:
    run_id = store.start_run("one")
    stream = store.stream_events(run_id)
    assert (await next_of(stream)).type == "run_start"
    for number in range(20):
        store.emit(run_id, "note", {"n": number})
        assert (await next_of(stream)).data == {"n": number}
    store.end_run(run_id, "failed")
    assert [event.data for event in await all_of(stream)] == [{"status": "failed"}]


async def test_one_run_is_streamed_to_many_readers_from_its_first_line(store: RunStore) -> None:
    run_id = store.start_run("one")
    readers = []
    for number in range(5):
        readers.append(asyncio.create_task(all_of(store.stream_events(run_id))))
        store.emit(run_id, "note", {"n": number})
        await asyncio.sleep(0)
    store.end_run(run_id, "completed")
    streamed = await asyncio.gather(*readers)
    assert streamed == [store.get_events(run_id)] * 5


async def test_a_run_that_is_written_by_a_thread_loses_no_event_in_the_stream(store: RunStore) -> None:
    run_id = store.start_run("one")

    def work() -> None:
        for number in range(3_000):
            store.emit(run_id, "note", {"n": number})
        store.end_run(run_id, "completed")

    worker = threading.Thread(target=work)
    worker.start()
    events = await all_of(store.stream_events(run_id))
    worker.join()
    assert [event.data["n"] for event in events[1:-1]] == list(range(3_000))


WRITER = """
import sys
from buddy_core.runs.store.store import RunStore
store = RunStore(sys.argv[1], durable=False)
run_id = store.start_run("theirs")
print(run_id, flush=True)
for line in sys.stdin:
    store.emit(run_id, "note", {"line": line.strip()})
store.end_run(run_id, "completed")
"""


async def test_a_run_of_another_process_is_streamed_to_its_end(store: RunStore) -> None:
    writer = _start_writer(store)
    assert writer.stdin is not None
    assert writer.stdout is not None
    stream = store.stream_events(writer.stdout.readline().strip())
    assert (await next_of(stream)).type == "run_start"
    for number in range(5):
        print(number, file=writer.stdin, flush=True)
        assert (await next_of(stream)).data == {"line": str(number)}
    writer.stdin.close()
    assert [event.type for event in await all_of(stream)] == ["run_end"]
    writer.stdout.close()
    assert writer.wait() == 0


async def test_a_run_whose_writer_is_killed_ends_the_stream(store: RunStore) -> None:
    """Promise C3: the lock is free, so nothing more will come."""
    writer = _start_writer(store)
    assert writer.stdin is not None
    assert writer.stdout is not None
    stream = store.stream_events(writer.stdout.readline().strip())
    assert (await next_of(stream)).type == "run_start"
    writer.kill()
    writer.wait()
    assert await all_of(stream) == []
    writer.stdin.close()
    writer.stdout.close()


async def test_a_run_that_is_pruned_while_it_is_read_ends_the_stream(store: RunStore) -> None:
    """Case 27: what was written is still delivered."""
    run = RunDirectoryBuilder(store.runs_dir)
    for number in range(400):
        run.event("note", {"n": number})
    run.write()
    stream = store.stream_events(run.run_id)
    assert (await next_of(stream)).type == "run_start"
    run.end().write()
    assert run.run_id in RunStore(store.runs_dir, max_runs=0).prune().removed
    assert len(await all_of(stream)) == 401


async def test_a_file_that_is_cut_off_and_written_anew_is_streamed_anew(store: RunStore) -> None:
    """Case 24."""
    run_id = store.start_run("one")
    store.emit(run_id, "note", {"n": 1})
    stream = store.stream_events(run_id)
    assert [(await next_of(stream)).type for _ in range(2)] == ["run_start", "note"]
    path = store.runs_dir / run_id / "events.jsonl"
    os.truncate(path, 0)
    with path.open("ab") as file:
        file.write(json.dumps({"ts": 1, "runId": run_id, "type": "anew", "data": {}}).encode() + b"\n")
    assert (await next_of(stream)).type == "anew"
    store.end_run(run_id, "completed")
    assert [event.type for event in await all_of(stream)] == ["run_end"]


@pytest.mark.parametrize("run_id", ["run_mk5k1qoj_724ab2", "../etc", "", "run_x", "run_mk5k1qoj_724ab2/.."])
async def test_a_run_that_does_not_exist_has_no_events(store: RunStore, run_id: str) -> None:
    assert await all_of(store.stream_events(run_id)) == []


async def test_other_tasks_have_their_turn_while_a_long_run_is_read(store: RunStore) -> None:
    """Promise C9: a stream of 20,000 events does not keep the event loop for itself."""
    with store.run("one") as run:
        for number in range(20_000):
            run.emit("note", {"n": number})
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    assert len(await all_of(store.stream_events(run.run_id))) == 20_002
    task.cancel()
    assert turns > 200


async def test_a_stream_that_is_left_leaves_no_file_open(store: RunStore) -> None:
    run_id = store.start_run("one")
    assert SHARED.wait(LONGEST_S), "the first run of a process has the directory swept"
    before = _open_files(store.runs_dir)
    stream = store.stream_events(run_id)
    await next_of(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    waiting = asyncio.create_task(all_of(store.stream_events(run_id)))
    for _ in range(10):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert _open_files(store.runs_dir) == before


async def test_what_is_read_in_a_thread_is_what_is_read_at_once(store: RunStore) -> None:
    with store.run("one") as run:
        run.save_artifact("plan.md", "x")
    assert await store.get_run_async(run.run_id) == store.get_run(run.run_id)
    assert await store.list_runs_async(5) == store.list_runs(5) != []
    assert await store.get_events_async(run.run_id) == store.get_events(run.run_id) != []
    assert await store.get_artifact_async(run.run_id, "plan.md") == "x"


def _open_files(root: Path) -> int:
    """How many descriptors of this process lead below `root`; others belong to other tests."""
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one of this very listing
            found += str(link.readlink()).startswith(str(root))
    return found


def _start_writer(store: RunStore) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(store.runs_dir)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
