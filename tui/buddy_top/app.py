"""The monitor: every command of the registry, as an action on the workspace."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.command import Provider
from textual.events import Event, Key, Paste
from textual.widgets import Input

from buddy_core.metrics.window import Window
from buddy_core.safety.text import Plain
from buddy_top.commands import COMMANDS as REGISTRY
from buddy_top.feeding.snapshot_feed import SnapshotFeed
from buddy_top.frame import lines as frame
from buddy_top.frame.workspace import Workspace
from buddy_top.keys.inturn import Followed, InTurn
from buddy_top.options import Options
from buddy_top.panes.welcome import is_empty
from buddy_top.state import Tab

if TYPE_CHECKING:
    from buddy_top.outside.programs import Kind
    from buddy_top.panes.base import TablePane
    from buddy_top.surroundings.report import Report


def _monitor_provider() -> type[Provider]:
    from buddy_top.keys.palette import MonitorProvider

    return MonitorProvider


class BuddyTop(Workspace):
    """The keys, the palette and what they do; everything drawn is the workspace's."""

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
        return frame.action_is_at(action, self.place, past=self.journey.traveller is not None)

    def _space_plays(self) -> bool:
        """A key that works before what has the keyboard sees it: not where a space is typed, or turns a page."""
        from buddy_top.widgets.textview import TextView

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
        from buddy_top.widgets.table import Table

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

    @property
    def _table_pane(self) -> TablePane[Any] | None:
        """The pane on the screen, where it is one around a table."""
        from buddy_top.panes.base import TablePane

        return self.visible_pane if isinstance(self.visible_pane, TablePane) else None

    def action_sort(self) -> None:
        """Choose the column to sort by from a menu."""
        from buddy_top.screens.menus.sort import SortMenu

        pane = self._table_pane
        if pane is not None:
            self.push_screen(
                SortMenu(pane.fields, pane.order), lambda key: pane.sort_by(key) if key else None
            )

    def action_sort_column(self, step: int) -> None:
        """Sort by a neighbouring column."""
        if (pane := self._table_pane) is not None:
            pane.sort_step(step)

    def action_sort_reverse(self) -> None:
        """Sort the other way round."""
        if (pane := self._table_pane) is not None:
            pane.sort_reverse()

    def action_toggle_grouping(self) -> None:
        """Tree or list, groups or single errors, relative or absolute times."""
        self.visible_pane.toggle_grouping()

    async def action_run_view(self, step: int) -> None:
        """The next view of the run on the screen."""
        await self.visible_pane.step_view(step)
        self.filter_line.hold(self.visible_pane.filter_text)
        self._show_keys()

    def action_mark(self) -> None:
        """Mark the run under the cursor, or take its mark away."""
        from buddy_top.panes.runs import RunsPane

        if isinstance(self.visible_pane, RunsPane):
            self.visible_pane.table.toggle_mark()

    def action_toggle_archive(self) -> None:
        """The runs of the archive in place of those that are recorded, and back."""
        from buddy_top.panes.runs import RunsPane

        if isinstance(self.visible_pane, RunsPane):
            self.visible_pane.toggle_kept()

    def action_keep(self) -> None:
        """Copy the run on the screen, the marked ones, or the one under the cursor into the archive."""
        from buddy_top.kept.keeping import keep_chosen

        keep_chosen(self)

    def action_compare(self) -> None:
        """Two runs side by side."""
        from buddy_top.run_view.comparing import open_comparison

        open_comparison(self)

    def action_jump_error(self, step: int) -> None:
        """The next row that failed."""
        if not self.visible_pane.jump_error(step):
            self.footer.say(Plain("no further error this way"))

    def action_jump_match(self, step: int) -> None:
        """The next match of the filter, going round."""
        pane = self.visible_pane
        if pane.filter_text and not pane.jump_match(self.focused, step):
            self.footer.say(Plain("no match here"))

    def action_fold(self, fold: bool) -> None:
        """Fold a step of the timeline, or unfold it."""
        if self.run_page is not None and not self.run_page.detail.part.fold(fold=fold):
            self.footer.say(Plain("no step to fold here" if fold else "nothing is folded here"))

    def action_fold_all(self) -> None:
        """Fold every step, or unfold all."""
        if self.run_page is not None and not self.run_page.detail.part.fold_all():
            self.footer.say(Plain("no step to fold here"))

    def action_go_to_moment(self) -> None:
        """Ask for a time, and go there."""
        if self.run_page is not None:
            self.run_page.detail.part.go_to_moment()

    def action_raw(self) -> None:
        """The selected event as it stands in its file."""
        if self.run_page is not None:
            self.run_page.detail.part.open_raw()

    def action_replay(self) -> None:
        """The test commands of a run."""
        from buddy_top.screens.replay.opening import open_replay

        open_replay(self)

    def action_open_outside(self, kind: Kind) -> None:
        """The text on the screen in another program."""
        from buddy_top.outside.opening import open_outside

        open_outside(self, kind)

    def action_step_run(self, step: int) -> None:
        """The neighbouring run, in the order of the list on the runs tab."""
        listing = self.snapshot.listing if self.snapshot is not None else None
        if self.run_page is not None and listing is not None:
            self.run_page.step(listing.ids, step)
            self.draw()

    def action_window(self, step: int) -> None:
        """A wider or narrower window of time."""
        windows = list(Window)
        at = windows.index(self.window) + step
        if 0 <= at < len(windows):
            self.choose_window(windows[at])

    def action_follow(self) -> None:
        """Stick to the newest row, or stop doing so."""
        self.footer.say(
            Plain("following the newest" if self.visible_pane.toggle_follow() else "not following")
        )

    def action_pause(self) -> None:
        """Hold the picture still, or let it go on."""
        self.paused = not self.paused
        self.feed.pause(self.paused)

    def action_step_panel(self, step: int) -> None:
        """Give the keyboard to the next list or text of the pane, going round."""
        frame.step_focus(self.screen, self.visible_pane, step, self.visible_pane.stations)

    def action_maximize_panel(self) -> None:
        """Give the focused panel the whole pane, or give it back."""
        from buddy_top.panes.alone import end_alone, make_alone

        if not end_alone(self.visible_pane):
            make_alone(self.focused, self.visible_pane)
        self.draw()

    def action_copy(self, whole: bool) -> None:
        """Put the selection on the clipboard of the terminal, secrets masked."""
        from buddy_top.export.actions import copy_selection

        copy_selection(self, whole=whole)

    def action_export(self) -> None:
        """Choose a form, and write what is shown to a file of its own."""
        from buddy_top.export.actions import choose_export

        choose_export(self)

    def action_reread(self) -> None:
        """Look at all files again."""
        self.feed.reread()
        self.footer.say(Plain("reading again"))

    def action_watch_demo(self) -> None:
        """From the welcome card: leave, so that the demonstration can take the terminal."""
        if self.snapshot is not None and is_empty(self.snapshot):
            self.wants_demo = True
            self.exit()

    def action_command_palette(self) -> None:
        """Find any command, or any run by name."""
        from buddy_top.keys.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def action_origin(self) -> None:
        """Where the numbers under the cursor come from, and those of everything."""
        if self.snapshot is None or "numbers" not in self.visible_pane.there:
            return
        pages = self.visible_pane.origins(self.snapshot, self.focused)
        self.explain([*pages, *self.own_use.origins()])

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
