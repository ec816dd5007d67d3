"""Nothing recorded is executed without approval bound to exactly what was shown (promise C8). Cases 92 and 93."""

from __future__ import annotations

import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.core.replayable import Replayable, yes

from buddy_core.runs.replay import runner
from buddy_core.runs.replay.model import Command
from buddy_core.runs.replay.session import replay_run

ECHO = 'echo "$0|$*|$(pwd)" >> "$HOME/executed"; echo "1 passed in 0.01s"'


@pytest.fixture
def recorded(tmp_path: Path) -> Replayable:
    return Replayable(tmp_path, script=ECHO)


def executed(recorded: Replayable) -> list[str]:
    file = recorded.root / "executed"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def test_what_is_approved_is_executed_and_nothing_else(recorded: Replayable) -> None:
    shown: list[Command] = []
    report = recorded.record("pytest -q 'a b'").replay(lambda command: shown.append(command) is None)
    assert executed(recorded) == [f"{recorded.bin}/pytest|-q a b|{recorded.project}"]
    (item,) = report.items
    assert item.rerun is not None
    assert item.rerun.command is item.test.command is shown[0] or item.rerun.command == shown[0]
    assert (item.rerun.ending, item.rerun.exit_code, item.change) == ("passed", 0, "still passes")
    assert report.all_passed


def test_listing_runs_nothing_even_with_somebody_who_says_yes(recorded: Replayable) -> None:
    recorded.record().run.write()
    report = replay_run("last", approve=yes, store=recorded.run.root, out=io.StringIO(), env=recorded.env)
    assert (executed(recorded), report.executed) == ([], 0)


@pytest.mark.parametrize(
    "answer",
    [False, None, 1, "run", "yes", object()],
    ids=lambda answer: type(answer).__name__ if type(answer) is object else repr(answer),
)
def test_only_true_is_a_yes(recorded: Replayable, answer: Any) -> None:
    report = recorded.record().replay(lambda _command: answer)
    assert executed(recorded) == []
    assert report.items[0].left_out == "it was not approved"


async def test_an_answer_that_has_not_come_yet_is_no_yes(recorded: Replayable) -> None:
    async def later(_command: Command) -> bool:
        return True

    answers: list[Any] = []
    recorded.record().replay(lambda command: answers.append(later(command)) or answers[-1])  # type: ignore[func-returns-value]
    answers[0].close()
    assert executed(recorded) == []


def test_a_rerun_that_nobody_approves_runs_nothing(recorded: Replayable) -> None:
    report = recorded.record().replay(rerun=True)
    assert (executed(recorded), report.items[0].left_out) == ([], "nobody was asked")


def test_everything_that_matters_stands_before_whoever_approves(recorded: Replayable) -> None:
    """Case 92: what is shown is the list of arguments itself, so that no blank can hide in it."""
    texts: list[str] = []
    recorded.record("pytest 'a  b' ''").replay(lambda _command: texts.append(recorded.text) is None)
    (text,) = texts
    command = recorded.command()
    for part in ('["pytest", "a  b", ""]', command.program, command.cwd, "TERM=dumb", command.digest):
        assert part in text
    for name, value in command.environment.items():
        assert f"{name}={value}" in text


def test_each_command_is_asked_for_by_itself(recorded: Replayable) -> None:
    recorded.record("pytest a").record("pytest b").record("pytest c")
    recorded.replay(lambda command: command.argv[1] == "b")
    assert executed(recorded) == [f"{recorded.bin}/pytest|b|{recorded.project}"]


def test_the_outcomes_stand_side_by_side(recorded: Replayable) -> None:
    recorded.record("pytest -x", error="boom").record("pytest -q").replay(
        lambda command: command.argv[1] == "-x"
    )
    heading, first, second, _, _ = recorded.said[-5:]
    assert heading.split() == ["replay", "recorded", "now", "command"]
    assert first.startswith("1  now passes  ✗ failed in 1.5 s  ✓ passed in ")
    assert first.endswith("  pytest -x")
    assert second.endswith("  pytest -q")
    assert "not run" in second
    assert "it was not approved" in second
    assert recorded.said[-1] == "1 command run"


def change_events(recorded: Replayable) -> None:
    file = recorded.run.events_file
    file.write_bytes(file.read_bytes().replace(b"pytest -q", b"pytest -x"))


def change_directory(recorded: Replayable) -> None:
    recorded.project.rename(recorded.root / "moved")
    recorded.project.mkdir(mode=0o755)


def change_program(recorded: Replayable) -> None:
    recorded.program("touch $HOME/other; " + ECHO)


def plant(recorded: Replayable) -> None:
    (recorded.project / "conftest.py").touch()
    later_s = recorded.run.now_ms / 1000 + 60
    os.utime(recorded.project / "conftest.py", (later_s, later_s))


@pytest.mark.parametrize("change", [change_events, change_directory, change_program, plant])
def test_a_command_that_changes_while_it_is_approved_is_asked_for_again_as_it_is_then(
    recorded: Replayable, change: Any
) -> None:
    """Case 93: the approval of the first one is no approval of the second."""
    asked: list[Command] = []

    def approve(command: Command) -> bool:
        asked.append(command)
        assert executed(recorded) == []
        if len(asked) == 1:
            change(recorded)
            return True
        return len(asked) == 3

    report = recorded.record().replay(approve)
    assert len(asked) == 2
    assert asked[0].digest != asked[1].digest
    assert executed(recorded) == []
    assert "the command changed while it was to be approved: it was not run" in recorded.text
    assert report.executed == 0


def test_the_changed_command_runs_when_it_is_approved_as_well(recorded: Replayable) -> None:
    asked: list[Command] = []

    def approve(command: Command) -> bool:
        asked.append(command)
        if len(asked) == 1:
            change_events(recorded)
        return True

    report = recorded.record().replay(approve)
    assert [command.argv[1] for command in asked] == ["-q", "-x"]
    assert executed(recorded) == [f"{recorded.bin}/pytest|-x|{recorded.project}"]
    assert report.items[0].rerun is not None
    assert report.items[0].rerun.command == asked[1]


def test_a_command_that_never_holds_still_is_given_up(recorded: Replayable) -> None:
    asked: list[Command] = []

    def approve(command: Command) -> bool:
        asked.append(command)
        recorded.program(f"# {len(asked)}\n{ECHO}")
        return True

    report = recorded.record().replay(approve)
    assert (executed(recorded), len(asked)) == ([], 3)
    assert report.items[0].left_out == "it kept changing while it was to be approved"


def test_a_run_that_vanishes_while_it_is_approved_runs_nothing(recorded: Replayable) -> None:
    def approve(_command: Command) -> bool:
        recorded.run.events_file.unlink()
        return True

    assert recorded.record().replay(approve).executed == 0
    assert executed(recorded) == []


def test_what_arrives_where_it_is_executed_is_checked_against_the_approval(
    recorded: Replayable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last check: bytes that are not those that were approved are not executed."""
    command = recorded.record().command()
    honest = command.document
    tampered = honest.replace(b'"-q"', b'"-x"')
    assert tampered != honest
    monkeypatch.setitem(command.__dict__, "document", tampered)
    rerun = runner.execute(command)
    assert (rerun.ending, executed(recorded)) == ("not started", [])
    assert "not what was approved" in (rerun.problem or "")


@pytest.mark.parametrize("exchange", [change_directory, change_program])
def test_an_exchange_after_the_last_look_is_noticed_where_it_is_executed(
    recorded: Replayable, exchange: Any
) -> None:
    """Case 77 for replay: directory and program are held against their identities once more."""
    command = recorded.record().command()
    exchange(recorded)
    rerun = runner.execute(command)
    assert (rerun.ending, executed(recorded)) == ("not started", [])
    assert "in the place of the approved one" in (rerun.problem or "")


HOSTILE = [
    "pytest; {c}",
    "pytest && {c}",
    "pytest || {c}",
    "pytest | {c}",
    "pytest & {c}",
    "{c}; pytest",
    "{c} && pytest",
    "pytest $({c})",
    "pytest `{c}`",
    'pytest "$({c})"',
    'pytest "`{c}`"',
    "pytest\n{c}",
    "pytest\r\n{c}",
    "pytest \\\n{c}",
    "pytest\x00; {c}",
    "pytest \x1b[2K\r{c}",
    "pytest \x1b]52;c;eA==\x07; {c}",
    "pytest \u202e; {c}",
    "pytest \u2066{c}\u2069",
    "pytest\u2028{c}",
    "pytest\u00a0; {c}",
    "pytest > /dev/null; {c}",
    "pytest >& x; {c}",
    "pytest <({c})",
    "pytest >({c})",
    "({c}); pytest",
    "{{ {c}; }}; pytest",
    "X=1 {c}; pytest",
    "PATH=. pytest; {c}",
    "LD_PRELOAD=./x.so pytest; {c}",
    "eval '{c}'; pytest",
    "exec {c}; pytest",
    "sh -c '{c}; pytest'",
    "bash -c '{c}' pytest",
    "sudo pytest; {c}",
    "env {c} pytest",
    "xargs {c} < pytest",
    "find . -name pytest -exec {c}",
    "make test SHELL='{c}' ; {c}",
    "pytest ${{x:-$({c})}}",
    "pytest $((`{c}`))",
    "if true; then {c}; fi; pytest",
    "while {c}; do pytest; done",
    "trap '{c}' EXIT; pytest",
    "alias pytest='{c}'; pytest",
    "pytest() {{ {c}; }}; pytest",
    "cd .. && {c}; pytest",
    "cd $({c}) && pytest",
    "timeout 1 {c}; pytest",
    "nohup {c} & pytest",
]


def test_of_fifty_hostile_commands_none_is_executed_without_approval(
    recorded: Replayable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cases 92 and 96. Nothing is even started: not by listing, nor by a rerun that nobody approves."""
    assert len(HOSTILE) == 50
    monkeypatch.setattr(subprocess, "Popen", lambda *_args, **_options: pytest.fail("something was started"))
    monkeypatch.setattr(os, "system", lambda _line: pytest.fail("a shell was started"))
    for index, line in enumerate(HOSTILE):
        recorded.record(line.format(c=f"touch {recorded.root}/canary{index}"))
    for report in (recorded.replay(), recorded.replay(rerun=True), recorded.replay(lambda _command: False)):
        assert report.executed == 0
        assert all(item.rerun is None for item in report.items)
    assert executed(recorded) == []
    assert not list(recorded.root.glob("canary*"))
    assert all(line.isprintable() for line in recorded.said)


def test_of_fifty_hostile_commands_none_does_its_harm_even_when_everything_is_approved(
    recorded: Replayable,
) -> None:
    """Case 92: what a shell would do with them never happens, whoever says yes."""
    for index, line in enumerate(HOSTILE):
        recorded.record(line.format(c=f"touch {recorded.root}/canary{index}"))
    recorded.replay(yes)
    assert not list(recorded.root.glob("canary*"))


def test_the_document_that_is_approved_holds_all_of_a_command(recorded: Replayable) -> None:
    command = recorded.record().command()
    fields = json.loads(command.document)
    assert set(fields) == set(command.__dataclass_fields__)
    assert fields["argv"] == list(command.argv)
    assert command.word == f"run {command.digest[:4]}"


def test_nobody_can_change_an_environment_that_was_shown(recorded: Replayable) -> None:
    command = recorded.record().command()
    with pytest.raises(TypeError):
        command.environment["LD_PRELOAD"] = "x"  # type: ignore[index]
