"""Filters as a shell meets them: `run list FILTER` and `run search --where FILTER`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli.entry import main

START = 1_767_890_000_000


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = tmp_path / "runs"
    good = RunDirectoryBuilder(root, objective="Find the gold", suffix="00000a", started_at=START)
    good.tool("bash", {"command": "dig"}).artifact("plan.md", "gold").end().write()
    bad = RunDirectoryBuilder(root, objective="Find silver", suffix="00000b", started_at=START + 1)
    bad.tool("view_file", error="exit code 2").end("failed").write()
    return root


def listed(runs: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The last letters of the ids in the order of the list."""
    assert main(["run", "list", "--json", "--runs-dir", str(runs), *words]) == 0
    return "".join(run["run_id"][-1] for run in json.loads(capsys.readouterr().out)["runs"])


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ([], "ba"),
        (["find"], "ba"),
        (["status:failed"], "b"),
        (["-status:failed"], "a"),
        (["-status:failed", "find", "-has:plan.md"], ""),
        (["status:failed tool:view_*"], "b"),
        (["tool:bash", "has:*.md"], "a"),
        (["errors>0"], "b"),
        (["--", "-silver"], "a"),
        (['content:"exit code"'], "b"),
        (["content:exit code"], "b"),
        (["exit"], "b"),
        (["bash"], "a"),
    ],
)
def test_the_list_holds_the_runs_that_fit(
    runs: Path, capsys: pytest.CaptureFixture[str], words: list[str], ids: str
) -> None:
    assert listed(runs, capsys, *words) == ids


def test_a_filter_that_means_nothing_is_wrong_usage_in_one_line(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["list", "stauts:failed"], ["search", "gold", "--where", "stauts:failed"]):
        with pytest.raises(SystemExit) as left:
            main(["run", *command, "--runs-dir", str(runs)])
        assert left.value.code == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "did you mean status?" in said


def test_a_search_can_be_narrowed_to_runs_that_fit(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "search", "find", "--where", "status:failed", "--runs-dir", str(runs)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines and all("00000b" in line for line in lines)


def test_help_tells_the_language(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "list", "--help"])
    assert "status:failed,stalled" in capsys.readouterr().out
