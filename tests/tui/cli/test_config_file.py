"""The configuration file and the variables: what they may say, who wins, and how a mistake is told."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

from buddy_top.cli.config import sample_lines
from buddy_top.cli.entry import main
from buddy_top.cli.grammar import parse
from buddy_top.config.file import MAX_BYTES, BadConfig, ConfigFile, read_config
from buddy_top.config.load import Choices, gather
from buddy_top.config.places import config_file
from buddy_top.config.resolve import resolve
from buddy_top.config.schema import SETTINGS, Setting


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user's configuration file is; it is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    path = tmp_path / "config" / "buddy-top" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def choices(*argv: str) -> Choices:
    return gather(parse(argv), os.environ)


def test_without_a_file_every_setting_has_its_default(config: Path) -> None:
    found = choices().settings
    assert [(name, e.value, e.origin) for name, e in found.items()] == [
        (setting.name, setting.default, "default") for setting in SETTINGS
    ]


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('window = "7d"\ntab = "tools"\nrefresh = 2\n')
    monkeypatch.setenv("BUDDY_TOP_WINDOW", "1h")
    monkeypatch.setenv("BUDDY_TOP_TAB", "errors")
    found = choices("--window", "15m").settings
    told = {name: (e.value, e.origin, e.place) for name, e in found.items() if e.origin != "default"}
    assert told == {
        "window": ("15m", "flag", "--window"),
        "tab": ("errors", "environment", "BUDDY_TOP_TAB"),
        "refresh": (2.0, "file", str(config)),
    }


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_a_flag_a_variable_and_a_line_of_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch, setting: Setting
) -> None:
    value = {
        "runs_dir": "/d",
        "window": "7d",
        "tab": "tools",
        "refresh": "3",
        "theme": "nord",
        "export_dir": "/out",
        "archive_dir": "/kept",
        "watch_runs": "3",
        "cost_per_hour": "3",
        "cost_per_day": "3",
        "notify": "bell",
    }.get(setting.name)
    flags = (
        [setting.flag, value]
        if value
        else [setting.flag.replace("--", "--no-") if setting.default else setting.flag]
    )
    value = value or str(not setting.default).lower()
    assert choices(*flags).settings[setting.name].origin == "flag"
    monkeypatch.setenv(setting.variable, value)
    assert choices().settings[setting.name].origin == "environment"
    monkeypatch.delenv(setting.variable)
    config.write_text(f"{setting.name} = {value if value in ('true', 'false', '3') else json.dumps(value)}\n")
    from_file = choices().settings[setting.name]
    assert from_file.origin == "file"
    assert str(from_file.value).lower().removesuffix(".0") == value


def test_what_was_left_on_the_screen_counts_only_where_nobody_said_anything(config: Path) -> None:
    file = ConfigFile(config, values={"tab": "tools"})
    found = resolve({}, {}, file, {"tab": "errors", "window": "7d"})
    assert (found["tab"].value, found["tab"].origin) == ("tools", "file")
    assert (found["window"].value, found["window"].origin) == ("7d", "remembered")
    forgetful = resolve({"remember": False}, {}, file, {"window": "7d"})
    assert forgetful["window"].origin == "default"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("window = ", "is not valid TOML"),
        ('thme = "nord"', "there is no setting 'thme'; did you mean 'theme'?"),
        ('window = "2h"', "window: '2h' is none of 15m, 1h, 24h, 7d, all"),
        ("refresh = 0", "refresh: 0 is not between 0.05 and 60 seconds"),
        ("refresh = nan", "refresh: nan is not between"),
        ("refresh = true", "refresh: True is not between"),
        ("read_only = 2", "read_only: 2 is neither true nor false"),
        ('theme = ""', "theme: '' is no name"),
        ("cost_per_day = 0", "cost_per_day: 0 is no amount of dollars above 0"),
        ('cost_per_hour = "much"', "cost_per_hour: 'much' is no amount of dollars"),
        ('notify = "loud"', "notify: 'loud' is none of none, bell, desktop"),
        ("tab = ['tools']", "tab: ['tools'] is none of"),
        ("keys = 3", "[keys] must be a table"),
        ("[keys]\nfilter = 3", "[keys] must be a table"),
        ("a = " + "[" * 5000, "is not valid TOML"),
        ("#" * (MAX_BYTES + 1), "is longer than"),
    ],
    ids=lambda text: text[:20],
)
def test_a_mistake_is_one_line_that_names_the_file_and_what_would_be_right(
    config: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(text)
    assert main(["config"]) == 2
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert words in complaint
    assert str(config) in complaint


def test_a_variable_that_cannot_be_is_named(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUDDY_TOP_REFRESH", "soon")
    with pytest.raises(BadConfig, match=r"\$BUDDY_TOP_REFRESH: 'soon' is not between"):
        choices()


def test_only_plain_files_in_utf8_are_read(tmp_path: Path) -> None:
    """Case 28, for the user's own file."""
    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path / "pipe", "no plain file"), (tmp_path, "no plain file|cannot read")):
        with pytest.raises(BadConfig, match=words):
            read_config(path)
    (tmp_path / "latin").write_bytes(b'theme = "\xe9"')
    with pytest.raises(BadConfig, match="not UTF-8"):
        read_config(tmp_path / "latin")
    (tmp_path / "bom").write_bytes(b'\xef\xbb\xbftheme = "nord"')
    assert read_config(tmp_path / "bom").values == {"theme": "nord"}


def test_a_file_that_was_asked_for_must_be_there(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadConfig, match="there is no configuration file"):
        choices("--config", str(config))
    monkeypatch.setenv("BUDDY_TOP_CONFIG", str(config))
    with pytest.raises(BadConfig, match="there is no configuration file"):
        choices()


def test_a_file_in_the_present_directory_is_never_looked_for(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C12: what lies in an observed project decides nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("config.toml", "buddy-top.toml", ".buddy-top.toml", "pyproject.toml", ".env"):
        (tmp_path / name).write_text('theme = "nord"\nBUDDY_TOP_THEME=nord\n')
    assert config_file(os.environ) == config
    assert choices().settings["theme"].origin == "default"


def test_the_sample_is_valid_and_says_the_defaults() -> None:
    sample = "\n".join(sample_lines())
    assert tomllib.loads(sample) == {}
    uncommented = "\n".join(
        line[2:] for line in sample.splitlines() if line.startswith("# ") and " = " in line
    )
    tables = uncommented.replace("filter =", "[keys]\nfilter =").replace("input =", "[prices.x]\ninput =")
    said = tomllib.loads(tables)
    keys = said.pop("keys")
    assert {"input", "output"} < said.pop("prices")["x"].keys()
    assert keys == {"filter": "slash,ctrl+f"}
    assert said.pop("runs_dir").endswith("runs")
    assert said.pop("window") == "24h"
    assert said.pop("export_dir") == "~/Downloads"
    assert said.pop("archive_dir") == "~/.local/share/buddy-top/kept"
    assert said.pop("cost_per_hour") < said.pop("cost_per_day")
    assert said == {s.name: s.default for s in SETTINGS if s.name in said}
    assert len(said) == len(SETTINGS) - 6


def test_the_command_shows_every_setting_and_who_decided(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('theme = "nord"\nruns_dir = "/srv/runs"\n[keys]\nfilter = "ctrl+f"\n')
    monkeypatch.setenv("BUDDY_TOP_TAB", "3")
    assert main(["config", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["settings"]["theme"] == {"value": "nord", "origin": "file", "place": str(config)}
    assert told["settings"]["tab"] == {"value": "tools", "origin": "environment", "place": "BUDDY_TOP_TAB"}
    assert told["settings"]["runs_dir"]["value"] == "/srv/runs"
    assert told["keys"] == {"filter": "ctrl+f"}
    assert main(["config"]) == 0
    text = capsys.readouterr().out
    assert str(config) in text
    assert all(setting.name in text for setting in SETTINGS)
    assert "$BUDDY_TOP_TAB" in text
    assert main(["config", "--keys"]) == 0
    assert "ctrl+f" in capsys.readouterr().out


def test_hostile_text_in_the_file_reaches_the_terminal_harmless(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Case 55."""
    config.write_text('theme = "\\u001b]0;x\\u0007"\n[keys]\n"\\u001b[2J" = "x"\n')
    assert main(["config"]) == 2
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err


def test_the_runs_directory_of_the_file_is_the_one_that_is_read(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    config.write_text(f'runs_dir = "{tmp_path}/mine"\n')
    assert main(["run", "list"]) == 0
    assert "mine" in capsys.readouterr().out
