"""The index behind the commands: the same answers with it, without it and with a damaged one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.core.catalog_stores import RunPlan

from buddy_top.cli.entry import main
from buddy_top.cli.run import catalogs


def plan(number: int, **choices: object) -> RunPlan:
    usual: dict[str, object] = {"objective": "Find it", "tags": ["x"], "parent": None, "tools": ["bash"]}
    usual |= {
        "text": "exit code 2",
        "error": None,
        "refused": False,
        "cost": 0.25,
        "artifacts": [],
        "end": "completed",
    }
    return RunPlan(number, **(usual | {"claim": None} | choices))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "runs"
    root.mkdir()
    for number in range(4):
        text = "exit code 2" if number % 2 else "all is well"
        plan(
            number, objective=f"Find number {number}", text=text, end="failed" if number == 3 else "completed"
        ).write(root)
    return root


def answers(runs: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What every command that may use the index prints, without the times of printing."""
    told = []
    for words in (
        ["list"],
        ["list", "--limit", "2"],
        ["list", "status:failed"],
        ["list", "number", "-content:exit code"],
        ["list", "nothing", "like", "it"],
        ["search", "exit", "code"],
        ["search", "exit", "--where", "-status:failed"],
        ["search", "--regex", "ex.t"],
    ):
        assert main(["run", *words, "--runs-dir", str(runs)]) == 0
        told.append(capsys.readouterr().out)
        assert main(["run", *words, "--json", "--runs-dir", str(runs)]) == 0
        document = json.loads(capsys.readouterr().out)
        told.append(json.dumps({**document, "generated_at": 0}))
    return told


def test_the_answers_are_the_same_with_and_without_an_index(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = answers(runs, capsys)
    assert not (tmp_path / "state").exists(), "few runs need no index"
    monkeypatch.setattr(catalogs, "MANY_RUNS", 1)
    assert answers(runs, capsys) == without
    (file,) = (tmp_path / "state").rglob("*.sqlite")
    assert main(["run", "index", "--runs-dir", str(runs)]) == 0
    assert "4 runs indexed" in capsys.readouterr().out
    assert answers(runs, capsys) == without
    file.write_bytes(b"x" * 20_000)
    assert answers(runs, capsys) == without


def test_no_place_for_an_index_changes_no_answer(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 52."""
    without = answers(runs, capsys)
    monkeypatch.setattr(catalogs, "MANY_RUNS", 1)
    (tmp_path / "state").write_text("a file in the place of a directory")
    assert answers(runs, capsys) == without
    assert main(["run", "index", "--runs-dir", str(runs)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_an_index_can_be_made_anew_and_told_as_json(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--rebuild"]):
        assert main(["run", "index", "--json", *words, "--runs-dir", str(runs)]) == 0
        document = json.loads(capsys.readouterr().out)
        assert (document["runs"], document["changed"]) == (4, 4)
        assert Path(document["path"]).stat().st_size == document["index_bytes"]
