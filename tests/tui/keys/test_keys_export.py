"""Keys that take something off the screen: to the clipboard, or into a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, Monitor, monitor, samples, ways

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.app import BuddyTop
from buddy_top.screens.menus.export import ExportMenu

SECRET = "ghp_" + "aB3dE6gH9jK2" * 3


class Clipboard(BuddyTop):
    """A monitor whose clipboard can be looked at."""

    copies: tuple[str, ...] = ()

    def copy_to_clipboard(self, text: str) -> None:
        self.copies += (text,)


def copies(seen: Monitor) -> tuple[str, ...]:
    assert isinstance(seen.app, Clipboard)
    return seen.app.copies


async def test_y_copies_what_names_the_row(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), kind=Clipboard) as seen:
        for place, key in ways("copy"):
            await seen.go(place)
            await seen.press("down", key)
            assert copies(seen)[-1]
            assert "copied" in seen.footer
        await seen.go("tools")
        await seen.press("g", "y")
        assert copies(seen)[-1] == seen.cursor
        await seen.go("runs")
        await seen.press("g", "y")
        assert copies(seen)[-1] == seen.cursor
        await seen.go("errors")
        await seen.press("g", "y")
        assert copies(seen)[-1] == "Exit code 1\nF401 unused"


async def test_Y_copies_the_whole_record_under_the_names_of_the_library(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), kind=Clipboard) as seen:
        for place, key in ways("copy.record"):
            await seen.go(place)
            await seen.press("down", key)
            if place != "overview":
                assert isinstance(json.loads(copies(seen)[-1]), dict)
        await seen.go("tools")
        await seen.press("g", "Y")
        assert json.loads(copies(seen)[-1])["name"] == "bash"
        assert json.loads(copies(seen)[-1])["total_calls"] == 12
        await seen.go("run")
        await seen.press("g", "Y")
        assert json.loads(copies(seen)[-1])["kind"] == "run_start"


async def test_the_list_below_and_the_text_beside_can_be_copied_too(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), kind=Clipboard, size=COMFORTABLE) as seen:
        await seen.go("tools")
        await seen.press("enter", "y")
        assert "pytest -q tests/test_login.py" in copies(seen)[-1], "the slowest call"
        await seen.press("right", "right", "y")
        assert copies(seen)[-1].startswith("3  2h  Exit code 1"), "the most frequent error"
        await seen.go("errors")
        await seen.press("right", "y")
        assert "fingerprint" not in copies(seen)[-1]
        assert "F401 unused" in copies(seen)[-1]


async def test_an_artifact_is_copied_by_its_name_or_with_all_its_text(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 60_000)
    run.artifact("plan.md", f"# Plan\n\tuse\x1b]52;c;eA==\x07 https://x:{SECRET}@github.com\n").end().write()
    async with monitor(tmp_path, kind=Clipboard) as seen:
        await seen.go("run")
        await seen.press("v", "v", "y", "Y")
        name, text = copies(seen)
        assert name == "plan.md"
        assert text.startswith("# Plan\n\tuse]52;c;eA== https://x:")
        assert SECRET not in text


async def test_without_a_selection_nothing_is_copied(tmp_path: Path) -> None:
    RunDirectoryBuilder(tmp_path, started_at=NOW - 1000).write()
    async with monitor(tmp_path, kind=Clipboard, tab="tools") as seen:
        await seen.press("y", "Y")
        assert copies(seen) == ()
        assert "nothing is selected" in seen.footer


async def test_a_secret_is_masked_on_its_way_to_the_clipboard(tmp_path: Path) -> None:
    """C11."""
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 60_000)
    run.error(f"push to https://x:{SECRET}@github.com failed").end("failed").write()
    async with monitor(tmp_path, kind=Clipboard, tab="errors") as seen:
        await seen.press("y", "Y")
        assert len(copies(seen)) == 2
        assert not any(SECRET in text for text in copies(seen))
        assert SECRET not in seen.footer


async def exported(seen: Monitor, form: str, folder: Path) -> str:
    """What is written when this form is chosen."""
    before = set(folder.iterdir())
    await seen.press("x")
    assert isinstance(seen.app.screen, ExportMenu)
    forms = list(seen.table.keys)
    await seen.press(*["down"] * forms.index(form), "enter")
    await seen.app.workers.wait_for_complete()
    await seen.settle()
    [new] = set(folder.iterdir()) - before
    assert new.suffix == f".{form}"
    return new.read_text()


async def test_x_writes_what_is_shown_in_the_form_one_chooses(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    async with monitor(samples(tmp_path), export_dir=str(out)) as seen:
        for place, _ in ways("export"):
            await seen.go(place)
            told = json.loads(await exported(seen, "json", out))
            assert told["schema_version"] == 1
        await seen.go("tools")
        await seen.press("/", *"editor", "enter")
        rows = list(csv.DictReader((await exported(seen, "csv", out)).splitlines()))
        assert [row["name"] for row in rows] == ["str_replace_editor"], "filtered as on the screen"
        assert "str\\_replace\\_editor" in await exported(seen, "md", out)
        picture = await exported(seen, "svg", out)
        assert picture.startswith("<svg")
        assert "Export" not in picture, "the menu is not in the picture"


async def test_read_only_writes_nothing(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), export_dir=str(tmp_path / "out"), read_only=True) as seen:
        await seen.press("x")
        assert not isinstance(seen.app.screen, ExportMenu)
        assert "read-only" in seen.footer


async def test_a_directory_that_cannot_be_written_is_told_in_the_footer(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), export_dir="/dev/null/x", tab="tools", size=COMFORTABLE) as seen:
        await seen.press("x", "enter")
        await seen.app.workers.wait_for_complete()
        await seen.settle()
        assert "cannot write to /dev/null/x" in seen.footer


@pytest.mark.parametrize("form", ["csv", "json", "md"])
async def test_nothing_secret_is_written(form: str, tmp_path: Path, **_: Any) -> None:
    """C11."""
    run = RunDirectoryBuilder(
        tmp_path / "runs", started_at=NOW - 60_000, objective=f"use GITHUB_TOKEN={SECRET}"
    )
    run.tool("bash", {"command": f"export GH_TOKEN={SECRET}"}).end().write()
    async with monitor(tmp_path / "runs", export_dir=str(tmp_path)) as seen:
        for place in ("runs", "run"):
            await seen.go(place)  # type: ignore[arg-type]
            assert SECRET not in await exported(seen, form, tmp_path)


async def test_x_in_a_run_writes_the_view_that_is_shown(tmp_path: Path) -> None:
    runs, out = tmp_path / "runs", tmp_path / "out"
    out.mkdir()
    run = RunDirectoryBuilder(runs, started_at=NOW - 60_000, objective="Fix it").tool("bash")
    run.artifact("plan.md", "# Plan\nfirst this\n").artifact("patch.diff", "+x\n").end().write()
    async with monitor(runs, export_dir=str(out)) as seen:
        await seen.go("run")
        titles = []
        for _ in range(3):
            document = json.loads(await exported(seen, "json", out))
            titles.append(next(name for name in document if name not in ("schema_version", "generated_at")))
            if titles[-1] == "metrics":
                assert document["metrics"][0]["tool_calls"] == 1
                assert "| tool calls | 1" in await exported(seen, "md", out)
            if titles[-1] == "artifacts":
                texts = {one["name"]: one["text"] for one in document["artifacts"]}
                assert (
                    texts == {"plan.md": None, "patch.diff": "+x\n"}
                    or texts["plan.md"] == "# Plan\nfirst this\n"
                )
            await seen.press("v")
        assert titles == ["timeline", "metrics", "artifacts"]


async def test_x_over_the_card_of_an_event_writes_that_event(tmp_path: Path) -> None:
    runs, out = tmp_path / "runs", tmp_path / "out"
    out.mkdir()
    RunDirectoryBuilder(runs, started_at=NOW - 60_000).tool("bash", {"command": "make it"}).end().write()
    async with monitor(runs, export_dir=str(out)) as seen:
        await seen.go("run")
        await seen.press("g", "down", "enter")
        await seen.app.workers.wait_for_complete()
        await seen.settle()
        call, result = json.loads(await exported(seen, "json", out))["event"]
        assert (call["type"], result["type"]) == ("tool_call", "tool_result")
        assert call["data"]["args"] == {"command": "make it"}
        assert "make it" in await exported(seen, "md", out)
