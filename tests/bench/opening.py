"""Opening a file of 100,000 events: until its first and its last lines are on the screen, ours, lnav's and toolong's.

All begins with the start of the process. To see the last line one presses the key that goes there, again and again
until it is there, since a program may take the key for the end of what it has read so far.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import programs
from long_run import write_long_run
from peers import Ready, peer, ready
from ratios import Finding, Pairs, Spread, absent
from screens import Screen

EVENTS = 100_000
_AGAIN_S, _LONGEST_S = 0.1, 60.0
_CALM_S, _CALM = 0.5, 0.05
"""Everything is read when less than so much of one core was used for so long, three times in a row."""


class Way(NamedTuple):
    """How a program is brought to show the file."""

    argv: Sequence[str]
    first: str
    """In its first lines, or in any where it begins with the last."""
    last: str
    """In its last line only."""
    before: str = ""
    """What is waited for before `keys` open the file, for one that does not open it at once."""
    keys: bytes = b""


class Opened(NamedTuple):
    """One start until everything was read."""

    first_s: float
    last_s: float
    cpu_s: float
    resident_mb: float
    own_mb: float


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """The run opened from our list of runs; its events as a file in the others; in turn."""
    root, home = scratch / "runs", scratch / "home"
    home.mkdir()
    run_id, size = write_long_run(root, EVENTS)
    argv = ["env", f"HOME={home}", *programs.monitor(root, "--tab", "runs", "--window", "all")]
    ours = Way(argv, "part 0 of the", "run end", before="Move the whole", keys=b"\r")
    found: list[Finding] = []
    for name in ("lnav", "toolong"):
        other = ready(peer(name))
        if isinstance(other, str):
            found.append(absent(f"opening {EVENTS:,} events, to {name}", other))
            continue
        options = ["-N"] if name == "lnav" else []
        theirs = other.in_home(home, *options, str(root / run_id / "events.jsonl"))
        found += _compared(ours, Way(theirs, '"ts"', '"run_end"'), other, size, 3 if quick else 7)
    return found


def _compared(ours: Way, theirs: Way, other: Ready, size: int, times: int) -> list[Finding]:
    """Both in turn; the first of each fills the disk cache and does not count."""
    pairs = [Pairs() for _ in Opened._fields]
    for number in range(times):
        mine, its = _opened(ours), _opened(theirs)
        for into, a, b in zip(pairs, mine, its, strict=True):
            if number:
                into.add(a, b)
    first, last, cpu, resident, own = pairs
    what = f"of {EVENTS:,} events ({size / 1e6:.0f} MB) on the screen, to {other.called}"
    read = f"CPU until all is read: {cpu.ratios.text()} ×, {_medians(cpu, 's')}"
    held = f"resident: {resident.ratios.text()} ×, {_medians(resident, 'MB')}"
    return [
        first.finding(f"first lines {what}", side="at most", target=1.0),
        last.finding(f"last line {what}", side="at most", target=1.0, note=read),
        own.finding(
            f"memory of its own with {EVENTS:,} events read, to {other.called}",
            side="at most",
            target=1.0,
            note=held,
            scale="MB",
        ),
    ]


def _medians(pairs: Pairs, unit: str) -> str:
    return f"{Spread.of(pairs.ours).median:.3g} {unit} to {Spread.of(pairs.theirs).median:.3g} {unit}"


def _opened(way: Way) -> Opened:
    with Screen(way.argv) as screen:
        if way.before:
            screen.until_words(way.before)
            screen.type(way.keys)
        first = screen.until_words(way.first)
        last = _until_last(screen, way.last)
        _calm(screen)
        memory = screen.process.memory_full_info()
        own = getattr(memory, "uss", memory.rss)
        return Opened(
            first - screen.started, last - screen.started, screen.cpu_s(), memory.rss / 1e6, own / 1e6
        )


def _until_last(screen: Screen, words: str) -> float:
    """The moment at which the last line was there; asked for ten times a second."""
    end = time.perf_counter() + _LONGEST_S
    while time.perf_counter() < end:
        try:
            return screen.until_words(words, seconds=_AGAIN_S)
        except TimeoutError:
            screen.type(b"G")
    raise RuntimeError(f"“{words}” never came")


def _calm(screen: Screen) -> None:
    """Wait until the program rests; gives up after a minute on one that never does."""
    calm, end = 0, time.perf_counter() + _LONGEST_S
    while calm < 3 and time.perf_counter() < end:
        used, begin = screen.cpu_s(), time.perf_counter()
        screen.rest(_CALM_S)
        calm = calm + 1 if screen.cpu_s() - used < _CALM * (time.perf_counter() - begin) else 0
