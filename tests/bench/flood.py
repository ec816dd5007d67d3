"""An agent that records without a pause: `python flood.py ROOT SEED PER_S SECONDS [--store] [--run-s S]`.

Every event is a write of its own, as agents do it: either lines that were encoded beforehand and get only their time,
by plain `os.write`, or events that `RunStore.emit` encodes. The pace is kept as far as the machine allows. A run ends
and the next one begins every `--run-s` seconds. At the end one line of JSON says what was written (`Written`).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from workload import RunWriter

from buddy_core.runs.store.store import RunStore

BEAT_S = 0.01
"""So often the writer looks how many events are due."""

_SCRIPT_EVENTS = 20_000


@dataclass
class Written:
    """What one agent wrote."""

    events: int = 0
    """Acknowledged, those that begin and end a run among them."""
    refused: int = 0
    calls: int = 0
    """Results of tool calls among the events."""
    bytes: int = 0
    """Of all its event files, as they stand at the end of their runs."""
    runs: list[str] = field(default_factory=list)
    took_s: float = 0.0
    cpu_s: float = 0.0


class Form(Protocol):
    """A way to record."""

    def begin(self) -> str:
        """Begin a run; gives its id."""
        ...

    def write(self, number: int) -> bool:
        """Record the event of the script with this number; True once it was acknowledged."""
        ...

    def end(self) -> None:
        """End the run."""
        ...


class Lines:
    """Lines encoded beforehand, into runs as the original writer leaves them: without a lock."""

    def __init__(self, root: Path, seed: int, script: list[tuple[str, dict[str, Any]]]) -> None:
        self._root, self._seed, self._script = root, seed, script
        self._fd = -1

    def begin(self) -> str:
        """Encode the script for a run of its own, but for the times."""
        self._seed += 16
        self._run = RunWriter(self._root, time.time_ns() // 1_000_000, self._seed)
        self._run.begin()
        encoded = (self._run.event(type, **data) for type, data in self._script)
        self._rests = [line[line.index(b",") :] for line in encoded]
        self._fd = os.open(self._run.events_file, os.O_WRONLY | os.O_APPEND)
        return self._run.run_id

    def write(self, number: int) -> bool:
        """One line at the present moment."""
        line = b'{"ts":%d%s' % (time.time_ns() // 1_000_000, self._rests[number])
        return os.write(self._fd, line) == len(line)

    def end(self) -> None:
        """Write the end, and what a summary says of it."""
        os.close(self._fd)
        self._run.now()
        self._run.end()


class Stored:
    """`RunStore.emit`, with the thirty newest runs kept, as it comes."""

    def __init__(self, root: Path, seed: int, script: list[tuple[str, dict[str, Any]]]) -> None:
        self._store, self._seed, self._script = RunStore(root), seed, script

    def begin(self) -> str:
        """Begin a run under a lock."""
        self._run_id = self._store.start_run(f"Live run {self._seed:x}")
        return self._run_id

    def write(self, number: int) -> bool:
        """Encode one event and record it."""
        type, data = self._script[number]
        return self._store.emit(self._run_id, type, data)

    def end(self) -> None:
        """End the run, totals and all."""
        self._store.end_run(self._run_id, "completed")


def script_of(seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Type and payload of some thousand events in the order in which an agent records them; then they come again."""
    writer = RunWriter(Path(), 0, seed)
    lines: list[bytes] = []
    while len(lines) < _SCRIPT_EVENTS:
        lines += writer.turn()
    return [(event["type"], event["data"]) for event in map(json.loads, lines)]


def flood(root: Path, form: Form, calls: list[bool], per_s: float, seconds: float, run_s: float) -> Written:
    """Record at this pace for so long; `calls` says which events of the script are results of calls."""
    written = Written()
    begun = run_begun = time.perf_counter()
    written.runs.append(form.begin())
    done = at = 0
    while (elapsed := time.perf_counter() - begun) < seconds:
        if time.perf_counter() - run_begun >= run_s:
            _close(root, form, written)
            written.runs.append(form.begin())
            run_begun = time.perf_counter()
        for _ in range(min(int(per_s * elapsed) - done, len(calls))):
            acknowledged = form.write(at)
            written.events += acknowledged
            written.refused += not acknowledged
            written.calls += acknowledged and calls[at]
            at = (at + 1) % len(calls)
            done += 1
        time.sleep(BEAT_S)
    written.took_s = time.perf_counter() - begun
    _close(root, form, written)
    written.cpu_s = time.process_time()
    return written


def _close(root: Path, form: Form, written: Written) -> None:
    """End the run: two events more, its beginning and its end."""
    form.end()
    written.events += 2
    written.bytes += (root / written.runs[-1] / "events.jsonl").stat().st_size


def main() -> None:
    """Wait for a line on the standard input, so that all agents begin together; then record and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("seed", type=int)
    parser.add_argument("per_s", type=float)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--run-s", type=float, default=float("inf"))
    args = parser.parse_args()
    script = script_of(args.seed)
    form = (Stored if args.store else Lines)(args.root, args.seed, script)
    calls = [type == "tool_result" for type, _ in script]
    print("ready", flush=True)
    sys.stdin.readline()
    written = flood(args.root, form, calls, args.per_s, args.seconds, args.run_s)
    print(json.dumps(asdict(written)), flush=True)


if __name__ == "__main__":
    main()
