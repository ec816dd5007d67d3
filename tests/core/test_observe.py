"""What an observer says of the runs in a directory: their state, what they do now, where they come from."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path

import pytest
from tests.watching import following

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observe import Observer
from buddy_core.runs.model import RunFacts
from buddy_core.runs.watching.watch import RunsWatch
from buddy_core.runs.writing.store import RunStore
from buddy_core.testing import RunDirectoryBuilder, sample_runs

T0 = 1_767_890_000_000
MINUTE = 60_000


class Scene:
    """A runs directory at `T0`, and an observer of it."""

    def __init__(self, home: Path) -> None:
        self.runs = home / "runs"
        self.runs.mkdir()
        self.clock = ManualClock(T0)
        self.collector = MetricsCollector(clock=self.clock)
        self.observer = Observer(self.runs, self.collector, clock=self.clock)

    def run(self, suffix: str = "0a1b2c", *, at: int = T0, **more: str) -> RunDirectoryBuilder:
        return RunDirectoryBuilder(self.runs, started_at=at, suffix=suffix, metadata=more)

    def only(self) -> RunFacts:
        """The one run there is, after another look at the files."""
        self.observer.load()
        (run,) = self.observer.facts()
        return run

    def status(self) -> str:
        return self.only().status

    def later(self, minutes: float) -> str:
        """Let time pass without a look at the files; the status of the one run then."""
        self.clock.advance(minutes * MINUTE)
        self.observer.tick()
        return self.observer.facts()[0].status


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


# Status


def test_a_silent_run_ages_from_running_to_stalled_to_interrupted(scene: Scene) -> None:
    scene.run().tool("bash", took_ms=0).write()

    assert scene.status() == "running"
    assert [scene.later(9.9), scene.later(0.2), scene.later(49), scene.later(2)] == [
        "running",
        "stalled",
        "stalled",
        "interrupted",
    ]
    assert scene.observer.facts()[0].recorded_status == "running"


async def test_growth_that_was_seen_is_a_sign_of_life_whatever_the_events_say(scene: Scene) -> None:
    """Case 40: the writer's clock is an hour slow."""
    run = scene.run(at=T0 - 60 * MINUTE)
    run.write()
    async with following(scene.observer) as until:
        await until(lambda: scene.observer.facts() != ())
        assert scene.observer.facts()[0].status == "interrupted"
        run.tool("bash").write()
        await until(lambda: scene.observer.facts()[0].tool_calls == 1)

        assert scene.observer.facts()[0].status == "running"


def test_events_from_the_future_do_not_keep_a_run_alive(scene: Scene) -> None:
    """Case 40."""
    scene.run().write()
    run = scene.run()
    run.now_ms = T0 + 10**10
    run.error("from the future").write()
    scene.observer.load()

    assert scene.later(61) == "interrupted"


def test_a_lock_that_nobody_holds_means_the_writer_is_gone(scene: Scene) -> None:
    run = scene.run()
    run.write()
    lock = run.run_dir / "run.lock"
    lock.touch()
    held = os.open(lock, os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    assert scene.status() == "running"
    os.close(held)

    assert scene.later(0) == "interrupted"


def test_a_held_lock_keeps_a_silent_run_from_being_given_up(scene: Scene) -> None:
    run = scene.run()
    run.write()
    held = os.open(run.run_dir / "run.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    scene.observer.load()
    assert scene.later(600) == "stalled"
    os.close(held)


@pytest.mark.parametrize("word", ["completed", "failed", "cancelled"])
def test_an_end_that_was_recorded_stands_for_ever(scene: Scene, word: str) -> None:
    scene.run().event("run_end", {"status": word}).write()

    assert scene.status() == word
    assert scene.later(600) == word


def test_the_end_in_the_events_wins_over_a_summary_that_was_never_finished(scene: Scene) -> None:
    scene.run().event("run_end", {"status": "failed"}).write()
    run = scene.only()

    assert (run.status, run.recorded_status, run.ended_at) == ("failed", "failed", T0)


def test_a_word_nobody_knows_counts_as_running_and_is_shown(scene: Scene) -> None:
    scene.run().summary(status="exploded").write()

    assert (scene.status(), scene.only().recorded_status) == ("running", "exploded")


# What is said of a run


def test_what_runs_now_is_told_with_its_key_argument_and_since_when(scene: Scene) -> None:
    run = scene.run().step("plan").step("implement").wait(1000)
    run.call("bash", {"command": "pytest -q"})
    run.write()
    facts = scene.only()

    assert facts.step == "implement"
    assert [(tool.name, tool.argument, tool.since) for tool in facts.running_tools] == [
        ("bash", "pytest -q", T0 + 1000)
    ]


def test_an_ended_run_has_nothing_running(scene: Scene) -> None:
    run = scene.run().step("plan")
    run.call("bash")
    run.end("cancelled").write()

    assert (scene.only().running_tools, scene.only().step) == ((), None)


def test_a_fork_knows_its_parent_by_metadata_or_by_its_decision(scene: Scene) -> None:
    parent = scene.run()
    parent.write()
    scene.run("00000a", parentRolloutId=parent.run_id, forkReason="retry").write()
    decision = {"kind": "fork", "parentRunId": parent.run_id, "reason": "other way"}
    scene.run("00000b").without_summary().event("decision", decision).write()
    scene.observer.load()
    forks = {run.run_id[-6:]: (run.parent_run_id, run.fork_reason) for run in scene.observer.facts()}

    assert forks == {
        "0a1b2c": (None, None),
        "00000a": (parent.run_id, "retry"),
        "00000b": (parent.run_id, "other way"),
    }


@pytest.mark.parametrize(
    ("tags", "requests", "model"),
    [
        (["headless", "gpt-5.5"], ["opus"], "gpt-5.5"),
        (["interactive", "x", "haiku"], [], "haiku"),
        (["fix-bug", "critical"], ["opus", "haiku", "opus"], "opus"),
        (["headless"], [], None),
        ([], [], None),
    ],
)
def test_the_model_is_that_of_the_tags_or_the_one_used_most(
    scene: Scene, tags: list[str], requests: list[str], model: str | None
) -> None:
    run = RunDirectoryBuilder(scene.runs, started_at=T0, metadata={"tags": tags})
    for name in requests:
        run.request("anthropic", name)
    run.write()

    assert scene.only().model == model


def test_a_living_run_has_used_what_its_requests_say_and_an_ended_one_what_its_totals_say(
    scene: Scene,
) -> None:
    run = scene.run().request(prompt=100, completion=10, cache_read=5, cost=0.2)
    run.metrics(totalTokens=70, totalCost=0.1).write()
    live = scene.only()
    assert (live.total_tokens, live.prompt_tokens, live.completion_tokens, live.total_cost) == (
        115,
        100,
        10,
        0.2,
    )
    run.end().metrics(totalTokens=200, promptTokens=0, completionTokens=0, totalCost=0.0).write()
    ended = scene.only()

    assert (ended.total_tokens, ended.prompt_tokens, ended.completion_tokens, ended.total_cost) == (
        200,
        100,
        10,
        0.2,
    )


def test_nothing_that_is_not_logged_is_zero(scene: Scene) -> None:
    scene.run().tool("bash").write()
    run = scene.only()

    assert (run.total_tokens, run.prompt_tokens, run.completion_tokens, run.total_cost, run.model) == (
        None,
    ) * 5


def test_a_run_without_any_file_but_events_is_still_a_run(scene: Scene) -> None:
    scene.clock.advance(MINUTE)
    scene.run().wait(500).tool("bash", took_ms=0).without_summary().without_metrics().write()
    run = scene.only()

    assert (run.objective, run.started_at, run.duration_ms) == ("Fix the flaky login test", T0, 500)
    assert (run.recorded_status, run.status, run.tool_calls) == (None, "running", 1)


def test_a_run_without_events_is_still_a_run(scene: Scene) -> None:
    run = scene.run()
    run.write()
    run.events_file.unlink()

    assert (scene.only().event_count, scene.only().status, scene.only().objective) == (
        0,
        "running",
        run.objective,
    )


def test_an_absurd_start_is_passed_over_for_the_next_best(scene: Scene) -> None:
    """Case 42."""
    scene.run().summary(startedAt=9 * 10**15).write()

    assert scene.only().started_at == T0


def test_a_duration_never_runs_backwards(scene: Scene) -> None:
    """Case 40."""
    run = scene.run().end().summary(endedAt=T0 - MINUTE).metrics(durationMs=0)
    run.write()
    assert scene.only().duration_ms is None
    run.metrics(durationMs=777).write()

    assert scene.only().duration_ms == 777


def test_artifacts_are_listed_by_name(scene: Scene) -> None:
    scene.run().artifact("plan.md", "x").artifact("a.diff", "y").write()

    assert scene.only().artifacts == ("a.diff", "plan.md")


def test_a_summary_that_breaks_keeps_its_last_good_value_and_says_so(scene: Scene) -> None:
    """Case 48."""
    run = scene.run()
    run.write()
    scene.observer.load()
    (run.run_dir / "summary.json").write_bytes(b'{"status": "compl')
    facts = scene.only()
    assert facts.objective == run.objective
    assert facts.integrity.notes == ("summary.json is no JSON object; what it said before is shown",)
    run.write()

    assert scene.only().integrity.intact


@pytest.mark.parametrize("name", ["summary.json", "metrics.json", "events.jsonl"])
def test_a_link_in_place_of_a_file_leads_nowhere_and_is_told(scene: Scene, tmp_path: Path, name: str) -> None:
    """Cases 28, 48 and 76."""
    secret = tmp_path / "secret"
    secret.write_text(
        json.dumps({"objective": "stolen", "totalTokens": 5, "ts": T0, "type": "error", "data": {}}) + "\n"
    )
    run = scene.run()
    run.write()
    (run.run_dir / name).unlink()
    (run.run_dir / name).symlink_to(secret)
    facts = scene.only()

    assert (facts.total_tokens, facts.errors) == (None, 0)
    assert "stolen" not in facts.objective
    assert any(name in note for note in facts.integrity.notes)


# The directory


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
