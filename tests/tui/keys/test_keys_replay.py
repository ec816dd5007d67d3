"""`R`: the test commands of a run are read, and run again by the typed word and by nothing else. Cases 59, 92 to 97."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from tests.core.replayable import Replayable
from tests.tui.monitor import Monitor, monitor, screen_strips, ways
from textual.events import Paste

from buddy_core.metrics.window import Window
from buddy_top.screens.replay.screen import GROUP, ReplayScreen


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Replayable:
    made = Replayable(tmp_path, script='echo "$*" >> "$HOME/executed"; echo "1 passed in 0.01s"').record()
    monkeypatch.setenv("PATH", made.env["PATH"])
    monkeypatch.setenv("HOME", made.env["HOME"])
    monkeypatch.setenv("A_TOKEN_OF_MINE", "ghp_0123456789")
    return made


@asynccontextmanager
async def replay(recorded: Replayable, *, read_only: bool = False) -> AsyncIterator[Monitor]:
    recorded.run.write()
    async with monitor(recorded.run.root, size=(120, 40), window=Window.ALL, read_only=read_only) as seen:
        await seen.go("run")
        await seen.press("R")
        await until(seen, lambda: bool(screen(seen)._bench.tests) or "no test" in seen.text)
        yield seen


def screen(seen: Monitor) -> ReplayScreen:
    assert isinstance(seen.app.screen, ReplayScreen)
    return seen.app.screen


async def until(seen: Monitor, condition: object, *, seconds: float = 20) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        await asyncio.sleep(0.02)
        await seen.settle()
        assert time.monotonic() < end, seen.text
    await seen.settle()


def idle(seen: Monitor) -> bool:
    return not any(one.group == GROUP and not one.is_finished for one in seen.app.workers)


def word(seen: Monitor) -> str:
    """What stands at the end of all that would be executed."""
    return re.findall(r"its word {5}(run [0-9a-f]{4}) ", seen.text)[0]


def executed(recorded: Replayable) -> bool:
    return (recorded.root / "executed").exists()


async def ask(seen: Monitor) -> str:
    await seen.press("enter")
    return word(seen)


async def typed(seen: Monitor, text: str) -> None:
    await seen.press(*("space" if sign == " " else sign for sign in text), "enter")


async def test_everything_is_shown_and_the_word_runs_exactly_that(recorded: Replayable) -> None:
    async with replay(recorded) as seen:
        assert "1 test command, 1 can be run again" in seen.text
        for words in (
            '["pytest", "-q"]',
            str(recorded.project)[:40],
            "TERM=dumb",
            "A_TOKEN_OF_MINE",
            "600 s; no shell",
        ):
            assert words in seen.text, words
        assert "ghp_0123456789" not in seen.text
        await typed(seen, await ask(seen))
        await until(seen, lambda: idle(seen))
        assert (recorded.root / "executed").read_text() == "-q\n"
        assert "still passes" in seen.text
        assert "1 passed in 0.01s" in seen.text
        files = sorted(path.name for path in recorded.run.run_dir.rglob("*"))
        assert files == ["artifacts", "events.jsonl", "metrics.json", "summary.json"], "nothing is recorded"
        await seen.press("escape")
        assert seen.app.place == "run"


async def test_nothing_else_runs_anything(recorded: Replayable) -> None:
    """Case 59: a wrong word, enter alone, a paste, keys struck before the question, the word in another place."""
    async with replay(recorded) as seen:
        right = word(seen)
        await typed(seen, right)
        assert "that is not its word" not in seen.text, "before the question, keys are no answer"
        await seen.press("escape") if seen.app.focused is screen(seen).line else None
        await seen.press("enter")
        for wrong in ("", "run 0000x", "yes", right[:-1], right + "0", f" {right}"):
            await typed(seen, wrong)
            assert "nothing was run" in seen.text, wrong
        for paste in (right, f"{right}\n", f"{right}\r\n{right}\r\n"):
            seen.app.screen.post_message(Paste(paste))
            assert seen.app.focused is not None
            seen.app.focused.post_message(Paste(paste))
            await seen.settle()
            assert screen(seen).line.typed == ""
            await seen.press("enter")
        await seen.press(*"run", "escape")
        assert screen(seen).table.has_focus
        assert screen(seen).line.typed == ""
    assert not executed(recorded)


async def test_a_command_that_changed_after_the_question_is_not_run(recorded: Replayable) -> None:
    """Case 93."""
    async with replay(recorded) as seen:
        right = await ask(seen)
        recorded.program("touch $HOME/evil", name="pytest")
        await typed(seen, right)
        await until(seen, lambda: idle(seen))
        assert "it has changed meanwhile: nothing was run" in seen.text
        assert word(seen) != right
    assert not executed(recorded)
    assert not (recorded.root / "evil").exists()


async def test_a_running_command_is_watched_and_ended_with_all_it_started(recorded: Replayable) -> None:
    """Cases 55, 95 and 97."""
    recorded.program(
        "printf '\\033]0;evil\\007first\\n'; trap '' TERM; sleep 1000 & echo $! > $HOME/pid; "
        "setsid sleep 1000 & head -c 300000 /dev/zero | tr '\\0' x; echo; echo said; wait"
    )
    async with replay(recorded) as seen:
        await typed(seen, await ask(seen))
        await until(seen, lambda: "said" in seen.text)
        assert "● running" in seen.text
        await seen.press("tab", "g")
        assert "␛]0;evil␇first" in seen.text
        await seen.press("tab", "escape")
        assert "y ends it and leaves" in seen.text
        await seen.press("n")
        assert "c ends it" in seen.text
        process = psutil.Process(int((recorded.root / "pid").read_text()))
        await seen.press("c")
        await until(seen, lambda: idle(seen))
        assert "cancelled" in seen.text
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        for strip in screen_strips(seen.app):
            assert strip.text.isprintable()


async def test_leaving_ends_what_runs_after_asking(recorded: Replayable) -> None:
    recorded.program("echo $$ > $HOME/pid; exec sleep 1000")
    async with replay(recorded) as seen:
        await typed(seen, await ask(seen))
        await until(seen, lambda: (recorded.root / "pid").exists() and (recorded.root / "pid").read_text())
        process = psutil.Process(int((recorded.root / "pid").read_text()))
        await seen.press("escape", "y")
        assert seen.app.place == "run"
        await until(seen, lambda: idle(seen))
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def test_what_cannot_be_run_says_why_and_read_only_runs_nothing(recorded: Replayable) -> None:
    """Case 92."""
    recorded.record("pytest | tee \x1b[2Jlog", error="1 failed in 2s")
    async with replay(recorded, read_only=True) as seen:
        assert "2 test commands, 1 can be run again" in seen.text
        await seen.press("enter", *"run 0000", "enter")
        assert "read-only: nothing is run" in seen.text
        await seen.press("j", "enter")
        assert "cannot be run" in seen.text
        assert "␛[2J" in seen.text
        assert not screen(seen).line.has_focus
    assert not executed(recorded)


async def test_it_opens_wherever_a_run_is_chosen(recorded: Replayable) -> None:
    recorded.run.write()
    async with monitor(recorded.run.root, window=Window.ALL) as seen:
        for place, key in ways("replay"):
            await seen.go(place)
            await seen.press("g", key)
            assert isinstance(seen.app.screen, ReplayScreen)
            await seen.press("escape")
