"""Secrets that a run recorded stay in its files: no screen, list or document shows them (case 83, C11)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.tui.monitor import NOW, PLACES, monitor

from buddy_core.safety.redact import MASK
from buddy_core.safety.shown import MARGIN, shown, shown_lines
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli.entry import main

TOKEN = "ghp_" + "aB3dE6gH9jK2" * 3
PASSWORD = "correct-horse-7"
SECRETS = (TOKEN, TOKEN[:20], TOKEN[-20:], PASSWORD)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Runs with secrets wherever an agent may leave them."""
    root = tmp_path / "runs"
    run = RunDirectoryBuilder(root, started_at=NOW - 600_000, objective=f"deploy with GITHUB_TOKEN={TOKEN}")
    run.tool(
        "bash", {"command": f"git push https://me:{TOKEN}@github.com/x.git"}, error=f"denied for {TOKEN}"
    )
    run.tool("http", {"url": "https://example.org", "headers": {"authorization": f"Bearer {TOKEN}"}})
    run.tool("login", {"password": PASSWORD})
    run.error(f"fatal: could not read from https://me:{TOKEN}@github.com")
    run.event("decision", {"description": f"use {TOKEN}"})
    run.artifact("notes.md", f"# Notes\n\nexport API_KEY={TOKEN}\n")
    run.end("failed").write()
    live = RunDirectoryBuilder(root, started_at=NOW - 5_000, suffix="bbbbbb", objective=f"token: {TOKEN}")
    live.call("bash", {"command": f"curl -H 'Authorization: Bearer {TOKEN}' https://example.org"})
    live.write()
    return root


@pytest.mark.parametrize("size", [(80, 24), pytest.param((200, 60), marks=pytest.mark.slow)])
async def test_no_screen_shows_one(runs: Path, size: tuple[int, int]) -> None:
    async with monitor(runs, size=size) as seen:
        for place in PLACES:
            await seen.go(place)
            for keys in ((), ("down",), ("down",), ("right",)):
                await seen.press(*keys)
                assert not [secret for secret in SECRETS if secret in seen.text], place
        await seen.go("runs")
        await seen.press("down", "enter", "g")
        for _ in range(8):
            await seen.press("enter")
            await seen.app.workers.wait_for_complete()
            await seen.settle()
            assert not [secret for secret in SECRETS if secret in seen.text]
            await seen.press("J")
            assert not [secret for secret in SECRETS if secret in seen.text]
            await seen.press("escape", "down")
        await seen.press("v", "v")
        assert "API_KEY" in seen.text
        assert TOKEN[:20] not in seen.text


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "list"],
        ["run", "list", "--json"],
        ["run", "show", "last"],
        ["run", "show", "run_", "--json"],
        ["run", "tail", "run_"],
        ["run", "tail", "run_", "--json"],
        ["run", "search", "git"],
        ["run", "search", "git", "--json"],
        ["run", "replay", "run_"],
        ["run", "doctor"],
        ["run", "export", "run_"],
        ["--once"],
        ["--once", "--json"],
        ["metrics", "--once"],
    ],
    ids=" ".join,
)
def test_no_command_prints_one(runs: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    ended = next(path.name for path in sorted(runs.iterdir()) if not path.name.endswith("bbbbbb"))
    arguments = [ended if argument == "run_" else argument for argument in arguments]
    assert main(["--runs-dir", str(runs), *arguments]) == 0
    out, err = capsys.readouterr()
    assert out
    assert not [secret for secret in SECRETS if secret in out + err]


def test_the_files_themselves_stay_as_they_were_recorded(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--runs-dir", str(runs), "--once"])
    capsys.readouterr()
    assert sum(TOKEN in path.read_text() for path in runs.glob("*/events.jsonl")) == 2


def test_a_secret_that_is_cut_off_at_the_edge_is_known_for_one() -> None:
    assert TOKEN[:12] not in shown(f"{'x' * 30} {TOKEN}", limit=45)
    assert len(shown("a" * 10_000_000, limit=100)) <= 100
    assert TOKEN[:12] not in shown("y " * (MARGIN // 2) + TOKEN, limit=MARGIN + 10)


def test_words_that_are_no_secrets_are_shown_as_they_are() -> None:
    for text in (
        "pytest -q tests/test_login.py",
        "max_tokens=4096",
        "run_mk6up4t4_1a2b3c",
        "Übersicht │ 日本",
    ):
        assert shown(text) == text
    assert shown_lines("one\ntwo") == ["one", "two"]
    assert json.dumps(MASK)
