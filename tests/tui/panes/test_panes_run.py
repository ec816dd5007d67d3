"""One run on the screen: what its views say, also when its files cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, monitor, samples

from buddy_core.testing import RunDirectoryBuilder


def run_with_artifacts(folder: Path, **artifacts: str | bytes) -> Path:
    run = RunDirectoryBuilder(folder / "runs", started_at=NOW - 600_000)
    for name, content in artifacts.items():
        run.artifact(name.replace("_", "."), content)
    run.end().write()
    return folder / "runs"


async def open_artifacts(seen: Monitor) -> None:
    await seen.go("run")
    await seen.press("v", "v")


async def test_another_artifact_is_read_from_its_beginning(tmp_path: Path) -> None:
    long = "\n".join(f"row {number}" for number in range(100))
    async with monitor(run_with_artifacts(tmp_path, a_txt=long, b_txt=long.replace("row", "line"))) as seen:
        await open_artifacts(seen)
        await seen.press("enter", "pagedown", "pagedown")
        assert "row 0 " not in seen.text
        await seen.press("h", "j")
        assert "line 0 " in seen.text


async def test_an_artifact_that_grows_is_read_on_where_one_is(tmp_path: Path) -> None:
    long = "\n".join(f"row {number}" for number in range(100))
    runs = run_with_artifacts(tmp_path, a_txt=long)
    async with monitor(runs) as seen:
        await open_artifacts(seen)
        await seen.press("enter", "pagedown")
        read = [line for line in seen.lines if "row " in line]
        next(runs.glob("*/artifacts/a.txt")).write_text(long + "\nand more")
        await seen.refresh()
        assert [line for line in seen.lines if "row " in line] == read
        await seen.press("G")
        assert "and more" in seen.text


async def test_an_artifact_that_cannot_be_read_says_why_and_is_not_asked_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(_run_dir: Path, name: str, *, limit: int) -> NoReturn:
        asked.append(name)
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("buddy_top.artifacts.making.read_artifact_bytes", refuse)
    async with monitor(run_with_artifacts(tmp_path, a_txt="text")) as seen:
        await open_artifacts(seen)
        await seen.refresh()
        assert "Permission denied" in seen.text
        assert 1 <= len(asked) < 5


async def test_binary_and_cut_artifacts_say_so(tmp_path: Path) -> None:
    runs = run_with_artifacts(tmp_path, a_bin=b"\x7fELF\0\0\x1b[31m", b_log="word\n" * 100_000)
    async with monitor(runs) as seen:
        await open_artifacts(seen)
        assert "ELF program or library" in seen.text
        assert "␛" not in seen.text
        await seen.press("j")
        assert "52,428 lines" in seen.text
        await seen.press("enter", "G")
        assert "100,000 lines" in seen.text, "the end was reached, so more was read"


async def test_the_metrics_say_not_logged_for_what_nobody_wrote_down(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 60_000)
    run.tool("bash", {"command": "make"}).end().write()
    async with monitor(tmp_path / "runs") as seen:
        await seen.go("run")
        await seen.press("v")
        assert "tokens        –  not logged" in seen.text
        assert "cost          –  not logged" in seen.text
        assert "model         –  not logged" in seen.text


async def test_heading_and_metrics_agree_on_how_long_a_live_run_took(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        await seen.go("run")
        await seen.press("v")
        assert "(1m35s)" in seen.lines[3]
        assert "took          1m35s" in seen.text


async def test_the_tokens_of_the_metrics_add_up(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 60_000)
    run.request(prompt=95, completion=5, cache_read=400_000, cache_write=1_000).end().write()
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("run")
        await seen.press("v")
        told = [" ".join(line[:40].strip("│ ┃").split()) for line in seen.lines]
        at = told.index("tokens 401,100")
        assert told[at + 1 : at + 4] == ["prompt 95", "completion 5", "other 401,000 cache"]


async def test_damage_is_told_in_the_heading_and_explained_in_the_metrics(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=SMALL, tab="runs") as seen:
        await seen.press("/", *"invoice", "enter", "enter")
        assert "2 lines unreadable" in seen.text
        await seen.press("v", "G")
        assert "the event file is damaged" in seen.text
        await seen.press("G")
        assert "skipped" in seen.text


async def test_a_timeline_joins_calls_with_results_and_shows_what_failed(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, tab="runs") as seen:
        await seen.press("/", *"failed", "space", *"flaky", "enter", "enter", "g")
        rows = [line for line in seen.lines if "✗" in line and "pytest -q" in line and "Exit code 1" in line]
        assert len(rows) == 3
        assert all("✗" in row and "bash" in row and "8.9 s" in row and "Exit code 1" in row for row in rows)


async def test_a_run_that_has_ended_is_read_from_its_beginning_a_live_one_from_its_end(
    tmp_path: Path,
) -> None:
    async with monitor(samples(tmp_path), tab="runs") as seen:
        await seen.press("right")
        assert seen.table.cursor_index == len(seen.table.keys) - 1 > 0
        await seen.press("left", *["j"] * 3, "right")
        assert seen.table.cursor_index == 0
        assert len(seen.table.keys) > 1
        await seen.press("left", "g", "right")
        assert seen.table.cursor_index == len(seen.table.keys) - 1 > 0
