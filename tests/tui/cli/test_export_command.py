"""`buddy-top run export` as a shell meets it: where it writes, what it refuses, what it says."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli.entry import main


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    RunDirectoryBuilder(tmp_path / "runs", objective="Find password=hunter2canary").write()
    return tmp_path / "runs"


def export(runs: Path, *arguments: str) -> int:
    return main(["run", "export", "last", "--runs-dir", str(runs), *arguments])


def test_without_a_file_json_goes_to_standard_output(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(runs) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["masked"] is True
    assert said.err == ""
    assert "canary" not in said.out


@pytest.mark.parametrize(
    ("name", "begins"), [("run.json", "{"), ("run.md", "# "), ("run.html", "<!doctype html>"), ("run", "{")]
)
def test_the_ending_of_the_file_decides_the_format(
    runs: Path, tmp_path: Path, name: str, begins: str
) -> None:
    assert export(runs, "-o", str(tmp_path / name)) == 0
    assert (tmp_path / name).read_text().startswith(begins)


def test_a_named_format_wins_over_the_ending(runs: Path, tmp_path: Path) -> None:
    assert export(runs, "--format", "md", "--output", str(tmp_path / "run.html")) == 0
    assert (tmp_path / "run.html").read_text().startswith("# ")


def test_the_file_is_private(runs: Path, tmp_path: Path) -> None:
    """Promise C11."""
    export(runs, "-o", str(tmp_path / "run.md"))
    assert stat.S_IMODE((tmp_path / "run.md").stat().st_mode) == 0o600


def test_a_file_that_exists_is_replaced_only_when_asked(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "run.md"
    target.write_text("mine")
    assert export(runs, "-o", str(target)) == 1
    assert target.read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert export(runs, "-o", str(target), "--force") == 0
    assert target.read_text().startswith("# ")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["run.md"]


def test_a_link_in_the_files_place_is_not_written_through(runs: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    (tmp_path / "run.md").symlink_to(outside)
    assert export(runs, "-o", str(tmp_path / "run.md")) == 1
    assert export(runs, "-o", str(tmp_path / "run.md"), "--force") == 0
    assert outside.read_text() == "mine"


def test_unmasked_is_said_on_standard_error_and_in_the_document(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(runs, "--unmasked", "--format", "html") == 0
    said = capsys.readouterr()
    assert "not masked" in said.err
    assert "Secrets are not masked" in said.out
    assert "hunter2canary" in said.out


def test_a_directory_that_is_missing_is_one_line_and_a_failure(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(runs, "-o", str(tmp_path / "no" / "run.md")) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_an_unknown_run_is_told_by_the_exit_code(runs: Path) -> None:
    assert main(["run", "export", "run_zzz", "--runs-dir", str(runs)]) == 3
