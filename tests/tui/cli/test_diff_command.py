"""`buddy-top run diff` as a shell meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli.entry import main


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs: two alike, and one that failed."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for suffix, error in (("aaaaaa", None), ("bbbbbb", None), ("cccccc", "2 failed")):
        run = RunDirectoryBuilder(tmp_path / "runs", suffix=suffix)
        run.tool("bash", {"command": "pytest"}, error=error)
        run.end("failed" if error else "completed").write()
    return tmp_path / "runs"


def ids(runs: Path) -> list[str]:
    return sorted(path.name for path in runs.iterdir())


def test_the_exit_code_says_whether_the_runs_are_the_same(runs: Path) -> None:
    a, b, c = ids(runs)
    assert main(["run", "diff", a, b, "--runs-dir", str(runs)]) == 0
    assert main(["run", "diff", a, c, "--runs-dir", str(runs)]) == 1


def test_the_text_says_where_they_part(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, _, c = ids(runs)
    main(["run", "diff", a, c, "--runs-dir", str(runs)])
    said = capsys.readouterr().out
    assert "they part at call 1 of A, call 1 of B: bash: ok in A, failed in B" in said
    assert "A ok, B failed: 2 failed" in said


def test_json_has_both_runs_the_totals_and_every_step(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, _, c = ids(runs)
    assert main(["run", "diff", a, c, "--json", "--runs-dir", str(runs)]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    assert (document["a"]["run_id"], document["b"]["run_id"]) == (a, c)
    assert (document["same"], document["divergence"]) == (False, 0)
    assert document["totals"]["tool_failures"] == {"a": 0, "b": 1, "delta": 1, "estimated": False}
    assert document["totals"]["total_cost"]["delta"] is None
    (step,) = document["steps"]
    assert (step["kind"], step["b"]["error"]) == ("outcome", "2 failed")


def test_a_run_that_is_not_there_is_said_in_one_line(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "diff", ids(runs)[0], "run_zz", "--runs-dir", str(runs)]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_the_same_run_twice_is_wrong_usage(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = ids(runs)[0]
    with pytest.raises(SystemExit) as left:
        main(["run", "diff", a, a.removeprefix("run_"), "--runs-dir", str(runs)])
    assert left.value.code == 2
    assert f"both names mean {a}" in capsys.readouterr().err


def test_a_directory_that_cannot_be_read_is_trouble_not_a_difference(runs: Path) -> None:
    assert main(["run", "diff", "a", "b", "--runs-dir", str(runs / "missing")]) == 2
