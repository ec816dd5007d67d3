"""What an observer says of a run: its state, what it does now, where it comes from."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest
from tests.core.observing.observing import MINUTE, T0, Scene
from tests.watching import following

from buddy_core.testing import RunDirectoryBuilder


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
