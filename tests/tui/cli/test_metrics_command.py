"""`buddy-top metrics` as a shell meets it: what it serves and prints, how it ends, what it says when it cannot."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text
from tests.bench.workload import finished_runs
from tests.scraping import Samples, check_with_promtool, promtool, samples_of, total, value

from buddy_core import MetricsCollector, RunStore
from buddy_core.observing.observer import Observer
from buddy_core.testing import sample_runs
from buddy_top.cli.entry import main
from buddy_top.cli.grammar import parse

pytestmark = pytest.mark.usefixtures("no_environment")

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CODEBUDDY_RUNS_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LANG", "C.UTF-8")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    root = tmp_path / "runs"
    sample_runs(root, now_ms=time.time_ns() // 1_000_000)
    return root


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the program; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        program = subprocess.Popen(
            [sys.executable, "-m", "buddy_top", "metrics", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ},
        )
        started.append(program)
        return program

    yield run
    for program in started:
        program.kill()
        program.communicate(timeout=10)


def url_of(program: subprocess.Popen[str]) -> str:
    """The address in the one line that the program prints when it serves."""
    assert program.stdout is not None
    assert select.select([program.stdout], [], [], 20)[0], "nothing was printed"
    line = program.stdout.readline()
    assert line.startswith("serving http://127.0.0.1:"), line
    return line.split()[1]


def scrape(url: str) -> Samples:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return samples_of(parse_text(answer.read().decode()))


def test_runs_are_served_as_they_are_and_as_they_grow(start: Start, runs: Path) -> None:
    url = url_of(start("--port", "0", "--runs-dir", str(runs)))
    before = scrape(url)
    assert total(before, "codebuddy_tool_calls_total") > 0
    with RunStore(runs).run("an agent at work") as run:
        run.emit("tool_call", {"toolName": "bash", "toolCallId": "1", "args": {}})
        run.emit("tool_result", {"toolName": "bash", "toolCallId": "1", "success": True, "durationMs": 7})
    was = value(before, "codebuddy_tool_calls_total", tool="bash", outcome="success") or 0
    last = time.monotonic() + 15
    while value(scrape(url), "codebuddy_tool_calls_total", tool="bash", outcome="success") != was + 1:
        assert time.monotonic() < last, "the new call never came"
        time.sleep(0.05)


def test_the_first_scrape_has_everything(start: Start, tmp_path: Path) -> None:
    """Half of the runs first and all of them later would look like a sudden expense."""
    finished_runs(tmp_path, runs=150, events=60)
    url = url_of(start("--port", "0", "--runs-dir", str(tmp_path)))
    first = scrape(url)
    observer = Observer(tmp_path, collector := MetricsCollector())
    observer.load()
    observer.close()
    assert total(first, "codebuddy_tool_calls_total") == collector.get_total_tool_calls() > 3_000
    assert total(first, "codebuddy_tokens_total") == collector.get_total_tokens()


def test_a_directory_that_is_not_there_yet_is_waited_for(start: Start, tmp_path: Path) -> None:
    url = url_of(start("--port", "0", "--runs-dir", str(tmp_path / "later")))
    assert total(scrape(url), "codebuddy_tool_calls_total") == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_it_with_its_own_exit_code(
    start: Start, runs: Path, number: signal.Signals, code: int
) -> None:
    program = start("--port", "0", "--runs-dir", str(runs))
    url_of(program)
    began = time.monotonic()
    program.send_signal(number)
    _, stderr = program.communicate(timeout=20)
    assert (program.returncode, stderr) == (code, "")
    assert time.monotonic() - began < 5


def test_a_port_in_use_is_one_line_and_exit_code_1(start: Start, runs: Path) -> None:
    """Case 88: port busy."""
    port = url_of(start("--port", "0", "--runs-dir", str(runs))).split(":")[2].split("/")[0]
    second = start("--port", port, "--runs-dir", str(runs))
    stdout, stderr = second.communicate(timeout=20)
    assert (second.returncode, stdout) == (1, "")
    assert (
        stderr
        == f"buddy-top: port {port} on 127.0.0.1 is in use: choose another, or stop what listens there\n"
    )


def test_once_prints_the_numbers_that_the_picture_has(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "--once", "--runs-dir", str(runs)]) == 0
    samples = samples_of(parse_text(capsys.readouterr().out))
    assert main(["--once", "--json", "--runs-dir", str(runs)]) == 0
    picture = json.loads(capsys.readouterr().out)
    assert total(samples, "codebuddy_tokens_total") == (picture["state"]["total_tokens"] or 0)
    assert total(samples, "codebuddy_tool_calls_total") == picture["state"]["total_tool_calls"]
    for tool in picture["tools"]:
        assert total(samples, "codebuddy_tool_calls_total", tool=tool["name"]) == tool["total_calls"]
    for one in picture["providers"]:
        who = {"provider": one["provider"], "model": one["model"]}
        assert total(samples, "codebuddy_provider_requests_total", **who) == one["total_requests"]


@promtool
def test_promtool_reads_what_once_prints(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "--once", "--runs-dir", str(runs)]) == 0
    assert check_with_promtool(capsys.readouterr().out) == (0, "")


def test_what_a_terminal_would_obey_is_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case 55 for `metrics --once`."""
    with RunStore(tmp_path).run("hostile") as run:
        name = "bash\x1b]0;owned\x07\x9b31m\u202e"
        run.emit("tool_call", {"toolName": name, "toolCallId": "1", "args": {}})
        run.emit("tool_result", {"toolName": name, "toolCallId": "1", "success": True})
    assert main(["metrics", "--once", "--runs-dir", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "owned" in text
    assert not set(text) & set("\x1b\x07\x9b\u202e")
    list(parse_text(text))


def test_the_dashboard_and_the_rules_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "--dashboard"]) == 0
    assert json.loads(capsys.readouterr().out)["title"].startswith("buddy-top")
    assert main(["metrics", "--alerts"]) == 0
    assert "\ngroups:\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["--port", "x"], ["--port", "-1"], ["--port", "65536"], ["--once", "--alerts"]]
)
def test_what_makes_no_sense_is_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["metrics", *arguments])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_json_is_refused_where_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["metrics", "--json", "--once"])
    assert ended.value.code == 2
    assert "leave out --json" in capsys.readouterr().err


def test_once_may_stand_before_the_command_too() -> None:
    assert parse(["--once", "metrics"]).once is True
    assert parse(["metrics"]).once is False


def test_missing_runs_are_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["metrics", "--once", "--runs-dir", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_printing_rules_imports_neither_screens_nor_the_client_library() -> None:
    program = (
        "import sys; from buddy_top.cli.entry import main; main(['metrics', '--alerts']);"
        "assert not {'textual', 'prometheus_client'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30, stdout=subprocess.DEVNULL)
