"""Notifiers tell where to look, and say so when they cannot (cases 32 to 34)."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sys
from pathlib import Path

import pytest

from buddy_core.runs.watching import notify
from buddy_core.runs.watching.mounts import filesystem_type, silent_filesystem
from buddy_core.runs.watching.notify import (
    InotifyNotifier,
    Notifier,
    PollingNotifier,
    WatchfilesNotifier,
    make_notifier,
    refusal,
)

LONG_S = 20.0

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux only")


async def hints_until(notifier: Notifier, path: Path) -> set[Path]:
    """All hints up to the one for `path`."""
    hints: set[Path] = set()
    async with asyncio.timeout(LONG_S):
        while path not in hints:
            hints |= await notifier.wait(LONG_S)
    return hints


@linux
async def test_inotify_names_the_directory_in_which_something_happened(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    notifier = InotifyNotifier()
    notifier.watch(tmp_path / "a")
    notifier.watch(tmp_path / "b")
    (tmp_path / "a" / "file").write_bytes(b"x")
    assert await hints_until(notifier, tmp_path / "a") == {tmp_path / "a"}
    (tmp_path / "b" / "file").write_bytes(b"x")
    assert await hints_until(notifier, tmp_path / "b") == {tmp_path / "b"}
    assert await notifier.wait(0) == set()
    notifier.close()


@linux
async def test_inotify_does_not_follow_a_link_and_does_not_watch_a_file(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "directory")
    (tmp_path / "file").touch()
    notifier = InotifyNotifier()
    for name in ("link", "file", "absent"):
        with pytest.raises(OSError):
            notifier.watch(tmp_path / name)
    notifier.close()


@linux
async def test_a_watched_directory_that_is_removed_is_named_and_may_be_watched_again(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.mkdir()
    notifier = InotifyNotifier()
    notifier.watch(place)
    shutil.rmtree(place)
    await hints_until(notifier, place)
    notifier.unwatch(place)
    place.mkdir()
    notifier.watch(place)
    (place / "file").touch()
    await hints_until(notifier, place)
    notifier.close()


@linux
async def test_a_directory_no_longer_watched_is_not_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    notifier = InotifyNotifier()
    notifier.watch(tmp_path / "a")
    notifier.watch(tmp_path / "b")
    notifier.unwatch(tmp_path / "a")
    notifier.unwatch(tmp_path / "unknown")
    (tmp_path / "a" / "file").touch()
    (tmp_path / "b" / "file").touch()
    assert await hints_until(notifier, tmp_path / "b") == {tmp_path / "b"}
    notifier.close()


@linux
async def test_when_the_kernels_queue_runs_over_all_directories_are_named(tmp_path: Path) -> None:
    """Case 33: what the overflow swallowed is found by looking everywhere."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text(encoding="ascii"))
    if limit > 100_000:
        pytest.skip(f"the queue holds {limit} events")
    busy, quiet = tmp_path / "busy", tmp_path / "quiet"
    busy.mkdir()
    quiet.mkdir()
    notifier = InotifyNotifier()
    notifier.watch(busy)
    notifier.watch(quiet)
    files = [os.open(busy / name, os.O_WRONLY | os.O_CREAT) for name in ("one", "two")]
    for number in range(limit + 10):  # in turns: equal events that follow each other are merged
        os.write(files[number % 2], b"x")
    for fd in files:
        os.close(fd)
    (quiet / "swallowed").touch()
    assert await hints_until(notifier, quiet) == {busy, quiet}
    notifier.close()


@linux
async def test_a_cancelled_wait_loses_no_hint(tmp_path: Path) -> None:
    notifier = InotifyNotifier()
    notifier.watch(tmp_path)
    waiting = asyncio.create_task(notifier.wait(LONG_S))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    (tmp_path / "file").touch()
    assert await notifier.wait(LONG_S) == {tmp_path}
    notifier.close()


async def test_polling_names_everything_it_watches_and_waits_no_longer_than_asked(tmp_path: Path) -> None:
    notifier = PollingNotifier(interval_s=0)
    notifier.watch(tmp_path)
    notifier.watch(tmp_path / "a")
    notifier.unwatch(tmp_path / "a")
    assert await notifier.wait(LONG_S) == {tmp_path}
    notifier = PollingNotifier(interval_s=LONG_S)
    assert await notifier.wait(0) == set()
    notifier.close()


async def test_watchfiles_names_the_nearest_directory_that_is_watched(tmp_path: Path) -> None:
    """The notifier of macOS; the package works here too."""
    pytest.importorskip("watchfiles")
    root = tmp_path / "runs"
    (root / "a").mkdir(parents=True)
    notifier = WatchfilesNotifier()
    notifier.watch(root)
    notifier.watch(root / "a")
    try:
        hints: set[Path] = set()
        async with asyncio.timeout(LONG_S):
            while root / "a" not in hints:  # the watch begins some time after the wait does
                (root / "a" / "file").write_bytes(b"x")
                hints |= await notifier.wait(0.2)
            while root not in hints:
                (root / "b").mkdir(exist_ok=True)
                (root / "b" / "file").write_bytes(b"x")
                hints |= await notifier.wait(0.2)
    finally:
        task = notifier._task
        notifier.close()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)


async def test_watchfiles_waits_for_a_root_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    notifier = WatchfilesNotifier()
    assert await notifier.wait(0) == set()
    notifier.watch(tmp_path / "absent")
    task = None
    while task is None or not task.done():
        assert await notifier.wait(0) == set()
        task = task or notifier._task
    assert task.exception() is None
    notifier.unwatch(tmp_path / "absent")
    notifier.close()


@linux
def test_on_a_local_file_system_inotify_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "silent_filesystem", lambda _path: None)
    notifier, mode, reason = make_notifier(tmp_path)
    assert isinstance(notifier, InotifyNotifier)
    assert (mode, reason) == ("notify", "")
    notifier.close()


def test_on_a_network_file_system_it_polls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 34."""
    monkeypatch.setattr(notify, "silent_filesystem", lambda _path: "nfs4")
    notifier, mode, reason = make_notifier(tmp_path)
    assert isinstance(notifier, PollingNotifier)
    assert (mode, reason) == ("polling", "nfs4 does not tell of changes")


@linux
def test_without_an_inotify_instance_left_it_polls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 32: fs.inotify.max_user_instances."""

    def refuse() -> InotifyNotifier:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(notify, "silent_filesystem", lambda _path: None)
    monkeypatch.setattr(notify, "InotifyNotifier", refuse)
    notifier, mode, reason = make_notifier(tmp_path)
    assert isinstance(notifier, PollingNotifier)
    assert (mode, reason) == ("polling", "no inotify instances left (fs.inotify.max_user_instances)")


def test_any_other_refusal_has_words_too() -> None:
    assert (
        refusal(ImportError()) == refusal(OSError(errno.ENOSYS, "")) == "notifications are not available here"
    )


MOUNTS = r"""22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:21 / /home rw shared:7 master:2 - nfs4 server:/home rw
24 23 0:22 / /home/dev/my\040runs rw - fuse.sshfs host:/ rw
25 23 0:23 / /home/dev/local rw - btrfs /dev/vdb rw
rubbish
26 23 0:24 / /home/dev/local - rw
"""


@pytest.mark.parametrize(
    ("path", "kind", "silent"),
    [
        ("/var/runs", "ext4", None),
        ("/", "ext4", None),
        ("/homestead", "ext4", None),
        ("/home", "nfs4", "nfs4"),
        ("/home/dev/x", "nfs4", "nfs4"),
        ("/home/dev/my runs/x", "fuse.sshfs", "fuse.sshfs"),
        ("/home/dev/local/x/y", "rw", None),
    ],
)
def test_the_file_system_of_a_path_is_that_of_the_mount_nearest_to_it(
    tmp_path: Path, path: str, kind: str, silent: str | None
) -> None:
    """Case 34: the last of several mounts on one place is the one that is seen."""
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS, encoding="utf-8")
    assert filesystem_type(Path(path), table) == kind
    assert silent_filesystem(Path(path), table) == silent


def test_without_a_table_of_mounts_nothing_is_known(tmp_path: Path) -> None:
    assert silent_filesystem(tmp_path, tmp_path / "absent") is None


@pytest.mark.parametrize("turns", range(4))
async def test_a_cancellation_that_comes_with_a_hint_is_never_swallowed(turns: int) -> None:
    """Who stops a watch while files change is not made to wait for one more change."""
    notifier = WatchfilesNotifier()
    waiting = asyncio.create_task(notifier.wait(30))
    await asyncio.sleep(0)
    notifier._changed.set()
    for _ in range(turns):
        await asyncio.sleep(0)

    if waiting.cancel():
        with pytest.raises(asyncio.CancelledError):
            await waiting
    notifier.close()
