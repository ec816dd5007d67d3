"""A followed run as lines: silences, stalls, replacement, pruning, and its last words. Cases 24 and 27."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock
from buddy_core.runs.viewing.viewer import tail_run
from buddy_core.runs.watching import following
from buddy_core.safety.columns import cells
from buddy_core.testing import RunDirectoryBuilder

START = 1_767_890_000_000


@pytest.fixture
def run(tmp_path: Path) -> RunDirectoryBuilder:
    return RunDirectoryBuilder(tmp_path, started_at=START, metadata={"cwd": "/home/dev/web"})


class Followed:
    """A tail at work, and what it has said so far."""

    def __init__(self, run: RunDirectoryBuilder, *, width: int | None = None) -> None:
        run.write()
        self.lines: list[str] = []
        self.clock = ManualClock(run.now_ms)
        self.task = asyncio.create_task(
            tail_run(run.run_id, store=run.root, out=self.lines.append, width=width, clock=self.clock)
        )

    async def until(self, words: str, *, times: int = 1) -> str:
        """Wait for so many lines with these words; the last of them."""
        async with asyncio.timeout(20):
            while len(found := [line for line in self.lines if words in line]) < times:
                await asyncio.sleep(0.005)
        return found[-1]

    async def all(self) -> list[str]:
        await self.task
        return self.lines


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SWEEP_S", 0.02)


async def test_a_finished_run_is_printed_and_left(run: RunDirectoryBuilder) -> None:
    lines = await Followed(run.tool("bash", {"command": "ls"}).end()).all()
    assert lines[0] == run.run_id
    assert lines[-1] == "✓ completed after 100 ms: 1 call"


async def test_a_run_of_another_process_is_followed_to_its_end(run: RunDirectoryBuilder) -> None:
    followed = Followed(run)
    await followed.until("run start")
    run.tool("bash", {"command": "make"}, error="no rule").write()
    assert "make — no rule" in await followed.until("no rule")
    run.end("failed").write()
    assert (await followed.all())[-1] == "✗ failed after 100 ms: 1 call, 1 failed"


async def test_silences_and_steps_are_seen(run: RunDirectoryBuilder) -> None:
    run.step("build").wait(125_000).tool("bash", {"command": "make"}).step_end("build").error("odd").end()
    lines = await Followed(run).all()
    assert "          …  2m05s without an event" in lines
    names = [line[13:].split("  ")[0] or line[15:].split("  ")[0] for line in lines[1:-1] if "…" not in line]
    assert names[:3] == ["run start", "step start", "bash"]
    assert lines[-1] == "✓ completed after 2m05s: 1 call, 1 error"


async def test_results_find_their_calls_out_of_order(run: RunDirectoryBuilder) -> None:
    first, second = run.call("bash", {"command": "one"}), run.call("bash", {"command": "two"})
    run.result("bash", second, took_ms=5).result("bash", first, took_ms=9).result(
        "bash", "unknown", took_ms=1
    )
    lines = await Followed(run.end()).all()
    results = [line.split()[-1] for line in lines if "✓  bash" in line]
    assert results == ["two", "one", "ms"]


async def test_results_without_ids_find_the_oldest_call_of_their_tool(run: RunDirectoryBuilder) -> None:
    for command in ("one", "two"):
        run.event("tool_call", {"toolName": "bash", "args": {"command": command}}).wait(500)
    run.event("tool_result", {"toolName": "bash", "success": True})
    run.wait(1_000).event("tool_result", {"toolName": "bash", "success": True})
    lines = await Followed(run.end()).all()
    assert [line.split()[3:] for line in lines if "✓  bash" in line] == [
        ["1.0", "s", "one"],
        ["1.5", "s", "two"],
    ]


async def test_a_step_says_how_long_it_took(run: RunDirectoryBuilder) -> None:
    run.step("outer").wait(500).step("inner").wait(1_000).step_end("outer").step_end("never began")
    lines = await Followed(run.end()).all()
    ends = [line for line in lines if "step end" in line]
    assert "1.5 s  outer" in ends[0]
    assert ends[0].index("step end") == ends[1].index("step end"), "what was inside has ended with it"


async def test_a_stalled_run_says_so_and_goes_on(run: RunDirectoryBuilder) -> None:
    followed = Followed(run)
    await followed.until("run start")
    followed.clock.advance(11 * 60_000)
    line = await followed.until("stalled")
    assert line == "◐ stalled: no event for 10m00s or more; still waiting for one"
    run.wait(11 * 60_000).tool("bash", {"command": "ls"}).write()
    await followed.until("✓  bash")
    followed.clock.advance(11 * 60_000)
    await followed.until("stalled", times=2)
    run.end().write()
    lines = await followed.all()
    assert sum("stalled" in line for line in lines) == 2, "once for each silence"
    assert any("11m00s without an event" in line for line in lines)


async def test_a_run_that_was_silent_from_the_start_says_so_at_once(run: RunDirectoryBuilder) -> None:
    run.write()
    followed = Followed(run)
    followed.clock.advance(15 * 60_000)
    await followed.until("stalled")
    followed.task.cancel()


async def test_a_replaced_file_is_told_from_its_beginning(run: RunDirectoryBuilder) -> None:
    """Case 24."""
    followed = Followed(run.tool("bash", {"command": "ls"}))
    await followed.until("✓  bash")
    run.events_file.write_bytes(
        b'{"ts":1767890000000,"type":"run_start","data":{}}\n'
        b'{"ts":1767890001000,"type":"run_end","data":{"status":"completed"}}\n'
    )
    lines = await followed.all()
    assert "· the file was replaced; from its beginning:" in lines
    assert lines[-1] == "✓ completed after 1.0 s: no calls"


async def test_a_run_that_is_pruned_meanwhile_ends_the_tail(run: RunDirectoryBuilder) -> None:
    """Case 27."""
    followed = Followed(run)
    await followed.until("run start")
    shutil.rmtree(run.run_dir)
    assert (await followed.all())[-1] == "· the run was removed while it was read"


async def test_a_run_that_is_moved_into_the_trash_ends_the_tail_after_its_last_event(
    run: RunDirectoryBuilder,
) -> None:
    """Case 27: pruning renames before it removes; what was written before that is still told."""
    followed = Followed(run)
    await followed.until("run start")
    run.error("the last word").write()
    (run.root / ".trash").mkdir()
    run.run_dir.rename(run.root / ".trash" / run.run_id)
    lines = await followed.all()
    assert "the last word" in lines[-2]
    assert lines[-1] == "· the run was removed while it was read"


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_lines_fit_the_terminal(run: RunDirectoryBuilder, width: int) -> None:
    run.tool("view_file", {"path": "/home/dev/web/src/login.py"}).tool(
        "漢" * 90, {"command": "漢" * 90}
    ).end()
    lines = await Followed(run, width=width).all()
    assert max(map(cells, lines)) <= width
    assert any(line.endswith("  src/login.py") for line in lines)
