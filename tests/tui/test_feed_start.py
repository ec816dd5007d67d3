"""The first complete picture comes as soon as everything is read."""

from __future__ import annotations

import queue
from pathlib import Path

from buddy_core.clock import SystemClock
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.feed import Feed
from buddy_top.state import Snapshot


def test_the_picture_of_all_runs_does_not_wait_for_the_refresh_interval(tmp_path: Path) -> None:
    for number in range(40):
        run = RunDirectoryBuilder(tmp_path, started_at=1_767_890_000_000 + number, suffix=f"{number:06x}")
        run.tool("bash", {"command": "make"}).end().write()
    pictures: queue.Queue[Snapshot | BaseException] = queue.Queue()
    feed = Feed(tmp_path, clock=SystemClock(), refresh_s=3600)
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
