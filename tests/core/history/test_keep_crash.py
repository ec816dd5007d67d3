"""Copies that are killed, and disks that are full: a kept run is whole or it is not there."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from buddy_core.errors import KeepFailed
from buddy_core.runs.keeping.archive import Archive
from buddy_core.runs.keeping.copying import COPYING
from buddy_core.testing import RunDirectoryBuilder

KILLS = int(os.environ.get("BUDDY_KEEP_KILLS", "8"))
"""How many copies are killed."""

_COPY = """
import sys
from pathlib import Path
from buddy_core.runs.keeping.archive import Archive
archive, runs_dir = Archive(Path(sys.argv[1])), Path(sys.argv[2])
import buddy_core.runs.keeping.pack, lzma, tarfile
print("ready", flush=True)
sys.stdin.readline()
while True:
    for run_id in sys.argv[3:]:
        if run_id in archive:
            archive.remove(run_id)
        archive.keep(runs_dir, run_id)
"""


def some_runs(root: Path, count: int) -> list[RunDirectoryBuilder]:
    """Runs whose bytes cannot be made smaller, so that copying takes a while."""
    runs = [RunDirectoryBuilder(root, suffix=f"{number:06x}") for number in range(count)]
    for number, run in enumerate(runs):
        run.tool("bash").artifact("noise.bin", random.Random(number).randbytes(200_000)).end().write()
    return runs


def is_whole(archive: Archive, run: RunDirectoryBuilder) -> bool:
    archive.verify(run.run_id)
    with archive.opened(run.run_id) as runs_dir:
        copied = runs_dir / run.run_id
        return all(
            (copied / path.relative_to(run.run_dir)).read_bytes() == path.read_bytes()
            for path in run.run_dir.rglob("*")
            if path.is_file()
        )


@pytest.mark.sweep
def test_a_copy_killed_at_any_moment_is_whole_or_not_there(tmp_path: Path) -> None:
    """Case 1 for the archive; the next copy removes what a killed one left."""
    runs = some_runs(tmp_path / "runs", 3)
    archive, chance = Archive(tmp_path / "kept"), random.Random(7)
    strays = 0
    for _ in range(KILLS):
        command = [sys.executable, "-c", _COPY, str(archive.root), str(runs[0].root)]
        with subprocess.Popen(
            [*command, *(run.run_id for run in runs)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as copying:
            assert copying.stdin is not None
            assert copying.stdout is not None
            assert copying.stdout.readline() == b"ready\n"
            copying.stdin.write(b"\n")
            copying.stdin.flush()
            time.sleep(chance.uniform(0.0, 0.12))
            copying.kill()
        names = [path.name for path in archive.root.iterdir()] if archive.root.exists() else []
        strays += sum(name.startswith(COPYING) for name in names)
        for run in runs:
            assert run.run_id not in archive or is_whole(archive, run)
    for run in runs:
        archive.keep(run.root, run.run_id)
    assert sorted(path.name for path in archive.root.iterdir()) == sorted(run.run_id for run in runs)
    assert strays, "no kill came while something was copied: this test says nothing"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    made = mount is not None and os.geteuid() == 0
    if (
        not made
        or subprocess.run(
            [str(mount), "-t", "tmpfs", "-o", "size=512k", "tmpfs", place], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    """Case 5 for the archive: what was kept stays sound, and there is room again for a smaller run."""
    runs = some_runs(tmp_path / "runs", 4)
    small = RunDirectoryBuilder(tmp_path / "runs", suffix="ffffff").end()
    small.write()
    archive = Archive(small_disk / "kept")
    archive.keep(runs[0].root, runs[0].run_id)
    for run in runs[1:3]:
        if run.run_id not in archive and archive.ids() == [runs[0].run_id]:
            archive.keep(run.root, run.run_id)
    with pytest.raises(KeepFailed, match="No space left"):
        archive.keep(runs[3].root, runs[3].run_id)
    assert not [path for path in archive.root.iterdir() if path.name.startswith(COPYING)]
    assert archive.keep(small.root, small.run_id).state == "kept"
    assert is_whole(archive, runs[0])


def test_without_room_to_unpack_a_kept_run_it_is_said(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDirectoryBuilder(tmp_path / "runs").artifact("large.bin", bytes(2_000_000)).end()
    run.write()
    archive = Archive(tmp_path / "kept")
    archive.keep(run.root, run.run_id)
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    with pytest.raises(KeepFailed, match="cannot be unpacked: No space left"), archive.opened(run.run_id):
        pass
    assert list(small_disk.iterdir()) == []
