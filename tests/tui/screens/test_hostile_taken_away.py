"""Promise C5 beyond the screen: what is copied or exported of a hostile run may be pasted, or looked at with `cat`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.tui.keys.test_keys_export import Clipboard, copies, exported
from tests.tui.monitor import NOW, Monitor, monitor
from textual.app import App

from buddy_core.safety.text import is_plain
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.commands import Place

EVIL = "\x1b]0;evil\x07\x9b31m\x04\u202e\udc9b"
PLACES: tuple[Place, ...] = ("providers", "tools", "errors", "runs", "run")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A run with control characters in every name, and an artifact whose name is no UTF-8."""
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 60_000, objective=f"a{EVIL[:-1]}\nb")
    evil = EVIL[:-1]
    run.tool(f"t{evil}", {"command": evil}, error=f"e{evil}").request(f"p{evil}", f"m{evil}").error(evil)
    directory = run.artifact("plan.md", evil).end("failed").write()
    (directory / "artifacts" / os.fsdecode(b"\xff\x9b\x1b]0;x\x07.md")).write_bytes(b"\xff")
    return directory.parent


async def artifact_of_odd_name(seen: Monitor) -> None:
    await seen.go("run")
    await seen.press("v", "v")
    for _ in range(3):
        await seen.press("j")


async def test_what_is_copied_has_no_control_characters(runs: Path) -> None:
    """Cases 55 to 58 and 61: it may be pasted into a shell."""
    async with monitor(runs, kind=Clipboard) as seen:
        for place in PLACES:
            await seen.go(place)
            await seen.press("g", "j", "y", "Y")
        await artifact_of_odd_name(seen)
        await seen.press("y", "Y")
        assert len(copies(seen)) >= 10
        for text in copies(seen):
            assert is_plain(text.replace("\n", "").replace("\t", "")), ascii(text)


async def test_a_name_that_is_no_utf8_can_be_sent_to_the_terminal(runs: Path) -> None:
    """Case 61: with the toolkit's own way of copying, which encodes it."""
    async with monitor(runs) as seen:
        await artifact_of_odd_name(seen)
        await seen.press("y")
        assert "copied" in seen.footer
        assert isinstance(seen.app, App)
        seen.app.clipboard.encode()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "json", "md"])
async def test_what_is_exported_has_no_control_characters(form: str, runs: Path, tmp_path: Path) -> None:
    """Cases 55 to 58 and 61: it may be looked at with `cat`."""
    out = tmp_path / "out"
    out.mkdir()
    async with monitor(runs, export_dir=str(out)) as seen:
        for place in PLACES:
            await seen.go(place)
            assert is_plain((await exported(seen, form, out)).replace("\n", "").replace("\r", "")), place
        await artifact_of_odd_name(seen)
        assert is_plain((await exported(seen, form, out)).replace("\n", "").replace("\r", ""))
