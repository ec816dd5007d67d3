"""`buddy-top run doctor` as a shell meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli.entry import main


@pytest.fixture
def ill(tmp_path: Path) -> RunDirectoryBuilder:
    run = RunDirectoryBuilder(tmp_path / "runs").raw(b"rubbish\n").end()
    run.write()
    return run


def test_findings_are_told_and_are_no_failure(
    ill: RunDirectoryBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "doctor", "--runs-dir", str(ill.root)]) == 0
    out = capsys.readouterr().out
    assert ill.run_id in out
    assert "1 piece that is no JSON skipped" in out
    assert out.endswith("Nothing was changed.\n")


def test_findings_are_also_a_document(ill: RunDirectoryBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "doctor", ill.run_id, "--json", "--runs-dir", str(ill.root)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema_version"], document["checked"], document["healthy"]) == (1, 1, False)
    worst = document["findings"][0]
    assert set(worst) == {"run_id", "severity", "kind", "message", "would"}
    assert (worst["severity"], worst["kind"]) == ("problem", "lost")


def test_a_directory_that_is_not_there_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "doctor", "--runs-dir", str(tmp_path / "missing")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_run_that_is_not_there_has_a_code_of_its_own(ill: RunDirectoryBuilder) -> None:
    assert main(["run", "doctor", "nope", "--runs-dir", str(ill.root)]) == 3


@pytest.mark.parametrize("command", [("doctor",), ("replay", "last")])
def test_outputs_that_are_full_closed_or_cut_off_are_no_crash(
    ill: RunDirectoryBuilder, command: tuple[str, ...]
) -> None:
    """Case 64."""
    program = f"{sys.executable} -m buddy_top run {' '.join(command)} --runs-dir {ill.root}"
    script = f"{program} > /dev/full; echo $?; {program} >&-; echo $?; {program} | true"
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert done.stdout.split() == ["1", "1"]
    assert "Traceback" not in done.stderr
    assert all(line.startswith("buddy-top: ") for line in done.stderr.splitlines())
