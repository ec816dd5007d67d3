"""The typed approval of a replay, on a real terminal. Cases 59, 92 and 97."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.core.replayable import Replayable
from tests.pty.escapes import leaks
from tests.pty.terminal import Terminal, terminal

WIDE = (140, 60)


@pytest.fixture
def recorded(tmp_path: Path) -> Replayable:
    return Replayable(tmp_path, script='echo "$*" >> "$HOME/executed"; echo "1 passed in 0.01s"').record()


@pytest.fixture
def asked(recorded: Replayable) -> Iterator[Terminal]:
    with replay(recorded) as term:
        term.until("anything else leaves it out")
        yield term


def replay(recorded: Replayable, *more: str):  # type: ignore[no-untyped-def]  # noqa: ANN201
    recorded.run.write()
    arguments = ("run", "replay", "last", "--rerun", "--runs-dir", str(recorded.run.root), *more)
    return terminal("-m", "buddy_top", *arguments, size=WIDE, env=recorded.env)


def word(term: Terminal) -> str:
    """The word of the last question."""
    return re.findall(r"Type “(run [0-9a-f]{4})”", term.text())[-1]


def executed(recorded: Replayable) -> bool:
    return (recorded.root / "executed").exists()


def waiting_child(term: Terminal, recorded: Replayable) -> psutil.Process:
    """The command once it runs."""
    file = recorded.root / "pid"
    term.until(lambda _: file.exists() and file.read_text().strip())
    return psutil.Process(int(file.read_text()))


def assert_gone(process: psutil.Process) -> None:
    end = time.monotonic() + 10
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "the command outlived the replay"
        time.sleep(0.01)


def test_the_word_that_is_shown_runs_exactly_what_is_shown(asked: Terminal, recorded: Replayable) -> None:
    assert '["pytest", "-q"]' in asked.text()
    assert str(recorded.project) in asked.text()
    assert not executed(recorded)
    asked.type(word(asked) + "\r")
    asked.until("still passes")
    assert asked.exit_code() == 0
    assert executed(recorded)


@pytest.mark.parametrize("answer", ["", "yes", "run 0000x"])
def test_any_other_answer_runs_nothing(asked: Terminal, recorded: Replayable, answer: str) -> None:
    asked.type(answer + "\r")
    asked.until("it was not approved")
    assert asked.exit_code() == 0
    assert not executed(recorded)


def test_the_end_of_input_runs_nothing(asked: Terminal, recorded: Replayable) -> None:
    asked.type("\x04")
    assert asked.exit_code() == 0
    assert not executed(recorded)


def test_what_was_typed_before_the_question_is_no_answer(recorded: Replayable) -> None:
    """Case 59: a forged reply of the terminal, or a key struck too early."""
    with replay(recorded) as term:
        term.until("anything else leaves it out")
        known = word(term)
    with replay(recorded) as term:
        term.type(f"{known}\r" * 3)
        term.until("anything else leaves it out")
        term.type("no\r")
        term.until("it was not approved")
        term.exit_code()
    assert not executed(recorded)


def test_the_rest_of_a_paste_is_no_answer_to_the_next_question(recorded: Replayable) -> None:
    """Case 59."""
    recorded.record("pytest second")
    with replay(recorded) as term:
        term.until("anything else leaves it out")
        term.type("no\r")
        term.until(lambda text: text.count("anything else leaves it out") == 2)
        second = word(term)
    with replay(recorded) as term:
        term.until("anything else leaves it out")
        term.type(f"no\r{second}\r")
        term.until(lambda text: text.count("anything else leaves it out") == 2)
        term.type("no\r")
        term.until("no commands run")
    assert not executed(recorded)


def test_ctrl_c_at_the_question_runs_nothing(asked: Terminal, recorded: Replayable) -> None:
    asked.type("\x03")
    assert asked.exit_code() == 130
    assert not executed(recorded)


def test_ctrl_c_while_it_runs_ends_the_command(recorded: Replayable) -> None:
    """Case 97."""
    recorded.program("trap '' INT TERM HUP; echo $$ > $HOME/pid; while :; do sleep 0.1; done")
    with replay(recorded) as term:
        term.until("anything else leaves it out")
        term.type(word(term) + "\r")
        child = waiting_child(term, recorded)
        begun = time.monotonic()
        term.type("\x03")
        term.until("cancelled: 1 command had been started")
        assert term.exit_code() == 130
        assert time.monotonic() - begun < 10
    assert_gone(child)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_it_runs_ends_the_command(recorded: Replayable, number: signal.Signals) -> None:
    """Case 97."""
    recorded.program("echo $$ > $HOME/pid; exec sleep 1000")
    with replay(recorded) as term:
        term.until("anything else leaves it out")
        term.type(word(term) + "\r")
        child = waiting_child(term, recorded)
        term.signal(number)
        term.until("cancelled: 1 command had been started")
        assert term.exit_code() == 128 + number
    assert_gone(child)


def test_a_lost_terminal_ends_the_command(recorded: Replayable) -> None:
    """Case 66: no orphan children of a replay."""
    recorded.program("trap '' HUP; echo $$ > $HOME/pid; while :; do sleep 0.1; done")
    with replay(recorded) as term:
        term.until("anything else leaves it out")
        term.type(word(term) + "\r")
        child = waiting_child(term, recorded)
        term.hang_up()
        assert_gone(child)


def test_the_command_cannot_write_to_the_terminal(recorded: Replayable) -> None:
    """Case 55: neither what was recorded nor what it prints gets there as it is."""
    recorded.program("printf '\\033]0;evil\\007'; (printf '\\033[31mtty' > /dev/tty) 2>/dev/null; exit 1")
    recorded.record("pytest \x1b]0;evil\x07").record("pytest | \x1b[2J")
    with replay(recorded) as term:
        term.until("anything else leaves it out")
        term.type(word(term) + "\r")
        term.until("now fails")
        assert term.exit_code() == 1
        assert not leaks(term.out)
        assert "␛]0;evil␇" in term.text()


def test_a_document_leaves_the_question_to_standard_error(recorded: Replayable, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    script = (
        "import os, sys; os.dup2(os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT), 1); "
        "from buddy_top.cli.entry import main; raise SystemExit(main(sys.argv[1:]))"
    )
    recorded.run.write()
    arguments = ("run", "replay", "last", "--rerun", "--json", "--runs-dir", str(recorded.run.root))
    with terminal("-c", script, str(out), *arguments, size=WIDE, env=recorded.env) as term:
        term.until("anything else leaves it out")
        term.type(word(term) + "\r")
        assert term.exit_code() == 0
    assert '"change": "still passes"' in out.read_text(encoding="utf-8")
