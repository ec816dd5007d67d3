"""A writer and the files of its run, step by step: what is counted, what is told, and what is handed to the flusher."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from buddy_core.clock import ManualClock
from buddy_core.runs.model import RunSummary
from buddy_core.runs.names import run_id_at
from buddy_core.runs.writing import runfiles
from buddy_core.runs.writing import writer as module
from buddy_core.runs.writing.backlog import Gap
from buddy_core.runs.writing.runfiles import RunFiles
from buddy_core.runs.writing.writer import RunWriter

NOW = 1_770_000_000_000
RUN = run_id_at(NOW, "abcdef")


@pytest.fixture
def clock() -> ManualClock:
    clock = ManualClock(NOW - 500)
    clock.advance(500)
    return clock


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[int]:
    """The runs directory, open."""
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


@pytest.fixture
def writer(runs: int, clock: ManualClock) -> Iterator[RunWriter]:
    writer = begun(runs, clock)
    writer.begin()
    yield writer
    writer.close()


def begun(runs: int, clock: ManualClock) -> RunWriter:
    summary = RunSummary(RUN, "x", "running", started_at=NOW)
    return RunWriter(runs, summary, clock=clock, durable=False)


class Handed:
    """Stands in for the flusher: notes what is handed in, and closes it."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[int, str], bool]] = []
        self.discarded: list[os.stat_result] = []

    def submit(self, key: tuple[int, str], fd: int, _failed: object, *, urgent: bool = False) -> None:
        self.asked.append((key, urgent))
        os.close(fd)

    def later(self, _key: object, fd: int, _action: object) -> None:
        os.close(fd)

    def discard(self, fd: int) -> None:
        self.discarded.append(os.fstat(fd))
        os.close(fd)


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Handed:
    handed = Handed()
    monkeypatch.setattr(runfiles, "SHARED", handed)
    return handed


def failing(number: int) -> Callable[..., Any]:
    def call(*_args: object, **_kwargs: object) -> Any:
        raise OSError(number, os.strerror(number))

    return call


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / RUN / "events.jsonl").read_bytes().splitlines()]


class TestCounts:
    def test_a_run_that_began_late_lasts_from_its_own_beginning(
        self, writer: RunWriter, clock: ManualClock
    ) -> None:
        clock.advance(70)
        assert writer.finish("completed")
        assert writer.metrics.duration_ms == 70

    def test_artifacts_are_counted_by_name(self, writer: RunWriter) -> None:
        for name in ("plan.md", "diff.patch", "plan.md"):
            writer.save_artifact(name, b"x")
        assert writer.summary.artifact_count == 2

    def test_amounts_are_added_to_the_totals_and_saved(self, writer: RunWriter, tmp_path: Path) -> None:
        writer.update_metrics({"total_tokens": 5, "failover_count": 1})
        writer.add_metrics({"total_tokens": 7})
        assert (writer.metrics.total_tokens, writer.metrics.failover_count) == (12, 1)
        assert json.loads((tmp_path / RUN / "metrics.json").read_bytes())["totalTokens"] == 12

    def test_late_calls_are_counted_by_the_type_of_their_event_alone(
        self, writer: RunWriter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 5."""
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", failing(errno.ENOSPC))
            writer.emit("tool_call", {}, NOW)
            writer.emit("tool_call", {"call": {"id": "1", "type": "metric"}}, NOW)
            for _ in range(3):
                writer.emit("note", {"call": {"id": "1", "type": "tool_call"}}, NOW)
        assert writer.emit("note", {}, NOW)
        assert writer.finish("completed")
        assert writer.metrics.tool_call_count == 2


class TestTrouble:
    def test_the_note_on_a_gap_says_since_when_why_and_how_many(
        self, writer: RunWriter, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 5."""
        clock.advance(30)
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", failing(errno.ENOSPC))
            writer.emit("note", {}, NOW)
        assert writer.emit("note", {}, NOW)
        assert writer.gap == Gap(1, 0, NOW + 30, "No space left on device")
        note = events(tmp_path)[2]
        assert note["type"] == "decision"
        assert note["data"] == {
            "kind": "recording_gap",
            "description": "the disk took no events for a while (No space left on device): 1 came late, 0 are lost",
            "late": 1,
            "lost": 0,
            "since": NOW + 30,
        }

    def test_what_still_waits_at_the_end_is_lost_and_that_is_known(
        self, writer: RunWriter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 5."""
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", failing(errno.ENOSPC))
            for _ in range(3):
                writer.emit("note", {}, NOW)
            writer.close()
        assert writer.gap == Gap(0, 3, NOW, "No space left on device")

    def test_an_end_whose_summary_is_not_saved_is_not_recorded_whole(
        self, writer: RunWriter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 5."""
        with monkeypatch.context() as patch:
            patch.setattr(os, "rename", failing(errno.ENOSPC))
            assert writer.finish("completed") is False
        assert writer.end_recorded
        assert writer.closed

    @pytest.mark.parametrize(
        ("error", "words"),
        [(OSError(errno.EIO, "Input/output error"), "Input/output error"), (OSError("odd"), "odd")],
    )
    def test_a_disk_that_does_not_keep_is_told_of_in_its_own_words(
        self, writer: RunWriter, tmp_path: Path, error: OSError, words: str
    ) -> None:
        """Case 7."""
        writer._lose_durability(error)
        assert writer.durability_lost == words
        told = events(tmp_path)[-1]
        assert told["type"] == "error"
        assert told["data"] == {
            "message": f"the disk refused to keep what was recorded ({words}): a power cut may cost events",
            "kind": "durability_lost",
        }

    @pytest.mark.parametrize("refused", ["artifacts", "run.lock", "events.jsonl"])
    def test_a_run_that_cannot_begin_leaves_nothing_whatever_is_refused_first(
        self,
        runs: int,
        clock: ManualClock,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        refused: str,
    ) -> None:
        """Case 5."""

        def refusing(call: Callable[..., Any]) -> Callable[..., Any]:
            def made(name: str, *args: Any, **kwargs: Any) -> Any:
                return failing(errno.ENOSPC)() if name == refused else call(name, *args, **kwargs)

            return made

        with monkeypatch.context() as patch:
            patch.setattr(os, "mkdir", refusing(os.mkdir))
            patch.setattr(os, "open", refusing(os.open))
            with pytest.raises(OSError, match="No space left"):
                begun(runs, clock)
        assert list(tmp_path.iterdir()) == []

    def test_why_it_could_not_begin_is_told_even_where_nothing_can_be_taken_back(
        self, runs: int, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Case 5: a disk that has become read-only takes no removal either."""
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", failing(errno.ENOSPC))
            patch.setattr(os, "rmdir", failing(errno.EROFS))
            patch.setattr(os, "unlink", failing(errno.EROFS))
            with pytest.raises(OSError, match="No space left"):
                begun(runs, clock).begin()

    def test_in_a_child_all_runs_are_let_go_of(self, writer: RunWriter, tmp_path: Path) -> None:
        """Case 17."""
        module._abandon_in_child()
        assert writer.closed
        assert not writer.emit("note", {}, NOW)
        assert [event["type"] for event in events(tmp_path)] == ["run_start"]
        module._abandon_in_child()


class TestWhatTheDiskIsAsked:
    def test_only_the_end_is_urgent(self, runs: int, clock: ManualClock, handed: Handed) -> None:
        """Case 7."""
        summary = RunSummary(RUN, "x", "running", started_at=NOW)
        writer = RunWriter(runs, summary, clock=clock)
        writer.begin()
        writer.set_metrics(writer.metrics)
        assert {urgent for _, urgent in handed.asked} == {False}
        handed.asked.clear()
        writer.finish("completed")
        assert {urgent for _, urgent in handed.asked} == {True}
        assert {name for (_, name), _ in handed.asked} == {
            "events.jsonl",
            "summary.json",
            "metrics.json",
            ".",
        }

    def test_the_files_of_two_runs_are_asked_for_one_by_one(self, tmp_path: Path, handed: Handed) -> None:
        """Case 7: under one key the one would take the other's place, and never be asked for."""
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            files = RunFiles(os.open(tmp_path / name, os.O_RDONLY), failed=lambda _error: None)
            files.save("summary.json", lambda: b"{}")
            files.close()
        assert len({key for key, _ in handed.asked}) == 4


class TestFiles:
    @pytest.fixture
    def files(self, tmp_path: Path) -> Iterator[RunFiles]:
        fd = os.open(tmp_path, os.O_RDONLY)
        files = RunFiles(fd, failed=lambda _error: None, durable=False)
        yield files
        files.close()

    def test_an_artifact_that_is_replaced_is_let_go_of_by_the_flusher(
        self, files: RunFiles, tmp_path: Path, handed: Handed
    ) -> None:
        """Promise C9: the last one to close it waits for the disk."""
        files.save_artifact("plan.md", b"one")
        assert handed.discarded == []
        old = (tmp_path / "artifacts" / "plan.md").stat()
        files.save_artifact("plan.md", b"two")
        assert [found.st_ino for found in handed.discarded] == [old.st_ino]
        assert (tmp_path / "artifacts" / "plan.md").read_bytes() == b"two"

    def test_both_directories_are_closed_once(self, files: RunFiles, monkeypatch: pytest.MonkeyPatch) -> None:
        """A second time the numbers may be those of other files; and nought is a file like any other."""
        closed: list[int] = []
        own = [files._artifacts_fd, files._dir_fd]
        with monkeypatch.context() as patch:
            patch.setattr(runfiles, "close_quietly", closed.append)
            files.close()
            files.close()
            assert closed == own
            files._artifacts_fd = 0
            files.close()
            assert closed == [*own, 0]
        for fd in own:
            os.close(fd)
