"""Moments of a store that hardly ever come: each has its answer, and none reaches the host as an error."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from buddy_core.clock import ManualClock
from buddy_core.errors import BadArtifactName, RunClosed, RunNotFound, StoreUnavailable
from buddy_core.runs.model import RunSummary
from buddy_core.runs.names import run_id_at
from buddy_core.runs.pruning import housekeeping
from buddy_core.runs.pruning.housekeeping import Housekeeper
from buddy_core.runs.pruning.prune import PruneReport, is_over, prune_below
from buddy_core.runs.pruning.trash import Trash
from buddy_core.runs.records.json_values import Cleaner
from buddy_core.runs.store import active, open_runs
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.writing import backlog, encoding
from buddy_core.runs.writing.encoding import MAX_EVENT_BYTES, encode_event
from buddy_core.runs.writing.runfiles import RunFiles
from buddy_core.runs.writing.writer import RunWriter
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_770_000_000_000
HOUR = 3_600_000
RUN = run_id_at(NOW, "abcdef")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs", max_runs=None, clock=clock, durable=False)
    yield store
    store.close()


@contextmanager
def opened(path: Path) -> Iterator[int]:
    path.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


def failing(number: int) -> Callable[..., Any]:
    def call(*_args: object, **_kwargs: object) -> Any:
        raise OSError(number, os.strerror(number))

    return call


class Patience:
    """So many looks at the clock, then the time is over."""

    def __init__(self, looks: int = 1_000_000, *, hurried: bool = False) -> None:
        self.looks = looks
        self.hurried = hurried

    @property
    def over(self) -> bool:
        self.looks -= 1
        return self.looks < 0

    def rest(self) -> None:
        """There is nobody else."""


class TestIds:
    def test_a_hundred_ids_that_are_taken_are_enough(self, tmp_path: Path) -> None:
        """Case 12."""
        asked: list[int] = []

        def new_id(at: int) -> str:
            asked.append(at)
            return RUN

        store = RunStore(tmp_path / "runs", clock=ManualClock(NOW), new_id=new_id, durable=False)
        assert store.start_run("one") == RUN
        with pytest.raises(StoreUnavailable, match="no free run id"):
            store.start_run("two")
        assert len(asked) == 101
        store.close()

    @pytest.mark.parametrize("run_id", ["", "../x", "run_", 7, None])
    def test_what_is_no_id_is_no_run(self, store: RunStore, run_id: Any) -> None:
        with pytest.raises(RunNotFound, match="is not writing a run"):
            store.update_metrics(run_id, total_tokens=1)
        assert store.get_artifact(run_id, "plan.md") is None if isinstance(run_id, str) else True
        with pytest.raises(BadArtifactName):
            store.get_artifact(RUN, "../plan.md")

    def test_runs_of_long_ago_are_forgotten_one_by_one(
        self, store: RunStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(open_runs, "_MAX_REMEMBERED", 2)
        ended = [store.start_run("x") for _ in range(3)]
        for run_id in ended:
            store.end_run(run_id, "completed")
        assert [store._open.has_ended(run_id) for run_id in ended] == [False, True, True]
        with pytest.raises(RunClosed):  # as its file says
            store.update_metrics(ended[0], total_tokens=1)


class TestEvents:
    def test_what_cannot_even_be_described_is_recorded_as_such(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Case 18."""

        def broken(*_args: object, **_kwargs: object) -> Any:
            raise RuntimeError

        monkeypatch.setattr(encoding, "_described", broken)
        event = json.loads(encode_event(NOW, RUN, "note", {"x": float("nan")}))
        assert event == {"ts": NOW, "runId": RUN, "type": "unknown", "data": {"truncated": True}}

    def test_what_no_limit_makes_short_enough_says_only_that_there_was_something(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 19."""
        monkeypatch.setattr(Cleaner, "cleaned", lambda _self, value: value)
        line = encode_event(NOW, RUN, "note", {"x": "y" * MAX_EVENT_BYTES})
        assert json.loads(line) == {"ts": NOW, "runId": RUN, "type": "note", "data": {"truncated": True}}


class TestAWriter:
    @pytest.fixture
    def writer(self, tmp_path: Path, clock: ManualClock) -> Iterator[RunWriter]:
        with opened(tmp_path / "runs") as root_fd:
            writer = RunWriter(root_fd, RunSummary(RUN, "x", "running", started_at=NOW), clock=clock)
            yield writer
            writer.close()

    def test_ends_once(self, writer: RunWriter) -> None:
        """Case 16."""
        assert writer.finish("completed")
        assert not writer.finish("failed")
        assert writer.summary.status == "completed"
        writer.close()

    def test_records_nothing_once_it_is_closed(self, writer: RunWriter) -> None:
        """Case 16: also what comes from another thread that did not know."""
        writer.close()
        writer.close()
        assert not writer.emit("note", {}, NOW)
        assert writer.gap is None
        with pytest.raises(RunClosed, match="nothing more can be recorded"):
            writer.save_artifact("plan.md", b"x")
        with pytest.raises(RunClosed):
            writer.update_metrics({"total_tokens": 1})

    def test_counts_calls_and_requests_that_came_late(
        self, writer: RunWriter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 5."""
        writer.begin()
        write = os.write
        monkeypatch.setattr(os, "write", failing(errno.ENOSPC))
        assert not writer.emit("tool_call", {"toolName": "bash"}, NOW)
        assert not writer.emit("metric", {"kind": "api_request", "promptTokens": 7, "cost": 0.5}, NOW)
        assert not writer.emit("metric", {"kind": "other", "promptTokens": 9}, NOW)
        assert not writer.emit("note", {"type": "tool_call", "kind": "metric"}, NOW)
        monkeypatch.setattr(os, "write", write)
        assert writer.emit("note", {}, NOW)
        assert writer.finish("completed")
        assert (writer.metrics.tool_call_count, writer.metrics.prompt_tokens) == (1, 7)
        assert writer.metrics.total_cost == 0.5
        assert writer.summary.event_count == 8, (
            "the start, four late ones, the note on them, one more, the end"
        )

    def test_durability_is_lost_once(self, writer: RunWriter) -> None:
        """Case 7: the first words stay; nobody need be told."""
        writer.begin()
        writer._lose_durability(OSError(errno.EIO, "Input/output error"))
        writer._lose_durability(OSError(errno.ENOSPC, "No space left"))
        assert writer.durability_lost == "Input/output error"

    def test_a_file_that_cannot_be_read_is_as_good_as_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 36."""
        with opened(tmp_path) as fd:
            files = RunFiles(os.dup(fd), failed=lambda _error: None, durable=False)
            files.save("summary.json", lambda: b"{}")
            assert files.read("summary.json") == b"{}"
            monkeypatch.setattr(os, "pread", failing(errno.EIO))
            assert files.read("summary.json") == b""
            assert files.read("absent.json") == b""
            files.close()


class TestAPrune:
    def below(
        self, runs: Path, keep: int | None = 0, patience: Patience | None = None, now_ms: int = NOW
    ) -> PruneReport:
        with opened(runs) as root_fd:
            return prune_below(root_fd, keep, root=runs, now_ms=now_ms, patience=patience or Patience())

    def ended(self, runs: Path, number: int = 0) -> Path:
        run = RunDirectoryBuilder(runs, started_at=NOW - HOUR, suffix=f"{number:06x}")
        return run.end().write()

    def test_a_directory_too_full_to_be_listed_in_time_is_left_to_the_next(self, tmp_path: Path) -> None:
        """Case 81."""
        for number in range(300):
            (tmp_path / run_id_at(NOW - HOUR, f"{number:06x}")).mkdir()
        assert self.below(tmp_path, patience=Patience(0)) == PruneReport(finished=False)

    def test_trash_that_cannot_be_emptied_in_time_is_left_to_the_next(self, tmp_path: Path) -> None:
        """Case 81."""
        self.ended(tmp_path)
        with opened(tmp_path) as root_fd, Trash(root_fd) as trash:
            run = next(tmp_path.glob("run_*"))
            with opened(run) as run_fd:
                trash.take(run.name, run_fd)
            trash.empty(Patience(0, hurried=True))
            assert len(trash.contents()) == 1
            trash.empty(Patience(1))
            assert len(trash.contents()) == 1, "it was begun and not finished"
            trash.empty(Patience())
            assert (trash.contents(), trash.problems) == ([], {})

    def test_a_run_that_was_exchanged_while_it_was_looked_at_is_put_back(self, tmp_path: Path) -> None:
        """Case 77."""
        looked_at, other = self.ended(tmp_path, 1), self.ended(tmp_path, 2)
        with opened(tmp_path) as root_fd, Trash(root_fd) as trash, opened(looked_at) as run_fd:
            with pytest.raises(OSError, match="replaced while") as refused:
                trash.take(other.name, run_fd)
            assert refused.value.errno == errno.ESTALE
            assert trash.contents() == []
        assert other.is_dir()

    def test_nothing_on_another_file_system_is_taken_apart(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 82: a subvolume is no mount point, so its directory can be renamed."""
        run = self.ended(tmp_path)
        fstat, far = os.fstat, run.stat().st_ino

        def elsewhere(fd: int) -> os.stat_result:
            found = fstat(fd)
            return os.stat_result((*found[:2], 99, *found[3:])) if found.st_ino == far else found

        monkeypatch.setattr(os, "fstat", elsewhere)
        monkeypatch.setattr("buddy_core.runs.pruning.trash._same", lambda _one, _other: True)
        report = self.below(tmp_path)
        assert report.problems == {run.name: "lies on another file system"}
        assert report.leftover == 1
        assert len(list((tmp_path / ".trash").rglob("events.jsonl"))) == 1

    def test_a_lock_that_cannot_be_tried_is_told_and_the_run_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 36."""
        run = self.ended(tmp_path)
        (run / "run.lock").write_bytes(b"")
        monkeypatch.setattr(fcntl, "flock", failing(errno.ENOLCK))
        assert self.below(tmp_path).problems == {run.name: "no locks available"}
        for number in (errno.EWOULDBLOCK, errno.EACCES):
            monkeypatch.setattr(fcntl, "flock", failing(number))
            report = self.below(tmp_path)
            assert (report.live, dict(report.problems)) == (1, {})
        assert run.is_dir()

    def test_a_run_that_cannot_be_opened_is_told_and_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 37."""
        run, open_file = self.ended(tmp_path), os.open

        def no_more(path: Any, *args: Any, **kwargs: Any) -> int:
            if path == run.name:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return open_file(path, *args, **kwargs)

        monkeypatch.setattr(os, "open", no_more)
        report = self.below(tmp_path)
        assert (report.removed, dict(report.problems)) == ((), {run.name: "too many open files"})
        assert run.is_dir()

    def test_lines_that_are_no_events_say_nothing_of_an_end(self, tmp_path: Path) -> None:
        run = RunDirectoryBuilder(tmp_path, started_at=NOW - HOUR)
        run.tool("bash").raw(b"no event\n[]\n")
        directory = run.write()
        with opened(directory) as fd:
            assert not is_over(fd, NOW)
            assert is_over(fd, NOW + 90 * 24 * HOUR)

    def test_a_run_whose_files_cannot_be_read_is_judged_by_their_age(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 36."""
        directory = self.ended(tmp_path)
        os.utime(directory / "events.jsonl", (NOW / 1000, NOW / 1000))
        monkeypatch.setattr(os, "pread", failing(errno.EIO))
        with opened(directory) as fd:
            assert not is_over(fd, NOW + 60_000)
            assert is_over(fd, NOW + 3 * HOUR)


class TestHousekeeping:
    def keeper(self, tmp_path: Path, clock: ManualClock) -> Housekeeper:
        return Housekeeper(tmp_path, 0, clock)

    def test_whatever_goes_wrong_at_the_start_of_a_run_is_counted(
        self, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Promise C9."""

        def broken(*_args: object, **_kwargs: object) -> Any:
            raise ZeroDivisionError

        keeper = self.keeper(tmp_path, clock)
        monkeypatch.setattr(housekeeping, "prune_below", broken)
        with opened(tmp_path) as root_fd:
            keeper.run_started(root_fd)
            assert keeper.problems == {"ZeroDivisionError": 1}
            keeper._go_on(root_fd, taking=True)
            assert keeper.wait(30)
        assert keeper.problems == {"ZeroDivisionError": 2}

    def test_a_process_that_may_have_no_more_threads_leaves_it_to_the_next_start(
        self, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(*_args: object) -> Any:
            raise RuntimeError("can't start new thread")

        keeper = self.keeper(tmp_path, clock)
        monkeypatch.setattr("_thread.start_new_thread", refused)
        with opened(tmp_path) as root_fd:
            keeper._go_on(root_fd, taking=False)
        assert keeper.wait(0)


class TestTheActiveStore:
    def test_a_chosen_one_stays_chosen_in_a_forked_child(self, store: RunStore) -> None:
        """Case 17."""
        active.set_active_run_store(store)
        try:
            active._forget_in_child()
            assert active.get_active_run_store() is store
        finally:
            active.set_active_run_store(None)
        store.start_run("x")
        assert active.get_active_run_store() is store
        active._forget_in_child()
        assert active.get_active_run_store() is None


class TestABacklog:
    """Cases 5 and 6."""

    class Log:
        """Takes what it is told to take."""

        error: OSError | None = None
        takes = True

        def resume(self, _line: bytes) -> bool:
            return self.takes

    def test_tells_when_and_why_it_began(self) -> None:
        log = self.Log()
        assert backlog.Backlog(log, NOW).gap == backlog.Gap(0, 0, NOW, "the disk refused")  # type: ignore[arg-type]
        log.error = OSError(errno.ENOSPC, "No space left on device")
        assert backlog.Backlog(log, NOW).gap.cause == "No space left on device"  # type: ignore[arg-type]

    def test_is_as_large_as_it_says_and_has_that_room_again_when_it_is_empty(self) -> None:
        log = self.Log()
        waiting = backlog.Backlog(log, NOW)  # type: ignore[arg-type]
        half = b"x" * (backlog.MAX_WAITING_BYTES // 2)
        for lost in (0, 1):
            waiting.hold(half)
            waiting.hold(half)
            assert waiting.gap.lost == lost + 2
            waiting.hold(b"y")
            assert waiting.gap.lost == lost + 3
            assert waiting.drain(lambda _line: None)
            assert waiting.gap.lost == lost + 1
        assert waiting.gap.late == 4

    def test_is_not_emptied_by_whoever_comes_in_meanwhile(self) -> None:
        waiting = backlog.Backlog(self.Log(), NOW)  # type: ignore[arg-type]
        waiting.hold(b"one")
        again: list[bool] = []
        assert waiting.drain(lambda _line: again.append(waiting.drain(lambda _line: None)))
        assert again == [False]
        assert waiting.drain(lambda _line: None), "the next one may"
