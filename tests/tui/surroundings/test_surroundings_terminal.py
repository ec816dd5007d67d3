"""The doctor on terminals: what the environment says, what the terminal answers, and that asking does no harm."""

from __future__ import annotations

import os
import re
import termios
import threading
from pathlib import Path

import pytest
from tests.tui.surroundings.surroundings import bad, surroundings

from buddy_top.surroundings.answers import EXPECTED, Answers, ask_terminal, asked
from buddy_top.surroundings.checks.terminal import (
    check_abilities,
    check_colours,
    check_locale,
    check_signs,
    check_size,
    check_terminal,
)

HERE = Path("/home/somebody")
ALL = Answers(synchronized=True, keyboard=True, clipboard=True, widths=EXPECTED)


def test_a_good_terminal_has_nothing_to_tell() -> None:
    around = surroundings(HERE, answers=ALL)
    for look in (check_terminal, check_size, check_colours, check_locale, check_signs, check_abilities):
        assert bad(look, around) == []


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"TERM": ""}, "TERM is not set, so no screen can be drawn"),
        ({"TERM": "dumb"}, "TERM is dumb, so no screen can be drawn"),
        ({"TMUX": "/tmp/tmux-0/default,1,0"}, "runs inside tmux"),
        ({"TERM": "screen-256color"}, "runs inside screen"),
        ({"SSH_TTY": "/dev/pts/3"}, "runs over ssh"),
    ],
)
def test_what_the_terminal_is(env: dict[str, str], words: str) -> None:
    """Case 69."""
    assert [told for _, told in bad(check_terminal, surroundings(HERE, env))] == [words]


def test_without_a_terminal_the_plain_picture_is_printed_and_nothing_else_is_asked() -> None:
    """Case 69."""
    around = surroundings(HERE, stdin_tty=False, stdout_tty=False, size=None)
    assert bad(check_terminal, around) == [("note", "standard input and output are no terminal")]
    for look in (check_size, check_colours, check_abilities):
        assert list(look(around)) == []
    assert bad(check_terminal, surroundings(HERE, stdin_tty=False)) == [
        ("note", "standard input is no terminal")
    ]


@pytest.mark.parametrize(
    ("size", "state"), [((0, 0), "warning"), ((59, 40), "warning"), ((70, 20), "note"), ((80, 24), "ok")]
)
def test_how_large_it_is(size: tuple[int, int], state: str) -> None:
    """Case 68."""
    assert [check.state for check in check_size(surroundings(HERE, size=size))] == [state]


@pytest.mark.parametrize(
    ("env", "states"),
    [
        ({}, ["ok"]),
        ({"COLORTERM": ""}, ["note"]),
        ({"COLORTERM": "", "TERM": "vt220"}, ["warning"]),
        ({"COLORTERM": "", "TERM": "xterm-direct"}, ["ok"]),
        ({"NO_COLOR": "1"}, ["note"]),
    ],
)
def test_how_many_colours(env: dict[str, str], states: list[str]) -> None:
    """Case 70."""
    assert [check.state for check in check_colours(surroundings(HERE, env))] == states


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"LC_ALL": "POSIX"}, "LC_ALL=POSIX is no UTF-8"),
        ({"LANG": "de_DE.ISO-8859-1"}, "LANG=de_DE.ISO-8859-1 is no UTF-8"),
        ({"PYTHONIOENCODING": "ascii"}, "PYTHONIOENCODING=ascii is no UTF-8"),
    ],
)
def test_a_locale_that_is_no_utf8(env: dict[str, str], words: str) -> None:
    """Case 71."""
    assert bad(check_locale, surroundings(HERE, env)) == [("warning", words)]


def test_an_output_that_is_no_utf8_and_a_locale_that_nobody_set() -> None:
    """Case 71."""
    around = surroundings(HERE, stdout_encoding="latin-1")
    assert bad(check_locale, around) == [("warning", "standard output is latin-1, not UTF-8")]
    assert bad(check_locale, surroundings(HERE, {"LANG": ""})) == []


def test_signs_of_another_width_are_named() -> None:
    """Case 58."""
    wide = surroundings(HERE, answers=Answers(widths=(12, 4, 1)))
    assert bad(check_signs, wide) == [("warning", "other columns than they should take: ●│…≈▲⠿")]
    accent = surroundings(HERE, answers=Answers(widths=(6, 4, 2)))
    assert bad(check_signs, accent)[0][1].endswith("e\u0301")
    assert list(check_signs(surroundings(HERE))) == []


def test_what_is_not_there_is_done_without() -> None:
    """None of it is a warning: the monitor works without mouse, clipboard and synchronized output."""
    console = surroundings(HERE, {"TERM": "linux"}, answers=Answers(synchronized=False, keyboard=False))
    assert {state for state, _ in bad(check_abilities, console)} == {"note"}
    assert len(bad(check_abilities, console)) == 3
    assert bad(check_abilities, surroundings(HERE, in_monitor=True)) == [
        ("note", "the terminal was not asked what it can do")
    ]
    assert bad(check_abilities, surroundings(HERE)) == [("note", "the terminal does not say what it can do")]


def answering(*answers: bytes) -> tuple[Answers | None, list[str]]:
    """What is made of a terminal's answers, and what it was asked."""
    left, questions = list(answers), []

    def ask(question: str, _end: re.Pattern[bytes]) -> bytes:
        questions.append(question)
        return left.pop(0) if left else b""

    return asked(ask), questions


def test_answers_are_understood_in_any_order_and_between_keys() -> None:
    said, questions = answering(
        b"x\x1b[?1uq\x1b[?2026;2$y\x1b[?62;22;52c", b"\x1b[9;7R", b"\x1b[9;5R", b"\x1b[9;2R"
    )
    assert said == ALL
    assert len(questions) == 4


def test_no_answer_means_no_and_no_last_answer_means_nobody_knows() -> None:
    """Case 59."""
    assert answering(b"\x1b[?1;2c") == (
        Answers(synchronized=False, keyboard=False),
        answering(b"\x1b[?1;2c")[1],
    )
    assert answering(b"\x1b[?2026;2$y")[0] is None
    refuses, _ = answering(b"\x1b[?2026;0$y\x1b[?6c")
    assert refuses is not None
    assert refuses.synchronized is False


def in_a_terminal(*, answers: bytes = b"", typed: bytes = b"", patience_s: float = 5.0) -> Answers | None:
    """Ask a terminal of our own; it has to be as it was afterwards."""
    ours, theirs = os.openpty()
    try:
        before = termios.tcgetattr(theirs)
        if typed:
            os.write(ours, typed)
        if answers:
            threading.Thread(target=_answer, args=(ours, answers), daemon=True).start()
        said = ask_terminal(theirs, theirs, patience_s=patience_s)
        assert termios.tcgetattr(theirs) == before
        return said
    finally:
        os.close(theirs)
        os.close(ours)


def _answer(terminal: int, answers: bytes) -> None:
    os.read(terminal, 4096)
    os.write(terminal, answers)


def test_a_terminal_that_is_silent_is_left_alone_soon() -> None:
    assert in_a_terminal(patience_s=0.02) is None


def test_a_terminal_that_answers_is_as_it_was_afterwards() -> None:
    said = in_a_terminal(answers=b"\x1b[?2026;1$y\x1b[?62;52c\x1b[1;7R\x1b[1;5R\x1b[1;2R", patience_s=0.1)
    assert said is not None
    assert (said.synchronized, said.clipboard) == (True, True)


def test_waiting_keys_are_not_taken_for_answers() -> None:
    """Case 59: what was typed before the question is somebody's."""
    assert in_a_terminal(typed=b"q\x1b[?1;2c\n") is None


def test_what_is_no_terminal_is_not_asked(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+") as file:
        assert ask_terminal(file.fileno(), file.fileno()) is None
