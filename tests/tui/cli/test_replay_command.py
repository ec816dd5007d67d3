"""`buddy-top run replay` as a shell meets it, without a terminal to ask on. Cases 64 and 92."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.core.replayable import Replayable

from buddy_top.cli.entry import main


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Replayable:
    recorded = Replayable(tmp_path, script="touch $HOME/executed").record("pytest -q", error="1 failed in 2s")
    recorded.run.write()
    monkeypatch.setenv("PATH", recorded.env["PATH"])
    monkeypatch.setenv("HOME", recorded.env["HOME"])
    monkeypatch.setenv("LANG", "C.UTF-8")
    return recorded


def replay(recorded: Replayable, *more: str) -> int:
    return main(["run", "replay", "last", "--runs-dir", str(recorded.run.root), *more])


def test_test_commands_are_listed_with_their_outcome_and_nothing_runs(
    recorded: Replayable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(recorded) == 0
    out = capsys.readouterr().out
    assert "1 test command recorded, 1 can be replayed" in out
    assert "✗ failed in 1.5 s (1 failed)  pytest -q" in out
    assert "Nothing was run." in out
    assert not (recorded.root / "executed").exists()


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_without_a_terminal_nothing_is_run_again(
    recorded: Replayable, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    assert replay(recorded, "--rerun", *more) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "buddy-top: --rerun asks before it runs anything, and needs a terminal for that\n"
    assert not (recorded.root / "executed").exists()


def test_the_list_is_also_a_document(recorded: Replayable, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(recorded, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    (entry,) = document["commands"]
    assert (document["schema_version"], document["executed"], document["cancelled"]) == (1, 0, False)
    assert entry["command"]["argv"] == ["pytest", "-q"]
    assert entry["recorded"]["outcome"] == "failed"
    assert entry["recorded"]["counts"] == {"passed": None, "failed": 1, "skipped": None}
    assert (entry["replayable"], entry["rerun"], entry["change"]) == (True, None, None)


def test_another_directory_may_be_named(
    recorded: Replayable, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    assert replay(recorded, "--directory", str(tmp_path / "elsewhere")) == 0
    assert f"in {tmp_path}/elsewhere" in capsys.readouterr().out


def test_a_run_that_is_not_there_is_said_so(recorded: Replayable, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "replay", "nope", "--runs-dir", str(recorded.run.root)]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_a_timeout_is_a_number(recorded: Replayable, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        replay(recorded, "--timeout", "soon")
    assert ended.value.code == 2
    assert "whole number" in capsys.readouterr().err
