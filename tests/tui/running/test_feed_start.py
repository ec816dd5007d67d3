"""The first pictures: of what there is by then right away, of everything as soon as it is read."""

from __future__ import annotations

import queue
from pathlib import Path

import pytest

from buddy_core.clock import SystemClock
from buddy_core.observing import observation
from buddy_core.observing import observer as module
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.feed import Feed
from buddy_top.options import Options
from buddy_top.state import Snapshot


def test_the_picture_of_all_runs_does_not_wait_for_the_refresh_interval(tmp_path: Path) -> None:
    for number in range(40):
        run = RunDirectoryBuilder(tmp_path, started_at=1_767_890_000_000 + number, suffix=f"{number:06x}")
        run.tool("bash", {"command": "make"}).end().write()
    pictures: queue.Queue[Snapshot | BaseException] = queue.Queue()
    feed = Feed(Options(tmp_path, clock=SystemClock(), refresh_s=3600))
    feed.start(pictures.put, pictures.put)
    try:
        loaded = 0
        while loaded < 40:
            picture = pictures.get(timeout=20)
            assert isinstance(picture, Snapshot)
            loaded = picture.sources.loaded
        assert len(picture.runs) == 40
    finally:
        feed.stop()


def test_a_run_that_takes_long_to_read_is_listed_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 22: neither for the refresh interval nor for its end does anybody wait."""
    monkeypatch.setattr(observation, "READ_BYTES", 2_000)
    monkeypatch.setattr(module, "SOON_MS", 0)
    run = RunDirectoryBuilder(tmp_path, started_at=1_767_890_000_000)
    for number in range(100):
        run.tool("bash", {"command": f"make step-{number}"})
    run.end().write()
    pictures: queue.Queue[Snapshot | BaseException] = queue.Queue()
    feed = Feed(Options(tmp_path, clock=SystemClock(), refresh_s=3600))
    feed.start(pictures.put, pictures.put)
    try:
        listed = None
        while listed is None:
            picture = pictures.get(timeout=20)
            assert isinstance(picture, Snapshot)
            listed = next(iter(picture.runs), None)
        assert 0 < listed.event_count < 202
    finally:
        feed.stop()
