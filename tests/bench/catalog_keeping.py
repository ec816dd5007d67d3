"""What it takes to make a catalog and to keep it: summaries and texts a second, with a thread beside that must not wait."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from ratios import Finding, Pairs, Spread

from buddy_core.runs.catalog.asking.pages import Cancelled
from buddy_core.runs.catalog.catalog import Catalog
from buddy_core.runs.catalog.filling.keeping import Progress

_TICK_S = 0.005
_RECORDS = ("summary.json", "metrics.json")


def measure(scratch: Path, runs: int) -> list[Finding]:
    """`scratch/many` has so many runs, `scratch/long` 50 long ones; both are left indexed."""
    return [*_summaries(scratch, runs), *_whole(scratch, runs), _texts(scratch)]


def _summaries(scratch: Path, runs: int) -> list[Finding]:
    """Made anew again and again up to where all runs are listed, in turn with reading the same files alone."""
    folders = [str(path) for path in (scratch / "many").iterdir()]
    _read_alone(folders)
    pairs, rates, cpu = Pairs(), [], []
    for _ in range(5):
        alone, busy = _timed(lambda: _read_alone(folders)), time.process_time()
        ours = _timed(lambda: _listed(scratch))
        cpu.append((time.process_time() - busy) / runs * 1e6)
        pairs.add(ours, alone)
        rates.append(runs / ours)
    rate, beside = Spread.of(rates), Spread.of([runs / alone for alone in pairs.theirs])
    busy_us = Spread.of(cpu)
    return [
        Finding(
            f"summaries of {runs:,} runs indexed, warm",
            rate.text(digits=0),
            rate.n,
            rate.median,
            "at least",
            20_000,
            "runs/s",
            f"reading and decoding the same two files of each alone: {beside.text(digits=0)}; the best time: "
            f"{max(rates):,.0f}; {busy_us.text(digits=0)} µs of CPU time a run",
        ),
        pairs.finding(f"summaries of {runs:,} runs indexed, to reading and decoding the same files alone"),
    ]


def _read_alone(folders: list[str]) -> None:
    for folder in folders:
        for name in _RECORDS:
            fd = os.open(f"{folder}/{name}", os.O_RDONLY)
            msgspec.json.decode(os.read(fd, 65_536))
            os.close(fd)


def _listed(scratch: Path) -> None:
    """From nothing to all runs in the list."""
    over = threading.Event()
    with contextlib.closing(Catalog(scratch / "many", scratch, write=True)) as catalog:
        catalog.discard()

        def note(progress: Progress) -> None:
            if progress.done == progress.total:
                over.set()

        with contextlib.suppress(Cancelled):
            catalog.keep(progress=note, cancelled=over.is_set)


def _whole(scratch: Path, runs: int) -> list[Finding]:
    """All of it once, with a thread beside that wants to be woken every 5 ms; then with little or nothing new."""
    took: dict[str, float] = {}
    late: dict[str, list[float]] = {}
    with contextlib.closing(Catalog(scratch / "many", scratch, write=True)) as catalog:
        catalog.discard()
        with _ticking(took, late):
            catalog.keep(progress=_noting(took))
        again = Spread.of([_timed(catalog.keep) for _ in range(5)])
        some = [path.name for path in list((scratch / "many").iterdir())[:10]]
        told = Spread.of([1000 * _timed(lambda: catalog.keep_runs(some)) for _ in range(20)])
        size = catalog.path.stat().st_size
    lateness = {phase: Spread.of(values) for phase, values in late.items()}
    worst = max(spread.p99 for spread in lateness.values())
    phases = ", ".join(
        f"{phase} {spread.p99:.0f} (worst {spread.worst:.0f})" for phase, spread in lateness.items()
    )
    return [
        Finding(
            f"a thread that ticks every 5 ms while {runs:,} runs are indexed beside it, late at p99",
            f"{worst:.1f}",
            sum(spread.n for spread in lateness.values()),
            worst,
            "at most",
            50,
            "ms",
            phases,
        ),
        Finding(
            f"{runs:,} runs looked over again with nothing new",
            again.text(),
            again.n,
            again.median,
            "at most",
            2,
            "s",
            f"10 runs that a watcher told of: {told.text(digits=1)} ms; the first time with events "
            f"{runs / took['events']:,.0f} runs/s, their texts {runs / took['texts']:,.0f} runs/s; {size / runs:,.0f} bytes a run",
        ),
    ]


@contextlib.contextmanager
def _ticking(took: dict[str, float], late: dict[str, list[float]]) -> Iterator[None]:
    """Notes by how many milliseconds each tick came late, by the phase that has begun."""
    over = threading.Event()

    def tick() -> None:
        last = time.perf_counter()
        while not over.is_set():
            time.sleep(_TICK_S)
            now = time.perf_counter()
            phase = next(reversed(took), "summaries")
            late.setdefault(phase, []).append(1000 * (now - last - _TICK_S))
            last = now

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _texts(scratch: Path) -> Finding:
    """The texts of long runs, each time from nothing, in turn with grep reading the same files."""
    rates, grep, grown, read = [], [], 0, [0]
    for _ in range(3):
        took: dict[str, float] = {}
        with contextlib.closing(Catalog(scratch / "long", scratch, write=True)) as catalog:
            catalog.discard()
            catalog.keep(progress=_noting(took, read))
            grown = catalog.path.stat().st_size
        rates.append(read[-1] / 1e6 / took["texts"])
        grep.append(read[-1] / 1e6 / _timed(lambda: _grep(scratch / "long")))
    rate, beside = Spread.of(rates), Spread.of(grep)
    return Finding(
        f"texts indexed ({read[-1] / 1e6:.0f} MB in 50 long runs)",
        rate.text(digits=1),
        rate.n,
        rate.median,
        "at least",
        20,
        "MB/s",
        f"the best time: {max(rates):.1f}; one search by grep: {beside.text(digits=0)}; the index is {grown / read[-1]:.2f} "
        f"of the text; SQLite {sqlite3.sqlite_version}",
    )


def _grep(folder: Path) -> None:
    command = ["grep", "-rlF", "--", "nowhere to be found", str(folder)]
    subprocess.run(command, check=False, capture_output=True)


def _noting(took: dict[str, float], read: list[int] | None = None) -> Callable[[Progress], None]:
    """Adds up the seconds of each phase."""
    last = [time.perf_counter()]

    def note(progress: Progress) -> None:
        now = time.perf_counter()
        took[progress.phase] = took.get(progress.phase, 0.0) + now - last[0]
        last[0] = now
        if read is not None:
            read.append(progress.read_bytes)

    return note


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
