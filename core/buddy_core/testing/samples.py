"""A fixed set of a dozen runs, in every state a run can be in: for snapshots, tests and screenshots.

Nothing here depends on chance or on the time of day: the same `now_ms` gives the same bytes. The runs are
laid out backwards from `now_ms`, so that every window of time has something to show.
"""

from __future__ import annotations

from pathlib import Path

from buddy_core.testing.builder import RunDirectoryBuilder

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_CWD = "/home/dev/src/shop-api"
_SONNET = ("anthropic", "claude-sonnet-4-5")
_HAIKU = ("anthropic", "claude-haiku-4-5")
_GPT = ("openai", "gpt-5.2")

_PYTEST_FAILURE = (
    "Exit code 1\nFAILED tests/test_login.py::test_token_expiry - AssertionError: assert 401 == 200\n"
    "1 failed, 46 passed in 8.31s"
)


def sample_runs(root: Path | str, *, now_ms: int) -> tuple[str, ...]:
    """Write twelve runs below `root` and return their ids, newest first.

    Two are running (one inside a tool), one is stalled, one interrupted, five completed (one with a damaged
    line, one without costs), two failed and one cancelled; one is a fork of another.
    """
    root = Path(root)
    makers = (
        _running_in_a_tool,
        _running_between_tools,
        _stalled,
        _failed_with_errors,
        _fork_of_the_failed,
        _completed_with_artifacts,
        _interrupted,
        _cancelled,
        _without_costs,
        _damaged,
        _fallback_to_the_other_provider,
        _days_ago,
    )
    runs = [make(root, now_ms) for make in makers]
    for run in runs:
        run.write()
    return tuple(sorted((run.run_id for run in runs), reverse=True))


def _run(
    root: Path, started_at: int, suffix: str, objective: str, tags: tuple[str, ...], **metadata: object
) -> RunDirectoryBuilder:
    fields = {"tags": list(tags), "channel": "terminal", "cwd": _CWD, **metadata}
    return RunDirectoryBuilder(
        root, started_at=started_at, suffix=suffix, objective=objective, metadata=fields
    )


def _turn(
    run: RunDirectoryBuilder,
    model: tuple[str, str],
    prompt: int,
    completion: int,
    latency_ms: int,
    cost: float,
) -> None:
    """One model request in which most of the prompt came from the cache."""
    run.request(
        *model,
        prompt=prompt // 5,
        cache_read=prompt - prompt // 5,
        completion=completion,
        latency_ms=latency_ms,
        ttft_ms=latency_ms // 4,
        cost=cost,
    )


def _running_in_a_tool(root: Path, now_ms: int) -> RunDirectoryBuilder:
    run = _run(root, now_ms - 252_000, "1a2b3c", "Add rate limiting to the public API", ("feature",))
    run.step("plan", "Add rate limiting to the public API")
    _turn(run, _SONNET, 18_400, 612, 4_820, 0.0318)
    run.tool("search", {"pattern": "RateLimit|throttle", "path": "src"}, took_ms=310, output=1_842)
    run.step_end("plan", outputLength=612).step("implement")
    run.tool("view_file", {"path": f"{_CWD}/src/middleware/index.py"}, took_ms=14, output=5_120)
    _turn(run, _SONNET, 24_900, 1_480, 9_310, 0.0521)
    run.tool("create_file", {"path": f"{_CWD}/src/middleware/rate_limit.py"}, took_ms=9, output=2_260)
    run.tool("bash", {"command": "ruff check src/middleware"}, took_ms=420, error="Exit code 1\nF401 unused")
    _turn(run, _SONNET, 27_300, 390, 3_140, 0.0297)
    run.tool("str_replace_editor", {"path": f"{_CWD}/src/middleware/rate_limit.py"}, took_ms=6, output=140)
    run.now_ms = now_ms - 12_400
    run.call("bash", {"command": "pytest -q tests/middleware --maxfail=3"})
    return run


def _running_between_tools(root: Path, now_ms: int) -> RunDirectoryBuilder:
    run = _run(
        root, now_ms - 95_000, "2b3c4d", "Explain why the nightly import is slow", ("headless", "gpt-5.2")
    )
    run.step("investigate")
    _turn(run, _GPT, 11_200, 240, 2_950, 0.0176)
    run.tool("bash", {"command": "git log --oneline -15 -- jobs/import.py"}, took_ms=88, output=960)
    run.tool("search", {"pattern": "SELECT .* FROM orders", "path": "jobs"}, took_ms=205, output=2_204)
    run.now_ms = now_ms - 7_200
    _turn(run, _GPT, 16_750, 510, 5_100, 0.0259)
    return run


def _stalled(root: Path, now_ms: int) -> RunDirectoryBuilder:
    run = _run(root, now_ms - 41 * _MINUTE, "3c4d5e", "Upgrade SQLAlchemy to 2.0", ("maintenance",))
    _turn(run, _SONNET, 15_300, 700, 6_240, 0.0288)
    run.tool("bash", {"command": "pip install 'sqlalchemy>=2.0,<2.1'"}, took_ms=12_800, output=3_310)
    run.now_ms = now_ms - 24 * _MINUTE
    run.call("bash", {"command": "python -m alembic upgrade head"})
    return run


def _failed_with_errors(root: Path, now_ms: int) -> RunDirectoryBuilder:
    run = _run(root, now_ms - 3 * _HOUR, "4d5e6f", "Fix the flaky login test", ("bugfix",))
    run.step("plan", "Fix the flaky login test")
    _turn(run, _SONNET, 21_000, 540, 5_200, 0.0344)
    run.step_end("plan", outputLength=540).event("decision", {"description": "Plan confirmed"})
    run.step("implement")
    for attempt in range(3):
        run.wait(2_000).tool("view_file", {"path": f"{_CWD}/src/auth/token.py"}, took_ms=11, output=4_420)
        run.tool("str_replace_editor", {"path": f"{_CWD}/src/auth/token.py"}, took_ms=8, output=95)
        run.tool("bash", {"command": "pytest -q tests/test_login.py"}, took_ms=8_900, error=_PYTEST_FAILURE)
        _turn(run, _SONNET, 26_000 + attempt * 4_000, 880, 7_700, 0.0462)
    run.request(*_SONNET, prompt=0, completion=0, latency_ms=30_000, success=False)
    run.error("anthropic: 529 overloaded_error: Overloaded (request_id req_011CSZ7d2v)")
    return run.error("3 tool calls failed; tests still failing").step_end("implement").end("failed")


def _fork_of_the_failed(root: Path, now_ms: int) -> RunDirectoryBuilder:
    parent = _failed_with_errors(root, now_ms).run_id
    objective = "[fork:retry] Fix the flaky login test"
    started_at = now_ms - 2 * _HOUR - 40 * _MINUTE
    run = _run(root, started_at, "5e6f7a", objective, ("bugfix",), parentRolloutId=parent, forkReason="retry")
    run.event("decision", {"kind": "fork", "parentRunId": parent, "reason": "retry"})
    _turn(run, _SONNET, 19_800, 1_120, 8_030, 0.0401)
    run.tool("bash", {"command": "pytest -q tests/test_login.py -p no:randomly"}, took_ms=8_300, output=412)
    run.tool("str_replace_editor", {"path": f"{_CWD}/tests/conftest.py"}, took_ms=7, output=130)
    run.tool(
        "bash", {"command": "for i in 1 2 3 4 5; do pytest -q tests/test_login.py; done"}, took_ms=41_600
    )
    run.artifact(
        "patch.diff", "--- a/tests/conftest.py\n+++ b/tests/conftest.py\n@@ -1 +1,2 @@\n+import time\n"
    )
    return run.event("patch_applied", {"filesApplied": 1}).end()


def _completed_with_artifacts(root: Path, now_ms: int) -> RunDirectoryBuilder:
    run = _run(root, now_ms - 5 * _HOUR, "6f7a8b", "Write the changelog for 2.8.0", ("docs",))
    _turn(run, _HAIKU, 9_800, 320, 1_480, 0.0031)
    run.artifact("plan.md", "# Plan\n\n1. Read the log since v2.7.0\n2. Group by subject\n")
    run.tool("bash", {"command": "git log v2.7.0..HEAD --oneline"}, took_ms=132, output=5_904)
    run.tool("update_todo_list", {"todos": ["group commits", "write entries"]}, took_ms=3, output=48)
    _turn(run, _HAIKU, 14_200, 1_905, 6_020, 0.0067)
    run.tool("create_file", {"path": f"{_CWD}/CHANGELOG.md"}, took_ms=10, output=3_820)
    run.artifact("summary.md", "# Summary\n\nThe changelog has **14** entries in four groups.\n")
    return run.end()


def _interrupted(root: Path, now_ms: int) -> RunDirectoryBuilder:
    run = _run(root, now_ms - 7 * _HOUR, "7a8b9c", "Profile the checkout endpoint", ("performance",))
    _turn(run, _SONNET, 12_100, 430, 3_900, 0.0224)
    run.tool("bash", {"command": "py-spy record -o profile.svg -- python -m shop.serve"}, took_ms=30_200)
    run.call("view_file", {"path": f"{_CWD}/profile.svg"})
    return run


def _cancelled(root: Path, now_ms: int) -> RunDirectoryBuilder:
    run = _run(root, now_ms - 9 * _HOUR, "8b9c0d", "Rename Customer to Account everywhere", ("refactor",))
    _turn(run, _GPT, 13_900, 275, 3_300, 0.0203)
    run.tool("search", {"pattern": "\\bCustomer\\b", "path": "."}, took_ms=640, output=48_211)
    run.event("decision", {"description": "Stopped by the user before 212 files were changed"})
    return run.end("cancelled")


def _without_costs(root: Path, now_ms: int) -> RunDirectoryBuilder:
    """As the original often leaves them: many tool calls, and zeros for tokens and cost."""
    run = _run(root, now_ms - 12 * _HOUR, "9c0d1e", "Find unused feature flags", ("cleanup",))
    for number in range(8):
        run.wait(1_500).tool("search", {"pattern": f"flag_{number:02d}_enabled", "path": "src"}, took_ms=240)
    run.tool("view_file", {"path": f"{_CWD}/src/flags.py"}, took_ms=12, output=7_700)
    return run.end().metrics(toolCallCount=0)


def _damaged(root: Path, now_ms: int) -> RunDirectoryBuilder:
    run = _run(root, now_ms - 16 * _HOUR, "0d1e2f", "Translate the invoice templates", ("i18n",))
    _turn(run, _HAIKU, 7_400, 980, 2_260, 0.0048)
    run.tool("view_file", {"path": f"{_CWD}/templates/invoice.de.html"}, took_ms=9, output=6_130)
    run.raw(b'{"ts":1767890000000,"type":"tool_ca\n').raw(b"\x00" * 64 + b"\n")
    run.tool("create_file", {"path": f"{_CWD}/templates/invoice.fr.html"}, took_ms=8, output=6_420)
    return run.end()


def _fallback_to_the_other_provider(root: Path, now_ms: int) -> RunDirectoryBuilder:
    run = _run(root, now_ms - 20 * _HOUR, "1e2f3a", "Cache product pages at the edge", ("feature",))
    run.request(*_SONNET, prompt=0, completion=0, latency_ms=12_000, success=False)
    run.event(
        "decision",
        {
            "kind": "provider_fallback",
            "from": "anthropic",
            "to": "openai",
            "toModel": "gpt-5.2",
            "reason": "529 overloaded_error",
        },
    )
    _turn(run, _GPT, 17_600, 860, 6_450, 0.0268)
    run.tool("bash", {"command": "npm run build"}, took_ms=22_400, output=9_120)
    run.tool("web_fetch", {"url": "https://docs.example.com/cdn/cache-control"}, took_ms=1_240, output=18_400)
    _turn(run, _GPT, 22_300, 1_240, 8_800, 0.0345)
    run.tool(
        "bash", {"command": "npm test -- --run edge"}, took_ms=15_300, error="Exit code 1\n2 tests failed"
    )
    return run.end("failed").metrics(failoverCount=1)


def _days_ago(root: Path, now_ms: int) -> RunDirectoryBuilder:
    run = _run(root, now_ms - 4 * _DAY, "2f3a4b", "Set up the staging database", ("ops",))
    _turn(run, _SONNET, 10_600, 720, 5_050, 0.0252)
    run.tool("bash", {"command": "docker compose up -d postgres"}, took_ms=18_700, output=640)
    run.tool("bash", {"command": "psql -f schema.sql"}, took_ms=2_310, output=1_044)
    return run.end()
