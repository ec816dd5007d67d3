"""Artifacts: names that are safe everywhere, lists and previews that are bounded."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.errors import BadArtifactName
from buddy_core.runs.artifacts.files import MAX_LISTED, list_artifacts, read_artifact
from buddy_core.runs.artifacts.names import check_artifact_name
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_770_000_000_000

HOSTILE_NAMES = [
    "", ".", "..", "...", "../x", "/etc/x", "a/../../x", "..\\x", "a\\b", "%2e%2e", "%2e%2e%2fx", "CON", "con.txt",
    "NUL", "com1", "LPT9.log", "x" * 201, "ü" * 101, "a\0b", "a\nb", "a\rb", "a\tb", "-rf", "--help", ".lock",
    ".bashrc", "~", "~root", " x", "x ", "x.", "a:b", "a*b", "a?b", 'a"b', "a<b", "a>b", "a|b", "a\x1b[31mb",
    "a\x9bb", "a\u202eb", "a\u200bb", "a\ufeffb", "a\u2028b", "a\ud83cb", "a\ue000b", "\N{NO-BREAK SPACE}x",
]  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> RunDirectoryBuilder:
    return RunDirectoryBuilder(tmp_path, started_at=NOW)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_that_mean_more_than_a_file_are_refused(name: str) -> None:
    """Case 74."""
    with pytest.raises(BadArtifactName, match="use one plain name"):
        check_artifact_name(name)


@pytest.mark.parametrize(
    "name", ["plan.md", "patch.diff", "test results (2).log", "résumé.txt", "図.png", "x"]
)
def test_ordinary_names_are_taken_as_they_are(name: str) -> None:
    assert check_artifact_name(name) == name


@given(st.text(max_size=12))
def test_a_name_that_passes_stays_in_its_directory(name: str) -> None:
    try:
        check_artifact_name(name)
    except BadArtifactName:
        return
    assert os.path.normpath(f"/artifacts/{name}") == f"/artifacts/{name}"
    assert name.isprintable()


def test_artifacts_are_listed_by_name_with_size_and_time(run: RunDirectoryBuilder) -> None:
    run_dir = run.artifact("plan.md", "# Plan").artifact("log.txt", "xy").write()
    os.utime(run_dir / "artifacts" / "plan.md", ns=(0, NOW * 1_000_000))
    listed = list_artifacts(run_dir)
    assert [(info.name, info.size) for info in listed] == [("log.txt", 2), ("plan.md", 6)]
    assert listed[1].modified_at == NOW


def test_of_very_many_artifacts_some_are_listed_however_deep_and_long_the_rest_is(
    run: RunDirectoryBuilder,
) -> None:
    """Case 38, in small: more names than are listed, and directories in directories."""
    run_dir = run.write()
    directory = os.open(run_dir / "artifacts", os.O_RDONLY)
    for number in range(MAX_LISTED + 200):
        os.close(os.open(f"{number}.txt", os.O_CREAT | os.O_WRONLY, dir_fd=directory))
    for _ in range(300):  # what is deeper could not be removed after the test
        os.mkdir("deeper", dir_fd=directory)
        inner = os.open("deeper", os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = inner
    os.close(directory)
    listed = list_artifacts(run_dir)
    assert len(listed) == MAX_LISTED
    assert [info.name for info in listed] == sorted(info.name for info in listed)


def test_links_pipes_and_directories_are_no_artifacts(run: RunDirectoryBuilder) -> None:
    """Case 28."""
    artifacts = run.write() / "artifacts"
    (artifacts / "link").symlink_to("/etc/passwd")
    (artifacts / "inner").mkdir()
    os.mkfifo(artifacts / "pipe")
    assert list_artifacts(run.run_dir) == ()


def test_a_linked_artifacts_directory_is_not_entered(run: RunDirectoryBuilder, tmp_path: Path) -> None:
    """Case 76."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    (run.write() / "artifacts").rmdir()
    (run.run_dir / "artifacts").symlink_to(outside)
    assert list_artifacts(run.run_dir) == ()


def test_a_run_without_artifacts_has_none(tmp_path: Path) -> None:
    assert list_artifacts(tmp_path / "run_mk5k1qoj_724ab2") == ()


async def test_a_preview_is_text_within_the_limit(run: RunDirectoryBuilder) -> None:
    """Case 51."""
    run_dir = run.artifact("log.txt", "x" * 1_000).artifact("caf.txt", b"caf\xe9").write()
    preview = await read_artifact(run_dir, "log.txt", limit=100)
    assert (preview.text, preview.size, preview.truncated, preview.binary) == ("x" * 100, 1_000, True, False)
    assert (await read_artifact(run_dir, "caf.txt")).text == "caf�"


async def test_a_compressed_artifact_is_binary_and_stays_compressed(run: RunDirectoryBuilder) -> None:
    """Case 51."""
    bomb = gzip.compress(bytes(10_000_000), mtime=0)
    preview = await read_artifact(run.artifact("bomb.gz", bomb).write(), "bomb.gz")
    assert (preview.text, preview.size, preview.binary) == ("", len(bomb), True)


@pytest.mark.parametrize("name", ["../summary.json", "..", ".", "", "a/b", "a\0b"])
async def test_a_name_that_leads_elsewhere_is_not_read(run: RunDirectoryBuilder, name: str) -> None:
    with pytest.raises(BadArtifactName):
        await read_artifact(run.write(), name)


async def test_what_is_no_plain_file_is_not_read(run: RunDirectoryBuilder) -> None:
    """Case 28: a pipe would wait for ever, a device never end."""
    artifacts = run.write() / "artifacts"
    os.mkfifo(artifacts / "pipe")
    (artifacts / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(OSError, match="not a plain file"):
            await read_artifact(run.run_dir, name)
