"""Runs that are kept: copied whole or not at all, and read back byte for byte."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buddy_core import RunStore
from buddy_core.clock import SystemClock
from buddy_core.errors import KeepFailed, RunLocked, RunNotFound
from buddy_core.runs.keeping import archive as archive_module
from buddy_core.runs.keeping.archive import Archive
from buddy_core.runs.keeping.copying import COPYING, new_directory, write_packed
from buddy_core.runs.keeping.manifest import real_parts, told_name
from buddy_core.runs.keeping.pack import PACKED_NAME
from buddy_core.testing import RunDirectoryBuilder


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "data" / "kept")


@pytest.fixture
def run(tmp_path: Path) -> RunDirectoryBuilder:
    """A finished run with an artifact."""
    run = RunDirectoryBuilder(tmp_path / "runs", objective="Keep me")
    run.request(cost=0.5).tool("bash", {"command": "pytest"}, error="2 failed").artifact(
        "plan.md", "# Plan\n"
    )
    run.end("failed").write()
    return run


def contents(run_dir: Path) -> dict[str, bytes]:
    """Every file beneath a directory."""
    files = (path for path in run_dir.rglob("*") if path.is_file() and not path.is_symlink())
    return {os.fspath(path.relative_to(run_dir)): path.read_bytes() for path in files}


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_kept_run_is_read_back_byte_for_byte(archive: Archive, run: RunDirectoryBuilder) -> None:
    assert archive.keep(run.root, run.run_id).state == "kept"
    with archive.opened(run.run_id) as runs_dir:
        assert contents(runs_dir / run.run_id) == contents(run.run_dir)
        times = [(path / run.run_id / "events.jsonl").stat().st_mtime_ns for path in (runs_dir, run.root)]
        assert times[0] == times[1]
    assert not runs_dir.exists(), "what was unpacked is gone when nobody looks at it any more"


def test_its_manifest_tells_what_lists_show(archive: Archive, run: RunDirectoryBuilder) -> None:
    archive.keep(run.root, run.run_id)
    (kept,) = archive.kept()
    assert kept.manifest is not None
    facts = kept.manifest.facts
    assert (facts.run_id, facts.objective, facts.status) == (run.run_id, "Keep me", "failed")
    assert (facts.total_cost, facts.artifacts) == (0.5, ("plan.md",))
    assert kept.manifest.tools == ("bash",)
    assert kept.manifest.errors == ("2 failed",)


def test_any_system_can_unpack_it(archive: Archive, run: RunDirectoryBuilder, tmp_path: Path) -> None:
    archive.keep(run.root, run.run_id)
    with tarfile.open(archive.root / run.run_id / PACKED_NAME, "r:xz") as packed:
        packed.extractall(tmp_path / "by-hand", filter="data")
    assert contents(tmp_path / "by-hand" / run.run_id) == contents(run.run_dir)


def test_keeping_it_again_changes_nothing(archive: Archive, run: RunDirectoryBuilder) -> None:
    archive.keep(run.root, run.run_id)
    before = contents(archive.root)
    assert archive.keep(run.root, run.run_id).state == "already"
    assert contents(archive.root) == before
    assert archive.holds(run.root, run.run_id)


def test_another_copy_is_never_overwritten(archive: Archive, run: RunDirectoryBuilder) -> None:
    archive.keep(run.root, run.run_id)
    before = contents(archive.root)
    run.error("late").write()
    assert not archive.holds(run.root, run.run_id)
    with pytest.raises(KeepFailed, match="another copy"):
        archive.keep(run.root, run.run_id)
    assert contents(archive.root) == before


def test_two_that_keep_the_same_run_at_once_make_one_copy(
    archive: Archive, run: RunDirectoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is faster, between the look whether it is kept and the name that it is given."""
    inner, whole = write_packed, Archive(archive.root)

    def slower(*args: object) -> object:
        monkeypatch.setattr(archive_module, "write_packed", inner)
        whole.keep(run.root, run.run_id)
        return inner(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(archive_module, "write_packed", slower)
    assert archive.keep(run.root, run.run_id).state == "already"
    assert names_in(archive.root) == [run.run_id]


def test_everything_is_private_whatever_the_umask(archive: Archive, run: RunDirectoryBuilder) -> None:
    """Case 80."""
    before = os.umask(0)
    try:
        archive.keep(run.root, run.run_id)
        with archive.opened(run.run_id) as runs_dir:
            unpacked = [runs_dir.parent, runs_dir / run.run_id]
            assert [stat.S_IMODE(path.stat().st_mode) for path in unpacked] == [0o700, 0o700]
    finally:
        os.umask(before)
    for path in (archive.root, *archive.root.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_links_and_what_is_no_file_are_left_out_and_told(
    archive: Archive, run: RunDirectoryBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cases 28 and 76 for copying."""
    secret = tmp_path / "id_rsa"
    secret.write_text("never copied")
    artifacts = run.run_dir / "artifacts"
    (artifacts / "link").symlink_to(secret)
    (artifacts / "directory").symlink_to(tmp_path)
    os.mkfifo(artifacts / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(artifacts)  # the path of a socket must be short
        listening.bind("socket")
    manifest = archive.keep(run.root, run.run_id).manifest
    assert {left.name: left.reason for left in manifest.left_out} == {
        "artifacts/directory": "a symbolic link",
        "artifacts/link": "a symbolic link",
        "artifacts/pipe": "a pipe",
        "artifacts/socket": "a socket",
    }
    with archive.opened(run.run_id) as runs_dir:
        assert not any(b"never copied" in data for data in contents(runs_dir).values())


def test_a_link_in_the_place_of_a_run_is_no_run(archive: Archive, run: RunDirectoryBuilder) -> None:
    planted = "run_mk000000_ffffff"
    (run.root / planted).symlink_to(run.run_dir)
    with pytest.raises(KeepFailed):
        archive.keep(run.root, planted)
    archive.keep(run.root, run.run_id)
    (archive.root / planted).symlink_to(archive.root / run.run_id)
    assert planted not in archive
    assert archive.ids() == [run.run_id]


@pytest.mark.parametrize(
    "name", ["../../victim", "..", "/etc/passwd", "run_x", "run_mk5k1qoj_724ab2/../x", ""]
)
def test_what_is_no_run_id_names_nothing(archive: Archive, run: RunDirectoryBuilder, name: str) -> None:
    """Case 75: only the name of a directory is an id."""
    assert name not in archive
    with pytest.raises(RunNotFound):
        archive.remove(name)
    with pytest.raises(RunNotFound):
        archive.keep(run.root, name)


@given(
    names=st.lists(
        st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60)
        | st.binary(min_size=1, max_size=60)
        .filter(lambda raw: b"/" not in raw and b"\0" not in raw)
        .map(os.fsdecode),
        unique=True,
        max_size=4,
    ),
    data=st.binary(max_size=3_000),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_and_any_bytes_come_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], data: bytes
) -> None:
    """Case 61: names with escapes, line breaks, percent signs and bytes that are no text."""
    root = tmp_path_factory.mktemp("any")
    run = RunDirectoryBuilder(root / "runs")
    run.raw(data + b"\n").end().write()
    for name in names:
        if name not in (".", "..") and len(os.fsencode(name)) < 256:
            (run.run_dir / "artifacts" / name).write_bytes(data)
    archive = Archive(root / "kept")
    archive.keep(run.root, run.run_id)
    archive.verify(run.run_id)
    with archive.opened(run.run_id) as runs_dir:
        assert contents(runs_dir / run.run_id) == contents(run.run_dir)


@given(st.binary(min_size=1).map(lambda raw: os.fsdecode(raw.replace(b"/", b"%"))))
def test_names_are_told_in_a_way_that_can_be_taken_back(name: str) -> None:
    told_name(name).encode("utf-8")
    assert real_parts(told_name(name)) == (name,)


def test_a_run_that_is_being_recorded_is_not_kept(archive: Archive, tmp_path: Path) -> None:
    with RunStore(tmp_path / "runs").run("live") as run:
        with pytest.raises(RunLocked, match="still being recorded"):
            archive.keep(tmp_path / "runs", run.run_id)
        assert not archive.root.exists()
    assert archive.keep(tmp_path / "runs", run.run_id).state == "kept"


def test_a_run_of_the_original_that_was_active_a_moment_ago_is_not_kept(
    archive: Archive, tmp_path: Path
) -> None:
    """It takes no lock: only the time since its last event tells."""
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=SystemClock().now_ms()).tool("bash")
    run.write()
    os.utime(run.events_file, (0, 0))
    with pytest.raises(RunLocked, match="still being recorded"):
        archive.keep(run.root, run.run_id)


def test_a_prune_leaves_a_run_alone_while_it_is_copied(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 81: the copy holds the run's lock together with other readers."""
    store = RunStore(tmp_path / "runs", max_runs=1)
    with store.run("old") as old:
        pass
    inner = write_packed

    def with_a_start_in_between(*args: object) -> object:
        with store.run("new"):
            assert (tmp_path / "runs" / old.run_id).exists()
        return inner(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(archive_module, "write_packed", with_a_start_in_between)
    assert archive.keep(tmp_path / "runs", old.run_id).state == "kept"
    with store.run("next"):
        pass
    assert not (tmp_path / "runs" / old.run_id).exists(), "and takes it afterwards"


@pytest.mark.parametrize("what", ["everything", "some", "grows"])
def test_a_run_that_changes_while_it_is_copied_leaves_nothing_half(
    archive: Archive, run: RunDirectoryBuilder, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Case 27 for copying: the original's runs have no lock, and vanish at any moment."""
    inner = write_packed

    def meanwhile(*args: object) -> object:
        packed = inner(*args)  # type: ignore[arg-type]
        if what == "grows":
            with run.events_file.open("ab") as file:
                file.write(b"{}\n")
        else:
            (run.run_dir / "events.jsonl").unlink(missing_ok=True)
        if what == "everything":
            subprocess.run(["rm", "-rf", run.run_dir], check=True)
        return packed

    monkeypatch.setattr(archive_module, "write_packed", meanwhile)
    with pytest.raises(KeepFailed if what == "grows" else RunNotFound):
        archive.keep(run.root, run.run_id)
    assert names_in(archive.root) == []


def test_one_change_is_waited_out(
    archive: Archive, run: RunDirectoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = write_packed

    def once(*args: object) -> object:
        monkeypatch.setattr(archive_module, "write_packed", inner)
        packed = inner(*args)  # type: ignore[arg-type]
        run.error("late").write()
        return packed

    monkeypatch.setattr(archive_module, "write_packed", once)
    manifest = archive.keep(run.root, run.run_id).manifest
    assert manifest.facts.errors == 1, "the facts are those of the bytes that were copied"
    with archive.opened(run.run_id) as runs_dir:
        assert contents(runs_dir / run.run_id) == contents(run.run_dir)


def test_a_removed_run_is_gone_and_can_be_kept_again(archive: Archive, run: RunDirectoryBuilder) -> None:
    archive.keep(run.root, run.run_id)
    archive.remove(run.run_id)
    assert names_in(archive.root) == []
    with pytest.raises(RunNotFound):
        archive.manifest(run.run_id)
    assert archive.keep(run.root, run.run_id).state == "kept"


@pytest.mark.parametrize("place", ["", "kept", "run_mk000000_ffffff/kept"])
def test_an_archive_in_the_runs_directory_is_refused(run: RunDirectoryBuilder, place: str) -> None:
    """Nothing is ever written there."""
    before = contents(run.root)
    with pytest.raises(KeepFailed, match="lies in the runs directory"):
        Archive(run.root / place).keep(run.root, run.run_id)
    assert contents(run.root) == before


def test_what_is_more_than_a_kept_copy_is_not_removed(archive: Archive, run: RunDirectoryBuilder) -> None:
    with pytest.raises(KeepFailed, match="by hand"):
        Archive(run.root).remove(run.run_id)
    assert run.events_file.exists()


def test_what_a_killed_copy_left_is_swept_and_what_lives_is_not(
    archive: Archive, run: RunDirectoryBuilder
) -> None:
    """Case 15 for the archive."""
    other = RunDirectoryBuilder(run.root, suffix="ffffff").end()
    other.write()
    archive.keep(run.root, run.run_id)
    dead = archive.root / f"{COPYING}0123456789abcdef"
    dead.mkdir()
    (dead / PACKED_NAME).write_bytes(b"half")
    root_fd = os.open(archive.root, os.O_RDONLY)
    try:
        with new_directory(root_fd) as (living, _):
            archive.keep(run.root, other.run_id)
            assert (archive.root / living).is_dir()
            assert not dead.exists()
    finally:
        os.close(root_fd)
    assert names_in(archive.root) == sorted([run.run_id, other.run_id])


def test_an_archive_that_cannot_be_made_is_said(run: RunDirectoryBuilder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeepFailed, match="cannot be used"):
        Archive(tmp_path / "file" / "kept").keep(run.root, run.run_id)
    assert Archive(tmp_path / "file" / "kept").ids() == []


def test_a_text_is_found_in_a_kept_run(archive: Archive, run: RunDirectoryBuilder) -> None:
    archive.keep(run.root, run.run_id)
    assert archive.holds_text(run.run_id, "# plan")
    assert not archive.holds_text(run.run_id, "nowhere")
