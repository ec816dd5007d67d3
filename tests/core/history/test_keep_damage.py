"""A kept run that is not what was written is never taken for one that is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from buddy_core.errors import KeepFailed, KeptRunDamaged
from buddy_core.runs.keeping.archive import Archive
from buddy_core.runs.keeping.manifest import MANIFEST_NAME
from buddy_core.runs.keeping.pack import PACKED_NAME
from buddy_core.testing import RunDirectoryBuilder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectoryBuilder:
    run = RunDirectoryBuilder(tmp_path_factory.mktemp("damage") / "runs")
    run.tool("bash", {"command": "x"}).artifact("a.md", "text").end().write()
    return run


@pytest.fixture(scope="module")
def sound(run: RunDirectoryBuilder) -> Path:
    """The directory of a sound copy."""
    archive = Archive(run.root.parent / "sound")
    archive.keep(run.root, run.run_id)
    return archive.root / run.run_id


def damaged(
    tmp_path: Path, sound: Path, run: RunDirectoryBuilder, name: str, change: Callable[[bytes], bytes | None]
) -> Archive:
    """An archive with the copy in which the file `name` was changed, or (None) removed."""
    archive = Archive(tmp_path / "kept")
    shutil.rmtree(archive.root, ignore_errors=True)
    archive.root.mkdir()
    copy = archive.root / run.run_id
    shutil.copytree(sound, copy)
    data = change((copy / name).read_bytes())
    if data is None:
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(data)
    return archive


def is_refused(archive: Archive, run_id: str) -> bool:
    with pytest.raises(KeptRunDamaged, match=run_id):
        archive.verify(run_id)
    with pytest.raises(KeptRunDamaged, match=run_id), archive.opened(run_id):
        pass
    return True


@pytest.mark.parametrize("name", [PACKED_NAME, MANIFEST_NAME])
def test_every_flipped_bit_is_noticed(
    tmp_path: Path, sound: Path, run: RunDirectoryBuilder, name: str
) -> None:
    """Each byte of the packed files and of the manifest, in turn; only the last line break says nothing."""
    size = (sound / name).stat().st_size
    archive = damaged(tmp_path, sound, run, name, lambda data: data)
    path = archive.root / run.run_id / name
    whole = path.read_bytes()
    for place in range(0, size - (name == MANIFEST_NAME), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        with pytest.raises(KeptRunDamaged):
            archive.verify(run.run_id)
    path.write_bytes(whole)
    archive.verify(run.run_id)


@pytest.mark.parametrize("name", [PACKED_NAME, MANIFEST_NAME])
@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:-2],
        lambda data: b"",
        lambda data: data + b"more",
        lambda data: bytes(len(data)),
        lambda data: None,
    ],
    ids=["half", "tail", "empty", "longer", "zeros", "missing"],
)
def test_whatever_is_cut_added_or_missing_is_noticed(
    tmp_path: Path,
    sound: Path,
    run: RunDirectoryBuilder,
    name: str,
    change: Callable[[bytes], bytes | None],
) -> None:
    assert is_refused(damaged(tmp_path, sound, run, name, change), run.run_id)


@pytest.mark.parametrize("name", [PACKED_NAME, MANIFEST_NAME])
def test_a_link_or_a_pipe_in_its_place_is_not_opened(
    tmp_path: Path, sound: Path, run: RunDirectoryBuilder, name: str
) -> None:
    archive = damaged(tmp_path, sound, run, name, lambda data: None)
    path = archive.root / run.run_id / name
    path.symlink_to(sound / name)
    assert is_refused(archive, run.run_id)
    path.unlink()
    os.mkfifo(path)
    assert is_refused(archive, run.run_id)


def forged(data: bytes, changes: Mapping[str, object]) -> bytes:
    """A manifest that says something else, with a digest that is right."""
    manifest = {**json.loads(data)["manifest"], **changes}
    body = json.dumps(manifest, separators=(",", ":")).encode()
    return b'{"sha256":"%s","manifest":%s}\n' % (sha256(body).hexdigest().encode(), body)


@pytest.mark.parametrize(
    "name", ["../../victim", "/etc/x", "a/../../x", "..", "", "a//b", "%2e%2e/x", "..%2fx", "a\0b"]
)
def test_a_forged_manifest_leads_nowhere_else(
    tmp_path: Path, sound: Path, run: RunDirectoryBuilder, name: str
) -> None:
    """Case 74 for unpacking: refused before anything is made."""
    for changes in (
        {"files": [{"name": name, "size": 1, "sha256": "0", "mtime_ns": 0}]},
        {"directories": [name]},
    ):
        archive = damaged(tmp_path, sound, run, MANIFEST_NAME, partial(forged, changes=changes))
        assert is_refused(archive, run.run_id)


def test_a_forged_manifest_of_another_run_or_a_newer_format_is_refused(
    tmp_path: Path, sound: Path, run: RunDirectoryBuilder
) -> None:
    for changes in ({"run_id": "run_mk5k1qoj_724ab2"}, {"format": 99}):
        archive = damaged(tmp_path, sound, run, MANIFEST_NAME, partial(forged, changes=changes))
        assert is_refused(archive, run.run_id)


def test_a_damaged_copy_is_listed_as_damaged_and_never_replaced_in_silence(
    tmp_path: Path, sound: Path, run: RunDirectoryBuilder
) -> None:
    archive = damaged(tmp_path, sound, run, MANIFEST_NAME, lambda data: data[:-9])
    (kept,) = archive.kept()
    assert (kept.run_id, kept.manifest) == (run.run_id, None)
    assert "damaged" in (kept.problem or "")
    with pytest.raises(KeepFailed, match="unkeep"):
        archive.keep(run.root, run.run_id)
    archive.remove(run.run_id)
    assert archive.keep(run.root, run.run_id).state == "kept"
