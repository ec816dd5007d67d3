"""Nothing outside the runs root is touched on behalf of a name, a link or a planted file: cases 74 and 76 to 80."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.core.writing.hostile_names import ORDINARY, hostile_names

from buddy_core.errors import BadArtifactName, BuddyError, StoreUnavailable
from buddy_core.runs.artifacts.names import check_artifact_name
from buddy_core.runs.reading.wholerun import read_events, read_run
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.writing.eventlog import EventLog
from buddy_core.runs.writing.files import NotPrivate, make_directory, open_root
from buddy_core.runs.writing.lock import RunLock
from buddy_core.testing import RunDirectoryBuilder

NOBODY = 65_534


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs", durable=False)
    yield store
    store.close()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of the user's that a run must never read or change."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    return outside / "secret"


def directory_fd(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY)


class TestNames:
    """Case 74."""

    def test_the_list_is_long(self) -> None:
        assert len(list(hostile_names())) >= 500

    def test_every_hostile_name_is_refused_before_any_system_call(
        self, store: RunStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = store.start_run("x")

        def touched(*_args: object, **_kwargs: object) -> None:
            raise AssertionError("a system call on behalf of a hostile name")

        accepted = []
        with monkeypatch.context() as patch:
            for call in ("open", "mkdir", "rename", "unlink", "stat", "lstat", "write"):
                patch.setattr(os, call, touched)
            for name in hostile_names():
                try:
                    store.save_artifact(run_id, name, "x")
                except BadArtifactName:
                    continue
                accepted.append(name)
        assert accepted == []

    @pytest.mark.parametrize("name", ORDINARY)
    def test_ordinary_names_of_any_language_are_taken(self, store: RunStore, name: str) -> None:
        assert check_artifact_name(name) == name
        run_id = store.start_run("x")
        store.save_artifact(run_id, name, "kept")
        assert store.get_artifact(run_id, name) == "kept"

    @pytest.mark.parametrize(
        "name", [".hidden", "-x", "a  b", "$(x)", "con.txt", "a:b", "50%.md", "re\u0301.md"]
    )
    def test_odd_names_of_other_writers_are_read(self, store: RunStore, name: str, tmp_path: Path) -> None:
        run = RunDirectoryBuilder(tmp_path / "runs").artifact(name, "theirs")
        run.write()
        assert store.get_artifact(run.run_id, name) == "theirs"

    def test_whatever_is_asked_for_is_read_not_there_or_a_bad_name(self, store: RunStore) -> None:
        run_id = store.start_run("x")
        for name in (*hostile_names(), "\udcff", None, 5, b"x", ["x"]):
            with suppress(BadArtifactName):
                assert store.get_artifact(run_id, name) is None  # type: ignore[arg-type]


class TestLinks:
    """Case 76."""

    def test_a_linked_run_directory_is_neither_read_nor_adopted(self, secret: Path, tmp_path: Path) -> None:
        root = tmp_path / "runs"
        root.mkdir(mode=0o700)
        victim = RunDirectoryBuilder(secret.parent)
        victim.write()
        run_id = "run_mk5k1qoj_724ab2"
        (root / run_id).symlink_to(victim.run_dir)
        ids = iter([run_id, "run_mk5k1qoj_724ab3"])
        store = RunStore(root, new_id=lambda _now: next(ids))

        assert store.start_run("x") == "run_mk5k1qoj_724ab3"
        assert store.get_run(run_id) is None
        assert store.get_events(run_id) == []
        assert store.get_artifact(run_id, "plan.md") is None
        store.close()

    @pytest.mark.parametrize("name", ["events.jsonl", "run.lock"])
    def test_a_link_in_place_of_a_file_is_not_opened(self, secret: Path, tmp_path: Path, name: str) -> None:
        run_dir = tmp_path / "run"
        run_dir.mkdir(mode=0o700)
        (run_dir / name).symlink_to(secret)
        fd = directory_fd(run_dir)
        with pytest.raises(OSError):
            EventLog(fd).close() if name == "events.jsonl" else RunLock(fd).release()
        os.close(fd)
        assert secret.read_text() == "secret"

    def test_links_planted_while_a_run_is_written_are_replaced_not_followed(
        self, store: RunStore, secret: Path
    ) -> None:
        run_id = store.start_run("x")
        run_dir = store.runs_dir / run_id
        for name in (".metrics.json.tmp", ".summary.json.tmp"):
            (run_dir / name).symlink_to(secret)
        for name in ("metrics.json", "summary.json"):
            (run_dir / name).unlink()
            (run_dir / name).symlink_to(secret)

        store.update_metrics(run_id, total_tokens=5)
        store.end_run(run_id, "completed")
        assert secret.read_text() == "secret"
        assert json.loads((run_dir / "metrics.json").read_bytes())["totalTokens"] == 5
        assert not (run_dir / "summary.json").is_symlink()

    def test_an_artifacts_directory_that_became_a_link_leads_nowhere(
        self, store: RunStore, secret: Path
    ) -> None:
        run_id = store.start_run("x")
        artifacts = store.runs_dir / run_id / "artifacts"
        artifacts.rename(artifacts.with_name("moved"))
        artifacts.symlink_to(secret.parent)

        store.save_artifact(run_id, "plan.md", "x")
        assert [path.name for path in secret.parent.iterdir()] == ["secret"]
        assert store.get_artifact(run_id, "secret") is None

    def test_the_users_own_link_to_the_runs_directory_is_followed(self, tmp_path: Path) -> None:
        (tmp_path / "disk").mkdir(mode=0o700)
        (tmp_path / "runs").symlink_to(tmp_path / "disk")
        store = RunStore(tmp_path / "runs")
        run_id = store.start_run("x")
        store.end_run(run_id, "completed")
        assert [event.type for event in store.get_events(run_id)] == ["run_start", "run_end"]
        assert (tmp_path / "disk" / run_id).is_dir()


class TestOtherPeoplesFiles:
    """Case 78."""

    def test_a_hard_link_to_a_secret_is_not_written_to(self, secret: Path, tmp_path: Path) -> None:
        run_dir = tmp_path / "run"
        run_dir.mkdir(mode=0o700)
        (run_dir / "events.jsonl").hardlink_to(secret)
        fd = directory_fd(run_dir)
        with pytest.raises(NotPrivate, match="second name"):
            EventLog(fd)
        os.close(fd)
        assert secret.read_text() == "secret"

    def test_a_hard_link_planted_as_a_json_file_is_replaced(self, store: RunStore, secret: Path) -> None:
        run_id = store.start_run("x")
        metrics = store.runs_dir / run_id / "metrics.json"
        metrics.unlink()
        metrics.hardlink_to(secret)
        store.update_metrics(run_id, total_tokens=5)
        assert secret.read_text() == "secret"

    @pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702])
    def test_a_runs_directory_that_everybody_may_write_to_is_refused(self, tmp_path: Path, mode: int) -> None:
        (tmp_path / "runs").mkdir()
        (tmp_path / "runs").chmod(mode)
        with pytest.raises(StoreUnavailable, match="everybody may write"):
            RunStore(tmp_path / "runs").start_run("x")
        assert list((tmp_path / "runs").iterdir()) == []

    def test_a_runs_directory_that_a_group_may_write_to_is_taken(self, tmp_path: Path) -> None:
        (tmp_path / "runs").mkdir()
        (tmp_path / "runs").chmod(0o775)
        RunStore(tmp_path / "runs").start_run("x")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
    def test_somebody_elses_runs_directory_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "runs").mkdir(mode=0o755)
        os.chown(tmp_path / "runs", NOBODY, NOBODY)
        with pytest.raises(StoreUnavailable, match="another user"):
            open_root(tmp_path / "runs")

    def test_a_directory_swapped_in_under_the_name_just_made_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mkdir = os.mkdir

        def mkdir_and_swap(name: str, mode: int, *, dir_fd: int) -> None:
            mkdir(name, mode, dir_fd=dir_fd)
            os.chmod(name, 0o777, dir_fd=dir_fd)

        monkeypatch.setattr(os, "mkdir", mkdir_and_swap)
        fd = directory_fd(tmp_path)
        with pytest.raises(NotPrivate):
            make_directory("run", dir_fd=fd)
        os.close(fd)

    def test_a_link_swapped_in_under_the_name_just_made_is_refused(
        self, secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Cases 76 and 77."""
        mkdir = os.mkdir
        secret.parent.chmod(0o700)

        def mkdir_and_swap(name: str, mode: int, *, dir_fd: int) -> None:
            mkdir(name, mode, dir_fd=dir_fd)
            os.rename(name, "away", src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
            os.symlink(secret.parent, name, dir_fd=dir_fd)

        monkeypatch.setattr(os, "mkdir", mkdir_and_swap)
        fd = directory_fd(tmp_path)
        with pytest.raises(OSError):
            make_directory("run", dir_fd=fd)
        os.close(fd)


def everything(root: Path) -> Iterator[tuple[Path, int]]:
    for path in (root, *root.rglob("*")):
        yield path, stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277, 0o777], ids=oct)
def test_directories_are_0700_and_files_0600_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """Case 80."""
    before = os.umask(umask)
    try:
        with RunStore(tmp_path / "new" / "runs").run("x") as run:
            run.emit("tick", {})
            run.save_artifact("plan.md", "x")
            run.update_metrics(total_tokens=1)
    finally:
        os.umask(before)
    wrong = [
        (str(path), oct(mode))
        for path, mode in everything(tmp_path / "new")
        if mode != (0o700 if path.is_dir() else 0o600)
    ]
    assert wrong == []


RECORDING = """
import sys
from buddy_core.runs.writing.flusher import SHARED
from buddy_core.runs.store.store import RunStore
store = RunStore(sys.argv[1])
print("now", flush=True)
sys.stdin.readline()
with store.run("x") as run:
    run.emit("tick", {})
    run.save_artifact("plan.md", "x")
    run.update_metrics(total_tokens=1)
for name in ("../x", "/etc/x", "a/../../x", ".", "x" * 300):
    try:
        run.save_artifact(name, "x")
    except Exception as error:
        pass
SHARED.wait(1)
"""


def traced_files(root: Path, log: Path) -> list[str]:
    """Every call on a file that a recording below `root` makes, once it has imported what it needs."""
    recorder = subprocess.Popen(
        [sys.executable, "-c", RECORDING, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert recorder.stdin is not None
    assert recorder.stdout is not None
    recorder.stdout.readline()
    tracer = subprocess.Popen(
        ["strace", "-f", "-y", "-e", "trace=%file", "-o", str(log), "-p", str(recorder.pid)],
        stderr=subprocess.PIPE,
    )
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    recorder.communicate("go\n", timeout=30)
    tracer.communicate(timeout=30)
    if b"attached" not in said:
        pytest.skip(f"strace may not trace here: {said.decode()[:80]}")
    return [line for line in log.read_text().splitlines() if '"' in line]


@pytest.mark.skipif("COVERAGE_PROCESS_CONFIG" in os.environ, reason="coverage writes files of its own")
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_recording_touches_no_path_outside_its_root(tmp_path: Path) -> None:
    """Cases 74 and 79: no /tmp, no predictable name anywhere else."""
    lines = traced_files(tmp_path / "runs", tmp_path / "log")
    imports = (
        "/lib/python",
        "/site-packages",
        "/buddy_core",
        sys.prefix,
        sys.base_prefix,
        "/proc/self",
        "/etc/ld",
    )
    inside = str(tmp_path)
    ancestors = [f'"{path}"' for path in (tmp_path / "runs").parents]  # looked at, to make what is missing
    known = (inside, *imports, *ancestors)
    outside = [line for line in lines if not any(part in line for part in known)]
    assert len(lines) > 10
    assert outside == []


ATTACKS: dict[str, Callable[[Path], object]] = {
    "events.jsonl": lambda path: path.unlink(),
    "artifacts": lambda path: shutil.rmtree(path),
    "summary.json": lambda path: path.write_bytes(b"\xff{"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_run_whose_files_are_taken_away_is_still_written_without_a_surprise(
    store: RunStore, name: str
) -> None:
    run_id = store.start_run("x")
    ATTACKS[name](store.runs_dir / run_id / name)
    store.emit(run_id, "tick", {})
    try:
        store.save_artifact(run_id, "plan.md", "x")
        store.update_metrics(run_id, total_tokens=1)
    except BuddyError:
        assert name == "artifacts"
    store.end_run(run_id, "completed")
    assert read_run(store.runs_dir, run_id) is not None
    read_events(store.runs_dir, run_id)
