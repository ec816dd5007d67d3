"""`buddy-top run search` as a shell meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli.entry import main


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    run = RunDirectoryBuilder(tmp_path / "runs", objective="Find the gold")
    run.event("decision", {"description": "dig for gold, then for silver"})
    run.write()
    return tmp_path / "runs"


def test_a_find_is_one_line_with_run_event_and_marks(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "search", "silver", "--runs-dir", str(runs)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("run_")
    assert "decision" in line
    assert line.endswith("dig for gold, then for «silver»")


def test_nothing_found_is_said_and_is_no_failure(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "search", "copper", "--runs-dir", str(runs)]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "buddy-top: nothing found\n"), (
        "a pipe counts finds, not words about them"
    )


def test_json_has_every_find_and_its_marks(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "run", "search", "gold", "--runs-dir", str(runs)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    first = document["hits"][0]
    assert first["source"] == "event"
    begin, end = first["marks"][0]
    assert first["text"][begin:end] == "gold"


def test_a_limit_that_was_reached_is_said(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "search", "gold", "--limit", "1", "--runs-dir", str(runs)]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert "--limit 0 shows all" in said.err


def test_a_bad_expression_is_wrong_usage_in_one_line(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["run", "search", "--regex", "(", "--runs-dir", str(runs)])
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_unknown_run_is_told_by_the_exit_code(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "search", "gold", "--run", "run_zzz", "--runs-dir", str(runs)]) == 3
