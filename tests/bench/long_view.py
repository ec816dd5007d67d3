"""One run of 1,000,000 events on the screen: its first lines, keys while scrolling, the index, memory, and peers."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from itertools import cycle, islice
from pathlib import Path

import programs
from long_run import write_long_run
from ratios import Finding, Pairs, Spread
from screens import Screen
from workload import finished_runs

from buddy_core.runs.reading.tail import FileTail
from buddy_core.runs.viewing.indextail import IndexTail

FIRST_TARGET_MS, KEY_TARGET_MS, MEMORY_TARGET_MB = 300.0, 50.0, 150.0
KEYS = (b"\x1b[6~", b"\x1b[6~", b"j", b"\x1b[6~", b"\x1b[5~", b"G", b"\x1b[5~", b"k", b"\x1b[5~", b"g")
"""Page down and up, one row, the last and the first row: what one presses to look through a file."""

_SILENCE_S = 0.06


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """The monitor on a store of one long and thirty short runs; the same file in lnav and toolong."""
    root = scratch / "long"
    run_id, size = write_long_run(root, 200_000 if quick else 1_000_000)
    finished_runs(root, runs=30, events=200)
    events = root / run_id / "events.jsonl"
    found = _index(root, run_id, size, 2 if quick else 5)
    found += _screen(root, 100 if quick else 300)
    for name, argv in _peers(scratch, events):
        found.append(_peer(name, argv, 50 if quick else 150))
    return found


def _index(root: Path, run_id: str, size: int, times: int) -> list[Finding]:
    """Indexing beside decoding alone, in turn; and what an index holds."""
    pairs, tail = Pairs(), IndexTail(root, run_id)
    for _ in range(times):
        begin = time.perf_counter()
        tail = IndexTail(root, run_id)
        while tail.more:
            tail.grow()
        tail.close()
        middle = time.perf_counter()
        plain = FileTail(root, run_id)
        while plain.poll().more:
            pass
        plain.close()
        pairs.add(middle - begin, time.perf_counter() - middle)
    rate = size / 1e6 / min(pairs.ours)
    words = (
        f"{rate:.0f} MB/s at best; an index takes {tail.index.resident / len(tail.index):.0f} bytes an event"
    )
    return [pairs.finding(f"a run of {len(tail.index):,} events indexed, to decoding it alone", note=words)]


def _screen(root: Path, presses: int) -> list[Finding]:
    """The run is the oldest of the list: last there, and not looked at before it is opened."""
    with Screen(programs.monitor(root)) as screen:
        screen.until_ink()
        screen.rest(2.0)
        screen.type(b"5")
        screen.until(b"objective")
        _settle(screen)
        before = screen.process.memory_info().rss
        screen.out.clear()
        begin = time.perf_counter()
        screen.type(b"G\r")
        first = (screen.until(b"part 0 of the") - begin) * 1000
        early = _presses(screen, 30)
        _settle(screen)
        used = screen.cpu_s()
        keys = _presses(screen, presses)
        each = (screen.cpu_s() - used) / presses * 1000
        grown = (screen.process.memory_info().rss - before) / 1e6
    return [
        _told(
            "first lines of the long run, after its row was gone to and opened",
            [first],
            FIRST_TARGET_MS,
            "ms",
        ),
        _told("key to paint in it while it is indexed", [at for at, _ in early], KEY_TARGET_MS, "ms (p99)"),
        _told("key to paint in it: first bytes", [at for at, _ in keys], KEY_TARGET_MS, "ms (p99)"),
        _told("key to paint in it: last bytes", [at for _, at in keys], 0.0, "ms (p99)"),
        Finding("CPU time of such a key, all threads", f"{each:.1f} ms", presses, each),
        Finding(
            "memory beyond that of the monitor before it was opened",
            f"{grown:.0f} MB",
            1,
            grown,
            "at most",
            MEMORY_TARGET_MB,
            "MB",
        ),
    ]


def _presses(screen: Screen, count: int) -> list[tuple[float, float]]:
    """Milliseconds from each key to the first and to the last bytes it causes."""
    found: list[tuple[float, float]] = []
    for key in islice(cycle(KEYS), count):
        screen.rest(_SILENCE_S)
        screen.out.clear()
        begin = time.perf_counter()
        screen.type(key)
        first = last = screen.read(2.0)
        while first is not None and (at := screen.read(_SILENCE_S)) is not None:
            last = at
        if first is not None and last is not None:
            found.append(((first - begin) * 1000, (last - begin) * 1000))
    return found


def _settle(screen: Screen) -> None:
    """Until it has rested for a second: everything is counted, or indexed."""
    for _ in range(120):
        before = screen.cpu_s()
        screen.rest(1.0)
        if screen.cpu_s() - before < 0.1:
            return


def _peers(scratch: Path, file: Path) -> list[tuple[str, list[str]]]:
    """What else shows a file of JSON lines of any length, where it can be had."""
    found: list[tuple[str, list[str]]] = []
    if lnav := shutil.which("lnav"):
        told = subprocess.run([lnav, "-V"], capture_output=True, text=True, check=False).stdout.strip()
        found.append((told, [lnav, "-N", str(file)] if "-N" in told else [lnav, str(file)]))
    environment = scratch / "toolong"
    steps = (
        [sys.executable, "-m", "venv", str(environment)],
        [str(environment / "bin" / "pip"), "install", "--quiet", "toolong"],
    )
    if all(subprocess.run(step, capture_output=True, check=False).returncode == 0 for step in steps):
        found.append(("toolong", [str(environment / "bin" / "tl"), str(file)]))
    return found


def _peer(name: str, argv: list[str], presses: int) -> Finding:
    """The same keys in another program, once it has read the file."""
    with Screen(argv) as screen:
        begin = time.perf_counter()
        first = (screen.until_ink() - begin) * 1000
        _settle(screen)
        ready = screen.cpu_s()
        keys = Spread.of([at for at, _ in _presses(screen, presses)])
        memory = screen.process.memory_info().rss / 1e6
    words = f"first ink after {first:.0f} ms, {ready:.1f} s of CPU until it rests, {memory:.0f} MB resident"
    measured = f"p50 {keys.median:.0f} ms, p99 {keys.p99:.0f} ms"
    return Finding(f"the same keys in {name}, on the same file", measured, keys.n, keys.p99, note=words)


def _told(what: str, values: list[float], target: float, unit: str) -> Finding:
    spread = Spread.of(values)
    words = f"p50 {spread.median:.0f} ms, p99 {spread.p99:.0f} ms, worst {spread.worst:.0f} ms"
    if not target:
        return Finding(what, words, spread.n, spread.p99)
    return Finding(
        what, words if spread.n > 1 else f"{values[0]:.0f} ms", spread.n, spread.p99, "at most", target, unit
    )
