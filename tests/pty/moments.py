"""A signal at a random moment of a scene of the monitor's life, and what has become of the terminal afterwards."""

from __future__ import annotations

import contextlib
import math
import os
import random
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.core.replayable import Replayable
from tests.pty.terminal import Terminal, terminal

from buddy_core.testing import RunDirectoryBuilder

SCENES = ("start", "running", "demo", "pager", "replay", "leaving")
"""Before the first picture; on data that grows; the demonstration; two in which a child runs; after `q`."""

IGNORED = frozenset((signal.SIGPIPE,))
"""The interpreter ignores it: a write tells of a broken pipe in its own words. The monitor goes on."""

THEIRS = frozenset((signal.SIGINT, signal.SIGQUIT))
"""While a pager has the terminal they are its own: the monitor goes on."""

STOPS = frozenset((signal.SIGTSTP,))
"""It gives the terminal back, stops, and takes the terminal again when it is continued."""

ON_OFF = tuple(
    (f"\x1b[?{mode}h".encode(), f"\x1b[?{mode}l".encode()) for mode in (1049, 1000, 1003, 1006, 2004)
)

PAGER = "import sys\nopen(sys.argv[1], 'w').close()\nopen('/dev/tty').readline()\n"


class Shot(NamedTuple):
    """What came of one signal."""

    scene: str
    moment_s: float
    code: int
    took_s: float
    """From the signal, or from what ended the monitor when it went on, to the end of the process."""
    wrong: tuple[str, ...]
    """What is not as it should be."""


@contextlib.contextmanager
def dead_back_ends() -> Iterator[dict[str, str]]:
    """An environment whose telemetry goes to somebody who never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
        at = f"127.0.0.1:{server.getsockname()[1]}"
        yield {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{at}", "SENTRY_DSN": f"http://key@{at}/1"}


def shoot(number: signal.Signals, scene: str, chance: random.Random, folder: Path, state: Path) -> Shot:
    """One start of the monitor, one signal, and the end.

    Args:
        folder: An empty directory of this shot's own.
        state: Where the history and the index of all shots are.
    """
    with dead_back_ends() as dead, _in_scene(scene, folder, {**dead, "XDG_STATE_HOME": str(state)}) as term:
        moment = took = math.nan
        code = -1
        try:
            moment = _at_a_moment(scene, chance, term, folder)
            begun = time.monotonic()
            with contextlib.suppress(ProcessLookupError):
                term.signal(number)
            if number in STOPS | IGNORED or (scene == "pager" and number in THEIRS):
                begun = _goes_on(term, number)
            code = term.exit_code(seconds=30)
            took = time.monotonic() - begun
            wrong = [*_code_wrong(number, scene, code), *_terminal_wrong(term)]
        except AssertionError as error:
            wrong = [str(error)]
        wrong += [f"left {one}" for one in folder.glob("buddy-top-demo-*")]
        if wrong:
            wrong.append(_evidence(term, folder))
        return Shot(scene, moment, code, took, tuple(wrong))


def _evidence(term: Terminal, folder: Path) -> str:
    """Where all that was sent is kept, and what came after the last picture: a report of its own, with `--debug`."""
    term.drain()
    kept = folder / "sent"
    kept.write_bytes(term.out)
    last = bytes(term.out).rpartition(b"\x1b[?1004l")[2]
    return f"all that was sent is in {kept}; it ends with {os.fsdecode(last[-4_000:])!r}"


@contextlib.contextmanager
def _in_scene(scene: str, folder: Path, env: dict[str, str]) -> Iterator[Terminal]:
    """The monitor, started as that scene asks for."""
    arguments, env = _start_of(scene, folder, env)
    drawn = scene in ("pager", "replay")
    with terminal("-m", "buddy_top", *arguments, "--debug", env=env, size=(140, 50), drawn=drawn) as term:
        yield term


def _at_a_moment(scene: str, chance: random.Random, term: Terminal, folder: Path) -> float:
    """Lead it into the scene, and to a random moment of it; the moment, in seconds."""
    if scene in ("start", "demo"):
        moment = chance.uniform(0, 2.5)
    else:
        term.until_sent(b"Overview", seconds=60)
        _lead_to(scene, term, folder)
        moment = chance.uniform(0, 0.25 if scene == "leaving" else 1.0)
    _let_pass(term, moment, folder, scene, chance)
    return moment


def _start_of(scene: str, folder: Path, env: dict[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    env = {**env, "TMPDIR": str(folder), "HOME": str(folder)}
    if scene == "demo":
        return ("demo", "--seed", "1"), env
    if scene == "replay":
        recorded = Replayable(folder, script="touch $HOME/begun; exec sleep 1000").record()
        recorded.run.write()
        return ("--runs-dir", str(recorded.run.root), "--tab", "runs", "--window", "all"), env | recorded.env
    program = folder / "pager.py"
    program.write_text(PAGER, encoding="utf-8")
    env["PAGER"] = f"python3 {program} {folder / 'begun'}"
    _growing(folder).artifact("build.log", "one line\n" * 50).write()
    return ("--runs-dir", str(folder / "runs"), "--tab", "runs", "--window", "all"), env


def _growing(folder: Path) -> RunDirectoryBuilder:
    return RunDirectoryBuilder(folder / "runs", started_at=time.time_ns() // 1_000_000 - 60_000)


def _lead_to(scene: str, term: Terminal, folder: Path) -> None:
    if scene == "pager":
        term.until("patch created", seconds=60)
        term.type("\r")
        term.until("space play", seconds=60)
        for view in ("[metrics]", "[artifacts]"):
            term.type("v")
            term.until(view, seconds=60)
        term.until("one line", seconds=60)
        term.type("o")
        _read_until(term, folder / "begun")
    elif scene == "replay":
        term.until("Fix the flaky", seconds=60)
        term.type("R")
        text = term.until("its word  ", seconds=60)
        (word,) = re.findall(r"its word {5}(run [0-9a-f]{4})", text)
        term.type("\r")
        term.until("runs exactly this", seconds=60)
        term.type(word + "\r")
        _read_until(term, folder / "begun")
    elif scene == "leaving":
        term.type("q")


def _let_pass(term: Terminal, moment: float, folder: Path, scene: str, chance: random.Random) -> None:
    """Read until that moment, while the run grows and keys are pressed where the scene is on data."""
    end = time.monotonic() + moment
    events = next((folder / "runs").glob("run_*/events.jsonl"), None)
    while (left := end - time.monotonic()) > 0:
        if scene == "running" and events is not None:
            line = b'{"ts":%d,"type":"error","data":{"message":"x"}}\n' % (time.time_ns() // 1_000_000)
            with events.open("ab") as file:
                file.write(line)
            term.type(chance.choice(("j", "5", "3", "\r", "v", "1", "2", "s", "\x1b[27u")))
        if not term.read(min(left, 0.02)):
            time.sleep(min(left, 0.005))


def _goes_on(term: Terminal, number: signal.Signals) -> float:
    """Where the monitor does not end: continue it when it has stopped, then leave it by its key; since when."""
    if number in STOPS:
        end = time.monotonic() + 1
        while time.monotonic() < end and term.ended() is None and not term.is_stopped():
            term.read(0.02)
        with contextlib.suppress(ProcessLookupError):
            term.signal(signal.SIGCONT)
    begun = time.monotonic()
    _read_for(term, 0.3)
    end = begun + 20
    while term.ended() is None and time.monotonic() < end:
        begun = time.monotonic()
        with contextlib.suppress(OSError):
            term.type("\r\x11")  # ends the pager of the scene, then the monitor
        _read_for(term, 0.5)
    return begun if term.ended() is not None else end


def _read_for(term: Terminal, seconds: float) -> None:
    end = time.monotonic() + seconds
    while term.ended() is None and time.monotonic() < end:
        if not term.read(0.02):
            time.sleep(0.005)


def _read_until(term: Terminal, file: Path) -> None:
    end = time.monotonic() + 60
    while not file.exists():
        assert term.read(0.02), "the program has ended"
        assert time.monotonic() < end, f"never saw {file}"


def _code_wrong(number: signal.Signals, scene: str, code: int) -> Iterator[str]:
    goes_on = number in STOPS | IGNORED or (scene == "pager" and number in THEIRS)
    right = {0} if goes_on else {128 + number}
    if scene == "leaving":
        right.add(0)  # it had decided to leave already
    if scene in ("start", "demo"):
        right.add(128 + number)  # before the interpreter has heard of signals, their default action holds
    if code not in right:
        yield f"exit code {code}"


def _terminal_wrong(term: Terminal) -> Iterator[str]:
    if term.attributes() != term.attributes_before:
        yield "settings of the terminal"
    for on, off in ON_OFF:
        if term.out.rfind(on) > term.out.rfind(off):
            yield f"mode {off!r}"
    if term.out.rfind(b"\x1b[?25l") > term.out.rfind(b"\x1b[?25h"):
        yield "the cursor is hidden"
    if b"Traceback" in term.out and b"KeyboardInterrupt" not in term.out:
        yield "a traceback: " + os.fsdecode(bytes(term.out[-600:]))
