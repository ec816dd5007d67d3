"""Kills recording processes at random moments and looks at what they leave. Run as a script, by the kill sweep.

    python tests/core/writing/crash_driver.py DIRECTORY KILLS SEED store|buffered

One process imports the library once and forks a recorder for each kill, four at a time, and looks at what
they left when all four are dead. A recorder sends the
number of every event through a pipe after it was acknowledged, so what came out of the pipe must be in the
file. `buffered` records through a buffered Python file instead, which loses events: the check can fail. Prints
one JSON object.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import signal
import struct
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from buddy_core.runs.reading.jsonl import JsonlReader
from buddy_core.runs.reading.reader import run_ids
from buddy_core.runs.reading.wholerun import read_events
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.watching.liveness import lock_state
from buddy_core.runs.writing.eventlog import EventLog, encode_event

PARALLEL = 4
PIPE_BYTES = 1024 * 1024
NUMBER = struct.Struct("<I")
TEXTS = ["x" * size for size in (0, 10, 40, 200, 3_000, 60, 5, 30) * 8 + (300_000,)]
LIFE_S = 60.0
"""Longest a recorder lives, should nobody be left to kill it; a busy machine may let it wait for its killer for seconds."""
RUN_ID = "run_mk5k1qoj_724ab2"

Recorder = Callable[[Path, int], None]


@dataclass(slots=True)
class Crash:
    """A recorder that runs, and when it is to be killed."""

    pid: int
    root: Path
    acks: int
    deadline: float


def record_in_store(root: Path, acks: int) -> None:
    """Record until it is killed, with JSON files and artifacts replaced on the way."""
    store = RunStore(root, max_runs=None, durable=int(root.name) % 16 == 0)  # who waits for a disk dies late
    run_id = store.start_run("until it is killed")
    number, end = 0, time.monotonic() + LIFE_S
    while time.monotonic() < end:
        data = {"n": number, "text": TEXTS[number % len(TEXTS)]}
        if store.emit(run_id, "tick", data):
            os.write(acks, NUMBER.pack(number))
        number += 1
        if number % 50 == 0:
            store.update_metrics(run_id, total_tokens=number)
        if number % 97 == 0:
            store.save_artifact(run_id, "plan.md", "# Plan\n" * 20)


def record_buffered(root: Path, acks: int) -> None:
    """The same through a file that Python buffers."""
    run_dir = root / RUN_ID
    run_dir.mkdir(parents=True)
    number, end = 0, time.monotonic() + LIFE_S
    with (run_dir / "events.jsonl").open("ab") as file:
        while time.monotonic() < end:
            file.write(encode_event(1, RUN_ID, "tick", {"n": number, "text": TEXTS[number % 4]}))
            os.write(acks, NUMBER.pack(number))
            number += 1


def start(root: Path, recorder: Recorder, chance: random.Random) -> Crash:
    """Fork a recorder that will be killed after 2 to 30 ms."""
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    pid = os.fork()
    if pid == 0:
        try:
            recorder(root, write_end)
        except BaseException:  # noqa: BLE001  whatever it is, it is told, and the exit code says so
            traceback.print_exc()
        os._exit(3)
    os.close(write_end)
    return Crash(pid, root, read_end, time.monotonic() + chance.uniform(0.002, 0.030))


def kill(crash: Crash) -> list[int]:
    """Kill it when its time has come; returns the numbers that it acknowledged."""
    time.sleep(max(0.0, crash.deadline - time.monotonic()))
    os.kill(crash.pid, signal.SIGKILL)
    _, status = os.waitpid(crash.pid, 0)
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"the recorder ended by itself ({status})")
    with os.fdopen(crash.acks, "rb") as acks:
        sent = acks.read()
    whole = len(sent) // NUMBER.size * NUMBER.size
    return [number for (number,) in NUMBER.iter_unpack(sent[:whole])]


def examine(root: Path, acked: list[int]) -> Counter[str]:
    """What the kill cost, by kind; everything but `events` and `torn` must be 0."""
    found = Counter(acked=len(acked))
    ids = run_ids(root)
    if not ids or not (root / ids[0] / "events.jsonl").exists():
        return found + Counter(lost=len(acked), unborn=1)
    run_dir = root / ids[0]
    *lines, tail = (run_dir / "events.jsonl").read_bytes().split(b"\n")
    ticks, unreadable = [], 0
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            unreadable += 1
            continue
        if event["type"] == "tick":
            ticks.append(event["data"]["n"])
    found["events"] = len(ticks)
    found["torn"] = bool(tail)
    found["unreadable"] = unreadable
    found["lost"] = len(set(acked) - set(ticks))
    found["out of order or twice"] = ticks != list(range(len(ticks)))
    found["locked"] = lock_state(run_dir) == "held"
    found["json"] = sum(not _is_json(run_dir / name) for name in ("summary.json", "metrics.json"))
    found["reader"] = len(read_events(root, ids[0])) != len(lines)
    found["not repaired"] = not _repairs(run_dir, len(lines) + bool(tail), tail)
    return found


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except FileNotFoundError:
        return True  # killed before the first one was there
    except ValueError:
        return False


def _is_record(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _repairs(run_dir: Path, lines: int, tail: bytes) -> bool:
    """The next open ends the torn line, and an event appended then is read whole."""
    lost = bool(tail) and not _is_record(tail)  # what lacks its newline alone is whole once that is there
    fd = os.open(run_dir, os.O_RDONLY)
    log = EventLog(fd)
    written = log.append(encode_event(2, run_dir.name, "after", {}))
    log.close()
    os.close(fd)
    data = (run_dir / "events.jsonl").read_bytes()
    reader = JsonlReader()
    last = reader.feed(data).events[-1]
    skipped = reader.accounting().skipped_lines
    return written and data.count(b"\n") == lines + 1 and last.type == "after" and skipped == lost


def sweep(directory: Path, kills: int, seed: int, recorder: Recorder) -> Counter[str]:
    """Kill `kills` recorders, each in a runs directory of its own."""
    chance = random.Random(seed)
    total: Counter[str] = Counter()
    for begin in range(0, kills, PARALLEL):
        numbers = range(begin, min(begin + PARALLEL, kills))
        crashes = [start(directory / str(number), recorder, chance) for number in numbers]
        crashes.sort(key=lambda crash: crash.deadline)
        acked = [kill(crash) for crash in crashes]
        for crash, numbers_acked in zip(crashes, acked, strict=True):
            total.update(examine(crash.root, numbers_acked))
            total["kills"] += 1
            shutil.rmtree(crash.root, ignore_errors=True)
    return total


def main() -> None:
    """Read the command line, sweep, print."""
    os.nice(5)  # recorders do nothing but record; whatever else is tested meanwhile comes first
    directory, kills, seed, kind = sys.argv[1:]
    recorder = {"store": record_in_store, "buffered": record_buffered}[kind]
    print(json.dumps(sweep(Path(directory), int(kills), int(seed), recorder)))


if __name__ == "__main__":
    main()
