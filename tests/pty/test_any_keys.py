"""Whatever is pressed, clicked and resized while agents work, the monitor goes on, and leaves the terminal as it was.

Keys come at random, faster than anybody strikes them, while runs on the screen grow, end and are pruned
(cases 27, 39 and 68). `BUDDY_STORMS=100 BUDDY_STRUCK=1000 python -m pytest tests/pty/test_any_keys.py -s` is a
night's worth; `BUDDY_SEED=N` begins with that storm, and a failure names what was struck last.
"""

from __future__ import annotations

import os
import random
import signal
import string
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.pty.restored import assert_restored
from tests.pty.terminal import DEADLINE_S, ENVIRONMENT, Terminal, terminal

STORMS = int(os.environ.get("BUDDY_STORMS", "1"))
STRUCK = int(os.environ.get("BUDDY_STRUCK", "120"))
SEED = int(os.environ.get("BUDDY_SEED", "1"))

_LEAVES = "qQ"
"""What may end the monitor as it should is left out."""

_USUAL = [
    b"1",
    b"2",
    b"3",
    b"4",
    b"5",
    b"j",
    b"k",
    b"\r",
    b"\x1b",
    b"v",
    b"/",
    b"\x1b[A",
    b"\x1b[B",
    b"\x1b[C",
    b"\x1b[D",
]
_ANY = [
    *(letter.encode() for letter in string.printable[:94] if letter not in _LEAVES),
    *(b" ", b"\t", b"\x1b[Z", b"\x7f", b"\x10", b"\x12", b"\x14"),
    *(b"\x1b[5~", b"\x1b[6~", b"\x1b[H", b"\x1b[F", b"\x1b[1;2C", b"\x1b[1;2D", b"\x1b[1;2A", b"\x1b[1;2B"),
    *(b"tool:bash", b"status:failed", b"cost>0.01", b"\x1b[200~of\nmany lines\x1b[201~"),
]
_SIZES = ((120, 40), (80, 24), (200, 60), (60, 15), (40, 12), (20, 5))

_TALL = 61
"""Lines of the last size, which none before has: whoever still draws draws the last of them."""

Strike = Callable[[Terminal, random.Random], object]


def _key(term: Terminal, chance: random.Random) -> object:
    key = chance.choice(_USUAL if chance.random() < 0.6 else _ANY)
    term.type(key)
    return key


def _mouse(term: Terminal, chance: random.Random) -> object:
    """A click, of the left button or the right, or a turn of the wheel."""
    button = chance.choice((0, 0, 0, 2, 64, 65))
    at = f"{button};{chance.randint(1, term.columns)};{chance.randint(1, term.rows)}"
    term.type(f"\x1b[<{at}M" + (f"\x1b[<{at}m" if button < 64 else ""))
    return at


def _resize(term: Terminal, chance: random.Random) -> object:
    size = chance.choice(_SIZES)
    term.resize(*size)
    return size


_STRIKES: tuple[Strike, ...] = (_key, _mouse, _resize)
_OFTEN = (90, 8, 2)


@contextmanager
def agent_at_work(root: Path, seed: int) -> Iterator[None]:
    """An agent that records into `root` for the length of the block."""
    script = Path(__file__).with_name("busy_agent.py")
    agent = subprocess.Popen([sys.executable, str(script), str(root), str(seed)], env=ENVIRONMENT)
    try:
        yield
    finally:
        agent.kill()
        agent.wait()


def storm(term: Terminal, chance: random.Random, count: int, last: deque[object]) -> int:
    """Strike so often, or until a click has hit the word that leaves; how often it was."""
    term.until_sent(b"\x1b[?1049h")
    for struck in range(count):
        last.append(chance.choices(_STRIKES, _OFTEN)[0](term, chance))
        if not term.read(chance.choice((0.0, 0.0, 0.02, 0.05, 0.1))):
            return struck + 1
        del term.out[: -(1 << 16)]
    term.resize(100, _TALL)
    end = time.monotonic() + DEADLINE_S
    while b"\x1b[%d;1H" % _TALL not in term.out:
        assert time.monotonic() < end, f"no picture of that size: {list(last)}"
        if not term.read():
            return count
    term.signal(signal.SIGTERM)
    return count


@pytest.mark.timeout(120 + STRUCK)
@pytest.mark.parametrize("seed", range(SEED, SEED + STORMS))
def test_no_storm_of_keys_ends_the_monitor(
    seed: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    root = tmp_path / "runs"
    root.mkdir()
    own = {name: str(tmp_path / name) for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "BUDDY_TOP_EXPORT_DIR")}
    env = {**own, "PAGER": "true", "EDITOR": "true", "HOME": str(tmp_path)}
    chance = random.Random(seed)
    last: deque[object] = deque(maxlen=60)
    argv = ("-m", "buddy_top", "--runs-dir", str(root), "--debug")
    struck = 0
    with agent_at_work(root, seed):
        while struck < STRUCK:
            with terminal(*argv, size=(120, 40), env=env, drawn=False) as term:
                struck += storm(term, chance, STRUCK - struck, last)
                code = term.exit_code(seconds=60)
                said = bytes(term.out[-4000:]).decode(errors="replace")
                assert code in (0, 128 + signal.SIGTERM), f"storm {seed} ended it: {list(last)}\n{said}"
                assert_restored(term)
    record_property("figure", f"{struck:,} keys, clicks and sizes: goes on")
