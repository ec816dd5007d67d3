"""One run of 1,000,000 events on the screen: its first lines, keys while scrolling, the index, memory, and peers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import programs
from long_run import write_long_run
from peers import peer, ready
from ratios import Finding, Pairs, Spread, absent
from screens import Screen
from workload import finished_runs

from buddy_core.runs.reading.tail import FileTail
from buddy_core.runs.timeline.index.indextail import IndexTail

FIRST_TARGET_MS, KEY_TARGET_MS, MEMORY_TARGET_MB = 300.0, 50.0, 150.0
KEYS = (b"\x1b[6~", b"\x1b[6~", b"j", b"\x1b[6~", b"\x1b[5~", b"G", b"\x1b[5~", b"k", b"\x1b[5~", b"g")
"""Page down and up, one row, the last and the first row: what one presses to look through a file."""

_ARROWS = tuple(
    {b"j": b"\x1b[B", b"k": b"\x1b[A", b"G": b"\x1b[F", b"g": b"\x1b[H"}.get(key, key) for key in KEYS
)
"""The same for programs that know no letters."""

_SILENCE_S, _ANSWER_S = 0.06, 1.0
_LONGEST_SETTLE_S = 60.0


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """The monitor on a store of one long and thirty short runs; the same file in lnav and toolong."""
    root = scratch / "long"
    run_id, size = write_long_run(root, 200_000 if quick else 1_000_000)
    finished_runs(root, runs=30, events=200)
    events = root / run_id / "events.jsonl"
    found = _index(root, run_id, size, 2 if quick else 3)
    found += _screen(root, 100 if quick else 200)
    return found + _peers(scratch / "home", events, 40 if quick else 100)


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


def _presses(screen: Screen, count: int, keys: Sequence[bytes] = KEYS) -> list[tuple[float, float]]:
    """Milliseconds from each key to the first and to the last bytes it causes; not of keys that cause none."""
    found: list[tuple[float, float]] = []
    for key in islice(cycle(keys), count):
        screen.rest(_SILENCE_S)
        screen.out.clear()
        begin = time.perf_counter()
        screen.type(key)
        first = last = screen.read(_ANSWER_S)
        while (
            last is not None and last < begin + 2 * _ANSWER_S and (at := screen.read(_SILENCE_S)) is not None
        ):
            last = at
        if first is not None and last is not None:
            found.append(((first - begin) * 1000, (last - begin) * 1000))
    return found


def _settle(screen: Screen) -> None:
    """Until it used little for a second, twice in a row: everything is counted, or indexed."""
    calm, end = 0, time.perf_counter() + _LONGEST_SETTLE_S
    while calm < 2 and time.perf_counter() < end:
        before = screen.cpu_s()
        screen.rest(1.0)
        calm = calm + 1 if screen.cpu_s() - before < 0.1 else 0


def _peers(home: Path, file: Path, presses: int) -> list[Finding]:
    """What else shows a file of JSON lines of any length, where it can be had."""
    home.mkdir()
    found = []
    for name, options, keys in (("lnav", ["-N"], KEYS), ("toolong", [], _ARROWS)):
        other = ready(peer(name))
        if isinstance(other, str):
            found.append(absent(f"the same keys in {name}, on the same file", other))
        else:
            found.append(_peer(other.called, other.in_home(home, *options, str(file)), keys, presses))
    return found


def _peer(name: str, argv: list[str], keys: Sequence[bytes], presses: int) -> Finding:
    """The same keys in another program, once it has read the file."""
    with Screen(argv) as screen:
        first = (screen.until_ink() - screen.started) * 1000
        _settle(screen)
        ready_s = screen.cpu_s()
        took = Spread.of([at for at, _ in _presses(screen, presses, keys)])
        memory = screen.process.memory_info().rss / 1e6
    words = f"first ink after {first:.0f} ms, {ready_s:.1f} s of CPU until it rests, {memory:.0f} MB resident"
    unchanged = f"; {presses - took.n} of {presses} keys changed nothing" if took.n < presses else ""
    measured = f"p50 {took.median:.0f} ms, p99 {took.p99:.0f} ms"
    what = f"the same keys in {name}, on the same file"
    return Finding(what, measured, took.n, took.p99, note=words + unchanged)


def _told(what: str, values: list[float], target: float, unit: str) -> Finding:
    spread = Spread.of(values)
    words = f"p50 {spread.median:.0f} ms, p99 {spread.p99:.0f} ms, worst {spread.worst:.0f} ms"
    if not target:
        return Finding(what, words, spread.n, spread.p99)
    return Finding(
        what, words if spread.n > 1 else f"{values[0]:.0f} ms", spread.n, spread.p99, "at most", target, unit
    )
