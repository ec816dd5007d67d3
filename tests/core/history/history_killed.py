"""Started by a test: monitors that keep a history and are killed at random moments, one after the other.

Arguments: a home made by `history_home`, how many to kill, a seed. Prints what was found, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from pathlib import Path

from buddy_core.clock import ManualClock
from buddy_core.history.keeper import RunHistory
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer

NOW = 1_767_890_000_000


def monitor(home: Path) -> None:
    """Read everything, and store what is new."""
    clock = ManualClock(NOW)
    history = RunHistory(home / "state" / "history.sqlite3", clock=clock)
    observer = Observer(home / "runs", MetricsCollector(clock=clock), clock=clock, history=history)
    observer.load()
    observer.close()


def killed(home: Path, dice: random.Random, after_s: float) -> None:
    """One monitor after the other, each with something to write, and a sudden end."""
    dice = random.Random(dice.random())
    child = os.fork()
    if not child:
        try:
            while True:
                touch(home, dice)
                monitor(home)
        finally:
            os._exit(1)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, "the monitor ended by itself"


def touch(home: Path, dice: random.Random) -> None:
    """Half of the runs look new, so that there is something to write."""
    for events in (home / "runs").glob("*/events.jsonl"):
        if dice.random() < 0.5:
            os.utime(events, (dice.randrange(10**9), dice.randrange(10**9)))


def look(home: Path) -> str:
    """What SQLite says of the file after the kill."""
    file = home / "state" / "history.sqlite3"
    journal = file.with_name(file.name + "-journal")
    hot = journal.exists() and journal.stat().st_size > 0
    with contextlib.closing(sqlite3.connect(file)) as connection:
        (said,) = connection.execute("PRAGMA quick_check").fetchone()
    return f"{said}, killed while writing" if hot else str(said)


def main(home: Path, kills: int, seed: int) -> None:
    """Kill, look, and say what was seen; go on until one kill has come in the middle of a transaction."""
    dice, seen = random.Random(seed), Counter[str]()
    began = time.perf_counter()
    monitor(home)
    took = time.perf_counter() - began
    while seen.total() < kills or (len(seen) < 2 and seen.total() < 20 * kills):
        killed(home, dice, dice.uniform(0.0, 3 * took))
        seen[look(home)] += 1
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
