"""Files are opened beneath a root only, and only when they are plain files (promise C7)."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.safety.paths import (
    BadName,
    NotPlainFile,
    check_name,
    entries_beneath,
    open_beneath,
    open_directory,
    open_directory_at,
    read_at,
    real_root,
    stat_beneath,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    run = tmp_path / "runs" / "run_a"
    run.mkdir(parents=True)
    (run / "events.jsonl").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(b"outside")
    return tmp_path / "runs"


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def read(root: Path, *parts: str) -> bytes:
    fd = open_beneath(root, *parts)
    try:
        return os.read(fd, 100)
    finally:
        os.close(fd)


def test_a_plain_file_beneath_the_root_is_opened(root: Path) -> None:
    assert read(root, "run_a", "events.jsonl") == b"inside"
    assert stat_beneath(root, "run_a", "events.jsonl").st_size == 6


def test_an_opened_file_is_not_inherited_by_child_processes(root: Path) -> None:
    fd = open_beneath(root, "run_a", "events.jsonl")
    assert not os.get_inheritable(fd)
    os.close(fd)


@pytest.mark.parametrize("name", ["", ".", "..", "../secret", "/etc/passwd", "a/b", "run_a/", "a\0b"])
def test_a_name_that_is_no_plain_name_is_refused_before_any_system_call(root: Path, name: str) -> None:
    with pytest.raises(BadName):
        open_beneath(root, name)
    with pytest.raises(BadName):
        open_beneath(root, name, "events.jsonl")
    with pytest.raises(BadName):
        stat_beneath(root, name)


@given(name=st.text(alphabet="./\0ab\\", max_size=6))
def test_no_name_whatever_leaves_the_directory(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.getbasetemp()
    try:
        stat_beneath(root, name)
    except (BadName, OSError):
        return
    assert "/" not in name and name not in (".", "..")


def test_a_link_in_place_of_the_file_is_refused(root: Path) -> None:
    """Case 28."""
    (root / "run_a" / "link").symlink_to(root.parent / "secret")
    with pytest.raises(NotPlainFile) as refused:
        open_beneath(root, "run_a", "link")
    assert refused.value.kind == "a symbolic link"


def test_a_link_in_place_of_the_run_directory_is_refused(root: Path) -> None:
    """Case 76."""
    (root / "run_b").symlink_to(root / "run_a")
    with pytest.raises(OSError):
        open_beneath(root, "run_b", "events.jsonl")
    with pytest.raises(OSError):
        stat_beneath(root, "run_b", "events.jsonl")


def test_the_root_itself_may_be_a_link_only_when_it_is_resolved_first(root: Path, tmp_path: Path) -> None:
    """Case 76: the user's own link is followed once."""
    link = tmp_path / "link"
    link.symlink_to(root)
    assert read(real_root(link), "run_a", "events.jsonl") == b"inside"
    with pytest.raises(OSError):
        open_beneath(link, "run_a", "events.jsonl")


def test_pipes_directories_and_sockets_are_refused_without_waiting(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 28: a pipe without a writer would block for ever."""
    os.mkfifo(root / "run_a" / "pipe")
    (root / "run_a" / "directory").mkdir()
    monkeypatch.chdir(root / "run_a")  # the name of a socket must be short
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("socket")
    listener.close()
    for name, kind in (("pipe", "a pipe"), ("directory", "a directory"), ("socket", "a socket")):
        with pytest.raises(NotPlainFile) as refused:
            open_beneath(root, "run_a", name)
        assert refused.value.kind == kind


def test_a_device_is_refused_without_being_opened() -> None:
    """Case 28: opening some devices already does something."""
    with pytest.raises(NotPlainFile) as refused:
        open_beneath(Path("/dev"), "zero")
    assert refused.value.kind == "a device"


def test_what_was_opened_is_checked_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 77: the file is swapped between the check and the opening."""
    victim = root / "run_a" / "events.jsonl"
    innocent = victim.lstat()
    victim.unlink()
    os.mkfifo(victim)
    monkeypatch.setattr(os, "stat", lambda *_args, **_kwargs: innocent)
    with pytest.raises(NotPlainFile, match=r"a pipe, not a plain file: 'events\.jsonl'"):
        open_beneath(root, "run_a", "events.jsonl")


def test_a_link_swapped_in_after_the_check_is_not_followed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 77."""
    victim = root / "run_a" / "events.jsonl"
    innocent = victim.lstat()
    victim.unlink()
    victim.symlink_to(root.parent / "secret")
    monkeypatch.setattr(os, "stat", lambda *_args, **_kwargs: innocent)
    with pytest.raises(OSError):
        open_beneath(root, "run_a", "events.jsonl")


def test_a_refusal_leaves_no_descriptor_open(root: Path) -> None:
    os.mkfifo(root / "run_a" / "pipe")
    before = open_descriptors()
    for name in ("pipe", "absent"):
        with pytest.raises(OSError):
            open_beneath(root, "run_a", name)
    with pytest.raises(OSError):
        open_beneath(root, "absent", "events.jsonl")
    list(entries_beneath(root, "run_a"))
    assert open_descriptors() == before


def test_entries_of_a_linked_directory_are_not_listed(root: Path) -> None:
    (root / "run_b").symlink_to(root / "run_a")
    assert {entry.name for entry in entries_beneath(root)} == {"run_a", "run_b"}
    with pytest.raises(OSError):
        list(entries_beneath(root, "run_b"))


def test_a_directory_that_is_open_opens_what_is_in_it_and_nothing_else(root: Path) -> None:
    (root / "link").symlink_to(root / "run_a")
    fd = open_directory(root)
    inner = open_directory_at(fd, "run_a")
    try:
        assert read_at(inner, "events.jsonl", 100) == b"inside"
        assert read_at(inner, "events.jsonl", 6) == b"inside"
        assert read_at(inner, "events.jsonl", 3) == b"insi", "one byte more tells that it is larger"
        for name in ("link", "absent"):
            with pytest.raises(OSError):
                open_directory_at(fd, name)
        with pytest.raises(BadName):
            open_directory_at(fd, "..")
        with pytest.raises(BadName):
            read_at(inner, "../../secret", 100)
        with pytest.raises(NotPlainFile):
            read_at(fd, "run_a", 100)
    finally:
        os.close(inner)
        os.close(fd)


def test_half_a_surrogate_pair_is_no_name_and_a_byte_that_is_no_utf8_is_one(root: Path) -> None:
    """Case 61."""
    with pytest.raises(BadName, match="not a plain name: '\\\\ud83c'"):
        check_name("\ud83c")
    assert check_name("\udcff") == "\udcff"
    assert check_name("é") == "é"


def test_a_refusal_says_what_stands_there(root: Path) -> None:
    with pytest.raises(NotPlainFile) as refused:
        open_beneath(root, "run_a")
    assert refused.value.errno == errno.EINVAL
    assert refused.value.strerror == "a directory, not a plain file"
    assert refused.value.filename == "run_a"


def test_a_link_is_looked_at_and_not_followed(root: Path) -> None:
    """Case 76."""
    (root / "run_a" / "link").symlink_to(root.parent / "secret")
    assert stat.S_ISLNK(stat_beneath(root, "run_a", "link").st_mode)


def test_a_file_is_found_however_deep_it_lies(root: Path) -> None:
    (root / "run_a" / "artifacts").mkdir()
    (root / "run_a" / "artifacts" / "plan.md").write_bytes(b"deeper")
    assert read(root, "run_a", "artifacts", "plan.md") == b"deeper"
    assert stat_beneath(root, "run_a", "artifacts", "plan.md").st_size == 6
    assert [entry.name for entry in entries_beneath(root, "run_a", "artifacts")] == ["plan.md"]


def test_a_kind_of_file_that_nobody_knows_is_none_to_open(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "stat", lambda *_args, **_kwargs: os.stat_result([0] * 10))
    with pytest.raises(NotPlainFile) as refused:
        open_beneath(root, "run_a", "events.jsonl")
    assert refused.value.kind == "something unknown"
