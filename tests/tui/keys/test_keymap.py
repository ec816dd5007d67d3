"""Keys of the user's own: what may be said, what is refused, and that footer, help and palette follow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.tui.monitor import monitor, samples
from textual.widgets import Input

from buddy_top.app import BuddyTop, monitor_class
from buddy_top.commands import COMMANDS, MOVING_KEYS
from buddy_top.config.file import BadConfig
from buddy_top.config.keymap import remapped


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return samples(tmp_path)


def keys_of(keymap: dict[str, str], command: str) -> str:
    return next(found.keys for found in remapped(COMMANDS, keymap) if found.id == command)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("/", "slash"),
        ("slash", "slash"),
        ("?", "question_mark"),
        ("F", "F"),
        ("u", "u"),
        ("5", "5"),
        ("ctrl+f", "ctrl+f"),
        ("Ctrl+F5", "ctrl+f5"),
        ("f12", "f12"),
        ("shift+up", "shift+up"),
        ("u, o", "u,o"),
        ("@", "at"),
        ("-", "minus"),
        ("ctrl+@", "ctrl+at"),
        ("alt+x", "alt+x"),
    ],
)
def test_keys_are_written_as_people_write_them(written: str, key: str) -> None:
    freed = {
        "help": "f9",
        "tab.runs": "f8",
        "reread": "f7",
        "sort.left": "f6",
        "fold": "f11",
        "pager": "alt+p",
    }
    assert keys_of(freed | {"filter": written}, "filter") == key


@pytest.mark.parametrize(
    ("keymap", "words"),
    [
        ({"fliter": "x"}, "there is no command 'fliter'; did you mean 'filter'?"),
        ({"filter": ""}, "filter needs a key"),
        ({"filter": "ctl+f"}, "there is no key 'ctl+f'"),
        ({"filter": "hello"}, "there is no key 'hello'"),
        ({"filter": "ctrl+"}, "there is no key"),
        ({"filter": "\x1b"}, "there is no key"),
        ({"filter": "s"}, "s would be both filter and sort|s would be both sort and filter"),
        ({"filter": "j"}, "j moves the cursor"),
        ({"quit.now": "q"}, "q would be both"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(keymap: dict[str, str], words: str) -> None:
    with pytest.raises(BadConfig, match="|".join(map(re.escape, words.split("|")))):
        remapped(COMMANDS, keymap)


def test_two_commands_may_change_places() -> None:
    assert keys_of({"filter": "s", "sort": "slash"}, "filter") == "s"


def test_one_key_may_go_on_meaning_different_things_in_different_places() -> None:
    changed = remapped(COMMANDS, {"group": "u"})
    assert {c.id: c.keys for c in changed if c.id in ("group", "tree", "times")} == {
        "group": "u",
        "tree": "t",
        "times": "t",
    }


def test_no_command_takes_a_key_that_moves_the_cursor() -> None:
    taken = {key for command in COMMANDS for key in command.keys.split(",")} & MOVING_KEYS
    assert taken <= {"enter"}


def test_without_a_keymap_the_monitor_is_the_plain_one() -> None:
    assert monitor_class({}) is BuddyTop


async def test_the_new_key_works_the_old_one_is_free_and_everything_says_so(runs: Path) -> None:
    made = monitor_class({"filter": "ctrl+f", "tree": "u", "help": "f1"})
    async with monitor(runs, kind=made) as seen:
        await seen.go("runs")
        await seen.press("slash")
        assert not isinstance(seen.app.focused, Input)
        await seen.press("ctrl+f")
        assert isinstance(seen.app.focused, Input)
        await seen.press("escape")
        assert "ctrl+f filter" in seen.lines[-1]
        assert "/ filter" not in seen.lines[-1]
        before = seen.body
        await seen.press("u")
        assert seen.body != before
        await seen.press("f1")
        assert "ctrl+f" in seen.text


async def test_a_terminal_that_is_too_small_names_the_key_that_quits_there(runs: Path) -> None:
    async with monitor(runs, size=(40, 10), kind=monitor_class({"quit": "Q"})) as seen:
        assert "Q quits" in seen.text
        assert "q quits" not in seen.text


async def test_the_keys_nobody_changed_go_on_working(runs: Path) -> None:
    async with monitor(runs, kind=monitor_class({"filter": "ctrl+f"})) as seen:
        await seen.press("3")
        assert seen.app.place == "tools"
        await seen.press("tab")
        assert seen.app.place == "errors"
        await seen.press("t")
        assert "one by one" in seen.text
