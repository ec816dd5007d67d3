"""Records short runs while strace makes system calls fail or kills the recorder. Run as a script, by the sweep.

    python tests/core/writing/fault_driver.py DIRECTORY < cases.json

`cases.json` is a list of lists of strace expressions, one list a recorder; one JSON object a recorder is
printed, with what it told and what is wrong with what it left.

A recorder is forked from a process that has imported everything, waits until strace has hold of it, and then
does the same things every time; so the k-th call of a kind is the same call every time. It tells what it
acknowledged, and what was raised, through a socket, which uses none of the calls that are tampered with.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from buddy_core.errors import BuddyError
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.watching.liveness import lock_state
from buddy_core.runs.writing.flusher import SHARED

CALLS = ("write", "renameat", "openat", "mkdirat", "mkdir", "flock", "fsync", "fchmod")
"""The calls a recording consists of."""

RUN_ID = "run_mk5k1qoj_724ab2"


@dataclass(slots=True)
class Told:
    """What one recorder said before it ended."""

    acked: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    """Errors of the library's own that reached the host."""
    uncaught: list[str] = field(default_factory=list)
    """Anything else that did."""
    refusals: dict[str, int] = field(default_factory=dict)
    """What the store counted in the end."""
    slowest_ms: float = 0.0
    """The longest that one step kept the host waiting."""
    done: bool = False
    status: int = 0
    """As `os.waitpid` gives it."""


def record(root: Path, tell: Callable[[str, object], None]) -> None:
    """One short run with everything in it; each step is tried whatever became of the one before."""
    os.umask(0o700)  # one that takes even the owner's rights, so that modes have to be set
    store = RunStore(root, max_runs=None, new_id=lambda _now: RUN_ID)
    slowest_ms = 0.0

    def attempt(step: Callable[[], object]) -> None:
        nonlocal slowest_ms
        begin = time.monotonic()
        try:
            step()
        except BuddyError as error:
            tell("raised", f"{type(error).__name__}: {error}")
        except Exception:  # noqa: BLE001  that is what the sweep looks for
            tell("uncaught", traceback.format_exc())
        slowest_ms = max(slowest_ms, 1000 * (time.monotonic() - begin))

    def emit(number: int) -> None:
        acked = store.emit(RUN_ID, "tick", {"n": number, "text": "x" * 100 * number})
        tell("acked" if acked else "refused", number)

    attempt(lambda: store.start_run("under fault"))
    for number in range(4):
        attempt(lambda number=number: emit(number))  # type: ignore[misc]
    attempt(lambda: store.update_metrics(RUN_ID, total_tokens=1))
    attempt(lambda: store.save_artifact(RUN_ID, "plan.md", "# Plan"))
    for number in range(4, 8):
        attempt(lambda number=number: emit(number))  # type: ignore[misc]
    attempt(lambda: store.update_metrics(RUN_ID, total_tokens=2))
    attempt(lambda: store.end_run(RUN_ID, "completed"))
    tell("slowest_ms", slowest_ms)
    attempt(lambda: SHARED.wait(0.5))
    tell("refusals", dict(store.refused))
    tell("done", True)


def run_under(root: Path, *inject: str, log: Path | None = None) -> Told:
    """Record below `root` under strace with these `-e` expressions; `log` keeps what strace saw."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        _child(root, here, there)
    there.close()
    options = [part for expression in inject for part in ("-e", expression)]
    trace = ["-e", f"trace={','.join(CALLS)}", "-y"] if log else []
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(pid), "-o", str(log or "/dev/null"), *trace, *options],
        stderr=subprocess.PIPE,
    )
    assert tracer.stderr is not None
    try:
        assert b"attached" in tracer.stderr.readline()
        here.send(b"go")
        told = _listen(here)
        told.status = os.waitpid(pid, 0)[1]
    finally:
        tracer.terminate()
        tracer.stderr.close()
        tracer.wait()
        here.close()
    return told


def _child(root: Path, here: socket.socket, there: socket.socket) -> None:
    try:
        here.close()
        there.recv(16)
        record(root, lambda kind, what: there.sendall(json.dumps([kind, what]).encode()[:60_000]) or None)
    finally:
        os._exit(0)


def _listen(here: socket.socket) -> Told:
    told = Told()
    while message := here.recv(65_536):
        kind, what = json.loads(message)
        if isinstance(found := getattr(told, kind), list):
            found.append(what)
        else:
            setattr(told, kind, what)
    return told


def findings(root: Path, told: Told) -> list[str]:
    """What must not be after any fault, in words; nothing when all is as it should be."""
    bad = [f"uncaught: {words}" for words in told.uncaught]
    run_dir = root / RUN_ID
    for name in ("summary.json", "metrics.json"):
        if not _is_object(run_dir / name):
            bad.append(f"{name} is no JSON object")
    events, torn = read_lines(run_dir / "events.jsonl")
    numbers: Sequence[int] = [event["data"]["n"] for event in events if event["type"] == "tick"]
    if lost := set(told.acked) - set(numbers):
        bad.append(f"acknowledged and lost: {sorted(lost)}")
    if list(numbers) != sorted(set(numbers)):
        bad.append(f"twice or out of order: {numbers}")
    if torn > 1:
        bad.append(f"{torn} torn lines")
    if lock_state(run_dir) == "held":
        bad.append("still locked")
    return bad


def calls_made(root: Path) -> Counter[str]:
    """How often a recording makes each call, fault or no fault."""
    log = root.with_suffix(".strace")
    run_under(root, log=log)
    return Counter(call for line in log.read_text().splitlines() for call in CALLS if f" {call}(" in line)


def read_lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The events of a file, and how many lines are none; a file that is not there has neither."""
    events, torn = [], 0
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        try:
            events.append(json.loads(line))
        except ValueError:
            torn += bool(line)
    return events, torn


def _is_object(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except FileNotFoundError:
        return True
    except ValueError:
        return False


def main() -> None:
    """Without cases print how often each call is made; with cases try each and print what came of it."""
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    cases = json.load(sys.stdin)
    if not cases:
        print(json.dumps(calls_made(directory / "clean")))
    for number, inject in enumerate(cases):
        root = directory / str(number)
        begin = time.monotonic()
        told = run_under(root, *inject)
        took_s = time.monotonic() - begin
        print(json.dumps({"inject": inject, "bad": findings(root, told), "took_s": took_s, **asdict(told)}))
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
