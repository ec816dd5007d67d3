"""Filters held against runs: what each condition asks of one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.query.candidate import Candidate
from buddy_core.runs.query.evaluate import Matcher, moment_ms
from buddy_core.runs.query.model import Date, DaysBack, TimeOfDay
from buddy_core.runs.query.parser import parse
from buddy_core.runs.query.scan import scan, scan_matching
from buddy_core.runs.viewing.viewer import load_facts
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_767_890_000_000
HOUR = 3_600_000

RUN = Candidate(
    RunFacts(
        run_id="run_mk3abc00_0a1b2c",
        objective="Fix the flaky Login test",
        status="failed",
        recorded_status="failed",
        started_at=NOW - HOUR,
        ended_at=NOW,
        last_event_at=NOW,
        duration_ms=HOUR,
        event_count=48,
        tool_calls=21,
        tool_failures=1,
        errors=1,
        total_tokens=182_000,
        total_cost=None,
        model="claude-sonnet-4-5",
        tags=("bugfix", "CI run"),
        artifacts=("plan.md", "patch.diff"),
    ),
    tools=("bash", "view_file"),
    errors=("No such file: login.py",),
)


def fits(text: str, run: Candidate = RUN) -> bool:
    parsed = parse(text)
    assert parsed.problems == ()
    content = {"exit code": True}
    matcher = Matcher(
        parsed.query, now_ms=NOW, tz=UTC, content=lambda _run, wanted: content.get(wanted, False)
    )
    return matcher.fits(run)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "login FLAKY",
        '"flaky login"',
        "mk3abc",
        "failed",
        "bugfix",
        "view_f",
        '"no such file"',
        "patch.d",
        "sonnet",
        "-cherry",
        "status:failed,stalled",
        "-status:running",
        "tag:BugFix",
        'tag:"ci run"',
        "tag:nope,bug*",
        "tool:bash",
        "tool:view_*",
        "model:sonnet",
        "model:claude*5",
        "id:mk3",
        "id:run_mk3",
        "id:*0a1b2c",
        "has:patch.diff",
        "has:*.md",
        "-has:*.png",
        "since:2h",
        "-since:30m",
        "before:30m",
        "before:1h",
        "since:1h",
        "tokens>100k",
        "tokens<=182k",
        "took>=1h",
        "took=1h",
        "errors=2",
        "failed=1",
        "calls>20",
        "events<1k",
        "-cost>0",
        "-cost<=0",
        'content:"exit code"',
        '-content:"exit mode"',
        'status:failed tool:bash -tag:wip content:"exit code"',
    ],
)
def test_the_run_fits(text: str) -> None:
    if text == "before:1h":  # it started at that very moment
        assert not fits(text)
        return
    assert fits(text)


@pytest.mark.parametrize(
    "text",
    [
        "login cherry",
        '"login flaky"',
        "-login",
        "status:running",
        "tag:bug",
        "tool:bas",
        "model:opus",
        "has:plan",
        "since:30m",
        "cost>0",
        "cost<1",
        "cost=0",
        "errors>2",
        "content:other",
    ],
)
def test_the_run_does_not_fit(text: str) -> None:
    assert not fits(text)


def test_times_are_local_and_a_time_of_day_is_the_last_one() -> None:
    noon = int(datetime(2026, 1, 8, 12, tzinfo=UTC).timestamp() * 1000)
    assert moment_ms(DaysBack(0), noon, UTC) == noon - 12 * HOUR
    assert moment_ms(DaysBack(1), noon, UTC) == noon - 36 * HOUR
    assert moment_ms(TimeOfDay(11 * 3600), noon, UTC) == noon - HOUR
    assert moment_ms(TimeOfDay(13 * 3600), noon, UTC) == noon - 23 * HOUR
    assert moment_ms(Date("2026-01-08"), noon, UTC) == noon - 12 * HOUR
    assert moment_ms(Date("0001-01-01"), noon, UTC) == 0


def test_a_scan_knows_what_the_list_knows_and_the_tools_and_errors_besides(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path / "runs", metadata={"tags": ["headless", "gpt-5"]})
    run.tool("bash", {"command": "make"}, error="exit code 2").error("out of luck")
    run.call("web_fetch")
    run.artifact("plan.md", "# Plan").end("failed").write()
    RunDirectoryBuilder(tmp_path / "runs", suffix="00000a", started_at=NOW + 5).request(model="m").write()
    (tmp_path / "turn-metrics.jsonl").write_text("")
    clock = ManualClock(NOW + 60_000)
    found = scan(tmp_path / "runs", clock=clock)
    assert tuple(candidate.facts for candidate in found) == load_facts(tmp_path / "runs", clock=clock)
    (failed,) = (candidate for candidate in found if candidate.facts.status == "failed")
    assert set(failed.tools) == {"bash", "web_fetch"}
    assert set(failed.errors) == {"exit code 2", "out of luck"}


def test_a_scan_joins_turns_as_the_list_does(tmp_path: Path) -> None:
    RunDirectoryBuilder(tmp_path / "runs", started_at=NOW).wait(1000).end().write()
    at = datetime.fromtimestamp(NOW / 1000, UTC).isoformat()
    (tmp_path / "turn-metrics.jsonl").write_text(
        f'{{"version":1,"at":"{at}","provider":"p","model":"turned","inputTokens":1,"outputTokens":1}}\n'
    )
    clock = ManualClock(NOW + 60_000)
    found = scan(tmp_path / "runs", clock=clock)
    assert [candidate.facts.model for candidate in found] == ["turned"]
    assert tuple(candidate.facts for candidate in found) == load_facts(tmp_path / "runs", clock=clock)


def test_content_is_found_in_events_and_artifacts_without_an_index(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, suffix="00000a").event("decision", {"description": "exit CODE\n137"})
    run.write()
    RunDirectoryBuilder(tmp_path, suffix="00000b").artifact("a.txt", "line\nthe exit code").write()
    RunDirectoryBuilder(tmp_path, suffix="00000c").write()
    clock = ManualClock(NOW)

    def found(text: str) -> set[str]:
        return {run.run_id[-1] for run in scan_matching(tmp_path, parse(text).query, clock=clock)}

    assert found('content:"exit code"') == {"a", "b"}
    assert found('-content:"exit code"') == {"c"}
    assert found("content:137 has:*") == set()
