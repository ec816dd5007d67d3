"""Every system call of a recording fails in every way, or is its last: cases 2, 4, 5, 7, 8 and 15.

An ordinary run tries each kill and a sample of the errors; `BUDDY_FAULTS=all python -m pytest
tests/core/writing/test_fault_sweep.py -s` tries every error at every call, and prints the figures.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.sweep

DRIVER = Path(__file__).with_name("fault_driver.py")
ALL = os.environ.get("BUDDY_FAULTS") == "all"
ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EACCES", "EMFILE", "EROFS", "EINTR", "EAGAIN")
PASSING = ("EINTR", "EAGAIN")
SEED = 20260801
Report = dict[str, Any]


def drive(directory: Path, cases: list[list[str]]) -> list[Report]:
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(directory)],
        check=False,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=60 + len(cases),
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How often a recording makes each call."""
    if sys.platform != "linux" or shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    probe = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", "true"], check=False, capture_output=True, text=True
    )
    if probe.returncode != 0:
        pytest.skip(f"strace may not trace here: {probe.stderr.strip()[:80]}")
    (counts,) = drive(tmp_path_factory.mktemp("clean"), [])
    assert counts["write"] > 10
    assert counts["renameat"] > 5
    assert counts["fsync"] > 2
    return {str(name): int(count) for name, count in counts.items()}


def positions(calls: dict[str, int]) -> Iterable[tuple[str, int]]:
    return ((call, number) for call, count in calls.items() for number in range(1, count + 1))


def bad_ones(reports: list[Report]) -> list[tuple[object, object]]:
    return [(report["inject"], report["bad"]) for report in reports if report["bad"]]


def test_a_kill_before_any_call_leaves_every_file_old_or_new(tmp_path: Path, calls: dict[str, int]) -> None:
    """Cases 2 and 15: also between a temporary file and its rename."""
    cases = [[f"inject={call}:signal=SIGKILL:when={number}"] for call, number in positions(calls)]
    reports = drive(tmp_path, cases)

    assert bad_ones(reports) == []
    killed = sum(report["status"] == signal.SIGKILL for report in reports)
    print(f"kills: {killed} of {len(reports)}")
    assert killed >= len(reports) * 0.8, "the last calls of the flusher may not come again, the others do"


def test_an_error_of_any_call_reaches_the_host_only_as_promised(
    tmp_path: Path, calls: dict[str, int], record_property: Callable[[str, object], None]
) -> None:
    """Cases 5 to 8: once and for ever; nothing acknowledged is lost, nothing is written twice."""
    once = [
        [f"inject={call}:error={error}:when={number}"]
        for call, number in positions(calls)
        for error in ERRORS
    ]
    for_ever = [
        [f"inject={call}:error={error}:when={number}+"]
        for call, number in positions(calls)
        for error in ERRORS
        if error != "EINTR"  # the interpreter asks again for as long as no signal handler raises
    ]
    if not ALL:
        chance = random.Random(SEED)
        once, for_ever = chance.sample(once, 90), chance.sample(for_ever, 60)
    reports = drive(tmp_path, once + for_ever)

    print(
        f"errors: {len(once)} once, {len(for_ever)} for ever; not done: {sum(not r['done'] for r in reports)}"
    )
    assert bad_ones(reports) == []
    assert all(report["done"] for report in reports)
    record_property("figure", f"{len(once)} errors once, {len(for_ever)} for ever: 0 uncaught, 0 lost")


def test_an_interruption_is_not_even_noticed(tmp_path: Path, calls: dict[str, int]) -> None:
    """Case 8: EINTR and EAGAIN that pass."""
    cases = [
        [f"inject={call}:error={error}:when={number}"]
        for call, number in positions(calls)
        for error in PASSING
    ]
    if not ALL:
        cases = random.Random(SEED).sample(cases, 60)
    reports = drive(tmp_path, cases)

    assert bad_ones(reports) == []
    noticed = [report["inject"] for report in reports if report["raised"] or report["refused"]]
    assert noticed == []


def test_a_write_that_says_it_wrote_less_or_lies_is_completed(tmp_path: Path, calls: dict[str, int]) -> None:
    """Case 4: what counts is what is in the file."""
    cases = [[f"inject=write:retval={taken}:when={number}"] for taken in (0, 1, 3) for number in (4, 6, 10)]
    reports = drive(tmp_path, cases)

    assert bad_ones(reports) == []
    assert [report["refused"] for report in reports if "retval=0" not in report["inject"][0]] == [[]] * 6


@pytest.mark.parametrize("when", ["1", "1+"], ids=["once", "for ever"])
def test_a_disk_that_does_not_keep_is_remembered(tmp_path: Path, calls: dict[str, int], when: str) -> None:
    """Case 7: a later success does not take it back, and nothing that was acknowledged is taken back either."""
    (report,) = drive(tmp_path, [[f"inject=fsync:error=EIO:when={when}"]])

    assert report["bad"] == []
    assert report["acked"] == list(range(8))
    assert report["refusals"] == {"durability lost": 1}


def test_a_slow_disk_keeps_nobody_waiting(tmp_path: Path, calls: dict[str, int]) -> None:
    """Promise C9: an `fsync` of a second, ten of them, and the recording does not wait for one."""
    (report,) = drive(tmp_path, [["inject=fsync:delay_enter=1000000"]])

    assert report["bad"] == []
    assert report["acked"] == list(range(8))
    assert report["slowest_ms"] < 500
