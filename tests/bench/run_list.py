"""The list of runs on the screen at any size: its first page, the keys while its index is made, and its memory.

The stores of `stores.py` take minutes to write; a directory that has them as `s10k/runs` and `s100k/runs` is named by
`BUDDY_TOP_BENCH_STORES`, and only read.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import time
from pathlib import Path

import programs
from ratios import Finding, Pairs, Spread
from screens import Screen
from stores import write_store

from buddy_core.runs.catalog.catalog import Catalog

FEW, SOME, MANY = 30, 10_000, 100_000
PAGE_TARGET, EMPTY_TARGET_MS, KEY_TARGET_MS = 1.1, 50.0, 100.0
_CURSOR = "▌".encode()
_MOVES = (b"j", b"j", b"j", b"k", b"\x1b[6~", b"\x1b[6~", b"\x1b[5~", b"G", b"k", b"g", b"j")
_FILTER = b"login"


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """Everything in turn; `quick` with 10,000 runs in the place of 100,000."""
    many = SOME if quick else MANY
    few_dir, many_dir, empty = _store(scratch, FEW), _store(scratch, many), scratch / "none"
    empty.mkdir(exist_ok=True)
    state = scratch / "warm"
    with contextlib.closing(Catalog(many_dir, state / "buddy-top", write=True)) as catalog:
        catalog.keep(texts=False)
    rounds = 6 if quick else 13
    return [
        *_first_pages(few_dir, many_dir, empty, state, rounds, many),
        *_keys_while_indexing(many_dir, scratch / "cold", many, seconds=15.0 if quick else 60.0),
        *_memory(scratch, [FEW, SOME] if quick else [FEW, SOME, MANY], state),
    ]


def _first_pages(few: Path, many: Path, empty: Path, state: Path, rounds: int, runs: int) -> list[Finding]:
    """From the start of the process to the first page with the number of all runs, in turn with 30 runs and none."""
    to_few, to_none = Pairs(), []
    for number in range(rounds):
        ours = _until(many, state, _counted(runs))
        theirs = _until(few, state, _counted(FEW))
        nothing = _until(empty, state, b"No runs yet", tab="overview")
        if number:  # the first round fills the disk cache
            to_few.add(ours, theirs)
            to_none.append((ours - nothing) * 1000)
    beyond = Spread.of(to_none)
    return [
        to_few.finding(f"first page of {runs:,} runs, to {FEW} runs", side="at most", target=PAGE_TARGET),
        Finding(
            f"first page of {runs:,} runs from a warm index, beyond the empty screen",
            f"{beyond.median:.0f} ({beyond.low:.0f}–{beyond.high:.0f}) ms",
            beyond.n,
            beyond.median,
            "at most",
            EMPTY_TARGET_MS,
            "ms",
        ),
    ]


def _keys_while_indexing(runs_dir: Path, state: Path, runs: int, seconds: float) -> list[Finding]:
    """Keys one after the other, from the first page on until the index is made or the time is over."""
    shutil.rmtree(state, ignore_errors=True)
    chance, moves, letters = random.Random(3), [], []
    with Screen(_argv(runs_dir, state)) as screen:
        screen.until(_CURSOR, seconds=60)
        screen.rest(1.0)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for key in _MOVES:
                moves.append(_paint(screen, key, _CURSOR))
                screen.rest(chance.uniform(0.03, 0.12))
            _paint(screen, b"/", b"/")
            for letter in _FILTER:
                letters.append(_paint(screen, bytes([letter]), bytes([letter])))
                screen.rest(chance.uniform(0.05, 0.15))
            screen.type(b"\x1b")
            screen.rest(0.3)
    return [
        _told(f"key to paint while {runs:,} runs are indexed: moving", moves),
        _told(f"key to paint while {runs:,} runs are indexed: letters of a filter", letters),
    ]


def _paint(screen: Screen, key: bytes, until: bytes) -> float:
    """Milliseconds from a key to the paint that answers it."""
    screen.out.clear()
    begin = time.perf_counter()
    screen.type(key)
    return (screen.until(until) - begin) * 1000


def _told(what: str, delays: list[float]) -> Finding:
    spread = Spread.of(delays)
    words = f"p50 {spread.median:.0f} ms, p99 {spread.p99:.0f} ms, worst {spread.worst:.0f} ms"
    return Finding(what, words, spread.n, spread.p99, "at most", KEY_TARGET_MS, "ms (p99)")


def _memory(scratch: Path, sizes: list[int], state: Path) -> list[Finding]:
    """Resident memory with the list on the screen for a while, against that with 30 runs."""
    held = {}
    for runs in sizes:
        with Screen(_argv(_store(scratch, runs), state)) as screen:
            screen.until(_CURSOR, seconds=60)
            screen.rest(20.0)
            held[runs] = screen.process.memory_info().rss / 1e6
    return [
        Finding(
            f"resident memory with {runs:,} runs listed, to {FEW} runs",
            f"{held[runs] / held[FEW]:.2f}",
            1,
            held[runs],
            note=f"{held[runs]:.0f} MB to {held[FEW]:.0f} MB, the newest 5,000 runs counted",
        )
        for runs in sizes[1:]
    ]


def _until(runs_dir: Path, state: Path, words: bytes, *, tab: str = "runs") -> float:
    """Seconds from the start of the process until these words are on the screen."""
    with Screen(_argv(runs_dir, state, tab)) as screen:
        return screen.until(words, seconds=60) - screen.started


def _argv(runs_dir: Path, state: Path, tab: str = "runs") -> list[str]:
    return ["env", f"XDG_STATE_HOME={state}", *programs.monitor(runs_dir, "--tab", tab)]


def _counted(runs: int) -> bytes:
    """What stands at the edge of the list when its page is there, and nothing beside it is being read."""
    return f"{runs:,} runs".encode() + b"\x1b"


def _store(scratch: Path, runs: int) -> Path:
    """A store of so many runs."""
    named = os.environ.get("BUDDY_TOP_BENCH_STORES")
    if named and runs >= SOME:
        return Path(named) / f"s{runs // 1000}k" / "runs"
    folder = scratch / f"runs-{runs}"
    if not folder.exists():
        write_store(folder, runs)
    return folder
