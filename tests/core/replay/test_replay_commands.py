"""What replay finds in a run, and what it will not even offer. Cases 30, 78, 92 and 94."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.replayable import Replayable

from buddy_core.safety.text import is_plain
from buddy_core.testing import RunDirectoryBuilder


@pytest.fixture
def recorded(tmp_path: Path) -> Replayable:
    return Replayable(tmp_path)


def obstacle(recorded: Replayable) -> str:
    test = recorded.only()
    assert test.command is None
    return test.obstacle or ""


def test_a_test_command_is_found_with_its_outcome_and_made_ready(recorded: Replayable) -> None:
    test = recorded.record("pytest -q 'tests/a b.py'", error="=== 2 failed, 5 passed in 1.2s ===").only()
    assert test.command is not None
    assert test.command.argv == ("pytest", "-q", "tests/a b.py")
    assert test.command.program == str(recorded.bin / "pytest")
    assert test.command.cwd == str(recorded.project)
    assert (test.recorded.verdict, test.recorded.duration_ms) == ("failed", 1500)
    assert (test.recorded.counts.failed, test.recorded.counts.passed) == (2, 5)


def test_other_commands_and_files_that_were_read_are_no_matter_of_replay(recorded: Replayable) -> None:
    """Case 96: reads are not replayed at all."""
    recorded.record("ls -la").record("git add test_a.py")
    recorded.run.tool("view_file", {"path": "/root/.ssh/id_rsa"}).tool("view_file", {"path": "/dev/zero"})
    recorded.run.tool("view_file", {"command": "pytest"})
    assert recorded.replay().items == ()
    assert "no test commands were recorded" in recorded.text


def test_a_command_recorded_several_times_is_listed_once_with_its_latest_outcome(
    recorded: Replayable,
) -> None:
    recorded.record(error="boom").record("npm test").record()
    items = recorded.replay().items
    assert [(item.test.line, item.test.times, item.test.recorded.verdict) for item in items] == [
        ("pytest -q", 2, "passed"),
        ("npm test", 1, "passed"),
    ]


def test_a_command_without_a_result_is_listed_as_such(recorded: Replayable) -> None:
    recorded.run.call("bash", {"command": "pytest"})
    assert recorded.only().recorded.verdict == "unknown"
    assert "no result" in recorded.text


@pytest.mark.parametrize(
    "given", [["pytest", "-q"], ["bash", "-lc", "pytest -q"], ["/bin/sh", "-c", "pytest -q 2>&1"]], ids=str
)
def test_arguments_given_as_a_list_are_understood(recorded: Replayable, given: list[str]) -> None:
    assert recorded.record(given).command().argv == ("pytest", "-q")


def test_a_directory_may_be_changed_before_or_beside_the_command(recorded: Replayable) -> None:
    (recorded.project / "web" / "app").mkdir(parents=True)
    assert recorded.record("cd web && cd app && pytest").command().cwd == str(
        recorded.project / "web" / "app"
    )


def test_a_directory_beside_the_command_is_understood(recorded: Replayable) -> None:
    (recorded.project / "web").mkdir()
    assert recorded.record("pytest", cwd="web").command().cwd == str(recorded.project / "web")


@pytest.mark.parametrize("name", ["shell", "run_command", "Bash", "exec_command"])
def test_tools_that_run_command_lines_have_several_names(recorded: Replayable, name: str) -> None:
    recorded.run.tool(name, {"cmd": "pytest"})
    assert recorded.command().argv == ("pytest",)


def test_what_needs_a_shell_is_listed_with_the_reason(recorded: Replayable) -> None:
    assert obstacle(recorded.record("cd x; pytest | tail -3")) == "needs a shell: several commands"
    assert "not replayable: needs a shell" in recorded.text


def test_a_command_that_sets_variables_is_not_replayable(recorded: Replayable) -> None:
    assert "environment" in obstacle(recorded.record("pytest", env={"PYTHONPATH": "/tmp"}))


def test_what_was_cut_is_not_replayable(recorded: Replayable) -> None:
    """Recorders keep 500 characters of an argument."""
    assert "incomplete" in obstacle(recorded.record("pytest " + "x" * 493))


def test_words_that_were_cut_are_not_replayable(recorded: Replayable) -> None:
    assert "incomplete" in obstacle(recorded.record(["pytest", "x" * 500]))


def test_a_payload_marked_as_cut_is_not_replayable(recorded: Replayable) -> None:
    recorded.run.event("tool_call", {"toolName": "bash", "args": {"command": "pytest"}, "truncated": True})
    assert "incomplete" in obstacle(recorded)


def line_of(recorded: Replayable, command: str = "pytest") -> bytes:
    data = {"toolName": "bash", "toolCallId": "x", "args": {"command": command}}
    record = {"ts": recorded.run.now_ms, "runId": recorded.run.run_id, "type": "tool_call", "data": data}
    return json.dumps(record, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"ts":1767890000000,"runId":"x","type":"decision","da', b"\n"),
        (b"\0\0\0", b"\n"),
        (b"rubbish ", b"\n"),
        (b"", b'{"ts":1767890000000,"type":"decision","data":{}}\n'),
        (b"", b" rubbish\n"),
    ],
    ids=["spliced", "NUL", "rubbish before", "two on a line", "rubbish after"],
)
def test_a_record_dug_out_of_a_damaged_line_is_shown_and_never_replayable(
    recorded: Replayable, before: bytes, after: bytes
) -> None:
    """Case 30."""
    recorded.run.raw(before + line_of(recorded) + after)
    items = recorded.replay().items
    assert all(item.test.command is None for item in items)
    assert [item.test.obstacle for item in items] in ([], ["its record is damaged"])


def test_an_unfinished_last_line_is_not_a_command(recorded: Replayable) -> None:
    recorded.run.raw(line_of(recorded))
    assert recorded.replay().items == ()


def test_a_record_with_half_a_character_is_damaged(recorded: Replayable) -> None:
    recorded.run.raw(line_of(recorded).replace(b'"pytest"', b'"pytest \\ud83c"') + b"\n")
    assert obstacle(recorded) == "its record is damaged"


def test_a_record_that_claims_another_run_is_not_replayable(recorded: Replayable) -> None:
    recorded.run.raw(line_of(recorded).replace(recorded.run.run_id.encode(), b"run_mk0000001_aaaaaa") + b"\n")
    assert obstacle(recorded) == "its record belongs to another run"


def at(recorded: Replayable, cwd: object) -> str:
    """What is objected to a run that says it was in `cwd`."""
    elsewhere = recorded.root / f"runs{len(list(recorded.root.iterdir()))}"
    run = RunDirectoryBuilder(elsewhere, metadata={"cwd": cwd} if cwd is not None else {})
    run.tool("bash", {"command": "pytest"})
    recorded.run = run
    return obstacle(recorded)


def test_a_directory_that_is_missing_or_the_whole_machine_is_refused(
    recorded: Replayable, tmp_path: Path
) -> None:
    """Case 94."""
    assert "not there" in at(recorded, str(tmp_path / "missing"))
    for root in ("/", "//", "/usr/.."):
        assert "root of the machine" in at(recorded, root)
    assert "absolute" in at(recorded, "project")
    assert "not say in which directory" in at(recorded, None)
    assert "not there" in at(recorded, str(recorded.bin / "pytest" / "x"))
    assert at(recorded, str(recorded.bin / "pytest")) == "its directory is none"
    assert "invisible" in at(recorded, f"{tmp_path}/\u202ex")


def test_a_directory_behind_a_link_is_refused(recorded: Replayable, tmp_path: Path) -> None:
    """Cases 76 and 94."""
    (tmp_path / "link").symlink_to(recorded.project)
    assert "through a link" in at(recorded, str(tmp_path / "link"))
    (recorded.project / "web").mkdir()
    assert "through a link" in at(recorded, str(tmp_path / "link" / "web"))


def test_a_directory_that_others_may_write_into_is_refused(recorded: Replayable) -> None:
    """Case 78."""
    recorded.project.chmod(0o777)
    assert "everybody may write" in at(recorded, str(recorded.project))
    (recorded.project / "web").mkdir(mode=0o755)
    assert "another user can replace" in at(recorded, str(recorded.project / "web"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_or_program_of_another_user_is_refused(recorded: Replayable) -> None:
    """Cases 78 and 94."""
    os.chown(recorded.bin / "pytest", 65534, 65534)
    assert "another user can change its program" in at(recorded, str(recorded.project))
    os.chown(recorded.project, 65534, 65534)
    assert "belongs to another user" in at(recorded, str(recorded.project))


def test_a_program_that_everybody_may_change_is_refused(recorded: Replayable) -> None:
    (recorded.bin / "pytest").chmod(0o777)
    assert "another user can change its program" in at(recorded, str(recorded.project))


def test_a_program_that_is_not_there_is_said_to_be_missing(recorded: Replayable) -> None:
    assert obstacle(recorded.record("vitest run")) == "there is no program vitest here"


def test_relative_entries_of_the_path_do_not_count(recorded: Replayable) -> None:
    script = recorded.program("echo evil", name="vitest")
    script.rename(recorded.project / "vitest")
    recorded.env["PATH"] = f".::project:{recorded.env['PATH']}"
    assert "no program" in obstacle(recorded.record("vitest run"))


def test_another_directory_can_be_named_by_whoever_replays(recorded: Replayable, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    report = recorded.record().replay(cwd=tmp_path / "elsewhere")
    (item,) = report.items
    assert item.test.command is not None
    assert item.test.command.cwd == str(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    "name", ["conftest.py", "pytest.ini", "sitecustomize.py", "package.json", "Makefile", "tests/conftest.py"]
)
def test_files_that_decide_what_a_test_does_are_named_when_they_are_newer_than_the_run(
    recorded: Replayable, name: str
) -> None:
    """Case 94: planted files are shown before anything is approved, and are part of what is approved."""
    path = recorded.project / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    before = recorded.record().command()
    assert before.notices == ()
    os.utime(path, (recorded.run.now_ms / 1000 + 60, recorded.run.now_ms / 1000 + 60))
    after = recorded.command()
    assert len(after.notices) == 1
    assert name in after.notices[0]
    assert after.digest != before.digest


def test_files_that_another_user_may_change_are_named(recorded: Replayable) -> None:
    path = recorded.project / "conftest.py"
    path.touch()
    path.chmod(0o666)
    assert "may change conftest.py" in recorded.record().command().notices[0]


def test_arguments_that_start_or_load_something_else_are_pointed_out(recorded: Replayable) -> None:
    assert "-p" in recorded.record("pytest -p evil").command().notices[0]


def test_programs_that_fetch_others_are_pointed_out(recorded: Replayable) -> None:
    recorded.program("", name="npx")
    assert recorded.record("npx jest").command().notices == ("npx may download what is not installed",)


def test_letters_that_look_like_others_are_pointed_out(recorded: Replayable) -> None:
    assert "beyond ASCII" in recorded.record("pytest tеsts").command().notices[0]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text(max_size=30)
    | st.sampled_from(["pytest", "pytest -q"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["command", "cmd", "cwd", "env", "args", "toolName", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arguments=JSON,
    tool=st.sampled_from(["bash", "shell", "run_command"]),
    cwd=st.none() | st.text(max_size=30),
)
def test_whatever_was_recorded_can_be_listed(
    recorded: Replayable, arguments: object, tool: str, cwd: str | None
) -> None:
    """Case 46: any JSON in the place of arguments, any text in the place of a directory."""
    recorded.run = RunDirectoryBuilder(recorded.root / "any", metadata={} if cwd is None else {"cwd": cwd})
    recorded.run.event("tool_call", {"toolName": tool, "args": arguments})
    recorded.run.write()
    report = recorded.replay()
    assert all(line.isprintable() or is_plain(line) for line in recorded.said)
    for item in report.items:
        assert (item.test.command is None) == (item.test.obstacle is not None)
    shutil.rmtree(recorded.root / "any")
