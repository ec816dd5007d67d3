"""The monitor: how keys reach the commands of the registry, and the actions of those that are about all of it."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.command import Provider
from textual.events import Event, Key, Paste
from textual.widgets import Input

from buddy_core.metrics.window import Window
from buddy_core.safety.text import Plain
from buddy_top.commands import COMMANDS as REGISTRY
from buddy_top.frame.footer import action_is_at
from buddy_top.keys.actions import PaneActions
from buddy_top.keys.inturn import Followed, InTurn
from buddy_top.options import Options
from buddy_top.state import Tab

if TYPE_CHECKING:
    from buddy_top.feeding.snapshot_feed import SnapshotFeed
    from buddy_top.surroundings.report import Report


def _monitor_provider() -> type[Provider]:
    from buddy_top.keys.palette import MonitorProvider

    return MonitorProvider


class BuddyTop(PaneActions):
    """The keys, the palette and what they do; what they do to the pane on the screen is `PaneActions`', what is drawn the
    stage's."""

    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_monitor_provider}
    BINDINGS: ClassVar[list[BindingType]] = [one for command in REGISTRY for one in command.bindings()]

    def __init__(self, options: Options, feed: SnapshotFeed | None = None) -> None:
        super().__init__(options, feed)
        self._keys = InTurn(self, super().on_event)

    async def _begin(self) -> None:
        await super()._begin()
        self._keys.begin()

    async def on_event(self, event: Event) -> None:
        """What is typed waits for its turn; what is read in the background stands back for whoever presses a key."""
        if isinstance(event, Key):
            self.feed.give_way()
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            await self._keys.take(event)
        else:
            await super().on_event(event)

    @on(Followed)
    async def _key_obeyed(self, event: Followed) -> None:
        await self._keys.arrived(event)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that mean nothing here do nothing here."""
        if action == "travel_play" and not self._space_plays():
            return False
        if action == "filter" and (len(self.screen_stack) > 1 or isinstance(self.focused, Input)):
            return False  # a key that comes before the letters behind it sees every place where one types
        return action_is_at(action, self.place, past=self.journey.traveller is not None)

    def _space_plays(self) -> bool:
        """A key that works before what has the keyboard sees it: not where a space is typed, or turns a page."""
        from buddy_top.widgets.text.view import TextView

        on_top, focused = len(self.screen_stack) > 1, self.focused
        reads = isinstance(focused, TextView) and self.journey.traveller is None
        return not (on_top or reads or isinstance(focused, Input))

    def action_travel(self, events: int) -> None:
        """So many events back, or on, in the past of a run."""
        self.journey.step(events)

    def action_travel_play(self) -> None:
        """Let the past go on, or stop it."""
        self.journey.play()

    def action_travel_speed(self, step: int) -> None:
        """Play faster, or slower."""
        self.journey.change_speed(step)

    async def action_open_tab(self, name: str) -> None:
        """Go to a tab by name."""
        await self.visit(Tab(name))

    async def action_step_tab(self, step: int) -> None:
        """Go to the tab `step` to the right, wrapping around."""
        tabs = list(Tab)
        await self.visit(tabs[(tabs.index(self.tab) + step) % len(tabs)])

    def action_open(self) -> None:
        """Open what the cursor is on."""
        from buddy_top.widgets.table.table import Table

        if isinstance(self.focused, Table):
            self.focused.action_open()

    async def action_filter(self) -> None:
        """Put the keyboard into the filter line."""
        await self.filter_line.edit()

    async def action_in_filter(self, id: str) -> None:
        """What a key of the filter line does, for a click on it in the footer."""
        line = self.filter_line
        if id == "keep":
            await line.field.action_submit()
        elif id == "complete":
            line.accept()
        elif id == "clear":
            line.escape()
        else:
            line.step(-1 if id == "earlier" else 1)

    async def action_back(self) -> None:
        """Leave, innermost first: the past, filter, maximised panel, run, and then whatever is not the main list."""
        from buddy_top.panes.alone import end_alone

        if self.journey.end():
            return
        if self.visible_pane.filter_text or self.filter_line.text:
            self.visible_pane.set_filter("")
            self.filter_line.hold("")
            self._show_keys()
        elif end_alone(self.visible_pane):
            self.draw()
        elif self.run_page is not None:
            await self.visit(self.tab)
        else:
            self.visible_pane.focus_main()

    async def action_back_or_quit(self) -> None:
        """Back from the past, then from a run; at the root, quit."""
        if self.journey.end():
            return
        if self.run_page is not None:
            await self.visit(self.tab)
        else:
            self.exit()

    def action_window(self, step: int) -> None:
        """A wider or narrower window of time."""
        windows = list(Window)
        at = windows.index(self.window) + step
        if 0 <= at < len(windows):
            self.choose_window(windows[at])

    def action_pause(self) -> None:
        """Hold the picture still, or let it go on."""
        self.paused = not self.paused
        self.feed.pause(self.paused)

    def action_reread(self) -> None:
        """Look at all files again."""
        self.feed.reread()
        self.footer.say(Plain("reading again"))

    def action_watch_demo(self) -> None:
        """From the welcome card: leave, so that the demonstration can take the terminal."""
        if self.snapshot is not None and self.snapshot.is_empty:
            self.wants_demo = True
            self.exit()

    def action_command_palette(self) -> None:
        """Find any command, or any run by name."""
        from buddy_top.keys.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def action_doctor(self) -> None:
        """What is found in the surroundings, and what to do about it."""
        from buddy_top.screens.doctor import DoctorScreen

        self.push_screen(DoctorScreen(self.look_around))

    def look_around(self) -> Report:
        """Look at the surroundings now: for a thread, for it reads files."""
        from buddy_top.surroundings.gathering import seen_from_monitor
        from buddy_top.surroundings.report import examine

        return examine(seen_from_monitor(self.options, (self.size.width, self.size.height)))

    def action_meter(self) -> None:
        """Show in the header what the monitor itself uses, or no longer."""
        self.own_use.toggle()

    def action_alerts(self) -> None:
        """What needs attention; enter goes there."""
        self.open_alerts()

    def action_help(self) -> None:
        """Every key that works here."""
        from buddy_top.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.place, self.registry, self.there))


def monitor_class(keymap: Mapping[str, str]) -> type[BuddyTop]:
    """The monitor, with the keys of the user's own.

    The toolkit's own way of remapping takes a key from every command that shares it, as `t` does; so the
    bindings are declared anew instead.

    Raises:
        BadConfig: There is no such command or key, or a key would do two things in one place.
    """
    if not keymap:
        return BuddyTop
    from buddy_top.config.keymap import remapped

    commands = remapped(REGISTRY, keymap)
    body = {"BINDINGS": [one for command in commands for one in command.bindings()], "registry": commands}
    made = types.new_class(
        "BuddyTop", (BuddyTop,), {"inherit_bindings": False}, lambda names: names.update(body)
    )
    made.__module__ = __name__
    return made
