"""Files that do not answer, or only say no: one such run keeps none of the others waiting (cases 35 and 36)."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.hanging_disk import Disk, disk
from tests.watching import following

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.runs.reading.descriptors import SHARED
from buddy_core.runs.reading.hands import Hands
from buddy_core.runs.viewing.entries import run_entry
from buddy_core.runs.viewing.viewer import list_runs
from buddy_core.runs.watching.watch import RunsWatch
from buddy_core.testing import RunDirectoryBuilder

NOW = ManualClock().now_ms()


class Slowly(Hands):
    """Hands that are waited for so long that a busy machine is not taken for a disk that hangs, and no longer."""

    def __init__(self) -> None:
        super().__init__(most=3, patience_s=0.25)


@pytest.fixture
def runs(tmp_path: Path) -> list[RunDirectoryBuilder]:
    made = [
        RunDirectoryBuilder(tmp_path, started_at=NOW - 1_000 * number, suffix=f"{number:06x}")
        for number in range(6)
    ]
    for run in made:
        run.tool("bash", {"command": "make"}, took_ms=1).write()
    return made


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    monkeypatch.setattr("buddy_core.observing.readingqueue.Hands", Slowly)
    monkeypatch.setattr("buddy_core.observing.observer.TICK_S", 0.05)
    with disk() as found:
        yield found


def an_observer(root: Path, clock: ManualClock | None = None) -> tuple[Observer, MetricsCollector]:
    clock = clock or ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    watch = RunsWatch(root, sweep_ms=20)
    return Observer(root, collector, clock=clock, watch=watch), collector


def problems(observer: Observer) -> dict[str, str]:
    return {facts.run_id: facts.problem for facts in observer.facts() if facts.problem is not None}


def calls(collector: MetricsCollector) -> int:
    return collector.view(Window.ALL, now_ms=NOW).total_tool_calls


async def test_a_run_whose_file_hangs_keeps_no_other_run_waiting(
    tmp_path: Path, runs: list[RunDirectoryBuilder], broken: Disk
) -> None:
    """Case 35: the others are read on, the row says since when it hangs, and nothing is lost when it answers."""
    clock = ManualClock(NOW)
    observer, collector = an_observer(tmp_path, clock)
    hung, *others = runs
    async with following(observer) as until:
        await until(lambda: observer.sources().loaded == 6)
        broken.hang(hung.run_id)
        hung.tool("bash", took_ms=1).write()
        await until(lambda: hung.run_id in problems(observer))
        for run in others:
            run.tool("bash", took_ms=1).write()
        await until(lambda: calls(collector) == 6 + 5)
        clock.advance(5_000)
        await until(lambda: problems(observer) == {hung.run_id: "stalled 5 s"})
        known = observer.by_id()[hung.run_id]
        assert (known.tool_calls, observer.sources().unreadable) == (1, 1)
        assert run_entry(known)["problem"] == "stalled 5 s"
        broken.answer()
        await until(lambda: calls(collector) == 6 + 6)
        await until(lambda: problems(observer) == {})
        clock.advance(1_000)
        await until(lambda: observer.sources().unreadable == 0)
        hung.tool("bash", took_ms=1).write()
        await until(lambda: observer.by_id()[hung.run_id].tool_calls == 3)


def test_a_run_that_hangs_from_the_beginning_is_listed_and_the_others_are_counted(
    tmp_path: Path, runs: list[RunDirectoryBuilder], broken: Disk
) -> None:
    """Case 35: `--json` and `--once` come to an end, and say which run is missing in their numbers."""
    observer, collector = an_observer(tmp_path)
    broken.hang(runs[2].run_id)
    observer.load()
    assert calls(collector) == 5
    assert problems(observer) == {runs[2].run_id: "stalled 0 s"}
    sources = observer.sources()
    assert (sources.loaded, sources.total, sources.unreadable) == (6, 6, 1)
    broken.answer()
    while problems(observer):
        observer.load()
    assert calls(collector) == 6
    observer.close()


async def test_when_too_many_hang_the_rest_waits_and_nothing_spins(
    tmp_path: Path, runs: list[RunDirectoryBuilder], broken: Disk
) -> None:
    """Case 35: a whole disk that hangs takes a few threads, not one for each run."""
    clock = ManualClock(NOW)
    observer, collector = an_observer(tmp_path, clock)
    for run in runs:
        broken.hang(run.run_id)
    async with following(observer) as until:
        await until(lambda: observer.sources().unreadable == 3)
        assert observer.waiting == 3
        broken.answer()
        await until(lambda: calls(collector) == 6)
        clock.advance(1_000)
        await until(lambda: observer.sources().unreadable == 0)


async def test_a_run_that_is_removed_while_it_hangs_leaves_when_it_is_back_and_is_counted(
    tmp_path: Path, runs: list[RunDirectoryBuilder], broken: Disk
) -> None:
    """Cases 27 and 35: what was read through the open file counts; nothing stays open."""
    observer, collector = an_observer(tmp_path)
    hung = runs[0]
    broken.hang(hung.run_id)
    async with following(observer) as until:
        await until(lambda: problems(observer).keys() == {hung.run_id})
        hung.run_dir.rename(tmp_path / "elsewhere")
        runs[1].tool("bash", took_ms=1).write()
        await until(lambda: calls(collector) == 6)
        broken.answer()
        await until(lambda: calls(collector) == 7 and observer.sources().total == 5)
        (tmp_path / "elsewhere").rename(hung.run_dir)
        await until(lambda: observer.sources().loaded == 6)
        assert calls(collector) == 7
    names = [str(Path(f"/proc/self/fd/{fd}").readlink()) for fd in SHARED._idle.values()]
    assert not [name for name in names if name.startswith(str(tmp_path))]


@pytest.mark.parametrize(
    "code", [errno.EIO, errno.ESTALE, errno.EACCES, errno.ENOENT], ids=errno.errorcode.get
)
async def test_a_run_that_cannot_be_read_says_why_and_the_others_are_read(
    tmp_path: Path, runs: list[RunDirectoryBuilder], broken: Disk, code: int
) -> None:
    """Case 36: that row is degraded, on the screen and in JSON; it is tried again, less and less often, until it can be."""
    clock = ManualClock(NOW)
    observer, collector = an_observer(tmp_path, clock)
    bad = runs[3]
    broken.refuse(bad.run_id, code)
    words = f"events.jsonl: {os.strerror(code)[:1].lower()}{os.strerror(code)[1:]}"
    async with following(observer) as until:
        await until(lambda: calls(collector) == 5 and problems(observer) == {bad.run_id: words})
        assert observer.sources().unreadable == 1
        assert run_entry(observer.by_id()[bad.run_id])["problem"] == words
        runs[0].tool("bash", took_ms=1).write()
        await until(lambda: calls(collector) == 6)
        broken.allow()
        clock.advance(1_000)
        await until(lambda: calls(collector) == 7 and problems(observer) == {})


def test_what_cannot_be_read_is_said_in_the_plain_list_and_in_json(
    tmp_path: Path, runs: list[RunDirectoryBuilder], broken: Disk
) -> None:
    """Case 36."""
    broken.refuse(runs[1].run_id, errno.EIO)
    out = io.StringIO()
    list_runs(store=tmp_path, out=out)
    text = out.getvalue()
    (line,) = (line for line in text.splitlines() if runs[1].run_id in line)
    assert "! events.jsonl: input/output error · " in line
    assert text.count("! ") == 1


def test_the_first_failure_is_tried_again_after_a_second_and_later_ones_more_and_more_seldom(
    tmp_path: Path, runs: list[RunDirectoryBuilder], broken: Disk
) -> None:
    """Case 36: a run that is never readable costs one try a minute."""
    clock = ManualClock(NOW)
    observer, _ = an_observer(tmp_path, clock)
    broken.refuse(runs[0].run_id, errno.EIO)
    observer.load()
    tried: list[int] = []
    for second in range(200):
        before = broken.tries
        observer._queue.add_due()
        while observer._queue:
            observer._read_next()
        if broken.tries > before:
            tried.append(second)
        clock.advance(1_000)
    observer.close()
    assert tried == [1, 3, 7, 15, 31, 63, 123, 183]


def test_a_run_that_fails_and_grows_is_not_tried_at_each_of_its_lines(tmp_path: Path) -> None:
    from buddy_core.runs.watching.troubles import Troubles

    troubles = Troubles()
    troubles.note("a", failed=True, now_ms=0)
    troubles.note("a", failed=True, now_ms=1_000)
    assert troubles.due(2_500) == []
    assert not troubles.is_worth_a_try("a", 1_500)
    assert troubles.due(2_000) == ["a"]  # what changed makes it due sooner
    assert troubles.is_worth_a_try("a", 2_000) and troubles.is_worth_a_try("b", 0)
    troubles.note("a", failed=False, now_ms=2_000)
    assert len(troubles) == 0
