"""The terminal oracle: hostile payloads by the thousand through every sink, and every byte that leaves looked at.

`BUDDY_PAYLOADS=10000 python -m pytest -m "" tests/pty/test_payload_oracle.py` walks the monitor through all it can
show, in a real pty; a screenful of payloads a picture. What may leave is the grammar of tests/pty/escapes.py.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import pytest
from tests.pty.escapes import leaks
from tests.pty.oracle import Watch, check
from tests.pty.payload_walk import ALL, FORMS, SIZE, prepared, walked
from tests.pty.payloads import MARKUP_FORMS, TAG, Payload, payloads, tag
from tests.pty.terminal import terminal

from buddy_core.alerts.model import Alert
from buddy_top.terminal.announce import desktop_words

COUNT = int(os.environ.get("BUDDY_PAYLOADS", "12"))
SEED = int(os.environ.get("BUDDY_SEED", "1"))
A_START = 200
"""Payloads shown by one start of the monitor: its newest hundred errors tell of all of them."""

AT_ONCE = int(os.environ.get("BUDDY_AT_ONCE", str((os.cpu_count() or 1) + 1)))
"""Monitors that are walked through at the same time: each waits for its pictures most of the time."""

NEARLY_ALL = 0.98
"""A busy machine may keep a detail for so long that the walk goes on before it is there."""

COMMANDS = str(Path(__file__).with_name("many_commands.py"))
UNGUARDED = str(Path(__file__).with_name("unguarded.py"))

Figures = Callable[[str, object], None]


def starts(count: int) -> Iterator[list[Payload]]:
    every = payloads(count, SEED)
    for first in range(0, count, A_START):
        yield every[first : first + A_START]


@pytest.mark.slow
@pytest.mark.timeout(900 + 3 * COUNT)
def test_no_byte_of_any_payload_leaves_by_any_view(tmp_path: Path, record_property: Figures) -> None:
    """Cases 55 to 58, 60, 61 and 62: tabs, views of runs, dialogs, typed text, clipboard and exported files."""
    seen: dict[str, int] = defaultdict(int)
    sent = 0
    with ProcessPoolExecutor(AT_ONCE, get_context("spawn")) as pool:
        going = [pool.submit(walked, tmp_path / str(at), some) for at, some in enumerate(starts(COUNT))]
        for number, done in enumerate(as_completed(going), 1):
            part = done.result()
            assert part.leaks == []
            assert part.obeyed == []
            assert part.copies >= 8, "hardly anything was copied"
            assert part.files == sum(FORMS), "not every form was exported"
            sent += part.sent
            for sink, tags in part.seen.items():
                seen[sink] += len(tags)
            print(
                f"{number} of {len(going)} starts, {part.took_s:.0f} s, {sent:,} bytes: {dict(seen)}",
                flush=True,
            )
    unseen = {sink: COUNT - seen[sink] for sink in ALL}
    assert {sink: count for sink, count in unseen.items() if count > (1 - NEARLY_ALL) * COUNT} == {}
    fewest = max(unseen, key=lambda sink: unseen[sink])
    told = f"{COUNT:,} payloads, in each of {len(ALL)} views {COUNT - unseen[fewest]:,} and more seen ({fewest} fewest)"
    record_property("figure", f"{told}, {len(seen) - len(ALL)} views with some, {sent:,} bytes: 0 leaks")


def command_lines(runs: Path, carriers: Sequence[str], some: Sequence[Payload]) -> list[list[str]]:
    """Every command that prints, and every complaint that repeats what was typed."""
    lines = [["--once"], ["run", "list", "--limit", "0"], ["run", "doctor"], ["alerts", "--since", "all"]]
    lines += [["run", "search", "--limit", "0", word] for word in ("Q", "error")]
    lines += [["run", kind, one] for one in carriers for kind in ("show", "tail", "family", "replay")]
    lines += [["run", "diff", "--all", one, other] for one, other in pairwise(carriers)]
    lines = [[*line, *more] for line in lines for more in ((), ("--json",))]
    lines += [["run", "export", one, "--format", form] for one in carriers for form in ("json", "md", "html")]
    lines += [["metrics", "--once"], ["run", "keep", *carriers], ["run", "list", "--kept"], ["config"]]
    for index, text in enumerate(one.text.replace("\0", "") for one in some):
        complaints = (["run", "show", text], ["run", "list", f"status:{text}"], ["--theme", text, "--once"])
        complaints += ([f"x{text}"], ["run", "search", "--regex", f"({text}"], ["--runs-dir", text, "--once"])
        lines.append(complaints[index % len(complaints)])
    return [[*line, *(("--runs-dir", str(runs)) if "--runs-dir" not in line else ())] for line in lines]


@pytest.mark.timeout(120 + COUNT)
def test_no_byte_of_any_payload_leaves_by_any_command(tmp_path: Path, record_property: Figures) -> None:
    """Cases 55 to 58, 60, 61 and 64: no plain output has any escape at all, in a terminal as in a pipe."""
    seen, sent, run = set[bytes](), 0, 0
    for index, some in enumerate(starts(COUNT)):
        runs, carriers = prepared(tmp_path / str(index), some)
        lines = command_lines(runs, carriers, some)
        file = runs.with_name("lines.json")
        file.write_text(json.dumps(lines), encoding="utf-8")
        env = {"XDG_DATA_HOME": str(runs.with_name("data")), "HOME": str(tmp_path)}
        with terminal(COMMANDS, str(file), size=SIZE, env=env, drawn=False) as term:
            assert term.exit_code(seconds=100 + COUNT) == 0
            assert leaks(term.out) == []
            assert b"\x1b" not in term.out
            assert b"Traceback" not in term.out
            ended = re.findall(rb"ended-(\d+)", term.out)
            assert len(ended) == len(lines)
            assert set(ended) <= {b"0", b"1", b"2", b"3"}
            assert b"error of its own" not in term.out
        seen |= set(TAG.findall(bytes(term.out)))
        sent, run = sent + len(term.out), run + len(lines)
        print(f"{len(seen):,} payloads in {run:,} commands", flush=True)
    assert len(seen) > 0.99 * COUNT
    record_property("figure", f"{COUNT:,} payloads, {run:,} command lines, {sent:,} bytes: 0 leaks")


def test_no_byte_of_any_payload_leaves_by_a_notification() -> None:
    """Cases 55 to 58 and 60: OSC 9 with plain words in it, whatever the alert is about."""
    for one in payloads(max(COUNT, 500), SEED):
        alert = Alert("stalled", one.text, one.text, "warn", 0, f"{one.text} is silent")
        words = re.fullmatch(r"\x1b\]9;buddy-top: ([^\x07]*)\x07", desktop_words([alert, alert]))
        assert words is not None
        assert leaks(words[1].encode()) == []


def test_without_either_protection_the_oracle_sees_leaks_of_every_kind(tmp_path: Path) -> None:
    """The negative control of cases 55 to 58."""
    some = payloads(45)
    runs, _ = prepared(tmp_path, some)
    with terminal(
        UNGUARDED, "all", "--runs-dir", str(runs), "--window", "all", size=SIZE, drawn=False
    ) as term:
        watch = Watch(term)
        term.until_sent(b"Overview")
        watch.rest()
        watch.press("tools", "3", "z")
        watch.rest()
        term.signal(signal.SIGTERM)
        assert term.exit_code() == 143
        assert len(check(watch)) > 45


def test_the_grammar_makes_payloads_of_every_kind_that_are_told_apart() -> None:
    some = payloads(2_000)
    assert {one.tag for one in some} == {tag(index).encode() for index in range(2_000)}
    assert all(one.text.encode("utf-8").count(one.tag) == 1 for one in some)
    every = "".join(one.text for one in some)
    for word in (
        "\x1b]52;",
        "\x9b",
        "\x1bP",
        "\x1b_",
        "\x9d",
        "\u202e",
        "\U000e0041",
        "\ue000",
        "\u2028",
        "\ufe0f",
    ):
        assert word in every
    for form in MARKUP_FORMS:
        assert form in every
    assert len([one for one in some if leaks(one.text.encode())]) > 1_500


@pytest.mark.parametrize(
    "out", [b"\x1b]0;x\x07", b"\x9b31m", "\x9b31m".encode(), b"a\rb", b"\x07", "\u202e".encode(), "\ufe0f".encode(), b"\x1b[6n"]
)  # fmt: skip
def test_the_oracle_knows_what_may_not_leave(out: bytes) -> None:
    assert leaks(b"words \x1b[31m" + out)
