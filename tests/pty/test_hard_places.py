"""The monitor where the machine gives little: no notifications, few descriptors, little memory, a disk that hangs.

The limits are real ones, of the kernel; tests that need a namespace or strace are skipped where there is none.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.pty.terminal import Terminal

from buddy_core.runs.store.store import RunStore
from buddy_core.testing import RunDirectoryBuilder

Figure = Callable[[str, object], None]

IN_NAMESPACE = ("unshare", "-Urm", "sh", "-c")


def can(*argv: str) -> bool:
    """True where this can be done here."""
    return (
        shutil.which(argv[0]) is not None
        and subprocess.run(argv, check=False, capture_output=True).returncode == 0
    )


needs_namespace = pytest.mark.skipif(
    not can(*IN_NAMESPACE, "echo 5 > /proc/sys/user/max_inotify_watches"),
    reason="no user namespaces, or no limits in them",
)
needs_strace = pytest.mark.skipif(
    not can("strace", "--seccomp-bpf", "-f", "-e", "trace=pread64", "true"), reason="no strace here"
)
needs_prlimit = pytest.mark.skipif(not can("prlimit", "--version"), reason="no prlimit here")


@contextmanager
def monitor(runs: Path, *before: str, shell: str = "", tab: str = "overview") -> Iterator[Terminal]:
    """The monitor behind a command, or as the end of a line of shell; every run counts, nothing is remembered."""
    argv = [sys.executable, "-m", "buddy_top", "--runs-dir", str(runs), "--window", "all", "--tab", tab]
    argv = [*before, f'{shell} exec "$0" "$@"', *argv] if shell else [*before, *argv]
    opened = Terminal(argv, size=(120, 40))
    try:
        yield opened
    finally:
        opened.kill()


def some_runs(root: Path, count: int) -> list[RunDirectoryBuilder]:
    now_ms = time.time_ns() // 1_000_000
    made = [
        RunDirectoryBuilder(
            root, started_at=now_ms - 1_000 * number, suffix=f"{number:06x}", objective=f"Job {number}"
        )
        for number in range(count)
    ]
    for run in made:
        run.tool("bash", {"command": "make"}, took_ms=1).write()
    return made


def total(calls: int) -> Callable[[str], bool]:
    """The tile of the overview says that there were so many tool calls."""
    return lambda text: "tool calls" in text and f" {calls:,} " in text.split("Activity")[0]


def leave(term: Terminal) -> None:
    term.type("q")
    assert term.exit_code() == 0
    assert term.attributes() == term.attributes_before


@needs_namespace
@pytest.mark.parametrize("limit", ["max_inotify_instances=0", "max_inotify_watches=1"])
def test_without_notifications_it_says_that_it_polls_and_sees_everything(tmp_path: Path, limit: str) -> None:
    """Case 32: the kernel's own limits, in a namespace."""
    runs = some_runs(tmp_path / "runs", 2)
    name, _, value = limit.partition("=")
    with monitor(tmp_path / "runs", *IN_NAMESPACE, shell=f"echo {value} > /proc/sys/user/{name};") as term:
        term.until(total(2))
        term.until("polling")
        runs[0].tool("bash", took_ms=1).write()
        term.until(total(3))
        some_runs(tmp_path / "runs", 3)
        term.until(total(4))
        leave(term)


@pytest.mark.slow
def test_what_happened_while_it_was_stopped_is_found_though_the_kernels_queue_ran_over(
    tmp_path: Path, record_property: Figure
) -> None:
    """Cases 33 and 41: SIGSTOP, 20,000 file operations where it watches, lines in every run, SIGCONT: nothing is lost."""
    runs = some_runs(tmp_path / "runs", 30)
    with monitor(tmp_path / "runs") as term:
        term.until(total(30))
        term.signal(signal.SIGSTOP)
        litter = [runs[0].run_dir / name for name in ("a.tmp", "b.tmp")]
        for number in range(10_000):
            litter[number % 2].touch()
            litter[number % 2].unlink()
        for run in runs:
            for _ in range(10):
                run.tool("bash", took_ms=1)
            run.write()
        time.sleep(2.0)  # what is measured is that it was away
        term.signal(signal.SIGCONT)
        began = time.monotonic()
        term.until(total(330))
        record_property(
            "figure",
            f"330 of 330 calls {time.monotonic() - began:.1f} s after SIGCONT, N = 20,000 operations",
        )
        leave(term)


@pytest.mark.slow
def test_five_hundred_runs_at_work_are_followed_with_forty_descriptors(
    tmp_path: Path, record_property: Figure
) -> None:
    """Case 37: `ulimit -n 40`, the terminal and all else included."""
    runs = some_runs(tmp_path / "runs", 500)
    with monitor(tmp_path / "runs", "sh", "-c", shell="ulimit -n 40;") as term:
        term.until(total(500), seconds=60)
        for run in runs:
            run.tool("bash", took_ms=1).write()
        term.until(total(1_000), seconds=120)
        open_now = len(os.listdir(f"/proc/{term.child.pid}/fd"))  # noqa: PTH208 - links that lead nowhere
        record_property("figure", f"1,000 of 1,000 calls of 500 runs, {open_now} descriptors open of 40")
        leave(term)


@needs_prlimit
@pytest.mark.slow
def test_in_little_memory_it_works_or_says_why_not_and_gives_the_terminal_back(
    tmp_path: Path, record_property: Figure
) -> None:
    """Case 98: 400 MB of addresses; what an agent in as little has been told is recorded, is recorded."""
    runs = some_runs(tmp_path / "runs", 300)
    with monitor(tmp_path / "runs", "prlimit", "--as=400000000") as term:
        term.until(total(300), seconds=60)
        for run in runs:
            run.tool("bash", took_ms=1).write()
        term.until(total(600), seconds=60)
        leave(term)
    code = "import sys; from tests.pty.test_hard_places import hungry; hungry(sys.argv[1])"
    argv = ["prlimit", "--as=400000000", sys.executable, "-c", code, str(tmp_path / "own")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    run_id, acknowledged = done.stdout.split()
    lines = (tmp_path / "own" / run_id / "events.jsonl").read_bytes().splitlines()
    assert len(lines) == int(acknowledged) + 1  # and its beginning
    record_property("figure", f"{int(acknowledged):,} of as many acknowledged events kept under --as=400M")


def hungry(root: str) -> None:
    """Record, while memory is taken until there is none; says how many events were acknowledged."""
    store, held, acknowledged = RunStore(root), [], 0
    run_id = store.start_run("Eat")
    for number in range(2_000):
        with suppress(MemoryError):
            held.append(bytearray(1_000_000))
        acknowledged += store.emit(run_id, "decision", {"number": number, "text": "x" * 2_000})
    print(run_id, acknowledged)
    os._exit(0)


@needs_strace
@pytest.mark.slow
def test_a_disk_that_hangs_under_one_run_is_told_in_its_row_and_keys_are_answered(
    tmp_path: Path, record_property: Figure
) -> None:
    """Case 35: each read of one run's file takes five seconds; keys go on, the others are read, its row says so."""
    hung, *others = some_runs(tmp_path / "runs", 4)
    trace = [
        "strace",
        "--seccomp-bpf",
        "-f",
        "-qq",
        "-o",
        str(tmp_path / "trace"),
        "-P",
        str(hung.events_file),
    ]
    trace += ["-e", "trace=pread64", "-e", "inject=pread64:delay_enter=5000000"]
    waits: list[float] = []
    told: set[str] = set()
    with monitor(tmp_path / "runs", *trace, tab="runs") as term:
        term.until("! stalled", seconds=60)
        end = time.monotonic() + 8.0
        while time.monotonic() < end:
            for key, answer in (("3", "interval"), ("5", "objective")):
                began = time.monotonic()
                term.type(key)
                term.until(lambda text, answer=answer: answer in text)  # type: ignore[misc]
                waits.append(time.monotonic() - began)
            told.update(re.findall(r"! stalled (\d+) s", term.text()))
        assert len(told) >= 3, told  # the picture goes on, with the cursor on the run that hangs
        others[0].call("bash", {"command": "something new"})
        others[0].write()
        term.type("1")
        term.until("something new")
        waits.sort()
        record_property(
            "figure",
            f"{len(waits)} keys while a file hangs: p50 {1000 * waits[len(waits) // 2]:.0f} ms, "
            f"p99 {1000 * waits[int(0.99 * len(waits))]:.0f} ms, worst {1000 * waits[-1]:.0f} ms",
        )
        assert waits[-1] < 4.0  # none waited for the file
        leave(term)
