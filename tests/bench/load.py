"""A flood: 50,000 events a second from four agents for a minute, with the monitor open and somebody at its keyboard.

Once with lines by plain `os.write`, once with `RunStore.emit`. Every second what was written is held against what the
monitor says it has read; when the agents have ended it must come to the same, byte by byte and event by event, and a
second process that reads everything anew must agree (`buddy-top --json`).
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import programs
from agents import Agents, Pace
from flood import Written
from ratios import Finding, Spread
from resources import Sample, Slope, sample, slope
from screens import ENVIRONMENT, Screen
from telling_monitor import Told, told

PER_S = 50_000
AGENTS = 4
KEY_TARGET_MS, MEMORY_TARGET_MB = 100.0, 30.0
_KEYS: tuple[tuple[bytes, bytes], ...] = (
    (b"2", b"compl."),
    (b"3", b"interval"),
    (b"4", b"message"),
    (b"1", b"tool calls"),
    (b"5", b"objective"),
    (b"/", b"keep"),
    *((letter.encode(), letter.encode()) for letter in "ЖШЩЮ"),
    (b"\x1b", b""),
)
"""What is pressed, and what is on the screen only after it: headings of tabs, and letters that nothing else holds."""

_PLACES = frozenset((b"5", b"\x1b"))
"""Behind these nobody types on at once: a letter right after escape is another key, and a new list takes a moment."""

_ARRIVE_S, _AFTER_S = 1.0, 20.0
_PATIENCE_S = 30.0


@dataclass
class Watched:
    """What was seen of a monitor while it was flooded, and afterwards."""

    keys_ms: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    """Bytes that were written and not read yet, second by second."""
    during: list[Sample] = field(default_factory=list)
    afterwards: list[Sample] = field(default_factory=list)
    caught_up_s: float = 0.0
    """From the last agent's end until everything was read."""
    end: Told = field(default_factory=Told)


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """Both forms, a minute or ten seconds each."""
    seconds = 10.0 if quick else 60.0
    return [*_form(scratch / "lines", seconds, store=False), *_form(scratch / "store", seconds, store=True)]


def _form(scratch: Path, seconds: float, *, store: bool) -> list[Finding]:
    root, file = scratch / "runs", scratch / "told"
    root.mkdir(parents=True)
    pace = Pace(PER_S, seconds, (float("inf"),) * AGENTS, store)
    argv = ["env", f"XDG_STATE_HOME={scratch / 'state'}", *programs.telling_monitor(file, root)]
    with Agents(root, pace) as agents, Screen(argv) as screen:
        screen.until_ink()
        watched = _watch(agents, screen, root, file)
        written = agents.written()
        begun = time.perf_counter()
        _settle(screen, file, sum(one.bytes for one in written))
        watched.caught_up_s = time.perf_counter() - begun
        for _ in range(int(_AFTER_S)):
            screen.rest(1.0)
            watched.afterwards.append(sample(screen.process, time.perf_counter() - begun))
        watched.end = told(file)  # bytes are read some milliseconds before their events are counted
    form = "RunStore.emit" if store else "os.write of a line"
    return [*_findings(form, written, watched), _told_anew(form, root, written)]


def _watch(agents: Agents, screen: Screen, root: Path, file: Path) -> Watched:
    """Press keys, and look every second, until the agents have ended."""
    watched, chance, keys = Watched(), random.Random(5), cycle(_KEYS)
    screen.rest(1.0)
    agents.start()
    begun = due = time.perf_counter()
    while agents.running:
        key, answer = next(keys)
        took = _press(screen, key, answer)
        if took is not None:
            watched.keys_ms.append(took)
        screen.rest(chance.uniform(0.05, 0.25) + (_ARRIVE_S if key in _PLACES else 0.0))
        if time.perf_counter() >= due:
            due += 1.0
            watched.during.append(sample(screen.process, time.perf_counter() - begun))
            watched.behind.append(_written(root) - _seen(told(file)))
    return watched


def _press(screen: Screen, key: bytes, answer: bytes) -> float | None:
    """Milliseconds until the answer is drawn; None for a key whose answer nothing can be told by."""
    screen.out.clear()
    begin = time.perf_counter()
    screen.type(key)
    return (screen.until(answer) - begin) * 1000 if answer else None


def _settle(screen: Screen, file: Path, size: int) -> None:
    """Until the monitor has read so much, or has read nothing more for a while."""
    before, deadline = -1, 0.0
    while (seen := _seen(told(file))) < size and (seen > before or time.perf_counter() < deadline):
        if seen > before:
            before, deadline = seen, time.perf_counter() + _PATIENCE_S
        screen.rest(0.05)


def _written(root: Path) -> int:
    return sum(file.stat().st_size for file in root.glob("run_*/events.jsonl"))


def _seen(told: Told) -> int:
    return sum(account["seen"] for account in told.accounts.values())


def _findings(form: str, written: list[Written], watched: Watched) -> Iterator[Finding]:
    events, size = sum(one.events for one in written), sum(one.bytes for one in written)
    rate = sum(one.events / one.took_s for one in written)
    what = f"{rate:,.0f} events a second by {form}, {len(written)} agents, {written[0].took_s:.0f} s: "
    writers = f"the agents took {sum(one.cpu_s for one in written):.0f} s of CPU, the monitor {watched.during[-1].cpu_s:.0f}"
    yield _accounting(what, events, size, watched.end, writers)
    keys = Spread.of(watched.keys_ms)
    words = f"p50 {keys.median:.0f} ms, p99 {keys.p99:.0f} ms, worst {keys.worst:.0f} ms"
    note = "until the heading of the other tab, or the letter, is drawn"
    yield Finding(what + "key to paint", words, keys.n, keys.p99, "at most", KEY_TARGET_MS, "ms (p99)", note)
    a_second = size / written[0].took_s
    behind = Spread.of([max(0.0, here) / a_second for here in watched.behind])
    words = f"p50 {behind.median:.2f} s, worst {behind.worst:.2f} s; all read {watched.caught_up_s:.2f} s after the end"
    yield Finding(what + "behind", words, behind.n, behind.worst)
    half = watched.during[len(watched.during) // 2 :]
    yield _memory(what, slope(half, "resident_mb"), slope(watched.afterwards, "resident_mb"), watched)


def _accounting(what: str, events: int, size: int, end: Told, note: str) -> Finding:
    accounts = list(end.accounts.values())
    seen, skipped = sum(one["seen"] for one in accounts), sum(one["skipped"] for one in accounts)
    pending = sum(one["pending"] for one in accounts)
    got = sum(end.events.values())
    wrong = abs(seen - size) + abs(got - events) + skipped + pending
    wrong += sum(not one["balanced"] for one in accounts)
    words = (
        f"{got:,} of {events:,} events and {seen:,} of {size:,} bytes; {skipped} skipped, {pending} pending"
    )
    return Finding(what + "accounting", words, len(accounts), wrong, "at most", 0, "wrong", note)


def _memory(what: str, grown: Slope, after: Slope, watched: Watched) -> Finding:
    """Grows while windows and lists fill; what matters is that it ends."""
    a_minute = grown.an_hour / 60
    words = (
        f"{a_minute:+.1f} MB a minute in the second half, {after.an_hour / 60:+.1f} in the {_AFTER_S:.0f} s "
        f"afterwards; from {watched.during[0].resident_mb:.0f} to {after.last:.0f} MB, at most {grown.worst:.0f} MB"
    )
    n = len(watched.during) + len(watched.afterwards)
    return Finding(what + "memory", words, n, a_minute, "at most", MEMORY_TARGET_MB, "MB a minute")


def _told_anew(form: str, root: Path, written: list[Written]) -> Finding:
    """The same runs read by a process that has seen nothing of it."""
    argv = [*programs.monitor(root), "--json", "--no-history", "--window", "all"]
    out = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, check=True).stdout
    picture = json.loads(out)
    events, expected = sum(run["event_count"] for run in picture["runs"]), sum(one.events for one in written)
    skipped = picture["sources"]["skipped_lines"]
    words = f"{events:,} of {expected:,} events, {skipped} lines skipped"
    what = f"the runs written by {form}, read anew by buddy-top --json"
    return Finding(what, words, len(written), abs(events - expected) + skipped, "at most", 0, "wrong")


if __name__ == "__main__":
    sys.exit("run it as: python tests/bench/run.py load")
