"""Files and directories that only their owner may touch, whole or not at all, and the lock among them."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from buddy_core.errors import RunLocked, StoreUnavailable
from buddy_core.runs.writing import lock
from buddy_core.runs.writing.eventlog import EventLog
from buddy_core.runs.writing.files import (
    NotPrivate,
    close_quietly,
    demand_private,
    make_directory,
    open_private,
    open_root,
    replace_file,
    retried,
    write_all,
)
from buddy_core.runs.writing.lock import LOCK_NAME, RunLock


@pytest.fixture
def dir_fd(tmp_path: Path) -> Iterator[int]:
    tmp_path.chmod(0o700)
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    assert open_below(tmp_path) == [str(tmp_path)], "a descriptor was left open"
    os.close(fd)


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    old = os.umask(request.param)
    yield request.param
    os.umask(old)


def open_below(root: Path) -> list[str]:
    """What the descriptors of this process lead to, in and below `root`; others belong to other tests."""
    found: list[str] = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one of this very listing
            found.append(str(link.readlink()))
    return [path for path in found if path.startswith(str(root))]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def refusing(number: int, times: int = 1_000, call: Callable[..., Any] = os.write) -> Callable[..., Any]:
    """A system call that fails so many times, and then does what `call` does."""
    left = [times]

    def called(*args: Any, **kwargs: Any) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise OSError(number, os.strerror(number))
        return call(*args, **kwargs)

    return called


class TestModes:
    """Case 80 and promise C11: whatever the umask says."""

    def test_files_are_0600(self, tmp_path: Path, dir_fd: int, umask: int) -> None:
        os.close(open_private("log", os.O_RDWR, dir_fd=dir_fd))
        os.close(replace_file("a.json", b"{}", dir_fd=dir_fd))
        assert (mode(tmp_path / "log"), mode(tmp_path / "a.json")) == (0o600, 0o600)

    def test_directories_are_0700(self, tmp_path: Path, dir_fd: int, umask: int) -> None:
        os.close(make_directory("run", dir_fd=dir_fd))
        os.close(open_root(tmp_path / "a" / "b"))
        assert [mode(tmp_path / name) for name in ("run", "a", "a/b")] == [0o700] * 3

    def test_a_file_that_was_too_open_is_closed(self, tmp_path: Path, dir_fd: int) -> None:
        (tmp_path / "log").write_bytes(b"")
        (tmp_path / "log").chmod(0o644)
        os.close(open_private("log", os.O_RDWR, dir_fd=dir_fd))
        assert mode(tmp_path / "log") == 0o600

    def test_a_file_system_without_modes_is_no_hindrance(
        self, tmp_path: Path, dir_fd: int, umask: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "fchmod", refusing(errno.EPERM))
        if umask != 0o777 or os.geteuid() == 0:
            os.close(replace_file("a.json", b"{}", dir_fd=dir_fd))
            assert (tmp_path / "a.json").exists()

    def test_they_are_from_their_first_moment_what_they_stay(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody else opens them before the mode is looked at."""
        monkeypatch.setattr(os, "fchmod", refusing(errno.EPERM))
        made: dict[str, int] = {}
        monkeypatch.setattr(os, "chmod", lambda path, _mode: made.update({path.name: mode(path)}))
        old = os.umask(0)
        try:
            os.close(make_directory("run", dir_fd=dir_fd))
            os.close(open_root(tmp_path / "a" / "b"))
            for name in ("fresh.json", "left.json"):
                (tmp_path / ".left.json.tmp").write_bytes(b"")
                os.close(replace_file(name, b"{}", dir_fd=dir_fd))
            os.close(open_private("log", os.O_RDWR, dir_fd=dir_fd))
        finally:
            os.umask(old)
        assert made == {"a": 0o700, "b": 0o700}
        assert mode(tmp_path / "run") == 0o700
        assert [mode(tmp_path / name) for name in ("fresh.json", "left.json", "log")] == [0o600] * 3

    def test_a_disk_that_fails_there_is_one_and_leaves_no_descriptor(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "fchmod", refusing(errno.EIO))
        old = os.umask(0o277)
        try:
            with pytest.raises(OSError, match="Input/output"):
                replace_file("a.json", b"{}", dir_fd=dir_fd)
            with pytest.raises(OSError, match="Input/output"):
                open_private("log", os.O_RDWR, dir_fd=dir_fd)
            with pytest.raises(OSError, match="Input/output"):
                make_directory("run", dir_fd=dir_fd)
        finally:
            os.umask(old)


class TestWhoseItIs:
    """Case 78: nothing is written into what somebody else could have planted."""

    def test_a_second_name_is_refused(self, tmp_path: Path, dir_fd: int) -> None:
        (tmp_path / "secret").write_bytes(b"x")
        (tmp_path / "log").hardlink_to(tmp_path / "secret")
        with pytest.raises(NotPrivate) as refused:
            open_private("log", os.O_RDWR, dir_fd=dir_fd)
        assert refused.value.strerror == "the file has a second name (a hard link)"

    def test_what_everybody_may_write_to_is_refused(self, tmp_path: Path, dir_fd: int) -> None:
        (tmp_path / "log").write_bytes(b"x")
        (tmp_path / "log").chmod(0o602)
        with pytest.raises(NotPrivate, match="chmod o-w"):
            open_private("log", os.O_RDWR, dir_fd=dir_fd)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    def test_what_belongs_to_another_is_refused(self, tmp_path: Path, dir_fd: int) -> None:
        (tmp_path / "log").write_bytes(b"x")
        os.chown(tmp_path / "log", 65_534, -1)
        with pytest.raises(NotPrivate) as refused:
            open_private("log", os.O_RDWR, dir_fd=dir_fd)
        assert refused.value.strerror == "it belongs to another user (65534)"

    def test_a_group_may_write_where_a_person_lets_it(self, tmp_path: Path, dir_fd: int) -> None:
        tmp_path.chmod(0o770)
        demand_private(dir_fd)

    def test_a_directory_may_have_any_number_of_names_and_is_no_file(
        self, tmp_path: Path, dir_fd: int
    ) -> None:
        (tmp_path / "inner").mkdir()
        demand_private(dir_fd)
        with pytest.raises(NotPrivate) as refused:
            demand_private(dir_fd, plain_file=True)
        assert refused.value.strerror == "what stands there is not a plain file"

    @pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY, os.O_RDWR])
    def test_a_pipe_is_refused_without_waiting_for_its_other_end(
        self, tmp_path: Path, dir_fd: int, flags: int
    ) -> None:
        """Case 28."""
        os.mkfifo(tmp_path / "log")
        with pytest.raises(OSError, match=r"not a plain file|No such device"):
            open_private("log", flags, dir_fd=dir_fd)

    def test_a_runs_directory_says_what_is_wrong_with_it(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o707)
        with pytest.raises(StoreUnavailable, match=f"below {tmp_path}: everybody may write"):
            open_root(tmp_path)
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(StoreUnavailable, match="Not a directory"):
            open_root(tmp_path / "file")


class TestReplacing:
    """Cases 14 and 15."""

    def test_the_new_file_stands_in_the_place_of_the_old_and_nothing_else_is_left(
        self, tmp_path: Path, dir_fd: int
    ) -> None:
        (tmp_path / "a.json").write_bytes(b"old")
        fd = replace_file("a.json", b"new", dir_fd=dir_fd)
        assert (tmp_path / "a.json").read_bytes() == b"new"
        assert os.fstat(fd).st_ino == (tmp_path / "a.json").stat().st_ino
        assert not os.get_inheritable(fd)
        os.close(fd)
        assert os.listdir(tmp_path) == ["a.json"]  # noqa: PTH208

    def test_what_a_crash_left_is_written_anew(self, tmp_path: Path, dir_fd: int) -> None:
        (tmp_path / ".a.json.tmp").write_bytes(b"half a file, and longer")
        os.close(replace_file("a.json", b"new", dir_fd=dir_fd))
        assert (tmp_path / "a.json").read_bytes() == b"new"
        assert not (tmp_path / ".a.json.tmp").exists()

    def test_a_link_that_waits_there_is_not_followed(self, tmp_path: Path, dir_fd: int) -> None:
        """Case 76."""
        (tmp_path / "victim").write_bytes(b"kept")
        (tmp_path / ".a.json.tmp").symlink_to(tmp_path / "victim")
        os.close(replace_file("a.json", b"new", dir_fd=dir_fd))
        assert (tmp_path / "victim").read_bytes() == b"kept"
        assert not (tmp_path / "a.json").is_symlink()

    @pytest.mark.parametrize("call", ["write", "rename"])
    def test_a_failure_leaves_the_old_file_and_no_other(
        self, tmp_path: Path, dir_fd: int, call: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.json").write_bytes(b"old")
        monkeypatch.setattr(os, call, refusing(errno.ENOSPC))
        with pytest.raises(OSError, match="No space"):
            replace_file("a.json", b"new", dir_fd=dir_fd)
        assert (tmp_path / "a.json").read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["a.json"]  # noqa: PTH208

    def test_a_directory_that_cannot_be_opened_is_taken_back(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "open", refusing(errno.EMFILE))
        with pytest.raises(OSError, match="Too many open"):
            make_directory("run", dir_fd=dir_fd)
        monkeypatch.undo()
        assert not (tmp_path / "run").exists()

    def test_what_cannot_be_taken_back_either_hides_no_error(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "rename", refusing(errno.ENOSPC))
        monkeypatch.setattr(os, "unlink", refusing(errno.EIO))
        with pytest.raises(OSError, match="No space"):
            replace_file("a.json", b"new", dir_fd=dir_fd)
        monkeypatch.setattr(os, "open", refusing(errno.EMFILE))
        monkeypatch.setattr(os, "rmdir", refusing(errno.EIO))
        with pytest.raises(OSError, match="Too many open"):
            make_directory("run", dir_fd=dir_fd)

    def test_a_directory_that_another_process_makes_at_the_same_moment_is_used(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "runs").mkdir(0o700)
        exists = Path.exists
        monkeypatch.setattr(Path, "exists", lambda path: path.name != "runs" and exists(path))
        os.close(open_root(tmp_path / "runs"))

    def test_a_directory_that_exists_is_never_adopted(self, tmp_path: Path, dir_fd: int) -> None:
        """Case 12."""
        (tmp_path / "run").mkdir()
        with pytest.raises(FileExistsError):
            make_directory("run", dir_fd=dir_fd)
        assert (tmp_path / "run").exists()


class TestStubbornCalls:
    """Cases 4, 5 and 8."""

    @pytest.mark.parametrize("number", [errno.EINTR, errno.EAGAIN])
    def test_an_interruption_is_not_noticed(self, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
        slept: list[float] = []
        monkeypatch.setattr(time, "sleep", slept.append)
        assert retried(refusing(number, 4, call=lambda: "done")) == "done"
        assert slept == [0.0002] * 4
        assert retried(refusing(number, 4, call=lambda *a, **k: (a, k)), 1, b=2) == ((1,), {"b": 2})
        with pytest.raises(OSError, match=os.strerror(number)):
            retried(refusing(number, 5, call=lambda: "done"))

    def test_any_other_error_is_one_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(OSError, match="Input/output"):
            retried(refusing(errno.EIO, 1, call=lambda: "done"))

    def test_every_byte_is_written_however_few_the_disk_takes_at_once(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = os.write
        monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data)[:3]))
        fd = open_private("log", os.O_RDWR, dir_fd=dir_fd)
        write_all(fd, b"0123456789")
        os.close(fd)
        assert (tmp_path / "log").read_bytes() == b"0123456789"

    def test_a_disk_that_takes_nothing_and_says_so_politely_is_full(
        self, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = EventLog(dir_fd)
        monkeypatch.setattr(os, "write", lambda _fd, _data: 0)
        with pytest.raises(OSError, match=r"^the disk takes no more bytes$"):
            write_all(-1, b"x")
        assert not log.append(b"{}\n")
        assert log.error is not None
        assert (log.error.errno, log.error.strerror) == (errno.ENOSPC, "the disk takes no more bytes")
        log.close()

    def test_an_event_log_that_could_not_be_written_at_once_is_written_a_moment_later(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 8: nothing of the line is there, so all of it is written, once."""
        log = EventLog(dir_fd)
        assert log.append(b'{"n":1}\n')
        monkeypatch.setattr(os, "write", refusing(errno.EAGAIN, 2))
        assert log.append(b'{"n":2}\n')
        assert log.append(b'{"n":3}\n')
        log.close()
        assert (tmp_path / "events.jsonl").read_bytes() == b'{"n":1}\n{"n":2}\n{"n":3}\n'

    def test_closing_never_raises(self) -> None:
        close_quietly(-1)


class TestTheLock:
    def test_a_file_system_without_locks_is_an_error_and_leaves_nothing_open(
        self, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fcntl, "flock", refusing(errno.ENOLCK))
        with pytest.raises(OSError, match="No locks"):
            RunLock(dir_fd)

    def test_a_holder_is_asked_five_times_in_two_milliseconds(
        self, tmp_path: Path, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 11 and promise C3."""
        asked: list[int] = []
        slept: list[float] = []

        def held(_fd: int, how: int) -> None:
            asked.append(how)
            raise BlockingIOError

        monkeypatch.setattr(fcntl, "flock", held)
        monkeypatch.setattr(time, "sleep", slept.append)
        with pytest.raises(RunLocked, match=r"^another process is writing this run$"):
            RunLock(dir_fd)
        assert asked == [fcntl.LOCK_EX | fcntl.LOCK_NB] * 5
        assert slept == [0.0005] * 4
        assert mode(tmp_path / LOCK_NAME) == 0o600

    def test_a_lock_is_let_go_of_once_whatever_its_number(
        self, dir_fd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held = RunLock(dir_fd)
        held.release()
        closed: list[int] = []
        monkeypatch.setattr(lock, "close_quietly", closed.append)
        held.release()
        assert closed == []
        held._fd = 0  # as it is in a host that has closed its standard input
        held.release()
        assert closed == [0]
