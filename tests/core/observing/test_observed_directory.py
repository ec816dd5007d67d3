"""What an observer says of a directory of runs, now and as it changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.core.observing.observing import T0, Scene
from tests.watching import following

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.watching.watch import RunsWatch
from buddy_core.testing import RunDirectoryBuilder, sample_runs


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_runs_are_listed_newest_first_and_nothing_else_is_a_run(scene: Scene) -> None:
    """Cases 61 and 76."""
    for suffix, at in (("00000a", T0), ("00000b", T0 - 5), ("00000c", T0 + 7)):
        scene.run(suffix, at=at).write()
    (scene.runs / "run_x").mkdir()
    (scene.runs / "artifact-index.sqlite").touch()
    (scene.runs / "run_mk000001_abcdef").symlink_to(scene.run("00000a").run_dir)
    scene.observer.load()

    assert [run.run_id[-1] for run in scene.observer.facts()] == ["c", "a", "b"]
    assert scene.observer.sources().rejected_names == 2


def test_a_run_dated_into_the_future_is_sorted_by_its_id(scene: Scene) -> None:
    """Case 42."""
    scene.run("00000a", at=T0 - 2000).summary(startedAt=T0 + 10**10).write()
    scene.run("00000b", at=T0 - 1000).write()
    scene.run("00000c", at=T0 - 3000).write()
    scene.observer.load()

    assert [run.run_id[-1] for run in scene.observer.facts()] == ["b", "a", "c"]


def test_the_sample_runs_are_in_every_state(tmp_path: Path) -> None:
    ids = sample_runs(tmp_path / "runs", now_ms=T0)
    observer = Observer(tmp_path / "runs", MetricsCollector(), clock=ManualClock(T0))
    observer.load()

    assert tuple(run.run_id for run in observer.facts()) == ids
    assert {run.status for run in observer.facts()} == {
        "running", "stalled", "interrupted", "completed", "failed", "cancelled",
    }  # fmt: skip


def test_a_directory_that_does_not_exist_is_told_and_waited_for(tmp_path: Path) -> None:
    observer = Observer(tmp_path / "runs", MetricsCollector(), clock=ManualClock(T0))
    observer.load()
    assert observer.facts() == ()
    assert observer.sources().problem is not None
    RunDirectoryBuilder(tmp_path / "runs", started_at=T0).write()
    observer.load()

    assert len(observer.facts()) == 1
    assert observer.sources().problem is None


def test_a_runs_directory_that_is_the_users_own_link_is_followed(tmp_path: Path) -> None:
    """Case 76."""
    RunDirectoryBuilder(tmp_path / "real", started_at=T0).tool("bash").artifact("plan.md", "x").write()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    observer = Observer(tmp_path / "link", MetricsCollector(), clock=ManualClock(T0))
    observer.load()
    (run,) = observer.facts()

    assert (run.tool_calls, run.artifacts) == (1, ("plan.md",))
    assert observer.run_dir(run.run_id) == tmp_path / "real" / run.run_id
    assert observer.sources().runs_dir == tmp_path / "link"


def test_a_version_grows_with_every_change_and_with_nothing_else(scene: Scene) -> None:
    run = scene.run()
    run.write()
    scene.observer.load()
    before = scene.observer.version
    scene.observer.load()
    assert not scene.observer.tick()
    assert scene.observer.version == before
    run.tool("bash").write()
    scene.observer.load()

    assert scene.observer.version > before


def test_the_sources_say_what_could_not_be_read(scene: Scene) -> None:
    scene.run().raw(b"no json\n").raw(b"[]\n").raw(
        b'{"ts":1,"ty{"ts":1767890000000,"type":"error","data":{}}\n'
    ).write()
    sources_before = scene.observer.sources()
    scene.observer.load()
    sources = scene.observer.sources()

    assert (sources_before.loaded, sources.loaded, sources.total) == (0, 1, 1)
    assert (sources.skipped_lines, sources.recovered_lines) == (2, 1)
    shutil.rmtree(scene.run().run_dir)
    scene.observer.load()
    assert scene.observer.sources().skipped_lines == 0


def test_runs_that_are_polled_are_marked(tmp_path: Path) -> None:
    watch = RunsWatch(tmp_path)
    watch.mode, watch.mode_reason = "polling", "a network file system"
    RunDirectoryBuilder(tmp_path, started_at=T0).write()
    observer = Observer(tmp_path, MetricsCollector(), clock=ManualClock(T0), watch=watch)
    observer.load()

    assert observer.facts()[0].polling
    assert (observer.sources().mode, observer.sources().mode_reason) == ("polling", "a network file system")


# Following


async def test_runs_that_come_grow_end_and_go_are_seen(scene: Scene) -> None:
    facts = scene.observer.facts
    async with following(scene.observer) as until:
        run = scene.run()
        run.write()
        await until(lambda: len(facts()) == 1)
        run.tool("bash").write()
        await until(lambda: facts()[0].tool_calls == 1)
        run.end("failed").write()
        await until(lambda: facts()[0].status == "failed")
        shutil.rmtree(run.run_dir)
        await until(lambda: facts() == ())


async def test_a_run_of_the_librarys_own_writer_is_running_then_ended_or_given_up(scene: Scene) -> None:
    store = RunStore(scene.runs, clock=scene.clock, durable=False)
    facts = scene.observer.facts
    async with following(scene.observer) as until:
        parent = store.start_run("Explain the import")
        store.emit(parent, "tool_call", {"toolName": "bash", "toolCallId": "a", "args": {"command": "ls"}})
        await until(lambda: [tool.argument for run in facts() for tool in run.running_tools] == ["ls"])
        assert scene.later(120) == "stalled"
        store.end_run(parent, "completed")
        await until(lambda: facts()[0].status == "completed")
        store.fork_run(parent, "retry")
        await until(lambda: [run.parent_run_id for run in facts()] == [parent, None])
        store.close()
        await until(lambda: facts()[0].status == "interrupted")


async def test_many_runs_are_shown_while_they_are_being_read(scene: Scene) -> None:
    """Case 38, in small."""
    for number in range(100):
        scene.run(f"{number:06x}", at=T0 - number).without_metrics().write()
    seen: list[int] = []
    async with following(scene.observer) as until:
        await until(lambda: seen.append(len(scene.observer.facts())) or seen[-1] == 100)

    assert seen[1] < 100
    assert [run.run_id[-2:] for run in scene.observer.facts()][:3] == ["00", "01", "02"]


async def test_a_runs_directory_may_come_while_it_is_followed(tmp_path: Path) -> None:
    observer = Observer(tmp_path / "home" / "runs", MetricsCollector(), clock=ManualClock(T0))
    async with following(observer) as until:
        await until(lambda: observer.sources().problem is not None)
        RunDirectoryBuilder(tmp_path / "home" / "runs", started_at=T0).tool("bash").write()
        await until(lambda: any(run.tool_calls for run in observer.facts()))


async def test_rereading_while_following_happens_soon_and_counts_nothing_twice(scene: Scene) -> None:
    scene.run().tool("bash").end().write()
    changes = 0
    async with following(scene.observer) as until:
        await until(lambda: scene.observer.facts() != ())
        scene.observer.reread()

        def reread() -> bool:
            nonlocal changes
            changes += 1
            return changes > 1

        await until(reread)
    assert scene.collector.get_total_tool_calls() == 1
