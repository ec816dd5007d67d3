"""Watching a directory of runs: hints may be lost, what they hint at may not (cases 32 to 34, 37, 38, 61, 76)."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock
from buddy_core.runs.watching.census import Census
from buddy_core.runs.watching.notify import Notifier, PollingNotifier
from buddy_core.runs.watching.watch import SLICE, DirectoryChange, RunsWatch

NEVER_MS = 3_600_000.0
"""A sweep that does not come in a test: what is seen was notified."""

needs_inotify = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux only")


def run_id(number: int) -> str:
    return f"run_mk{number:06d}_aaaaaa"


def make_run(root: Path, number: int, events: bytes = b"{}\n") -> str:
    (root / run_id(number)).mkdir(parents=True)
    (root / run_id(number) / "events.jsonl").write_bytes(events)
    return run_id(number)


def append(root: Path, run: str, data: bytes = b"{}\n") -> None:
    with (root / run / "events.jsonl").open("ab") as file:
        file.write(data)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A runs directory that does not exist yet."""
    return tmp_path / "runs"


class SilentNotifier(PollingNotifier):
    """Never tells anything: each wait ends by its timeout, at once."""

    def __init__(self) -> None:
        super().__init__()
        self.timeouts: list[float] = []

    async def wait(self, timeout_s: float) -> set[Path]:
        self.timeouts.append(timeout_s)
        await asyncio.sleep(0)
        return set()


class RefusingNotifier(SilentNotifier):
    """Has watches left for a number of directories only."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def watch(self, path: Path) -> None:
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.left -= 1


@asynccontextmanager
async def watching(watch: RunsWatch) -> AsyncIterator[Callable[[], asyncio.Future[DirectoryChange]]]:
    """Gives a function that waits for the next change."""
    changes = watch.changes()

    def following() -> asyncio.Future[DirectoryChange]:
        return asyncio.ensure_future(asyncio.wait_for(anext(changes), 20))

    try:
        yield following
    finally:
        await changes.aclose()
        await watch.aclose()


def test_the_first_scan_tells_every_run_newest_first(root: Path) -> None:
    for number in (2, 9, 1):
        make_run(root, number)
    (root / "run_zz_aaaaaa").mkdir()
    assert RunsWatch(root).scan() == DirectoryChange(added=(run_id(9), run_id(2), run_id(1), "run_zz_aaaaaa"))


def test_a_second_scan_tells_only_what_changed(root: Path) -> None:
    first, second, third = (make_run(root, number) for number in range(3))
    watch = RunsWatch(root)
    watch.scan()
    assert watch.scan().empty
    append(root, second)
    shutil.rmtree(root / third)
    fourth = make_run(root, 4)
    assert watch.scan() == DirectoryChange(added=(fourth,), removed=(third,), touched=frozenset({second}))
    assert first not in watch.scan().touched


def test_names_that_are_no_run_ids_are_counted_and_never_opened(root: Path) -> None:
    """Case 61: names as carriers of escapes, and bytes that are no UTF-8."""
    make_run(root, 1)
    for name in (b"run_\xff\x1b]0;x\x07", b"run_", b"run_MK_aaaaaa", b"run_mk000001_aaaaaa "):
        Path(os.fsdecode(os.fsencode(root) + b"/" + name)).mkdir()
    (root / "artifact-index.sqlite").touch()
    (root / "not-a-run").mkdir()
    watch = RunsWatch(root)
    assert watch.scan().added == (run_id(1),)
    assert watch.rejected == 4


def test_a_linked_run_and_a_file_called_like_a_run_are_no_runs(root: Path, tmp_path: Path) -> None:
    """Case 76."""
    make_run(root, 1)
    make_run(tmp_path / "elsewhere", 2)
    (root / run_id(2)).symlink_to(tmp_path / "elsewhere" / run_id(2))
    (root / run_id(3)).touch()
    watch = RunsWatch(root)
    assert watch.scan().added == (run_id(1),)
    assert watch.rejected == 2


def test_the_users_own_link_to_the_runs_directory_is_followed(root: Path, tmp_path: Path) -> None:
    """Case 76."""
    make_run(root, 1)
    (tmp_path / "link").symlink_to(root)
    assert RunsWatch(tmp_path / "link").scan().added == (run_id(1),)


def test_a_directory_that_cannot_be_listed_is_a_problem_in_words(tmp_path: Path) -> None:
    assert RunsWatch(tmp_path / "absent").scan().problem == "the runs directory does not exist yet"
    (tmp_path / "file").touch()
    problem = RunsWatch(tmp_path / "file").scan().problem
    assert problem == "the runs directory cannot be read: is not a directory"


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE])
def test_runs_that_were_seen_are_kept_while_the_directory_cannot_be_read(
    root: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Cases 36 and 37: what cannot be listed at the moment is not gone."""
    make_run(root, 1)
    watch = RunsWatch(root)
    watch.scan()
    real = os.open

    def refuse(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == ".":
            raise OSError(code, os.strerror(code))
        return real(str(path), flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)
    change = watch.scan()
    words = f"the runs directory cannot be read: {os.strerror(code).lower()}"
    assert (change.removed, change.problem) == ((), words)
    monkeypatch.undo()
    assert watch.scan().problem is None


async def test_a_directory_that_does_not_exist_yet_is_waited_for(root: Path) -> None:
    async with watching(RunsWatch(root, notifier=SilentNotifier())) as following:
        assert (await following()).problem == "the runs directory does not exist yet"
        make_run(root, 1)
        assert await following() == DirectoryChange(added=(run_id(1),))


async def test_a_directory_removed_and_created_again_is_followed_on(root: Path) -> None:
    make_run(root, 1)
    async with watching(RunsWatch(root, sweep_ms=5)) as following:
        await following()
        shutil.rmtree(root)
        change = await following()
        while not change.removed or not change.problem:
            change = await following()
        assert change.removed == (run_id(1),)
        make_run(root, 2)
        change = await following()
        while not change.added:
            change = await following()
        assert (change.added, change.problem) == ((run_id(2),), None)
        append(root, run_id(2))
        assert run_id(2) in (await following()).touched


async def test_without_any_notification_a_sweep_finds_everything(root: Path, tmp_path: Path) -> None:
    """Case 34: a network home."""
    live, quiet = make_run(root, 1), make_run(root, 2)
    extra = tmp_path / "turn-metrics.jsonl"
    watch = RunsWatch(root, extra_file=extra, notifier=SilentNotifier())
    watch.scan()
    watch.attend([live])
    async with watching(watch) as following:
        append(root, live)
        assert await following() == DirectoryChange(touched=frozenset({live}))
        append(root, quiet)
        assert await following() == DirectoryChange(touched=frozenset({quiet}))
        extra.write_bytes(b"{}\n")
        assert await following() == DirectoryChange(extra=True)
        make_run(root, 3)
        assert await following() == DirectoryChange(added=(run_id(3),))
        (root / live / "summary.json").write_bytes(b"{}")
        assert await following() == DirectoryChange(touched=frozenset({live}))
        shutil.rmtree(root / live)
        change = await following()
        while not change.removed:
            change = await following()
        assert change.removed == (live,)
        extra.unlink()
        assert await following() == DirectoryChange(extra=True)


async def test_a_change_of_the_same_size_is_seen(root: Path) -> None:
    """Case 24: sizes are not all."""
    run = make_run(root, 1, b"{}\n")
    watch = RunsWatch(root, notifier=SilentNotifier())
    watch.scan()
    replacement = root.parent / "replacement"
    replacement.write_bytes(b"[]\n")
    async with watching(watch) as following:
        replacement.replace(root / run / "events.jsonl")
        assert await following() == DirectoryChange(touched=frozenset({run}))


async def test_a_run_replaced_by_one_of_the_same_name_is_seen(root: Path) -> None:
    """Case 26."""
    run = make_run(root, 1)
    watch = RunsWatch(root, notifier=SilentNotifier())
    watch.scan()
    (root / run).rename(root.parent / "moved")
    make_run(root, 1)
    async with watching(watch) as following:
        assert await following() == DirectoryChange(touched=frozenset({run}))


async def test_what_happens_between_the_scan_and_the_watch_is_not_lost(root: Path) -> None:
    run = make_run(root, 1)
    watch = RunsWatch(root, sweep_ms=NEVER_MS)
    watch.scan()
    watch.attend([run])
    append(root, run)
    make_run(root, 2)
    async with watching(watch) as following:
        assert await following() == DirectoryChange(added=(run_id(2),), touched=frozenset({run}))


async def test_what_happens_just_before_a_run_is_watched_is_not_lost(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Racing(SilentNotifier):
        def watch(self, path: Path) -> None:
            if path.parent == root:
                append(root, path.name)

        async def wait(self, timeout_s: float) -> set[Path]:
            return await asyncio.get_running_loop().create_future()

    run = make_run(root, 1)
    monkeypatch.setattr(
        "buddy_core.runs.watching.watch.make_notifier", lambda _path: (Racing(), "notify", "")
    )
    watch = RunsWatch(root)
    watch.scan()
    watch.attend([run])
    async with watching(watch) as following:
        assert await following() == DirectoryChange(touched=frozenset({run}))


@needs_inotify
async def test_growth_of_an_attended_run_is_notified(root: Path) -> None:
    run, other = make_run(root, 1), make_run(root, 2)
    watch = RunsWatch(root, sweep_ms=NEVER_MS)
    async with watching(watch) as following:
        assert (await following()).added == (other, run)
        watch.attend([run])
        append(root, run)
        assert await following() == DirectoryChange(touched=frozenset({run}))
        watch.attend([other])
        append(root, other)
        assert await following() == DirectoryChange(touched=frozenset({other}))
        assert (watch.mode, watch.mode_reason) == ("notify", "")


@needs_inotify
async def test_a_new_run_is_notified_and_attended_at_once(root: Path) -> None:
    root.mkdir()
    watch = RunsWatch(root, sweep_ms=NEVER_MS)
    watch.scan()
    async with watching(watch) as following:
        waiting = following()
        (root / run_id(1)).mkdir()
        assert (await waiting).added == (run_id(1),)
        (root / run_id(1) / "events.jsonl").write_bytes(b"{}\n")
        assert await following() == DirectoryChange(touched=frozenset({run_id(1)}))
        shutil.rmtree(root / run_id(1))
        change = await following()
        while not change.removed:
            change = await following()
        assert change.removed == (run_id(1),)


@needs_inotify
async def test_the_extra_file_is_notified(root: Path, tmp_path: Path) -> None:
    make_run(root, 1)
    extra = tmp_path / "turn-metrics.jsonl"
    async with watching(RunsWatch(root, extra_file=extra, sweep_ms=NEVER_MS)) as following:
        await following()
        waiting = following()
        extra.write_bytes(b"{}\n")
        assert await waiting == DirectoryChange(extra=True)


@pytest.mark.parametrize("left", [0, 1])
async def test_when_no_watches_are_left_it_polls_and_says_why(root: Path, left: int) -> None:
    """Case 32: fs.inotify.max_user_watches, at the directory itself or at one of its runs."""
    run = make_run(root, 1)
    watch = RunsWatch(root, notifier=RefusingNotifier(left), sweep_ms=1)
    watch.scan()
    watch.attend([run])
    async with watching(watch) as following:
        waiting = following()
        while watch.mode != "polling":
            await asyncio.sleep(0)
        append(root, run)
        assert await waiting == DirectoryChange(touched=frozenset({run}))
        assert watch.mode_reason == "no inotify watches left (fs.inotify.max_user_watches)"


async def test_a_directory_that_cannot_be_watched_for_another_reason_is_left_to_the_sweep(root: Path) -> None:
    class Shy(SilentNotifier):
        def watch(self, path: Path) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

    run = make_run(root, 1)
    watch = RunsWatch(root, notifier=Shy())
    async with watching(watch) as following:
        await following()
        append(root, run)
        assert await following() == DirectoryChange(touched=frozenset({run}))
        assert watch.mode == "notify"


async def test_while_nothing_happens_it_looks_once_a_sweep_and_tells_nothing(root: Path) -> None:
    """Idle costs next to nothing: no wait is shorter than a sweep."""
    for number in range(5):
        make_run(root, number)
    notifier = SilentNotifier()
    watch = RunsWatch(root, notifier=notifier, sweep_ms=1000, clock=ManualClock())
    watch.scan()
    async with watching(watch) as following:
        waiting = following()
        while len(notifier.timeouts) < 20:
            await asyncio.sleep(0)
        assert not waiting.done()
        assert set(notifier.timeouts) == {1.0}
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_changes_end_when_the_watch_is_closed(root: Path) -> None:
    make_run(root, 1)
    watch = RunsWatch(root, notifier=SilentNotifier())
    changes = watch.changes()
    await anext(changes)
    await watch.aclose()
    assert [change async for change in changes] == []


def test_runs_nobody_attends_are_looked_at_a_slice_at_a_time(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 38: many runs cost no more than a few."""
    for number in range(3 * SLICE):
        make_run(root, number)
    census = Census(root)
    census.attend()
    looked: list[str] = []
    real = os.lstat

    def lstat(path: str) -> os.stat_result:
        looked.append(path)
        return real(path)

    monkeypatch.setattr(os, "lstat", lstat)
    for number in range(3 * SLICE):
        append(root, run_id(number))
    found = [census.check_slice(SLICE) for _ in range(3)]
    assert [len(touched) for touched in found] == [SLICE] * 3
    assert len(looked) == 3 * SLICE * 4
    assert census.check_slice(SLICE) == frozenset()


def test_an_unchanged_directory_is_not_listed_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(root, 1)
    census = Census(root)
    listed: list[object] = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda fd: (listed.append(fd), real(fd))[1])
    for _ in range(20):
        census.attend()
    assert len(listed) == 3  # file times are coarse: once, and twice more to be sure
    make_run(root, 2)
    assert census.attend().added == (run_id(2),)


def test_a_notifier_of_ones_own_is_a_notifier() -> None:
    notifier: Notifier = SilentNotifier()
    notifier.unwatch(Path("/unknown"))
    notifier.close()
