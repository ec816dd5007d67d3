"""A run that grows after a silence is told apart from one that never stops."""

from __future__ import annotations

from pathlib import Path

from tests.watching import following

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.runs.folding.observed import SILENT_MS
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_767_890_000_000


async def test_only_the_first_growth_after_a_silence_stirs(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 60_000, objective="Grow")
    run.write()
    observer = Observer(tmp_path / "runs", MetricsCollector(clock=clock), clock=clock)
    async with following(observer) as until:
        await until(lambda: observer.facts() != ())
        assert observer.stirs == 0  # what stood there before anybody looked is history

        for calls, pause_ms, stirs in ((1, 0, 1), (2, SILENT_MS - 1, 1), (3, SILENT_MS, 2), (4, 0, 2)):
            clock.advance(pause_ms)
            run.tool("bash").write()
            await until(lambda calls=calls: observer.facts()[0].tool_calls == calls)  # type: ignore[misc]
            assert observer.stirs == stirs
