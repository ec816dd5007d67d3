"""`buddy-top doctor` in a real terminal: it asks, it is answered, and only its own codes come out."""

from __future__ import annotations

import re
from pathlib import Path

from tests.pty.terminal import terminal

QUESTIONS = rb"\x1b\[\?2026\$p|\x1b\[\?u|\x1b\[c|\x1b\[6n|\x1b\[K"
COLOURS = rb"\x1b\[(?:0|1|2|31|32|33|36)m"
HOSTILE = "\x1b]0;owned\x07\x1b[5mred\u009b7m"


def test_it_asks_the_terminal_and_only_its_own_codes_come_out(tmp_path: Path) -> None:
    """Cases 55, 56 and 59."""
    env = {
        "HOME": str(tmp_path),
        "TZ": HOSTILE,
        "BUDDY_TOP_\x1b[5m": "1",
        "CODEBUDDY_RUNS_DIR": f"/nowhere/{HOSTILE}",
    }
    with terminal("-m", "buddy_top", "doctor", size=(100, 60), env=env) as seen:
        seen.until_sent(b"\x1b[c")
        seen.type(b"\x1b[?2026;2$y\x1b[?62;52c")
        for number, column in enumerate((7, 5, 2), start=1):
            while seen.out.count(b"\x1b[6n") < number:
                assert seen.read()
            seen.type(f"\x1b[1;{column}R")
        assert seen.exit_code() == 0
        assert seen.attributes() == seen.attributes_before
        out = seen.out
    rest = re.sub(COLOURS + b"|" + QUESTIONS, b"", out).replace(b"\r", b"").replace(b"\n", b"")
    assert not re.search(rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]", rest)
    assert "synchronized output: a picture appears whole" in out.decode()
    assert "the terminal takes copied texts (OSC 52)" in out.decode()
