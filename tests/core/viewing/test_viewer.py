"""Runs as plain text: what a list, one run and a followed run say."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from buddy_core.errors import AmbiguousRun, RunNotFound, StoreUnavailable
from buddy_core.runs.replay.session import replay_run
from buddy_core.runs.viewing.joined import joined_events
from buddy_core.runs.viewing.viewer import list_runs, show_run, tail_run
from buddy_core.settings import NOWHERE
from buddy_core.testing import RunDirectoryBuilder

START = 1_767_890_000_000
HOSTILE = "\x1b]0;x\x07 [/x] \u202e"


class Place:
    """As a `RunStore`: something that knows its directory."""

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir


@pytest.fixture
def finished(tmp_path: Path) -> RunDirectoryBuilder:
    run = RunDirectoryBuilder(tmp_path, started_at=START, objective="Fix the login", suffix="00000a")
    run.step("test").tool("bash", {"command": "pytest -q"}, took_ms=1_800, error="1 failed").step_end("test")
    run.request(prompt=12_000, completion=345, cost=0.61, latency_ms=900).artifact("plan.md", "# plan")
    run.end("failed").write()
    return run


def shown(run_id: str, place: Path) -> str:
    out = io.StringIO()
    show_run(run_id, store=Place(place), out=out)
    return out.getvalue()


def test_a_list_has_a_line_for_each_run_newest_first(finished: RunDirectoryBuilder) -> None:
    RunDirectoryBuilder(
        finished.root, started_at=START + 1000, objective="The newer", suffix="00000b"
    ).write()
    lines: list[str] = []
    list_runs(store=finished.root, out=lines.append)
    assert [line.split("  ")[-1] for line in lines] == ["objective", "The newer", "Fix the login"]
    assert "$0.61" in lines[2]
    assert "12.3k" in lines[2]
    assert "–" in lines[1], "unknown is not zero"


def test_a_limit_keeps_the_newest_and_zero_keeps_all(finished: RunDirectoryBuilder) -> None:
    RunDirectoryBuilder(finished.root, started_at=START + 1000, suffix="00000b").write()
    for limit, count in ((1, 1), (0, 2)):
        lines: list[str] = []
        list_runs(limit, store=finished.root, out=lines.append)
        assert len(lines) - 1 == count


def test_an_empty_directory_is_said_to_be_empty(tmp_path: Path) -> None:
    lines: list[str] = []
    list_runs(store=tmp_path, out=lines.append)
    assert lines == [f"no runs in {tmp_path} yet"]


def test_the_environment_names_the_directory_when_nobody_else_does(
    finished: RunDirectoryBuilder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CODEBUDDY_RUNS_DIR", str(finished.root))
    list_runs()
    assert "Fix the login" in capsys.readouterr().out


def test_a_run_is_shown_with_its_numbers_and_its_events(finished: RunDirectoryBuilder) -> None:
    text = shown("last", finished.root)
    for words in (
        "✗ failed  Fix the login",
        finished.run_id,
        "12,345 (prompt 12,000, completion 345)",
        "$0.61",
        "1 call, 1 failed",
        "plan.md 6 B",
        "pytest -q — 1 failed",
    ):
        assert words in text, words


def test_a_run_is_found_by_the_beginning_of_its_id(finished: RunDirectoryBuilder) -> None:
    assert shown(finished.run_id[:9], finished.root) == shown(finished.run_id, finished.root)


def test_a_run_that_is_not_there_or_not_meant_is_an_error(
    finished: RunDirectoryBuilder, tmp_path: Path
) -> None:
    RunDirectoryBuilder(finished.root, started_at=START, suffix="00000b").write()
    with pytest.raises(RunNotFound):
        shown("nope", finished.root)
    with pytest.raises(AmbiguousRun):
        shown(finished.run_id[:-1], finished.root)
    with pytest.raises(StoreUnavailable):
        show_run("last", store=tmp_path / "missing")


async def test_a_store_that_has_recorded_nothing_yet_has_no_runs_and_that_is_no_error(tmp_path: Path) -> None:
    """Its directory is made by the first start of a run; a path to nowhere is a mistake all the same."""
    place, lines = Place(tmp_path / "runs"), list[str]()
    list_runs(store=place, out=lines.append)
    assert lines == [f"no runs in {place.runs_dir} yet"]
    with pytest.raises(RunNotFound, match="no run in"):
        show_run("last", store=place)
    with pytest.raises(RunNotFound, match="no run in"):
        await tail_run("last", store=place)
    with pytest.raises(RunNotFound, match="no run in"):
        replay_run("last", store=place)
    with pytest.raises(StoreUnavailable):
        list_runs(store=place.runs_dir)
    assert not place.runs_dir.exists()


def test_a_user_without_a_home_is_told_so_and_not_that_there_are_no_runs() -> None:
    with pytest.raises(StoreUnavailable):
        list_runs(store=Place(NOWHERE))


async def test_a_followed_run_tells_every_event_and_its_end(finished: RunDirectoryBuilder) -> None:
    lines: list[str] = []
    await tail_run("last", store=finished.root, out=lines.append)
    assert len(lines) == 10
    assert lines[0] == finished.run_id
    assert "run start" in lines[1]
    assert "pytest -q" in lines[3]
    assert "pytest -q — 1 failed" in lines[4], "a result stands with the words of its call"
    assert lines[-1] == "✗ failed after 2.7 s: 1 call, 1 failed"


async def test_a_run_whose_writer_died_says_so_and_counts_the_damage(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=START).raw(b"rubbish\n")
    run.write()
    lines: list[str] = []
    await tail_run(run.run_id, store=tmp_path, out=lines.append)
    assert lines[-1] == "◌ interrupted: its writer is gone, and no end was recorded; 1 damaged line skipped"


async def test_what_a_run_says_is_made_printable(tmp_path: Path) -> None:
    """Cases 55 to 58, 61 and 64."""
    run = RunDirectoryBuilder(tmp_path, objective=HOSTILE, metadata={"tags": [HOSTILE], "cwd": HOSTILE})
    run.tool(HOSTILE, {"command": HOSTILE}, error=HOSTILE).event(HOSTILE, {"x": HOSTILE})
    run.summary(status=HOSTILE).write()
    lines: list[str] = []
    list_runs(store=tmp_path, out=lines.append)
    show_run("last", store=tmp_path, out=lines.append)
    await tail_run("last", store=tmp_path, out=lines.append)
    text = "\n".join(lines)
    assert all(line.isprintable() for line in lines)
    assert "␛]0;x␇ [/x] ⟨202e⟩" in text


def test_joined_events_have_each_result_with_its_call(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path)
    first = run.call("bash", {"command": "a"})
    second = run.call("bash", {"command": "b"})
    run.wait(5).result("bash", second, took_ms=5).wait(5).result("bash", first, took_ms=10)
    open_call = run.call("bash", {"command": "c"})
    run.write()
    joined = joined_events(tmp_path, run.run_id)
    results = {one.event.data["toolCallId"]: one.result for one in joined if one.event.type == "tool_call"}
    assert [one.event.type for one in joined] == ["run_start", "tool_call", "tool_call", "tool_call"]
    assert results[open_call] is None
    for call in (first, second):
        result = results[call]
        assert result is not None
        assert result.data["toolCallId"] == call


def test_a_run_without_an_event_file_has_no_events(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path)
    run.write()
    run.events_file.unlink()
    assert joined_events(tmp_path, run.run_id) == []
