"""One run as lines: failures first, silences, sizes, and lines that fit where they are shown."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core.runs.timeline.timeline import load_timeline
from buddy_core.runs.viewing.show import MAX_WRONG, run_lines
from buddy_core.runs.viewing.viewer import list_runs, load_facts, show_run
from buddy_core.safety.columns import cells
from buddy_core.safety.text import is_plain
from buddy_core.testing import RunDirectoryBuilder

START = 1_767_890_000_000


@pytest.fixture
def run(tmp_path: Path) -> RunDirectoryBuilder:
    return RunDirectoryBuilder(
        tmp_path, started_at=START, objective="Fix the login", metadata={"cwd": "/home/dev/web"}
    )


def shown(run: RunDirectoryBuilder, width: int | None = None) -> list[str]:
    run.write()
    out = io.StringIO()
    show_run(run.run_id, store=run.root, out=out, width=width)
    return out.getvalue().splitlines()


def section(lines: list[str], name: str) -> list[str]:
    """The lines below a heading, up to the next empty one."""
    begin = lines.index(name) + 1
    return lines[begin : lines.index("", begin) if "" in lines[begin:] else None]


def test_what_went_wrong_comes_before_the_timeline_with_its_time_and_reason(run: RunDirectoryBuilder) -> None:
    run.tool("bash", {"command": "ls"}).wait(5_000).tool("bash", {"command": "make"}, error="no rule")
    lines = shown(run.wait(10_000).error("out of tokens").end("failed"))
    assert lines.index("went wrong") < lines.index("timeline")
    assert section(lines, "went wrong") == [
        "+5.10  ✗  bash   no rule ← make",
        "+15.2  ✗  error  out of tokens",
    ]


def test_a_step_that_failed_is_told_once_with_its_reason(run: RunDirectoryBuilder) -> None:
    run.step("deploy").wait(2_000).step_end(
        "deploy", passed=False, error="RuntimeError: the database is gone"
    )
    lines = shown(run.end("failed"))
    (line,) = section(lines, "went wrong")
    assert line == "+2.00  ✗  step end  RuntimeError: the database is gone ← deploy: not passed"


def test_the_parts_of_the_tokens_add_up_to_all_of_them(run: RunDirectoryBuilder) -> None:
    run.request(prompt=95, completion=5, cache_read=400_000, cache_write=1_000)
    assert "tokens        401,100 (prompt 95, completion 5, cache and other 401,000)" in shown(run.end())


def test_a_run_without_failures_has_no_such_section(run: RunDirectoryBuilder) -> None:
    run.tool("bash", {"command": "ls"})
    run.call("bash", {"command": "sleep"})  # merely cut off by the end
    assert "went wrong" not in shown(run.end())


def test_a_refused_call_went_wrong(run: RunDirectoryBuilder) -> None:
    call = run.call("bash", {"command": "rm"})
    result = {
        "toolName": "bash",
        "toolCallId": call,
        "success": False,
        "blockedBy": "policy",
        "error": "not allowed",
    }
    assert "not allowed" in section(shown(run.event("tool_result", result).end()), "went wrong")[0]


def test_of_many_failures_the_first_are_told_and_the_rest_counted(run: RunDirectoryBuilder) -> None:
    for _ in range(MAX_WRONG + 5):
        run.error("boom")
    lines = section(shown(run), "went wrong")
    assert (len(lines), lines[-1]) == (MAX_WRONG + 1, "… and 5 more in the timeline")


def test_a_long_silence_has_a_line_of_its_own(run: RunDirectoryBuilder) -> None:
    run.tool("bash", {"command": "ls"}).wait(192_000).tool("bash", {"command": "make"}).wait(59_000).end()
    lines = shown(run)
    timeline = section(lines, "timeline")
    assert [line.split()[-1] for line in timeline] == ["login", "ls", "event", "make", "completed"]
    assert "…" in timeline[2]
    assert timeline[2].endswith("3m12s without an event")
    assert any(line.endswith(", longest silence 3m12s") for line in lines)


def test_a_tool_that_takes_long_is_no_silence_of_the_run(run: RunDirectoryBuilder) -> None:
    timeline = section(shown(run.tool("bash", {"command": "make"}, took_ms=600_000).end()), "timeline")
    assert len(timeline) == 3


def test_what_happens_inside_steps_is_indented(run: RunDirectoryBuilder) -> None:
    run.step("outer").step("inner").tool("bash", {"command": "ls"}).step_end("inner").step_end("outer")
    lines = section(shown(run), "timeline")
    column = {
        name: next(line.index(name) for line in lines if name in line) for name in ("run start", "bash")
    }
    assert column["bash"] == column["run start"] + 4


def test_tools_are_counted_by_name(run: RunDirectoryBuilder) -> None:
    run.tool("bash", {"command": "ls"}).tool("search", {"query": "x"}).tool(
        "bash", {"command": "ls"}, error="x"
    )
    assert "tools         3 calls, 1 failed (bash 2, search 1)" in shown(run)


def test_artifacts_have_their_sizes_and_forks_both_their_ends(run: RunDirectoryBuilder) -> None:
    run.artifact("plan.md", "x" * 1_500).artifact("patch.diff", "y").end().write()
    fork = RunDirectoryBuilder(
        run.root,
        started_at=START + 1,
        suffix="00000b",
        metadata={"parentRolloutId": run.run_id, "forkReason": "again"},
    )
    assert f"fork of       {run.run_id}: again" in shown(fork)
    lines = shown(run)
    assert "artifacts     patch.diff 1 B, plan.md 1.50 kB" in lines
    assert f"forks         {fork.run_id}" in lines


def test_of_many_artifacts_the_first_are_named_and_the_rest_counted(run: RunDirectoryBuilder) -> None:
    for number in range(60):
        run.artifact(f"part-{number:02}.txt", "x")
    text = "\n".join(shown(run))
    assert "part-49.txt 1 B" in text
    assert "part-50.txt 1 B" not in text
    assert "and 10 more" in text


def test_a_fork_is_marked_in_the_list(run: RunDirectoryBuilder) -> None:
    run.end().write()
    RunDirectoryBuilder(
        run.root,
        started_at=START + 1,
        suffix="00000b",
        objective="Other",
        metadata={"parentRolloutId": run.run_id},
    ).write()
    lines: list[str] = []
    list_runs(store=run.root, out=lines.append)
    assert [line.split("  ")[-1] for line in lines[1:]] == ["↳ Other", "Fix the login"]


def test_where_room_is_short_paths_begin_in_the_directory_of_the_run(run: RunDirectoryBuilder) -> None:
    run.tool("view_file", {"path": "/home/dev/web/src/login.py"})
    assert any(line.endswith("  src/login.py") for line in shown(run, 80))
    assert any(line.endswith("  /home/dev/web/src/login.py") for line in shown(run))


def test_a_live_run_says_how_long_it_has_been_running(run: RunDirectoryBuilder) -> None:
    run.write()
    (facts,) = load_facts(run.root)
    lines = run_lines(replace(facts, status="running"), load_timeline(run.run_dir), (), now_ms=START + 61_000)
    assert any("running for 1m01s" in line for line in lines)


def test_a_run_without_events_says_so(run: RunDirectoryBuilder) -> None:
    run.write()
    run.events_file.unlink()
    out = io.StringIO()
    show_run(run.run_id, store=run.root, out=out)
    assert out.getvalue().endswith("timeline\nno events\n")


WORDS = st.text(st.characters(codec="utf-8"), max_size=120)


@settings(max_examples=40, deadline=None)
@given(objective=WORDS, command=WORDS, error=WORDS, width=st.sampled_from([60, 80, 120]))
def test_lines_fit_whatever_the_run_says(
    tmp_path_factory: pytest.TempPathFactory, objective: str, command: str, error: str, width: int
) -> None:
    """Cases 57 and 58: also with wide letters, marks and words that never end."""
    run = RunDirectoryBuilder(
        tmp_path_factory.mktemp("runs"), objective=objective, metadata={"tags": [error]}
    )
    run.tool(command[:30], {"command": command}, error=error or "x").error(objective).end("failed")
    for line in shown(run, width):
        assert cells(line) <= width
        assert is_plain(line)
