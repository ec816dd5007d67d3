"""An artifact in the user's pager and editor: the terminal comes back as it was, whatever becomes of either."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from tests.pty.escapes import leaks
from tests.pty.restored import assert_restored
from tests.pty.terminal import Terminal, terminal

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.outside.handover import QUICK_S

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"
LOG = f"first line\n\x1b]0;evil\x07\x1b[31mred\ntoken {SECRET}\n" + "more\n" * 300 + "last line\n"


KEYPAD = b"\x1b="
"""What asks a terminal for its keypad: the monitor never does."""


@contextmanager
def artifact_on_screen(tmp_path: Path, *options: str, **env: str) -> Iterator[Terminal]:
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=time.time_ns() // 1_000_000 - 60_000)
    run.artifact("build.log", LOG).end().write()
    arguments = ("-m", "buddy_top", "--runs-dir", str(run.root), "--tab", "runs", "--window", "all", *options)
    with terminal(*arguments, size=(100, 30), env={"TMPDIR": str(tmp_path), **env}) as term:
        term.until("patch created")
        term.type("\r")
        term.until("space play")
        for view in ("[metrics]", "[artifacts]"):
            term.type("v")
            term.until(view)
        term.until("first line")
        yield term


def program(tmp_path: Path, script: str) -> str:
    path = tmp_path / "program.py"
    path.write_text(f"import json, os, signal, sys, time\n{script}\n", encoding="utf-8")
    return f"{sys.executable} '{path}'"


WAITS = """
signal.signal(signal.SIGINT, lambda *_: print("INTERRUPTED", flush=True))
os.system("stty raw -echo < /dev/tty")
folder = os.environ["TMPDIR"]; open(folder + "/pid", "w").write(str(os.getpid())); os.rename(folder + "/pid", folder + "/ready")
print("\\x1b[?1049hIN THE PAGER", end="", flush=True)
while True: time.sleep(0.05)
"""


def in_pager(term: Terminal, tmp_path: Path) -> psutil.Process:
    term.type("o")
    term.until("IN THE PAGER")
    return psutil.Process(int((tmp_path / "ready").read_text()))


def assert_gone(process: psutil.Process) -> None:
    end = time.monotonic() + 10
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "the program outlived the monitor"
        time.sleep(0.01)


def test_less_gets_a_copy_and_gives_the_terminal_back(tmp_path: Path) -> None:
    """Cases 55 and 83, for a pager that would obey."""
    with artifact_on_screen(tmp_path, PAGER="less -R", LESS="") as term:
        before = len(term.out)
        term.type("o")
        begun = time.monotonic()
        term.until(
            lambda _: KEYPAD in term.out[before:]
        )  # by which less begins; what it shows stood there before
        assert "␛]0;evil␇red" in term.text()
        assert SECRET not in term.text()
        term.type("G")
        term.until("last line")
        term.until(lambda _: time.monotonic() - begun > 2 * QUICK_S)
        term.type("q")
        term.until("back from less")
        assert b"\x1b]0;evil" not in term.out[before:]
        assert SECRET.encode() not in term.out
        term.type("qq")
        assert term.exit_code() == 0
        assert_restored(term)


@pytest.mark.slow
def test_what_was_only_printed_stays_until_enter(tmp_path: Path) -> None:
    with artifact_on_screen(tmp_path, PAGER="cat") as term:
        term.type("o")
        term.until("[enter] goes back")
        assert "last line" in term.text()
        term.type("\r")
        term.until("back from cat")
        assert not leaks(term.out)


def test_a_pager_that_is_killed_leaves_the_screen_whole_in_the_size_of_now(tmp_path: Path) -> None:
    with artifact_on_screen(tmp_path, PAGER=program(tmp_path, WAITS)) as term:
        pager = in_pager(term, tmp_path)
        term.resize(80, 24)
        pager.kill()
        term.until("was ended by signal 9")
        term.until("first line")
        assert all(len(line) <= 80 for line in term.text().splitlines())
        term.type("qq")
        assert term.exit_code() == 0
        assert_restored(term)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)])
def test_a_signal_meanwhile_ends_both(tmp_path: Path, number: signal.Signals) -> None:
    """Case 65."""
    with artifact_on_screen(tmp_path, PAGER=program(tmp_path, WAITS)) as term:
        pager = in_pager(term, tmp_path)
        pager_pid = pager.pid
        os.kill(pager_pid, signal.SIGINT)
        term.until("INTERRUPTED")
        term.signal(signal.SIGINT)
        term.signal(number)
        assert term.exit_code() == 128 + number, term.out[-3000:]
        assert_gone(pager)
        assert_restored(term)


@pytest.mark.slow
def test_a_pager_that_is_not_there_is_told(tmp_path: Path) -> None:
    with artifact_on_screen(tmp_path, PAGER="no-such-pager --x") as term:
        term.type("o")
        term.until("no-such-pager cannot be opened: No such file or directory")
        assert "first line" in term.text()
        term.type("qq")
        assert term.exit_code() == 0


def test_the_editor_gets_a_read_only_copy_that_is_taken_away(tmp_path: Path) -> None:
    script = (
        "path = sys.argv[-1]; found = os.stat(path); time.sleep(1.1)\n"
        "told = {'path': path, 'mode': oct(found.st_mode & 0o777), 'text': open(path).read(), 'argv': sys.argv[1:-1],\n"
        "        'directory': oct(os.stat(os.path.dirname(path)).st_mode & 0o777)}\n"
        f"json.dump(told, open({str(tmp_path / 'told')!r}, 'w')); sys.exit(3)"
    )
    with artifact_on_screen(
        tmp_path, VISUAL=program(tmp_path, script) + " --wait 'a b'", EDITOR="false"
    ) as term:
        term.type("O")
        term.until("ended with exit code 3")
        told = json.loads((tmp_path / "told").read_text())
        assert (told["mode"], told["directory"]) == ("0o400", "0o700")
        assert told["argv"] == ["--wait", "a b"]
        assert told["path"].endswith("/build.log")
        assert not Path(told["path"]).parent.exists()
        assert "last line" in told["text"]
        assert SECRET not in told["text"]
        assert "\x1b" not in told["text"]
        original = next((tmp_path / "runs").glob("*/artifacts/build.log"))
        assert original.read_bytes() == LOG.encode()
