"""The registry of commands: complete, without contradiction, and what help, footer and palette say is what it says."""

from __future__ import annotations

import ast
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from tests.tui.monitor import PLACES, Monitor, monitor, samples

from buddy_top.app import BuddyTop
from buddy_top.commands import COMMANDS, MOVING, Place, commands_at, possible
from buddy_top.drawing.cells import text_of, width_of
from buddy_top.frame.footer import footer_keys
from buddy_top.screens.help import HelpScreen, help_lines, help_sections

HERE = Path(__file__).parent


def commands_with_tests() -> set[str]:
    """Ids that some test of the keys goes through with `ways("id")`."""
    ids: set[str] = set()
    for module in HERE.glob("test_keys_*.py"):
        for function in ast.walk(ast.parse(module.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name.startswith(
                "test_"
            ):
                ids |= {id for node in ast.walk(function) for id in _ways_of(node)}
    return ids


def _ways_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ways":
        return [str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)]
    return []


def test_every_command_has_a_test_of_what_its_keys_do() -> None:
    assert commands_with_tests() == {command.id for command in COMMANDS}


def test_no_key_means_two_things_at_one_place() -> None:
    for place, past in product(PLACES, (False, True)):
        here = commands_at(place, there=possible(place, past=past))
        keys = Counter(key for command in here for key in command.keys.split(","))
        assert [key for key, times in keys.items() if times > 1] == [], (place, past)


def test_ids_are_unique_and_every_command_has_words_for_people() -> None:
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
    for command in COMMANDS:
        assert command.places
        assert command.word
        assert command.help[0].isupper()
        assert not command.help.endswith(".")


def test_every_action_exists() -> None:
    for command in COMMANDS:
        assert callable(getattr(BuddyTop, f"action_{command.action.split('(')[0]}", None)), command.action


async def test_help_lists_exactly_the_commands_of_its_place(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        for place in PLACES:
            await seen.go(place)
            await seen.press("question_mark")
            assert isinstance(seen.app.screen, HelpScreen)
            sections = {
                text_of(head): [text_of(line) for line in rows] for head, *rows in help_sections(place)
            }
            rows = [
                row
                for title in ("In this run", "On this tab", "Everywhere", "Tabs")
                for row in sections.get(title, ())
            ]
            listed = sorted((key, row[16:]) for row in rows for key in row[:16].split())
            assert listed == sorted((command.key_text, command.help) for command in commands_at(place))
            assert len({row[16:] for row in rows}) == len(rows), "what is done by two keys is said once"
            assert sections["In a table"] == [f"  {keys:<14}{words}" for keys, words in MOVING]
            await seen.press("escape")


@pytest.mark.parametrize("width", [72, 84, 100, 120, 190])
@pytest.mark.parametrize("place", PLACES)
def test_help_says_all_of_it_at_any_width(place: Place, width: int) -> None:
    sections = help_sections(place)
    lines = help_lines(sections, width)
    assert all(width_of(line) <= width for line in lines)
    shown = " ".join(text_of(line) for line in lines).split()
    assert Counter(shown) == Counter(" ".join(text_of(line) for one in sections for line in one).split())
    assert len(help_lines(sections, 120)) < len(help_lines(sections, 90))


@pytest.mark.parametrize("place", PLACES)
def test_the_footer_shows_only_commands_of_its_place(place: Place) -> None:
    actions = {command.action for command in commands_at(place)}
    shown = footer_keys(place)
    assert {action for _, _, action in shown} <= actions
    assert [word for _, word, _ in shown][-2:] == ["help", "quit"]


@pytest.mark.parametrize("place", PLACES)
async def test_a_key_of_another_place_does_nothing_here(place: Place, tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        await seen.go(place)
        before = seen.text
        mine = {key for command in commands_at(place) for key in command.keys.split(",")}
        others = {key for command in COMMANDS for key in command.keys.split(",")} - mine
        for key in sorted(others):
            await seen.press(key)
            if key == "enter":
                continue  # the table itself may still open something: the view of an artifact, for example
            assert seen.text == before, key
        assert seen.app.place == place


async def test_no_key_does_anything_to_the_picture_behind_a_dialog(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path)) as seen:
        await seen.go("tools")
        await seen.press("question_mark")
        for key in ("1", "5", "tab", "w", "p", "r"):
            await seen.press(key)
        await seen.press("escape")
        _is_untouched(seen)


def _is_untouched(seen: Monitor) -> None:
    assert seen.app.place == "tools"
    assert seen.app.window.value == "24h"
    assert not seen.app.paused
    assert seen.app.visible_pane.order.descending  # type: ignore[attr-defined]
