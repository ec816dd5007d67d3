"""The terminal oracle: hostile payloads by the thousand through every sink, and every byte that leaves looked at.

`BUDDY_PAYLOADS=10000 python -m pytest -m "" tests/pty/test_payload_oracle.py` walks the monitor through all it can
show, in a real pty; a screenful of payloads a picture. What may leave is the grammar of tests/pty/escapes.py.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from tests.pty.escapes import leaks
from tests.pty.oracle import Watch, check, walk
from tests.pty.payload_runs import write_payload_runs
from tests.pty.payloads import MARKUP_FORMS, TAG, Payload, payloads, tag
from tests.pty.terminal import terminal

from buddy_core.alerts.model import Alert
from buddy_top.announce import desktop_words

COUNT = int(os.environ.get("BUDDY_PAYLOADS", "12"))
SEED = int(os.environ.get("BUDDY_SEED", "1"))
A_START = 250
"""Payloads shown by one start of the monitor."""

SIZE = (200, 100)
COMMANDS = str(Path(__file__).with_name("many_commands.py"))
UNGUARDED = str(Path(__file__).with_name("unguarded.py"))

Figures = Callable[[str, object], None]


def starts(count: int) -> Iterator[list[Payload]]:
    every = payloads(count, SEED)
    for first in range(0, count, A_START):
        yield every[first : first + A_START]


def prepared(root: Path, some: Sequence[Payload]) -> tuple[Path, list[str]]:
    runs = root / "runs"
    runs.mkdir(parents=True)
    (root / "out").mkdir()
    return runs, write_payload_runs(runs, some, now_ms=time.time_ns() // 1_000_000)


def obeyed(text: str) -> list[str]:
    """What a terminal would obey of a file or a clipboard: CSV keeps invisible letters, but no control and no bidi."""
    return re.findall(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\n)", text)


@pytest.mark.slow
@pytest.mark.timeout(600 + 2 * COUNT)
def test_no_byte_of_any_payload_leaves_by_any_view(tmp_path: Path, record_property: Figures) -> None:
    """Cases 55 to 58, 60, 61 and 62: tabs, views of runs, dialogs, typed text, clipboard and exported files."""
    seen: dict[str, set[bytes]] = defaultdict(set)
    sent = 0
    for index, some in enumerate(starts(COUNT)):
        runs, carriers = prepared(tmp_path / str(index), some)
        out = runs.with_name("out")
        arguments = ("--runs-dir", str(runs), "--window", "all", "--export-dir", str(out))
        with terminal("-m", "buddy_top", *arguments, size=SIZE, drawn=False) as term:
            watch = Watch(term)
            term.until_sent(b"Overview")
            watch.rest(1.5)
            walk(watch, some, len(carriers))
            term.signal(signal.SIGTERM)
            assert term.exit_code() == 143
            assert check(watch) == []
            copied = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", term.out)
            assert copied
            assert [text for text in map(base64.b64decode, copied) if obeyed(text.decode())] == []
            sent += len(term.out)
        files = list(out.iterdir())
        assert len(files) >= 4, "hardly anything was exported"
        assert [file for file in files if obeyed(file.read_bytes().decode())] == []
        for sink, tags in watch.seen.items():
            seen[sink] |= tags
        print(
            f"{index + 1} starts, {sent:,} bytes: { ({sink: len(tags) for sink, tags in seen.items()}) }",
            flush=True,
        )
    shown = sum(map(len, seen.values()))
    for sink in ("providers tab", "tools tab", "errors tab", "runs tab", "timeline", "family", "replay"):
        assert len(seen[sink]) > 0.9 * COUNT, (
            f"{sink} showed {len(seen[sink])} payloads: the rest proves nothing"
        )
    assert len(seen["artifacts"]) > 0.2 * COUNT, "of long texts the first pages are looked at"
    record_property(
        "figure", f"{COUNT:,} payloads, {len(seen)} views, {shown:,} seen in all, {sent:,} bytes: 0 leaks"
    )


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
