"""The doctor on the system: limits, directories, rights, caches, settings, telemetry, clocks, versions."""

from __future__ import annotations

import errno
import json
import os
import resource
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from tests.tui.monitor import NOW
from tests.tui.surroundings.surroundings import bad, surroundings

from buddy_core.caches.db import open_writer
from buddy_core.clock import ManualClock
from buddy_core.history.layout import HISTORY
from buddy_core.runs.names import run_id_at
from buddy_core.settings import NOWHERE
from buddy_top.cli.entry import main
from buddy_top.config.load import gather
from buddy_top.surroundings.check import Check
from buddy_top.surroundings.checks import agent, caches, limits, programs, rights, sending, settings


def proc(folder: Path, **files: str) -> Path:
    """A `/proc` that holds these files; `_` is a slash in their names."""
    for name, text in files.items():
        file = folder / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


# Limits


def test_few_watches_or_no_instance_left_means_polling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 32."""
    monkeypatch.setattr(limits, "_refused", lambda: None)
    few = proc(
        tmp_path / "few", sys__fs__inotify__max_user_watches="8", sys__fs__inotify__max_user_instances="128"
    )
    around = surroundings(tmp_path, proc=few, platform="linux")
    assert bad(limits.check_notifications, around) == [("warning", "only 8 inotify watches a user")]
    monkeypatch.setattr(limits, "_refused", lambda: errno.EMFILE)
    enough = proc(tmp_path / "enough", sys__fs__inotify__max_user_watches="9999")
    (check,) = limits.check_notifications(surroundings(tmp_path, proc=enough, platform="linux"))
    assert check.state == "warning"
    assert check.found.startswith("no inotify instances left of an unknown number of")
    assert "fs.inotify.max_user_instances=512" in check.advice


def test_a_network_file_system_is_polled_and_that_is_no_warning(tmp_path: Path) -> None:
    """Case 34."""
    line = f"36 35 98:0 / {tmp_path} rw - nfs4 server:/home rw\n"
    around = surroundings(tmp_path, proc=proc(tmp_path / "proc", self__mountinfo=line))
    assert bad(limits.check_notifications, around) == [
        ("note", "the runs lie on nfs4, which tells of no changes")
    ]


def test_a_watch_can_be_made_here_and_leaves_nothing_behind(tmp_path: Path) -> None:
    before = sum(1 for _ in Path("/dev/fd").iterdir())
    assert list(limits.check_notifications(surroundings(tmp_path)))
    assert sum(1 for _ in Path("/dev/fd").iterdir()) == before


@pytest.mark.parametrize(
    ("limit", "states"), [(20, ["warning"]), (100, ["note"]), (1024, ["ok"]), (-1, ["ok"])]
)
def test_how_many_files_may_be_open(
    limit: int, states: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 37."""
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (limit, 4096))
    assert [check.state for check in limits.check_descriptors(surroundings(tmp_path))] == states


@pytest.mark.parametrize(
    ("free", "states"), [(10**9, ["ok", "ok"]), (10**7, ["warning"] * 2), (10**6, ["failed", "warning"])]
)
def test_how_much_room_is_left(
    free: int, states: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 5."""
    monkeypatch.setattr(limits.shutil, "disk_usage", lambda _place: type("Usage", (), {"free": free}))
    assert [check.state for check in limits.check_file_systems(surroundings(tmp_path))] == states


# Directories and rights


def test_a_runs_directory_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    (told,) = bad(rights.check_runs_directory, surroundings(tmp_path, runs_dir_by="$CODEBUDDY_RUNS_DIR"))
    assert told[0] == "note"
    assert "(named by $CODEBUDDY_RUNS_DIR) does not exist yet" in told[1]


def test_a_runs_directory_that_can_never_be_one_has_failed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for place, words in (
        ("file", "is no directory"),
        ("link", "is a link to nowhere"),
        ("file/x", "reached"),
    ):
        (told,) = bad(rights.check_runs_directory, surroundings(tmp_path, runs_dir=tmp_path / place))
        assert told[0] == "failed"
        assert words in told[1]


def test_a_runs_directory_that_may_not_be_read_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 36."""
    (tmp_path / "runs").mkdir(mode=0o700)
    monkeypatch.setattr(
        rights.os, "access", lambda _path, _mode: False
    )  # to the superuser nothing is forbidden
    (told,) = bad(rights.check_runs_directory, surroundings(tmp_path, runs_dir=tmp_path / "runs"))
    assert told[0] == "failed"
    assert "may not be read" in told[1]


@pytest.mark.parametrize(
    ("mode", "states"), [(0o700, []), (0o755, ["note"]), (0o777, ["failed"]), (0o1777, ["note"])]
)
def test_who_may_look_and_write(mode: int, states: list[str], tmp_path: Path) -> None:
    """Cases 78 and 80."""
    place = tmp_path / "runs"
    place.mkdir()
    place.chmod(mode)
    around = surroundings(tmp_path, runs_dir=place)
    assert [state for state, _ in bad(rights.check_runs_directory, around)] == states


def test_what_belongs_to_another_user_is_told(tmp_path: Path) -> None:
    """Case 78."""
    (tmp_path / "runs").mkdir(mode=0o700)
    around = surroundings(tmp_path, runs_dir=tmp_path / "runs", uid=os.geteuid() + 1)
    ((state, words),) = bad(rights.check_runs_directory, around)
    assert state == "warning"
    assert " belongs to user " in words


def test_own_files_that_others_may_read_and_links_among_them(tmp_path: Path) -> None:
    """Cases 76 and 80."""
    state = tmp_path / ".local" / "state" / "buddy-top"
    state.mkdir(parents=True, mode=0o700)
    (state / "history.sqlite3").touch(mode=0o600)
    assert bad(rights.check_own_directories, surroundings(tmp_path)) == []
    (state / "history.sqlite3").chmod(0o644)
    (state / "screen.json").symlink_to("/etc/passwd")
    found = bad(rights.check_own_directories, surroundings(tmp_path))
    assert [words.partition(": ")[2] for _, words in found] == [
        "others may look into history.sqlite3",
        "links, or files of another user: screen.json",
    ]


@pytest.mark.parametrize("home", [None, Path("/nonexistent/home")])
def test_without_a_home_nothing_is_remembered(home: Path | None) -> None:
    """Case 10."""
    around = surroundings(home, state=None, archive=None, config=None)
    assert [state for state, _ in bad(rights.check_own_directories, around)] == ["warning"]


def test_without_a_home_there_is_no_place_to_look_and_no_disk_to_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case 10."""
    around = surroundings(None, runs_dir=NOWHERE, state=None)
    assert [words for _, words in bad(rights.check_runs_directory, around)] == [
        "there is no place to look: HOME is not set"
    ]
    assert list(limits.check_file_systems(around)) == []
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("CODEBUDDY_RUNS_DIR", raising=False)
    assert main(["config"]) == 0
    assert "none: HOME is not set" in capsys.readouterr().out
    assert main(["config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["runs_dir"]["value"] is None


def test_a_file_where_a_directory_belongs(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    found = bad(rights.check_own_directories, surroundings(tmp_path, state=tmp_path / "state"))
    assert [words for _, words in found] == [f"caches: {tmp_path}/state is no directory"]


def test_a_home_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 9."""
    (tmp_path / ".local" / "state" / "buddy-top").mkdir(parents=True, mode=0o700)
    monkeypatch.setattr(rights.os, "access", lambda _path, _mode: False)
    found = bad(rights.check_own_directories, surroundings(tmp_path))
    assert [state for state, _ in found] == ["warning", "warning"]
    assert found[0][1].endswith("cannot be written")
    assert "kept runs" in found[1][1]
    assert "cannot be made" in found[1][1]


# History and index


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A history with nothing in it, in its place."""
    path = tmp_path / ".local" / "state" / "buddy-top" / "history.sqlite3"
    path.parent.mkdir(parents=True, mode=0o700)
    open_writer(path, HISTORY).close()
    return path


def told_of_history(tmp_path: Path) -> list[Check]:
    return list(caches.check_history(surroundings(tmp_path)))


def test_a_sound_history_is_looked_through(tmp_path: Path, history: Path) -> None:
    (check,) = told_of_history(tmp_path)
    assert check.state == "ok"
    assert check.found.endswith(f"version {HISTORY.version}, in order")


def test_a_damaged_one_is_told_and_left_as_it_is(tmp_path: Path, history: Path) -> None:
    """Case 52."""
    history.write_bytes(history.read_bytes()[:5000] + b"\xff" * 20_000)
    before = history.read_bytes()
    (check,) = told_of_history(tmp_path)
    assert check.state == "warning"
    assert "is damaged" in check.found
    assert history.read_bytes() == before


def test_one_of_another_version_is_no_damage(tmp_path: Path, history: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(history)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    (check,) = told_of_history(tmp_path)
    assert (check.state, "another version" in check.found) == ("note", True)


def test_one_that_was_set_aside_is_told(tmp_path: Path, history: Path) -> None:
    history.with_name("history.sqlite3.corrupt").touch()
    assert [check.state for check in told_of_history(tmp_path)] == ["ok", "note"]


def test_who_writes_it_is_told(tmp_path: Path, history: Path) -> None:
    inode = history.with_name("history.sqlite3.lock").stat().st_ino
    locks = proc(tmp_path / "proc", locks=f"1: FLOCK  ADVISORY  WRITE 4242 fe:01:{inode} 0 EOF\n")
    told = bad(caches.check_history, surroundings(tmp_path, proc=locks))
    assert told == [("note", "process 4242 is writing it")]


def test_none_yet_and_one_that_is_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    around = surroundings(tmp_path)
    assert bad(caches.check_history, around) == []
    assert bad(caches.check_index, around) == []
    choices = gather(_no_arguments(), {"BUDDY_TOP_HISTORY": "no"})
    assert bad(caches.check_history, surroundings(tmp_path, settings=choices)) == [
        ("note", "switched off by BUDDY_TOP_HISTORY")
    ]


# Settings


def _no_arguments(config: Path | None = None) -> object:
    import argparse

    return argparse.Namespace(config=None if config is None else str(config))


def test_a_mistake_in_the_settings_has_failed(tmp_path: Path) -> None:
    around = surroundings(tmp_path, config_problem="/x/config.toml: there is no setting 'windw'")
    assert bad(settings.check_settings, around) == [("failed", "/x/config.toml: there is no setting 'windw'")]


def test_a_variable_that_means_nothing_is_told_with_what_was_meant(tmp_path: Path) -> None:
    (check,) = settings.check_settings(
        surroundings(tmp_path, {"BUDDY_TOP_WINDW": "1h", "BUDDY_TOP_TAB": "runs"})
    )
    assert (check.state, check.advice) == ("warning", "Did you mean BUDDY_TOP_WINDOW?")


def test_keys_that_clash_have_failed_and_a_sound_file_says_what_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    for keys, state in (('filter = "q"', "failed"), ('filter = "slash,ctrl+f"', "ok")):
        file.write_text(f'window = "1h"\n[keys]\n{keys}\n')
        choices = gather(_no_arguments(file), {})  # type: ignore[arg-type]
        (check,) = settings.check_settings(surroundings(tmp_path, settings=choices))
        assert check.state == state
    assert check.found == f"{file}: 1 setting, 1 key"


# Telemetry


SECRET = "https://user:hunter2pass@collector.example/v1"


@pytest.mark.parametrize(
    ("env", "states"),
    [
        ({}, ["ok", "ok"]),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": SECRET}, ["note", "ok"]),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": SECRET, "DO_NOT_TRACK": "1"}, ["ok", "ok"]),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "ftp://hunter2pass"}, ["warning", "ok"]),
        ({"SENTRY_DSN": "https://hunter2pass@o1.example/7"}, ["ok", "note"]),
        ({"SENTRY_DSN": "hunter2pass"}, ["ok", "warning"]),
        (
            {"SENTRY_DSN": "https://k@o1.example/7", "CODEBUDDY_TELEMETRY_CONTENT": "1"},
            ["ok", "note", "note"],
        ),
    ],
)
def test_what_would_leave_and_by_which_variable(
    env: dict[str, str], states: list[str], tmp_path: Path
) -> None:
    """Cases 83 and 91: a variable is named, and never what it holds."""
    checks = list(sending.check_telemetry(surroundings(tmp_path, env)))
    assert [check.state for check in checks] == states
    assert "hunter2pass" not in repr(checks)


def test_a_package_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "find_spec", lambda _name: None)
    found = bad(sending.check_telemetry, surroundings(tmp_path, {"SENTRY_DSN": "https://k@o1.example/7"}))
    assert found == [("warning", "asked for by SENTRY_DSN, but sentry-sdk is not installed")]


def test_whether_something_serves_metrics(tmp_path: Path) -> None:
    row = "   0: 0100007F:24F8 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1"
    serving = proc(tmp_path / "proc", net__tcp=f"head\n{row}\n")
    (check,) = sending.check_metrics(surroundings(tmp_path, proc=serving))
    assert check.found.startswith("something listens on port 9464")
    (check,) = sending.check_metrics(surroundings(tmp_path, proc=tmp_path / "none"))
    assert check.found.startswith("off")


# Agent, clock, versions


def test_an_agent_that_records_and_one_that_records_elsewhere(tmp_path: Path) -> None:
    assert bad(agent.check_agent, surroundings(tmp_path)) == [("note", "no agent has recorded anything yet")]
    usual = tmp_path / ".codebuddy" / "runs"
    (usual / run_id_at(NOW - 60_000, "abcdef")).mkdir(parents=True)
    (usual.parent / "turn-metrics.jsonl").touch()
    (check,) = agent.check_agent(surroundings(tmp_path))
    assert check.found == "1 run, the newest begun 1m ago"
    ((state, words),) = bad(agent.check_agent, surroundings(tmp_path, runs_dir=tmp_path / "other"))
    assert state == "warning"
    assert words == f"no run in {tmp_path}/other, but 1 run in {usual}"


def test_clocks_that_cannot_be_right(tmp_path: Path) -> None:
    """Cases 40 and 42."""
    assert bad(agent.check_clock, surroundings(tmp_path)) == []
    assert [state for state, _ in bad(agent.check_clock, surroundings(tmp_path, clock=ManualClock(0)))] == [
        "warning"
    ]
    zone = bad(agent.check_clock, surroundings(tmp_path, {"TZ": "Nowhere/Land"}))
    assert zone == [("warning", "there is no time zone Nowhere/Land")]
    (tmp_path / run_id_at(NOW + 3_600_000, "abcdef")).mkdir()
    ahead = bad(agent.check_clock, surroundings(tmp_path, runs_dir=tmp_path))
    assert ahead == [("warning", "the newest run begins 1h00m in the future")]


def test_a_package_that_is_not_there_or_was_never_tested(tmp_path: Path) -> None:
    def version_of(name: str) -> str:
        if name == "rich":
            raise PackageNotFoundError(name)
        return "9.1.0"

    checks = list(programs.check_versions(surroundings(tmp_path), version_of))
    assert [(check.state, check.found) for check in checks if check.state in ("failed", "warning")] == [
        ("failed", "rich is not installed"),
        ("warning", "textual 9.1.0 was never tested with this monitor"),
    ]
    assert bad(programs.check_versions, surroundings(tmp_path)) == []
