"""`buddy-top doctor` as a shell meets it, and `C` on the screen: the same report, whatever the surroundings hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Compare
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, make_app
from tests.tui.surroundings.surroundings import surroundings
from textual.pilot import Pilot

from buddy_core.clock import ManualClock
from buddy_core.safety.text import is_plain
from buddy_core.testing import sample_runs
from buddy_top.app import BuddyTop
from buddy_top.cli.entry import main
from buddy_top.drawing.cells import text_of, width_of
from buddy_top.export.documents import to_text
from buddy_top.surroundings.around import Surroundings
from buddy_top.surroundings.check import Check
from buddy_top.surroundings.lines import report_lines
from buddy_top.surroundings.report import LOOKS, Report, examine, report_document

REPORT = Report(
    (
        Check("agent", "ok", "12 runs, the newest begun 3m ago"),
        Check("runs", "ok", "/home/ada/.codebuddy/runs can be read"),
        Check(
            "rights",
            "failed",
            "runs: everybody may write into /home/ada/.codebuddy/runs (0777)",
            "Take it away (chmod 700 /home/ada/.codebuddy/runs): whoever can write there can make the monitor "
            "show anything.",
        ),
        Check("rights", "ok", "caches: /home/ada/.local/state/buddy-top is in order"),
        Check(
            "notifications",
            "warning",
            "only 8 inotify watches a user",
            "Raise it with “sudo sysctl fs.inotify.max_user_watches=524288”.",
        ),
        Check("terminal", "note", "runs inside tmux", "For copying with y: “set -g set-clipboard on”."),
    )
)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sample runs in a home of their own, private as they should be."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, place in (("CONFIG", ".config"), ("STATE", ".local/state"), ("DATA", ".local/share")):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / place))
    folder = tmp_path / ".codebuddy" / "runs"
    sample_runs(folder, now_ms=NOW)
    folder.chmod(0o700)
    return folder


def told(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> str:
    assert main(["doctor", *argv]) == code
    return capsys.readouterr().out


def test_everything_is_told_and_nothing_is_changed(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def everything() -> list[tuple[object, ...]]:
        paths = sorted(runs.parent.parent.rglob("*"))
        return [
            (path, path.lstat().st_mode, path.lstat().st_size, path.lstat().st_mtime_ns) for path in paths
        ]

    before = everything()
    text = told(capsys)
    assert everything() == before
    assert "✓ agent           12 runs, the newest begun " in text
    assert text.endswith("Nothing was changed.\n")
    for subject in (
        "disk",
        "notifications",
        "open files",
        "locale",
        "history",
        "index",
        "tracing",
        "versions",
    ):
        assert f" {subject} " in text


def test_the_document_has_every_check(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(told(capsys, "--json"))
    assert document["schema_version"] == 1
    assert document["failed"] is False
    assert sum(document["counts"].values()) == len(document["checks"])
    assert set(document["checks"][0]) == {"subject", "state", "found", "advice"}


def test_what_cannot_work_is_exit_code_one(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "--runs-dir", str(runs / "nothing" / "\x1b[31m" / "x"), code=0)
    assert "does not exist yet" in text
    (runs.parent / "file").touch()
    assert "is no directory" in told(capsys, "--runs-dir", str(runs.parent / "file"), code=1)


def test_wrong_settings_are_told_and_stop_nothing(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What every other command refuses to start with is what this one is for."""
    config = runs.parent.parent / ".config" / "buddy-top" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('windw = "1h"\n')
    text = told(capsys, code=1)
    assert "there is no setting 'windw'; did you mean 'window'?" in " ".join(text.split())
    assert "✓ agent" in text


def test_a_user_without_a_home_is_told_so(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case 10."""
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("USERPROFILE", raising=False)
    assert main(["doctor"]) == 1
    assert "there is no place to look: HOME is not set" in capsys.readouterr().out


HOSTILE = "\x1b]0;owned\x07\x1b[2J[/x][@click=app.quit]\u202e"


def test_nothing_of_the_surroundings_reaches_the_terminal_as_it_is(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cases 55 and 61."""
    for name in ("TERM", "LANG", "LC_ALL", "TZ", "COLORTERM", "BUDDY_TOP_X"):
        monkeypatch.setenv(name, HOSTILE)
    monkeypatch.setenv("CODEBUDDY_RUNS_DIR", f"/tmp/{HOSTILE}/runs")
    monkeypatch.setenv("BUDDY_TOP_\x1b[31m", "1")
    for text in (told(capsys), told(capsys, "--json")):
        assert not any(ord(character) < 32 and character != "\n" for character in text)
        assert "\u202e" not in text


VARIABLES = ("TERM", "TMUX", "SSH_TTY", "COLORTERM", "LANG", "LC_ALL", "PYTHONIOENCODING", "TZ", "NO_COLOR", "SENTRY_DSN",
             "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "DO_NOT_TRACK", "BUDDY_TOP_TAB")  # fmt: skip
ANY_TEXT = st.text(st.characters(exclude_characters="\0"), max_size=40)


@given(
    st.dictionaries(st.sampled_from(VARIABLES), ANY_TEXT),
    ANY_TEXT,
    st.tuples(st.integers(0, 400), st.integers(0, 90)),
)
@settings(max_examples=25, deadline=None)
def test_no_environment_breaks_a_check_or_the_report(
    env: dict[str, str], name: str, size: tuple[int, int]
) -> None:
    """Cases 61, 69, 71."""
    around = surroundings(Path("/nowhere"), {**env, f"BUDDY_TOP_{name}": "1"}, size=size)
    report = examine(
        around, [look for look in LOOKS if look.__module__.endswith(("terminal", "settings", "sending"))]
    )
    assert not [check for check in report.checks if "could not be looked at" in check.found]
    for line in report_lines(report, 80):
        assert is_plain(text_of(line))
    assert to_text(report_document(report)).isascii()


def test_no_secret_of_the_environment_is_told(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case 83."""
    monkeypatch.setenv("SENTRY_DSN", "https://hunter2hunter2@o1.ingest.example/42")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://ada:hunter2hunter2@collector.example")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer hunter2hunter2")
    monkeypatch.setenv("CODEBUDDY_RUNS_DIR", "/srv/token=ghp_hunter2hunter2hunter2hunter2hunter2/runs")
    for text in (told(capsys), told(capsys, "--json")):
        assert "hunter2" not in text


def test_a_check_that_breaks_is_told_and_breaks_no_other(tmp_path: Path) -> None:
    def check_the_moon(_around: Surroundings) -> Iterator[Check]:
        yield Check("the moon", "ok", "it is up")
        raise ZeroDivisionError

    report = examine(surroundings(tmp_path), (check_the_moon, *LOOKS[:1]))
    assert [(check.subject, check.state) for check in report.checks][:2] == [
        ("the moon", "ok"),
        ("the moon", "failed"),
    ]
    assert report.checks[2].subject == "agent"
    assert report.failed


@pytest.mark.parametrize("width", [30, 60, 79, 200])
def test_lines_keep_within_the_terminal(width: int) -> None:
    wide = Report((*REPORT.checks, Check("size", "note", "中" * 200, "x" * 300)))
    lines = report_lines(wide, width)
    assert max(map(width_of, lines)) <= max(width, 42)
    last = " ".join(text_of(line).strip() for line in lines[lines.index(()) :]).strip()
    assert last == "7 checks: 1 thing cannot work, 1 warning, 2 notes. Nothing was changed."


def test_all_is_well_when_it_is() -> None:
    assert Report(REPORT.checks[:2]).sum == "2 checks: all is well. Nothing was changed."


def test_it_does_without_textual_and_survives_an_output_that_is_full(runs: Path) -> None:
    """Case 64."""
    code = "import sys; from buddy_top.cli.entry import main; code = main(['doctor']); print('textual' in sys.modules)"
    script = (
        f'{sys.executable} -c "{code}" | tail -1; {sys.executable} -m buddy_top doctor > /dev/full; echo $?'
    )
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert done.stdout.split() == ["False", "1"]
    assert "Traceback" not in done.stderr


# On the screen


def screen_of(runs: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[BuddyTop, Monitor]:
    app, feed = make_app(runs, home=runs.parent.parent)
    monkeypatch.setattr(app, "look_around", lambda: REPORT)
    return app, Monitor(app, None, feed, ManualClock(NOW))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_picture(
    size: tuple[int, int], runs: Path, monkeypatch: pytest.MonkeyPatch, snap_compare: Compare
) -> None:
    app, seen = screen_of(runs, monkeypatch)

    async def drive(pilot: Pilot[None]) -> None:
        seen.pilot = pilot
        await seen.settle()
        await seen.press("C")
        await seen.until(lambda: "Nothing was changed" in seen.text)

    assert snap_compare(app, size=size, drive=drive)
