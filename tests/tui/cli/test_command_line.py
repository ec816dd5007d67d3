"""The command line as a shell meets it: grammar, exit codes, one-line errors, pipes and full disks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from buddy_core._version import __version__
from buddy_core.testing import RunDirectoryBuilder, sample_runs
from buddy_top.cli import picture
from buddy_top.cli.entry import main
from buddy_top.cli.grammar import parse
from buddy_top.cli.picture import screen_is_possible

pytestmark = pytest.mark.usefixtures("no_environment")


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


def shell(
    *arguments: str, env: dict[str, str] | None = None, stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    """Run the program for real, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "buddy_top", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
        check=False,
    )


def assert_one_line(stderr: str | bytes) -> str:
    text = stderr.decode() if isinstance(stderr, bytes) else stderr
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    return text


# Grammar


@pytest.mark.parametrize(
    "arguments",
    [
        ["--runs-dir", "/d", "--json", "run", "list"],
        ["run", "list", "--runs-dir", "/d", "--json"],
        ["run", "--json", "--runs-dir", "/d", "list"],
        ["--json", "run", "list", "--runs-dir", "/d"],
    ],
)
def test_the_directory_and_json_are_taken_before_and_after_a_command(arguments: list[str]) -> None:
    args = parse(arguments)
    assert (args.command, args.run_command, args.runs_dir, args.json) == ("run", "list", "/d", True)


def test_the_later_directory_wins() -> None:
    assert parse(["--runs-dir", "/a", "run", "list", "--runs-dir", "/b"]).runs_dir == "/b"


def test_without_arguments_every_field_has_a_value() -> None:
    """None where nobody said anything, so that the configuration can."""
    args = parse([])
    assert (args.command, args.window, args.tab, args.once, args.refresh) == (None, None, None, False, None)


@pytest.mark.parametrize(
    ("text", "tab"), [("tools", "tools"), ("Runs", "runs"), ("1", "overview"), ("5", "runs")]
)
def test_a_tab_is_named_or_numbered(text: str, tab: str) -> None:
    assert parse(["--tab", text]).tab == tab


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["nonsense"],
        ["run"],
        ["run", "show"],
        ["run", "show", "a", "b"],
        ["run", "list", "--limit", "-1"],
        ["run", "list", "--limit", "x"],
        ["run", "tail"],
        ["--window", "2h"],
        ["--tab", "6"],
        ["--tab", "nope"],
        ["--refresh", "0"],
        ["--refresh", "nan"],
        ["--refresh", "x"],
        ["demo", "--seed", "x"],
        ["demo", "--speed", "0"],
        ["--runs-dir"],
        ["--runs-dir", ""],
        ["run", "list", "--runs-dir", " "],
        ["--runs"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_and_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "--help" in assert_one_line(capsys.readouterr().err)


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"buddy-top {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["demo", "--help"], ["run", "--help"], ["run", "tail", "--help"]]
)
def test_help_is_there_for_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert "--runs-dir" in capsys.readouterr().out


# Where the runs are


def test_a_missing_directory_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--once"], ["--once", "--json"], ["run", "list"], ["run", "show", "last"]):
        assert main(["--runs-dir", str(tmp_path / "missing"), *arguments]) == 1
        assert "--runs-dir" in assert_one_line(capsys.readouterr().err)


def test_a_file_is_no_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["--runs-dir", str(tmp_path / "file"), "run", "list"]) == 1
    assert "not a directory" in assert_one_line(capsys.readouterr().err)


def test_without_a_home_there_is_no_default_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case 10."""
    for home in (None, "relative/home"):
        monkeypatch.delenv("HOME") if home is None else monkeypatch.setenv("HOME", home)
        assert main(["run", "list"]) == 1
        assert "HOME" in assert_one_line(capsys.readouterr().err)


def test_an_empty_directory_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--runs-dir", str(tmp_path), "run", "list"]) == 0
    assert "no runs in" in capsys.readouterr().out
    assert main(["--runs-dir", str(tmp_path), "--once"]) == 0
    assert main(["--runs-dir", str(tmp_path), "--once", "--json"]) == 0


# Runs


def test_a_list_is_limited_and_filtered(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--runs-dir", str(runs), "run", "list", "--json", "--limit", "0"])
    everything = json.loads(capsys.readouterr().out)["runs"]
    main(["--runs-dir", str(runs), "run", "list", "--json", "--limit", "2"])
    assert json.loads(capsys.readouterr().out)["runs"] == everything[:2]
    word = everything[-1]["objective"].split()[-1].upper()
    main(["--runs-dir", str(runs), "run", "list", "--json", "--limit", "0", word])
    fitting = json.loads(capsys.readouterr().out)["runs"]
    assert everything[-1]["run_id"] in [run["run_id"] for run in fitting]
    assert all(word.casefold() in json.dumps(run).casefold() for run in fitting)


def test_words_that_fit_nothing_are_no_error(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--runs-dir", str(runs), "run", "list", "zzzz"]) == 0
    assert capsys.readouterr().out == "no run fits this filter\n"


@pytest.mark.parametrize("command", ["show", "tail"])
@pytest.mark.parametrize("wanted", ["nope", "run_", "\x1b]0;x\x07"])
def test_no_such_run_and_several_such_runs_are_exit_3(
    runs: Path, command: str, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--runs-dir", str(runs), "run", command, wanted]) == 3
    assert assert_one_line(capsys.readouterr().err)[:-1].isprintable()


def test_tail_prints_each_event_as_one_json_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    RunDirectoryBuilder(tmp_path).tool("bash").end().write()
    assert main(["run", "tail", "last", "--json", "--runs-dir", str(tmp_path)]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["type"] for event in events] == ["run_start", "tool_call", "tool_result", "run_end"]


def test_a_picture_without_a_window_is_of_all_time(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--runs-dir", str(runs), "--once", "--json"])
    assert json.loads(capsys.readouterr().out)["window"] == "all"
    main(["--runs-dir", str(runs), "--once", "--json", "--window", "1h"])
    assert json.loads(capsys.readouterr().out)["window"] == "1h"


def test_a_picture_as_text_says_what_the_json_says(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--runs-dir", str(runs), "--once", "--json"])
    totals = json.loads(capsys.readouterr().out)["totals"]
    main(["--runs-dir", str(runs), "--once"])
    text = capsys.readouterr().out
    assert f"{totals['total_tokens']:,} tokens" in text
    assert f"{totals['total_tool_calls']} tool calls ({totals['failed_tool_calls']} failed)" in text


# As a process


@pytest.mark.parametrize(
    "arguments",
    [["run", "list", "--json"], ["--once"], ["--once", "--json"], ["run", "show", "last"], ["--version"]],
)
def test_lists_and_json_never_wait_for_textual(runs: Path, arguments: Sequence[str]) -> None:
    script = (
        "import sys; from buddy_top.cli.entry import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'textual', 'rich', 'sentry_sdk', 'opentelemetry', 'prometheus_client', 'sqlite3'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--runs-dir", str(runs), *arguments], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_without_a_terminal_the_monitor_prints_a_picture(runs: Path) -> None:
    """Case 69."""
    done = shell("--runs-dir", str(runs))
    assert done.returncode == 0
    assert b"tool calls" in done.stdout
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize(
    "arguments", [["run", "list"], ["--once"], ["--once", "--json"], ["run", "show", "last"]]
)
def test_a_reader_that_goes_away_ends_it_quietly(runs: Path, arguments: list[str]) -> None:
    """Case 64: as in `| head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    done = shell("--runs-dir", str(runs), *arguments, stdout=writer)
    os.close(writer)
    assert done.returncode == 128 + signal.SIGPIPE
    assert done.stderr == b""


@pytest.mark.parametrize("arguments", [["run", "list"], ["--once", "--json"]])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_line_and_exit_1(runs: Path, arguments: list[str]) -> None:
    """Case 64."""
    with Path("/dev/full").open("wb") as full:
        done = shell("--runs-dir", str(runs), *arguments, stdout=full.fileno())
    assert done.returncode == 1
    assert "No space left" in assert_one_line(done.stderr)


def test_a_closed_output_is_one_line_and_exit_1(runs: Path) -> None:
    """Case 64: as in `>&-`."""
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m buddy_top --runs-dir "$1" run list >&-', sys.executable, str(runs)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert "standard output is closed" in assert_one_line(done.stderr)


@pytest.mark.parametrize("env", [{"LC_ALL": "C"}, {"LANG": "POSIX"}, {"PYTHONIOENCODING": "ascii"}], ids=str)
def test_without_utf8_plain_output_is_ascii(runs: Path, env: dict[str, str]) -> None:
    """Case 71."""
    for arguments in (["--once"], ["run", "list"], ["run", "show", "last"], ["run", "show", "nope"]):
        done = shell("--runs-dir", str(runs), *arguments, env=env)
        assert done.stdout.isascii()
        assert done.stderr.isascii()
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_following_is_ended_by_a_signal(tmp_path: Path, number: signal.Signals, code: int) -> None:
    RunDirectoryBuilder(tmp_path, started_at=time.time_ns() // 1_000_000).write()
    process = subprocess.Popen(
        [sys.executable, "-m", "buddy_top", "--runs-dir", str(tmp_path), "run", "tail", "last"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert any(b"run start" in line for line in iter(process.stdout.readline, b""))
    process.send_signal(number)
    _, stderr = process.communicate()
    assert process.returncode == code
    assert stderr == b""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_one_picture_is_ended_by_a_signal_too(
    runs: Path, number: signal.Signals, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(number)
    monkeypatch.setattr(picture, "print_once", lambda *_: signal.raise_signal(number))
    assert main(["--once", "--runs-dir", str(runs)]) == code
    assert signal.getsignal(number) is before


def test_a_signal_that_is_ignored_stays_ignored(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As under `nohup`."""
    monkeypatch.setattr(picture, "print_once", lambda *_: signal.raise_signal(signal.SIGHUP) or 0)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert main(["--once", "--runs-dir", str(runs)]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_unknown_theme_is_wrong_usage_and_names_the_known_ones(runs: Path) -> None:
    """Known only once the screen's toolkit is loaded, so a terminal is needed to ask."""
    script = (
        "import sys; from buddy_top.cli import entry, picture; picture.screen_is_possible = lambda: True\n"
        "sys.exit(entry.main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--runs-dir", str(runs), "--theme", "nope"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert "nord" in assert_one_line(done.stderr)


@pytest.mark.parametrize("debug", [False, True])
def test_an_error_of_its_own_is_one_line_unless_debugging(debug: bool) -> None:
    """Case 63."""
    script = (
        "import sys; from buddy_top.cli import entry, picture\n"
        "def broken(*a): secret = 'CANARY'; raise ValueError('odd \\x1b]0;x\\x07')\n"
        "picture.print_once = broken\n"
        "sys.exit(entry.main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--once", *(["--debug"] if debug else [])],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"\x1b" not in done.stderr
    assert b"CANARY" not in done.stderr
    assert (b"Traceback" in done.stderr) is debug
    if not debug:
        assert_one_line(done.stderr)


def test_a_demonstration_without_a_terminal_is_one_picture(tmp_path: Path) -> None:
    done = shell("demo", "--seed", "1", "--json", env={"TMPDIR": str(tmp_path)})
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["runs"]) == 20
    assert list(tmp_path.glob("buddy-top-demo-*")) == []


@pytest.mark.parametrize("term", ["", "dumb", "unknown"])
def test_a_poor_terminal_has_no_screen(term: str) -> None:
    """Case 69."""
    assert not screen_is_possible({"TERM": term})
