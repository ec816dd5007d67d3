"""The history is a cache: whatever becomes of its file, the monitor works, says so, and begins anew."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.core.history_home import NOW, Home, differences, numbers, until_it_rests

from buddy_core.caches.db import open_writer
from buddy_core.history.keeper import RunHistory
from buddy_core.history.layout import HISTORY
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.testing import RunDirectoryBuilder

KILLS = int(os.environ.get("BUDDY_TOP_HISTORY_KILLS", "24"))
SEED = int(os.environ.get("BUDDY_SEED", time.time_ns() % 2**32))
KILLER = Path(__file__).with_name("history_killed.py")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Some runs that a monitor has seen; two of them were pruned since."""
    home = Home(tmp_path / "home")
    runs = [home.run(number, minutes_ago=10 * number + 1, seed=number) for number in range(8)]
    home.turn(3)
    home.monitor()
    home.prune(*runs[:2])
    return home


def calls(home: Home) -> int:
    return home.monitor()[0].view(Window.ALL).total_tool_calls


def problem_of(observer: Observer) -> str | None:
    """What the screen would say next, also of what the writing has found since the last look."""
    assert observer._history is not None
    return observer._history.problem


def kept(home: Home) -> int:
    """Calls of the runs that are still there."""
    return home.monitor(history=False)[0].view(Window.ALL).total_tool_calls


def write_garbage(file: Path) -> None:
    file.write_bytes(b"no database at all" * 999)


def write_nothing(file: Path) -> None:
    file.write_bytes(b"")


def make_newer(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version=99")


def plant_a_trigger(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TRIGGER bad AFTER INSERT ON runs BEGIN DELETE FROM segments; END")


@pytest.mark.parametrize("damage", [write_garbage, write_nothing, make_newer, plant_a_trigger])
def test_a_file_that_cannot_be_trusted_is_begun_anew(home: Home, damage: Callable[[Path], None]) -> None:
    """Case 52: damaged, empty, of a newer version, with a schema that would do what we never wrote."""
    damage(home.history)
    first, observer = home.monitor()
    assert first.view(Window.ALL).total_tool_calls == kept(home)
    assert problem_of(observer) or damage is write_nothing

    second, observer = home.monitor()
    assert differences(numbers(first), numbers(second)) == []
    assert problem_of(observer) is None


def test_a_flipped_byte_on_any_page_harms_nothing(home: Home) -> None:
    """Case 52: the numbers are right, or the history says that something is missing; and it begins anew."""
    whole = home.history.read_bytes()
    right, least = calls(home), kept(home)
    page = int.from_bytes(whole[16:18], "big")
    for start in range(0, len(whole), page):
        for within in (0, page - 20):
            damaged = bytearray(whole)
            damaged[start + within] ^= 0xFF
            home.history.write_bytes(damaged)
            for writes in (False, True):
                collector, observer = home.monitor(writes=writes)
                found = collector.view(Window.ALL).total_tool_calls
                assert found == right or (least <= found < right and problem_of(observer)), (
                    f"page {start // page + 1}, byte {within}: {found} calls"
                )
            assert least <= calls(home) <= right


@pytest.mark.parametrize("kind", ["link", "dangling link", "directory", "pipe", "hard link"])
def test_what_is_no_plain_file_of_ours_is_left_alone(home: Home, tmp_path: Path, kind: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    home.history.unlink()
    match kind:
        case "link":
            home.history.symlink_to(victim)
        case "dangling link":
            home.history.symlink_to(tmp_path / "nowhere")
        case "directory":
            home.history.mkdir()
        case "pipe":
            os.mkfifo(home.history)
        case _:
            home.history.hardlink_to(victim)
    collector, observer = home.monitor()
    assert collector.view(Window.ALL).total_tool_calls == kept(home)
    assert problem_of(observer)
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()


def test_without_a_place_to_keep_it_everything_else_works(home: Home) -> None:
    """Cases 9 and 10: a state directory that cannot be made; the monitor says so once and goes on."""
    home.history = Path(os.devnull) / "buddy-top" / "history.sqlite3"
    collector, observer = home.monitor()
    assert collector.view(Window.ALL).total_tool_calls == kept(home)
    assert "Not a directory" in (observer.sources().history_problem or "")


def test_a_file_that_somebody_else_has_locked_is_done_without(home: Home) -> None:
    """Case 52."""
    with contextlib.closing(sqlite3.connect(home.history, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("buddy_core.caches.db.BUSY_S", 0.05)
            collector, observer = home.monitor()
    assert collector.view(Window.ALL).total_tool_calls == kept(home)
    assert "locked" in (observer.sources().history_problem or "")


def test_a_disk_that_is_full_costs_no_more_than_what_it_does_not_take(home: Home) -> None:
    right = calls(home)
    size = home.history.stat().st_size
    more = [home.run(100 + number, minutes_ago=number + 1, seed=900 + number) for number in range(40)]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 4096, before[1]))
    try:
        _, observer = home.monitor()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "not complete" in (problem_of(observer) or "")
    everything = calls(home)
    home.prune(*more)
    assert calls(home) == everything > right, "what was not stored at first is stored at the next start"


def test_a_run_of_which_a_piece_could_not_be_stored_is_stored_anew_at_the_next_start(home: Home) -> None:
    home.monitor()
    size = home.history.stat().st_size
    history = RunHistory(home.history, clock=home.clock)
    observer = Observer(home.runs, MetricsCollector(clock=home.clock), clock=home.clock, history=history)
    run = RunDirectoryBuilder(home.runs, started_at=NOW - 1_000)
    run.tool("bash").write()
    observer.load()
    assert history._writer is not None
    until_it_rests(history._writer)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, before[1]))
    try:
        run.tool("bash").write()
        observer.load()
        history._store(run.run_id, history._kept[run.run_id])
        until_it_rests(history._writer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "not complete" in (history.problem or "")
    run.tool("bash").write()
    observer.load()
    observer.close()

    right = calls(home)
    home.prune(run)
    assert calls(home) == right


@pytest.mark.sweep
@pytest.mark.timeout(60 + KILLS)
def test_a_monitor_that_is_killed_while_it_stores_leaves_a_history_in_order(home: Home) -> None:
    """Cases 54 and 67: after kill -9 at any moment the file is whole, and the numbers are those before.

    More with `BUDDY_TOP_HISTORY_KILLS=1000 python -m pytest tests/core/history/test_history_damage.py -s`.
    """
    right = numbers(home.monitor()[0])
    ran = subprocess.run(
        [sys.executable, str(KILLER), str(home.path), str(KILLS), str(SEED)],
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    seen = json.loads(ran.stdout)
    print(f"seed {SEED}: {seen}")
    assert seen.pop("ok, killed while writing", 0) > 0, "no kill came while something was written"
    assert seen.keys() <= {"ok"}
    assert differences(numbers(home.monitor()[0]), right) == []


def test_a_reader_of_what_a_killed_writer_left_sees_what_was_stored_before(home: Home) -> None:
    """Case 54: the journal of a writer that is no more is rolled back, even by who only reads."""
    right = calls(home)
    code = (
        "import os, signal, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA journal_mode=TRUNCATE'); c.execute('PRAGMA cache_size=1'); c.execute('BEGIN');"
        "c.execute('DELETE FROM segments'); c.execute('UPDATE runs SET size = 0');"
        "c.executemany('INSERT INTO merged VALUES (9, ?)', ((str(n) * 50,) for n in range(3000)));"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(home.history)], check=False)
    assert home.history.with_name(home.history.name + "-journal").stat().st_size > 0
    collector, observer = home.monitor(writes=False)
    assert collector.view(Window.ALL).total_tool_calls == right
    assert observer.sources().history_problem is None


def test_no_thread_outlives_an_observer(home: Home) -> None:
    home.monitor()
    assert not [thread for thread in threading.enumerate() if thread.name == "buddy-top history"]
    with contextlib.closing(open_writer(home.history, HISTORY)):
        pass  # the lock is free again
