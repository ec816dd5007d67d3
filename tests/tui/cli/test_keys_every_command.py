"""Every command of the registry, once with its own key and once with another of the user's: what does it change?

What each does at every place stands in the tests of its kind; this table makes sure that none is forgotten, and
that a key of one's own does the same as the one it replaces.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from tests.tui.monitor import COMFORTABLE, PLACES, Monitor, monitor, samples

from buddy_core.alerts.limits import Limits
from buddy_top.app import BuddyTop, monitor_class
from buddy_top.commands import COMMANDS, Command, Place
from buddy_top.config.keymap import remapped
from buddy_top.panes.tablepane import TablePane


class Touched:
    """Beside an app: counts what leaves it, and stays."""

    left = 0

    def exit(self, *_args: Any, **_options: Any) -> None:
        self.left += 1

    def action_suspend_process(self) -> None:
        self.left += 1

    def copy_to_clipboard(self, text: str) -> None:
        self.left += bool(text)


@dataclass(frozen=True)
class State:
    """What a key can change, in coarse words."""

    place: Place
    screen: str
    focus: int
    window: str
    paused: bool
    order: object
    run: str | None
    said: str
    left: int
    rereads: int
    past: object
    body: str


def state_of(seen: Monitor) -> State:
    app, pane, page = seen.app, seen.app.visible_pane, seen.app.run_page
    traveller = app.journey.traveller
    return State(
        place=app.place,
        screen=type(app.screen).__name__,
        focus=id(app.focused),
        window=app.window.value,
        paused=seen.feed.paused,
        order=pane.order if isinstance(pane, TablePane) else None,
        run=page.run_id if page is not None else None,
        said=seen.footer,
        left=getattr(app, "left", 0),
        rereads=seen.feed.rereads,
        past=traveller and (traveller.moment, traveller.playing, traveller.speed),
        body="\n".join(seen.lines[2:-1]),
    )


CHANGES: dict[str, tuple[Place, tuple[str, ...], str]] = {
    "open": ("runs", ("g",), "place"),
    "filter": ("tools", (), "focus"),
    "sort": ("tools", (), "screen"),
    "sort.left": ("tools", (), "order"),
    "sort.right": ("tools", (), "order"),
    "sort.reverse": ("tools", (), "order"),
    "group": ("errors", (), "body"),
    "tree": ("runs", (), "body"),
    "times": ("run", (), "body"),
    "mark": ("runs", ("g",), "body"),
    "keep": ("runs", (), "said"),
    "compare": ("runs", (), "said"),
    "view.next": ("run", (), "body"),
    "view.previous": ("run", (), "body"),
    "error.next": ("errors", ("g",), "body"),
    "error.previous": ("errors", ("G",), "body"),
    "match.next": ("tools", ("slash", "e", "enter"), "body"),
    "match.previous": ("tools", ("slash", "e", "enter"), "body"),
    "fold": ("run", ("g",), "said"),
    "unfold": ("run", ("g",), "said"),
    "fold.all": ("run", (), "body"),
    "moment": ("run", (), "screen"),
    "raw": ("run", ("g",), "screen"),
    "replay": ("runs", ("g",), "screen"),
    "pager": ("run", (), "said"),
    "editor": ("run", (), "said"),
    "run.next": ("run", (), "run"),
    "run.previous": ("run", ("NEXT",), "run"),
    "window.wider": ("overview", (), "window"),
    "window.narrower": ("overview", (), "window"),
    "follow": ("runs", (), "said"),
    "pause": ("overview", (), "paused"),
    "maximize": ("overview", (), "body"),
    "panel.next": ("overview", (), "focus"),
    "panel.previous": ("overview", (), "focus"),
    "panel.right": ("overview", (), "focus"),
    "panel.left": ("overview", (), "focus"),
    "past.back": ("run", ("G",), "past"),
    "past.on": ("run", ("g",), "past"),
    "past.back.ten": ("run", ("G",), "past"),
    "past.on.ten": ("run", ("g",), "past"),
    "past.play": ("run", ("g",), "past"),
    "past.faster": ("run", ("BACK",), "past"),
    "past.slower": ("run", ("BACK",), "past"),
    "origin": ("overview", (), "screen"),
    "alerts": ("overview", (), "screen"),
    "meter": ("overview", (), "said"),
    "doctor": ("overview", (), "screen"),
    "copy": ("runs", ("g",), "left"),
    "copy.record": ("runs", ("g",), "left"),
    "export": ("tools", (), "screen"),
    "archive": ("runs", (), "body"),
    "reread": ("overview", (), "rereads"),
    "theme": ("overview", (), "screen"),
    "palette": ("overview", (), "screen"),
    "back": ("run", (), "place"),
    "demo": ("overview", (), "left"),
    "help": ("overview", (), "screen"),
    "quit": ("overview", (), "left"),
    "quit.now": ("overview", (), "left"),
    "suspend": ("overview", (), "left"),
    "tab.overview": ("tools", (), "place"),
    "tab.providers": ("overview", (), "place"),
    "tab.tools": ("overview", (), "place"),
    "tab.errors": ("overview", (), "place"),
    "tab.runs": ("overview", (), "place"),
    "tab.next": ("overview", (), "place"),
    "tab.previous": ("overview", (), "place"),
}
"""Command to a place where it works, the keys that make it matter there, and what it changes."""

OTHERS = [f"alt+{sign}" for sign in "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ"] + [
    f"f{n}" for n in range(13, 25)
]
OTHERS += [f"alt+f{n}" for n in range(1, 25)]
"""Keys that mean nothing yet."""

KEYMAP = {command.id: key for command, key in zip(COMMANDS, OTHERS, strict=False)}


def test_every_command_is_in_the_table_and_works_at_the_place_it_names() -> None:
    assert set(CHANGES) == {command.id for command in COMMANDS} == set(KEYMAP)
    assert {field for _, _, field in CHANGES.values()} <= {field.name for field in fields(State)}
    for command in COMMANDS:
        assert CHANGES[command.id][0] in command.places


@pytest.mark.slow
@pytest.mark.parametrize("keymap", [{}, KEYMAP], ids=["own keys", "other keys"])
async def test_each_key_changes_what_it_is_for(keymap: dict[str, str], tmp_path: Path) -> None:
    registry = {command.id: command for command in remapped(COMMANDS, keymap)}
    kind = type("Watched", (Touched, monitor_class(keymap)), {})
    async with monitor(samples(tmp_path), size=COMFORTABLE, kind=kind, limits=Limits()) as seen:
        for id, (place, first, changed) in CHANGES.items():
            if id == "demo":
                continue  # only where there is no run: below
            before = await ready(seen, place, first, registry)
            for key in registry[id].keys.split(",")[:1]:
                await seen.press(key)
                after = state_of(seen)
                assert getattr(after, changed) != getattr(before, changed), (id, key)
            await leave(seen)
    async with monitor(tmp_path / "none", size=COMFORTABLE, kind=kind) as seen:
        await seen.press(registry["demo"].keys)
        assert state_of(seen).left == 1


async def ready(seen: Monitor, place: Place, first: tuple[str, ...], registry: dict[str, Command]) -> State:
    """At a place, with a filter or a selection, and nothing said in the footer."""
    await go(seen, place)
    names = {
        "slash": registry["filter"].keys,
        "NEXT": registry["run.next"].keys,
        "BACK": registry["past.back"].keys,
    }
    await seen.press(*(names.get(key, key) for key in first))
    seen.app.footer.be_silent()
    await seen.settle()
    return state_of(seen)


async def go(seen: Monitor, place: Place) -> None:
    """Without keys, which may be others."""
    assert place in PLACES
    app = seen.app
    assert isinstance(app, BuddyTop)
    await app.action_open_tab("runs" if place == "run" else place)
    await seen.settle()
    if place == "run":
        assert app.snapshot is not None
        await app.open_run(app.snapshot.runs[0].run_id)
    await seen.settle()


async def leave(seen: Monitor) -> None:
    """Back to a tab as it was: no dialog, no filter, no panel alone, not paused."""
    app = seen.app
    assert isinstance(app, BuddyTop)
    while len(app.screen_stack) > 1:
        app.pop_screen()
        await seen.settle()
    app.alerts_screen = None
    app.journey.end()
    if app.paused:
        app.action_pause()
    app.filter_line.hold("")
    app.visible_pane.set_filter("")
    for _ in range(2):
        await app.action_back()
    await seen.settle()
