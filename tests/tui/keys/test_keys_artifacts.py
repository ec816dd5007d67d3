"""The artifacts of a run by key: read, searched, looked at raw, opened in another program."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.tui.artifact_texts import run_with_every_kind
from tests.tui.monitor import Monitor, monitor, ways

from buddy_top.run_view.artifacts.view import ArtifactsView


@asynccontextmanager
async def artifacts(runs: Path, *, read_only: bool = False) -> AsyncIterator[Monitor]:
    async with monitor(runs, size=(100, 34), read_only=read_only) as seen:
        await seen.go("run")
        assert seen.app.run_page is not None
        await seen.app.run_page.detail.open_view("artifacts")
        seen.app.run_page.detail.focus_view()
        await seen.settle()
        yield seen


def view(seen: Monitor) -> ArtifactsView:
    assert seen.app.run_page is not None
    part = seen.app.run_page.detail.part
    assert isinstance(part, ArtifactsView)
    return part


async def test_lists_reads_searches_and_shows_raw(tmp_path: Path) -> None:
    run_with_every_kind(tmp_path)
    async with artifacts(tmp_path) as seen:
        assert "json" in seen.lines[7]
        assert "object, 3 names" in seen.text
        await seen.press("j", "j", "j")
        assert "28 lines · 2 headings" in seen.text
        await seen.press("J")
        assert "## Steps" in seen.text
        assert "J rendered" in seen.text
        await seen.press("J", "/", *"redis", "enter")
        assert "matching lines" in seen.text
        assert view(seen).text.top == 0, "the first is in the title"
        await seen.press("n")
        assert view(seen).text.top > 0
        await seen.press("N")
        assert view(seen).text.top == 0
        await seen.press("escape", "j", "e")
        assert "3 errors · 2 warnings" in seen.text
        assert view(seen).text.top > 0


async def test_a_list_that_is_not_all_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 38."""
    monkeypatch.setattr("buddy_core.runs.artifacts.files.MAX_LISTED", 3)
    monkeypatch.setattr("buddy_top.run_view.artifacts.view.MAX_LISTED", 3)
    run_with_every_kind(tmp_path)
    async with artifacts(tmp_path) as seen:
        assert "3 are listed, and there may be more" in seen.text


async def test_held_keys_leave_the_artifact_under_the_cursor(tmp_path: Path) -> None:
    run_with_every_kind(tmp_path)
    async with artifacts(tmp_path) as seen:
        for key in "jjjjkkjj":
            seen.send(key)
        await seen.settle()
        assert view(seen).chosen == "test-results.log"
        assert "pytest-8.3.4" in seen.text


async def test_another_width_is_laid_out_anew_and_the_place_is_kept(tmp_path: Path) -> None:
    run_with_every_kind(tmp_path)
    async with artifacts(tmp_path) as seen:
        await seen.press("j", "j", "j", "enter", "G")
        assert "the two instances" in seen.text
        seen.resize(70, 34)
        await seen.settle()
        assert all(len(line) <= 70 for line in seen.lines)
        assert "[picture: the two instances]" in seen.text


async def test_opening_says_what_became_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_with_every_kind(tmp_path)
    monkeypatch.setenv("EDITOR", "")
    monkeypatch.delenv("VISUAL", raising=False)
    async with artifacts(tmp_path) as seen:
        for (_, pager), (_, editor) in zip(ways("pager"), ways("editor"), strict=True):
            await seen.press(editor)
            assert "no editor: set $EDITOR" in seen.footer
            await seen.press(pager)
            await seen.app.workers.wait_for_complete()
            await seen.settle()
            assert "cannot be handed to another program" in seen.footer
            assert "text" in seen.app.visible_pane.there
            await seen.press("j", pager)
            assert "there is no text here to open" in seen.footer, "a picture"
            assert "text" not in seen.app.visible_pane.there
    monkeypatch.setenv("EDITOR", "true")
    async with artifacts(tmp_path, read_only=True) as seen:
        await seen.press("O")
        assert "read-only: no copy is written" in seen.footer
