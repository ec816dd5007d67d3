"""`[prices]` of the configuration file: what it may say, how a mistake is told, and that every output marks estimates."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from buddy_core.prices.rates import Rates
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli.entry import main
from buddy_top.cli.grammar import parse
from buddy_top.config.file import BadConfig, read_config
from buddy_top.config.prices import price_table, prices_for
from buddy_top.config.schema import SETTINGS

T0 = 1_767_890_000_000
M = 1_000_000

PRICES = """
[prices."claude-*"]
input = 3
output = 15.0
cache_read = 0.3
[prices.opus]
input = 1
output = 2
provider = "anthropic"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file with prices."""
    for name in ("CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    path = tmp_path / "CONFIG" / "buddy-top" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(PRICES)
    return path


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """One run whose request states no cost, and is worth three dollars."""
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=T0, suffix="0a1b2c")
    run.request(prompt=M, completion=0).tool("bash").end().write()
    return tmp_path / "runs"


def test_an_entry_has_its_kinds_and_says_where_it_stands(config: Path) -> None:
    claude, opus = read_config(config).prices
    assert (claude.pattern, claude.rates, claude.provider) == ("claude-*", Rates(3.0, 15.0, 0.3), None)
    assert (opus.pattern, opus.rates, opus.provider, opus.origin) == (
        "opus",
        Rates(1.0, 2.0),
        "anthropic",
        str(config),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prices = 3", "must be tables"),
        ("[prices]\nopus = 3", 'prices."opus": must be a table'),
        ("[prices.opus]\ninput = 1", "output is missing"),
        ("[prices.opus]\ninput = 1\noutput = 2\ncacheread = 1", "did you mean 'cache_read'?"),
        ("[prices.opus]\ninput = 1\noutput = 2\nzzz = 1", "there are input, output, cache_read, cache_write"),
        ("[prices.opus]\ninput = -1\noutput = 2", "input: -1 is no amount of dollars"),
        ("[prices.opus]\ninput = nan\noutput = 2", "no amount of dollars"),
        ("[prices.opus]\ninput = true\noutput = 2", "no amount of dollars"),
        ('[prices.opus]\ninput = "3"\noutput = 2', "no amount of dollars"),
        ("[prices.opus]\ninput = 1\noutput = 2\nprovider = 3", "provider: 3 is no name"),
        ('[prices.""]\ninput = 1\noutput = 2', "no name of a model"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_file_and_entry(config: Path, text: str, words: str) -> None:
    config.write_text(text)
    with pytest.raises(BadConfig) as caught:
        read_config(config)
    assert str(config) in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_estimate_false_means_that_nothing_is_priced(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    args = parse(["run", "list"])
    table = prices_for(args, os.environ)
    assert table is not None
    assert table.find("anthropic", "claude-x", T0) is not None
    monkeypatch.setenv("BUDDY_TOP_ESTIMATE", "no")
    assert prices_for(args, os.environ) is None
    assert price_table(None) is None


def test_the_command_shows_prices_the_most_exact_first_and_who_says_so(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (heading,) = [number for number, line in enumerate(lines) if line.startswith("price of")]
    assert lines[heading + 1].split() == [
        "opus",
        "1",
        "2",
        "as",
        "input",
        "as",
        "input",
        "anthropic",
        str(config),
    ]
    assert lines[heading + 2].split() == ["claude-*", "3", "15", "0.3", "as", "input", "any", str(config)]
    assert "genai-prices" in lines[heading + 3]
    assert main(["config", "--json"]) == 0
    prices = json.loads(capsys.readouterr().out)["prices"]
    assert [(one["model"], one["input"], one["cache_write"]) for one in prices["entries"]] == [
        ("opus", 1.0, None),
        ("claude-*", 3.0, None),
    ]


def test_the_command_says_so_when_nothing_is_estimated(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUDDY_TOP_ESTIMATE", "false")
    assert main(["config"]) == 0
    assert "estimate is false" in capsys.readouterr().out


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(
    "words",
    [["run", "list"], ["run", "show", "last"], ["--once"], ["run", "export", "last", "--format", "html"]],
    ids=lambda words: words[1] if len(words) > 1 else words[0],
)
def test_text_marks_an_estimate(runs: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--runs-dir", str(runs)]) == 0
    text = capsys.readouterr().out
    assert "≈$3.00" in text
    assert "$3.00" not in text.replace("≈$3.00", "")


@pytest.mark.usefixtures("config")
def test_json_says_how_much_is_estimated(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--once"], ["run", "list"], ["run", "show", "last"]):
        assert main([*words, "--json", "--runs-dir", str(runs)]) == 0
        document = json.loads(capsys.readouterr().out)
        if "state" in document:
            parts = [document["state"], document["totals"], document["providers"][0], document["runs"][0]]
        else:
            parts = [document["run"]] if "run" in document else document["runs"]
        assert [(part["total_cost"], part["estimated_cost"]) for part in parts] == [(3.0, 3.0)] * len(parts)


@pytest.mark.usefixtures("config")
def test_metrics_once_has_the_family_of_estimates(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "--once", "--runs-dir", str(runs)]) == 0
    text = capsys.readouterr().out
    assert 'codebuddy_estimated_cost_usd{model="claude-sonnet-4-5",provider="anthropic"} 3.0' in text
    assert "codebuddy_cost_usd_total{" not in text
