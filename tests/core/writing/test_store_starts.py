"""How a store starts a run, and how it lets go: what it tells the writer, which id it asks for, whom it waits for."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from buddy_core.clock import ManualClock
from buddy_core.errors import StoreUnavailable
from buddy_core.runs.names import run_id_at
from buddy_core.runs.store import store as store_module
from buddy_core.runs.store.active import get_active_run_store, set_active_run_store
from buddy_core.runs.store.store import CLOSE_WAIT_S, RunStore
from buddy_core.runs.writing.writer import RunWriter


@pytest.mark.parametrize(
    ("options", "durable"), [({}, True), ({"durable": True}, True), ({"durable": False}, False)]
)
def test_the_disk_is_asked_unless_told_otherwise_and_what_it_says_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], durable: bool
) -> None:
    """Case 7."""
    told: dict[str, Any] = {}

    def writer(*args: Any, **options: Any) -> RunWriter:
        told.update(options)
        return RunWriter(*args, **{**options, "durable": False})

    monkeypatch.setattr(store_module, "RunWriter", writer)
    store = RunStore(tmp_path, **options)
    store.start_run("one")
    store.close()
    assert told["durable"] is durable
    told["report"]("durability lost")
    assert store.refused == {"durability lost": 1}


class TestIds:
    @pytest.fixture
    def times(self) -> list[int]:
        """The times that ids were asked for."""
        return []

    def store(self, path: Path, times: list[int], clock: ManualClock) -> RunStore:
        def new_id(now_ms: int) -> str:
            times.append(now_ms)
            return run_id_at(now_ms, "abcdef")

        return RunStore(path, clock=clock, new_id=new_id, durable=False)

    def test_of_runs_that_start_together_follow_each_other(self, tmp_path: Path, times: list[int]) -> None:
        store = self.store(tmp_path, times, ManualClock(500))
        for _ in range(4):
            store.start_run("x")
        store.close()
        assert times == [500, 501, 502, 503]

    @pytest.mark.parametrize(("back", "follows"), [(0, 5_001), (999, 5_001), (1_000, 4_000)])
    def test_follow_a_clock_that_was_set_back_by_a_second(
        self, tmp_path: Path, times: list[int], back: int, follows: int
    ) -> None:
        clock = ManualClock(5_000)
        store = self.store(tmp_path, times, clock)
        store.start_run("x")
        clock.set_wall(5_000 - back)
        store.start_run("x")
        store.close()
        assert times == [5_000, follows]


@pytest.mark.parametrize(("objective", "kept"), [("", ""), (None, ""), ("x" * 10_001, "x" * 10_000)])
def test_an_objective_is_kept_up_to_its_limit(tmp_path: Path, objective: Any, kept: str) -> None:
    store = RunStore(tmp_path, durable=False)
    store.start_run(objective)
    assert store.list_runs()[0].objective == kept
    store.close()


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("x")
    with pytest.raises(StoreUnavailable) as refused:
        RunStore(place / "runs").start_run("x")
    assert str(refused.value).startswith(f"cannot record below {place / 'runs'}: ")


def test_a_disk_that_is_full_is_told_of_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 5."""

    def full(_fd: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StoreUnavailable) as refused:
            RunStore(tmp_path, durable=False).start_run("x")
    assert str(refused.value) == f"cannot record below {tmp_path}: [Errno 28] No space left on device"


def test_without_a_home_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(durable=False)
    monkeypatch.setattr(store, "_homeless", True)
    with pytest.raises(StoreUnavailable) as refused:
        store.start_run("x")
    assert str(refused.value) == "HOME names no directory: set CODEBUDDY_RUNS_DIR to record runs"


class TestClosing:
    def test_waits_for_the_housekeeper_for_a_quarter_of_a_second(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Promise C9."""
        store, waits = RunStore(tmp_path), list[float]()
        monkeypatch.setattr(store._housekeeper, "wait", waits.append)
        store.close()
        assert waits == [CLOSE_WAIT_S] == [0.25]

    def test_ends_the_choice_of_a_store(self, tmp_path: Path) -> None:
        chosen, other = (RunStore(tmp_path, durable=False) for _ in range(2))
        set_active_run_store(chosen)
        chosen.close()
        assert get_active_run_store() is None
        other.start_run("x")
        assert get_active_run_store() is other
        other.close()
