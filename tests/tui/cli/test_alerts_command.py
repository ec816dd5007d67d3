"""`buddy-top alerts`: what it prints for people and for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tui.monitor import NOW

from buddy_core.clock import ManualClock
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli import entry
from buddy_top.cli.entry import main

HOUR = 3_600_000


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of three hours ago that stalled, and spent two dollars."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("BUDDY_TOP_COST_PER_HOUR", raising=False)
    monkeypatch.setattr(entry, "SystemClock", lambda: ManualClock(NOW))
    made = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 3 * HOUR)
    made.request(cost=2.0).wait(700_000).step("x").end().write()
    return tmp_path / "runs"


def test_it_says_when_which_rule_in_which_run_and_why(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "--runs-dir", str(runs), "--cost-per-hour", "1.5"]) == 0
    heading, stalled, spent = capsys.readouterr().out.splitlines()
    assert heading.split() == ["when", "alert", "run", "why"]
    assert "stalled" in stalled
    assert "run_" in stalled
    assert stalled.endswith("no event for 10m00s")
    assert spent.endswith("$2.00 spent in the last hour, over the budget of $1.50")


def test_since_leaves_out_what_is_older_and_says_so(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "--runs-dir", str(runs), "--since", "90m"]) == 0
    assert capsys.readouterr().out == "no alert would have fired in the last 90m\n"
    assert main(["alerts", "--runs-dir", str(runs), "--since", "all"]) == 0
    assert "stalled" in capsys.readouterr().out


def test_json_has_the_limits_and_the_moments(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "--runs-dir", str(runs), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["generated_at"] == NOW
    assert told["since_ms"] == NOW - 7 * 24 * HOUR
    assert told["limits"]["cost_per_hour"] is None
    [alert] = told["alerts"]
    assert alert["kind"] == "stalled"
    assert alert["since_ms"] == NOW - 3 * HOUR + 600_000
    assert alert["since"] == "2026-01-09T09:41:07.000Z"
    assert alert["numbers"] == {"quiet_ms": 600_000}
    names = ["kind", "severity", "subject", "run_id", "since", "since_ms", "why", "numbers"]
    assert list(alert) == names


def test_a_budget_may_stand_in_the_environment(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUDDY_TOP_COST_PER_HOUR", "$0.5")
    assert main(["alerts", "--runs-dir", str(runs)]) == 0
    assert "over the budget of $0.50" in capsys.readouterr().out
    assert main(["--cost-per-hour", "3", "alerts", "--runs-dir", str(runs)]) == 0
    assert "budget" not in capsys.readouterr().out


@pytest.mark.parametrize("argv", [["--since", "soon"], ["--since", "3x"], ["--cost-per-day", "0"]])
def test_what_makes_no_sense_is_wrong_usage(
    argv: list[str], runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["alerts", "--runs-dir", str(runs), *argv])
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_hostile_names_reach_the_terminal_harmless(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case 55."""
    made = RunDirectoryBuilder(tmp_path)
    for _ in range(4):
        made.tool("\x1b[31mbash\x07", {"command": "\x1b]0;x\x07\u202e"})
    made.end().write()
    assert main(["alerts", "--runs-dir", str(tmp_path), "--since", "all"]) == 0
    out = capsys.readouterr().out
    assert "4 times in a row" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_a_secret_in_an_argument_stays_in_the_file_also_where_the_sentence_cuts_it_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case 83, C11."""
    made, token = RunDirectoryBuilder(tmp_path), "ghp_" + "aB3dE6gH9jK2" * 3
    for _ in range(4):
        made.tool("bash", {"command": f"{'x' * 60} {token}"})
    made.end().write()
    for form in ([], ["--json"]):
        assert main(["alerts", "--runs-dir", str(tmp_path), "--since", "all", *form]) == 0
        out = capsys.readouterr().out
        assert "4 times in a row" in out
        assert token[:12] not in out


def troubled(folder: Path) -> Path:
    """A live run whose bash fails, with money spent."""
    made = RunDirectoryBuilder(folder / "runs", started_at=NOW - 120_000, objective="Fix the login")
    for number in range(12):
        made.tool("bash", {"command": f"{number}"}, error="exit 1", took_ms=1_000)
    made.request(cost=2.0).write()
    return made.root


def test_one_picture_has_what_needs_attention_before_everything_else(
    tmp_path: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    troubled(tmp_path)
    assert main(["--once", "--runs-dir", str(runs), "--cost-per-hour", "1.5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("! 2 alerts")
    assert lines[at + 1].split() == ["since", "alert", "run", "why"]
    assert lines[at + 3].endswith("bash failed 12 of 12 times in the last 15 minutes (100 %)")
    assert lines[at + 2].endswith("$2.00 spent in the last hour, over the budget of $1.50")
    assert lines[at + 4] == "budget: $2.00 of $1.50 spent in the last hour, 133 %"
    assert at < lines.index(next(line for line in lines if line.startswith("provider ")))


def test_one_picture_without_alerts_and_budgets_says_nothing_of_them(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--once", "--runs-dir", str(runs)]) == 0
    out = capsys.readouterr().out
    assert not [line for line in out.splitlines() if line.startswith("!") and "alert" in line]
    assert "budget:" not in out


def test_one_picture_as_json_lists_alerts_and_budgets(
    tmp_path: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    troubled(tmp_path)
    assert main(["--json", "--runs-dir", str(runs), "--cost-per-hour", "8"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["alerts"] == [
        {
            "kind": "tool_errors",
            "severity": "bad",
            "subject": "bash",
            "run_id": None,
            "since": "2026-01-09T12:29:19.000Z",
            "since_ms": NOW - 108_000,
            "why": "bash failed 12 of 12 times in the last 15 minutes (100 %)",
            "numbers": {"failed": 12, "calls": 12, "percent": 100.0},
        }
    ]
    [budget] = told["budgets"]
    assert budget == {
        "kind": "cost_per_hour",
        "limit": 8.0,
        "spent": 2.0,
        "estimated": False,
        "percent": 25.0,
    }


def test_nothing_heavy_is_loaded_for_it(tmp_path: Path) -> None:
    code = "import sys; from buddy_top.cli.entry import main; main(sys.argv[1:]); print(sorted(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", code, "alerts", "--runs-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    for heavy in ("textual", "rich", "sentry_sdk", "opentelemetry", "prometheus_client", "sqlite3"):
        assert f"'{heavy}'" not in ran.stdout
