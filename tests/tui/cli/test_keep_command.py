"""`buddy-top run keep`, `unkeep`, and how kept runs are found, as a shell meets them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from buddy_core.clock import SystemClock
from buddy_core.runs.keeping.archive import Archive
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli.entry import main
from buddy_top.config import places


class Shell:
    """A user with a runs directory, an archive, and commands."""

    def __init__(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.runs_dir = tmp_path / "runs"
        self.archive = Archive(tmp_path / "kept")
        self._capsys = capsys

    def run(self, *words: str) -> tuple[int, str, str]:
        """The exit code and both outputs of `buddy-top run …`."""
        code = main(["run", *words, "--runs-dir", str(self.runs_dir)])
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def record(self, suffix: str, *, word: str = "gold") -> str:
        """A finished run."""
        run = RunDirectoryBuilder(self.runs_dir, suffix=suffix, objective=f"Find {word}")
        run.tool("bash", {"command": f"dig for {word}"}).artifact("a.md", word).end().write()
        return run.run_id

    def lose(self, run_id: str) -> None:
        """What a prune does."""
        shutil.rmtree(self.runs_dir / run_id)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BUDDY_TOP_ARCHIVE_DIR", str(tmp_path / "kept"))
    return Shell(tmp_path, capsys)


def test_a_kept_run_is_told_with_its_sizes_and_where_its_secrets_are(shell: Shell) -> None:
    run_id = shell.record("aaaaaa")
    code, out, err = shell.run("keep", "last")
    assert code == 0
    assert out.startswith(f"{run_id}  kept: 4 files, ")
    assert f"secrets are kept as they were recorded, for you alone: {shell.archive.root}" in err
    assert shell.run("keep", run_id)[:2] == (0, f"{run_id}  is kept already\n")


def test_all_keeps_whatever_is_over_and_passes_over_what_lives(shell: Shell) -> None:
    ids = [shell.record("aaaaaa"), shell.record("bbbbbb")]
    live = RunDirectoryBuilder(shell.runs_dir, started_at=SystemClock().now_ms(), suffix="cccccc")
    live.write()
    code, out, err = shell.run("keep", "--all")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ids
    assert f"{live.run_id} is still being recorded" in err
    assert shell.run("keep", "--all")[1] == "everything is kept\n"


@pytest.mark.parametrize("words", [["show"], ["export"], ["tail"], ["show", "--json"], ["tail", "--json"]])
def test_a_run_that_was_pruned_is_shown_from_the_archive(shell: Shell, words: list[str]) -> None:
    run_id = shell.record("aaaaaa")
    before = shell.run(*words, run_id)[1]
    shell.run("keep", run_id)
    shell.lose(run_id)
    code, out, err = shell.run(*words, run_id.removeprefix("run_"))
    assert code == 0
    assert [line for line in out.splitlines() if "generated_at" not in line] == [
        line for line in before.splitlines() if "generated_at" not in line
    ]
    assert "from the archive" in err


def test_it_is_found_also_where_the_runs_directory_is_gone(shell: Shell) -> None:
    run_id = shell.record("aaaaaa")
    shell.run("keep", run_id)
    shutil.rmtree(shell.runs_dir)
    assert shell.run("show", run_id)[0] == 0
    assert shell.run("show", "last")[0] == 1, "the last run is one that was recorded here"
    assert shell.run("show", "run_zz")[0] == 1


def test_runs_are_compared_wherever_they_are(shell: Shell) -> None:
    a, b = shell.record("aaaaaa"), shell.record("bbbbbb")
    shell.run("keep", "--all")
    shell.lose(a)
    assert shell.run("diff", a, b)[0] == 0
    shell.lose(b)
    assert shell.run("diff", a, b)[0] == 0


def test_kept_runs_are_listed_filtered_and_searched(shell: Shell) -> None:
    a, b = shell.record("aaaaaa"), shell.record("bbbbbb", word="silver")
    shell.run("keep", "--all")
    shell.lose(a)
    shell.lose(b)
    assert [line.split()[2] for line in shell.run("list", "--kept")[1].splitlines()[1:]] == [b, a]
    document = json.loads(shell.run("list", "--kept", "--json", "silver", "tool:bash")[1])
    assert [(run["run_id"], run["kept"]) for run in document["runs"]] == [(b, True)]
    assert b not in shell.run("list", "--kept", "content:gold")[1]
    assert [line.split()[0] for line in shell.run("search", "--kept", "dig")[1].splitlines()] == [b, a]
    assert shell.run("search", "dig")[1] == "", "without --kept only what is recorded is searched"
    assert shell.run("search", "--run", a, "dig")[1].startswith(a)
    assert shell.run("search", "--kept", "--where", "gold", "dig")[1].startswith(a)


def test_the_list_marks_what_is_kept_and_what_leaves_next(shell: Shell) -> None:
    for number in range(30):
        RunDirectoryBuilder(shell.runs_dir, started_at=1_767_890_000_000 + number * 1_000).end().write()
    oldest = min(path.name for path in shell.runs_dir.iterdir())
    _, out, err = shell.run("list", "--limit", "0")
    assert [line.split()[2] for line in out.splitlines() if "leaves next" in line] == [oldest]
    assert "“buddy-top run keep ID” keeps it" in err
    document = json.loads(shell.run("list", "--limit", "0", "--json")[1])
    assert [run["run_id"] for run in document["runs"] if run["leaving"]] == [oldest]
    shell.run("keep", oldest)
    _, out, err = shell.run("list", "--limit", "0")
    assert [line.split()[2] for line in out.splitlines() if "kept" in line] == [oldest]
    assert err == ""


def test_damage_is_said_with_exit_code_one(shell: Shell) -> None:
    run_id, other = shell.record("aaaaaa"), shell.record("bbbbbb")
    shell.run("keep", "--all")
    shell.lose(run_id)
    packed = shell.archive.root / run_id / "run.tar.xz"
    packed.write_bytes(packed.read_bytes()[:-9])
    code, out, err = shell.run("keep", "--verify")
    assert code == 1
    assert out.startswith(f"{other}  is sound")
    assert f"the kept copy of {run_id} is damaged: run.tar.xz is shorter than what was written" in err
    assert shell.run("keep", "--verify", other)[0] == 0
    code, _, err = shell.run("show", run_id)
    assert code == 1
    assert err.splitlines()[-1].endswith("is shorter than what was written")


def test_the_only_copy_is_removed_only_when_that_is_said(shell: Shell) -> None:
    run_id = shell.record("aaaaaa")
    shell.run("keep", run_id)
    assert shell.run("unkeep", run_id)[0] == 0
    assert shell.archive.ids() == []
    shell.run("keep", run_id)
    shell.lose(run_id)
    code, _, err = shell.run("unkeep", run_id)
    assert (code, shell.archive.ids()) == (1, [run_id])
    assert "--yes" in err
    assert shell.run("unkeep", run_id, "--yes")[0] == 0
    assert shell.run("unkeep", run_id)[0] == 3


def test_what_cannot_be_kept_decides_the_exit_code(shell: Shell) -> None:
    run_id = shell.record("aaaaaa")
    assert shell.run("keep", run_id, "run_zz")[0] == 3
    with (shell.runs_dir / run_id / "events.jsonl").open("a") as file:
        file.write("{}\n")
    assert shell.run("keep", run_id)[0] == 1


@pytest.mark.parametrize("words", [[], ["x", "--all"], ["--watch"], ["--watch", "x"], ["--all", "--verify"]])
def test_words_that_make_no_sense_are_wrong_usage(shell: Shell, words: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        shell.run("keep", *words)
    assert left.value.code == 2


def test_json_tells_every_run(shell: Shell) -> None:
    run_id = shell.record("aaaaaa")
    code, out, _ = shell.run("keep", run_id, "run_zz", "--json")
    document = json.loads(out)
    assert (code, document["archive"]) == (3, str(shell.archive.root))
    kept, missing = document["runs"]
    assert (kept["run_id"], kept["state"], kept["files"]) == (run_id, "kept", 4)
    assert "run_zz" in missing["problem"]


def test_the_archive_is_named_by_flag_variable_or_the_data_directory(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = shell.record("aaaaaa")
    assert shell.run("keep", run_id, "--archive-dir", str(tmp_path / "flag"))[0] == 0
    monkeypatch.delenv("BUDDY_TOP_ARCHIVE_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert shell.run("keep", run_id)[0] == 0
    assert Archive(tmp_path / "flag").ids() == Archive(places.archive_directory()).ids() == [run_id]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watching_ends_as_signals_end_it(shell: Shell, number: signal.Signals) -> None:
    """Case 65 for this command."""
    run_id = shell.record("aaaaaa")
    command = [sys.executable, "-m", "buddy_top", "run", "keep", "--all", "--watch"]
    source = os.pathsep.join(sys.path)
    with subprocess.Popen(
        [*command, "--runs-dir", str(shell.runs_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": source},
    ) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert watching.stdout.readline().startswith(run_id.encode())
        watching.send_signal(number)
        assert watching.wait(20) == 128 + number
        assert b"Traceback" not in watching.stderr.read()
    assert shell.archive.ids() == [run_id]
