"""The demonstration agent: believable, repeatable, confined to its own directory, and gone afterwards."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from buddy_core.clock import ManualClock
from buddy_core.runs.names import is_run_id
from buddy_core.runs.records.smallfiles import parse_metrics, parse_summary
from buddy_core.runs.watching.liveness import lock_state
from buddy_top.demo import DemoAgent, Demonstration
from buddy_top.demo import agent as agent_module

NOW = 1_770_000_000_000
HOUR = 3_600_000


class Film:
    """A demonstration that is stepped by hand, and what it recorded."""

    def __init__(self, runs_dir: Path, *, seed: int = 1, now_ms: int = NOW, speed: float = 1.0) -> None:
        self.runs_dir = runs_dir
        self.clock = ManualClock(now_ms)
        self.agent = DemoAgent(runs_dir, seed=seed, clock=self.clock, speed=speed)
        self.agent.begin()

    def play(self, ms: float) -> None:
        end = self.clock.now_ms() + ms
        while self.clock.now_ms() < end:
            self.clock.advance(self.agent.step())

    def events(self) -> dict[str, list[dict[str, Any]]]:
        return {
            path.parent.name: [json.loads(line) for line in path.read_bytes().splitlines()]
            for path in sorted(self.runs_dir.glob("*/events.jsonl"))
        }

    def status(self, run_id: str) -> str:
        summary = parse_summary((self.runs_dir / run_id / "summary.json").read_bytes(), run_id)
        assert summary is not None
        return summary.status


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Film]:
    """The first ten minutes."""
    film = Film(tmp_path_factory.mktemp("film"))
    film.play(600_000)
    yield film
    film.agent.close()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Film]:
    """The moment of the first picture."""
    film = Film(tmp_path_factory.mktemp("start"))
    yield film
    film.agent.close()


def of_type(film: Film, type: str) -> list[dict[str, Any]]:
    return [event["data"] for events in film.events().values() for event in events if event["type"] == type]


class TestAtTheStart:
    def test_a_day_of_finished_runs_is_there(self, start: Film) -> None:
        finished = [run_id for run_id in start.events() if start.status(run_id) != "running"]
        assert len(finished) >= 25
        ends = {run_id: events[-1] for run_id, events in start.events().items()}
        assert all(ends[run_id]["type"] == "run_end" for run_id in finished)
        assert {start.status(run_id) for run_id in finished} >= {"completed", "failed", "cancelled"}
        begun = [events[0]["ts"] for events in start.events().values()]
        for hours in (1, 6, 24):
            assert sum(NOW - ts <= hours * HOUR for ts in begun) >= 5, f"the last {hours} h are empty"

    def test_nothing_lies_in_the_future_and_every_run_is_in_order(self, start: Film) -> None:
        for events in start.events().values():
            times = [event["ts"] for event in events]
            assert times == sorted(times)
            assert times[-1] <= NOW

    def test_several_runs_are_live_and_locked(self, start: Film) -> None:
        assert len(start.agent.live) >= 5
        for run_id in start.agent.live:
            assert start.status(run_id) == "running"
            assert lock_state(start.runs_dir / run_id) == "held"

    def test_one_run_hangs_in_a_tool_and_one_was_interrupted(self, start: Film) -> None:
        silent = {
            run_id: lock_state(start.runs_dir / run_id)
            for run_id, events in start.events().items()
            if start.status(run_id) == "running" and NOW - events[-1]["ts"] > 600_000
        }
        assert sorted(silent.values()) == ["free", "held"]
        for run_id in silent:
            assert start.events()[run_id][-1]["type"] == "tool_call"


class TestTheFirstTenMinutes:
    def test_something_happens_all_the_time(self, film: Film) -> None:
        times = sorted(e["ts"] for events in film.events().values() for e in events if e["ts"] > NOW)
        assert len(times) > 900
        assert max(after - before for before, after in pairwise(times)) < 15_000
        assert len({ts // 1000 for ts in times}) > 330, "most seconds bring something new"

    def test_two_providers_answer_and_sometimes_fail(self, film: Film) -> None:
        requests = [data for data in of_type(film, "metric") if data["kind"] == "api_request"]
        models = Counter((data["provider"], data["model"]) for data in requests)
        assert len({provider for provider, _ in models}) == 2
        assert len(models) >= 4
        failed = [data for data in requests if not data["success"]]
        assert 0.005 < len(failed) / len(requests) < 0.12
        for data in requests:
            if data["success"]:
                assert 0 < data["ttftMs"] < data["latencyMs"] < 60_000
                assert 0 < data["cost"] < 2
                assert data["cacheReadTokens"] > data["promptTokens"] > 0

    def test_many_tools_are_called_and_some_fail_in_words(self, film: Film) -> None:
        calls = Counter(data["toolName"] for data in of_type(film, "tool_call"))
        assert len(calls) >= 8
        failures = [data for data in of_type(film, "tool_result") if not data["success"]]
        assert 0.02 < len(failures) / sum(calls.values()) < 0.2
        assert len({data["error"] for data in failures}) >= 10
        assert all("{" not in data["error"] for data in failures), "a template was left unfilled"

    def test_forks_errors_decisions_and_artifacts_occur(self, film: Film) -> None:
        kinds = Counter(data.get("kind") for data in of_type(film, "decision"))
        assert kinds["fork"] >= 2
        assert of_type(film, "error")
        names = {data["artifact"] for data in of_type(film, "patch_created")}
        assert names >= {"plan.md", "patch.diff", "summary.md"}

    def test_the_totals_of_a_run_are_the_sums_of_its_requests(self, film: Film) -> None:
        for run_id, events in film.events().items():
            if events[-1]["type"] != "run_end":
                continue
            metrics = parse_metrics((film.runs_dir / run_id / "metrics.json").read_bytes())
            assert metrics is not None
            requests = [e["data"] for e in events if e["type"] == "metric" and "cost" in e["data"]]
            assert metrics.total_cost == pytest.approx(sum(data["cost"] for data in requests))
            kinds = ("promptTokens", "completionTokens", "cacheReadTokens", "cacheWriteTokens")
            assert metrics.total_tokens == sum(data[kind] for data in requests for kind in kinds)
            assert metrics.duration_ms == events[-1]["ts"] - events[0]["ts"]

    def test_every_result_answers_a_call_and_took_as_long_as_it_says(self, film: Film) -> None:
        for events in film.events().values():
            calls = {e["data"]["toolCallId"]: e["ts"] for e in events if e["type"] == "tool_call"}
            for event in events:
                if event["type"] == "tool_result":
                    took = event["ts"] - calls.pop(event["data"]["toolCallId"])
                    assert abs(took - event["data"]["durationMs"]) <= 2


def test_the_stuck_run_gives_up_in_the_end(tmp_path: Path) -> None:
    film = Film(tmp_path)
    film.play(15 * 60_000)
    (given_up,) = [
        run_id
        for run_id, events in film.events().items()
        if any("timed out after 40m0s" in str(event["data"].get("error")) for event in events)
    ]
    assert film.status(given_up) == "failed"
    film.agent.close()


@pytest.mark.parametrize("seed", [3, 20_260_201])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, seed: int) -> None:
    trees = []
    for name in ("a", "b"):
        film = Film(tmp_path / name, seed=seed)
        film.play(45_000)
        film.agent.close()
        files = sorted(path for path in film.runs_dir.rglob("*") if path.is_file())
        home = str(film.runs_dir).encode()
        trees.append(
            {str(path.relative_to(film.runs_dir)): path.read_bytes().replace(home, b"") for path in files}
        )
    assert trees[0] == trees[1]


def test_at_another_time_only_the_times_differ(tmp_path: Path) -> None:
    stories = []
    for name, now_ms in (("a", NOW), ("b", NOW + 98_765_432_100)):
        film = Film(tmp_path / name, seed=5, now_ms=now_ms)
        film.agent.close()
        text = json.dumps([event for events in film.events().values() for event in events])
        text = re.sub(r"run_[0-9a-z]+_", "run_", text.replace(str(film.runs_dir), ""))
        stories.append(re.sub(r'"ts": \d+', '"ts": 0', text))
    assert stories[0] == stories[1]


def test_another_seed_is_another_story(tmp_path: Path) -> None:
    objectives = []
    for seed in (1, 2):
        film = Film(tmp_path / str(seed), seed=seed)
        film.agent.close()
        objectives.append([events[0]["data"]["objective"] for events in film.events().values()])
    assert objectives[0] != objectives[1]


def test_speed_makes_live_runs_faster_and_their_durations_shorter(tmp_path: Path) -> None:
    film = Film(tmp_path, speed=20.0)
    film.play(60_000)
    film.agent.close()
    assert sum(events[0]["ts"] >= NOW for events in film.events().values()) > 15


def test_after_a_long_sleep_of_the_machine_nothing_comes_in_a_burst(tmp_path: Path) -> None:
    """Case 41."""
    film = Film(tmp_path)
    film.play(5_000)
    before = sum(map(len, film.events().values()))
    film.clock.advance(8 * HOUR)
    film.agent.step()
    after = sum(map(len, film.events().values()))
    assert after - before < 20
    film.agent.close()


def test_old_finished_runs_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "_KEPT", 10)
    film = Film(tmp_path)
    film.play(1_000)
    assert len(list(tmp_path.iterdir())) == 10 + len(film.agent.live)
    film.agent.close()


class TestTheDemonstration:
    def test_plays_in_a_directory_of_its_own_and_removes_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with Demonstration(seed=1) as demonstration:
            assert demonstration.runs_dir.is_relative_to(tmp_path)
            runs = list(demonstration.runs_dir.iterdir())
            assert len(runs) > 25
            assert all(is_run_id(run.name) for run in runs)
        assert list(tmp_path.iterdir()) == []
        assert "demonstration" not in {thread.name for thread in threading.enumerate()}

    def test_goes_on_by_itself(self) -> None:
        with Demonstration(seed=1, speed=200.0) as demonstration:
            known = {path.name for path in demonstration.runs_dir.iterdir()}
            arrived = threading.Event()

            def look() -> None:
                while not arrived.wait(0.01):
                    if {path.name for path in demonstration.runs_dir.iterdir()} - known:
                        arrived.set()

            thread = threading.Thread(target=look, daemon=True)
            thread.start()
            assert arrived.wait(30), "no new run has begun"
            thread.join()

    def test_may_be_closed_twice(self) -> None:
        with Demonstration(seed=1) as demonstration:
            demonstration.close()
        demonstration.close()
        assert not demonstration.runs_dir.exists()

    def test_leaves_nothing_when_it_cannot_begin(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

        def fails(_agent: DemoAgent) -> None:
            raise OSError("no space")

        monkeypatch.setattr(DemoAgent, "begin", fails)
        with pytest.raises(OSError, match="no space"), Demonstration(seed=1):
            pass
        assert list(tmp_path.iterdir()) == []
