"""What is on the screen: the frame and the tab or run within it, drawn from the last snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from buddy_core.metrics.window import Window
from buddy_core.safety.text import Plain
from buddy_top.commands import COMMANDS, Command, Need, Place
from buddy_top.config.remembered import Remembered
from buddy_top.feed import Feed
from buddy_top.frame import sheets
from buddy_top.frame.footer import footer_keys
from buddy_top.frame.header import first_fields, header_fields, tab_labels
from buddy_top.listing.model import ListWants
from buddy_top.messages import CallNamed, WantsChanged
from buddy_top.metering.shown import OwnUse
from buddy_top.options import Options
from buddy_top.panes import pane_class
from buddy_top.past.journey import HINT, Journey
from buddy_top.screens.root import RootScreen
from buddy_top.state import Snapshot, Tab, Wants
from buddy_top.terminal.littleroom import LittleRoom
from buddy_top.widgets.filter.line import FilterLine
from buddy_top.widgets.frame.footer import FooterLine
from buddy_top.widgets.frame.header import HeaderFields, HeaderLine
from buddy_top.widgets.frame.tabs import TabLine

if TYPE_CHECKING:
    from buddy_top.feeding.snapshot_feed import SnapshotFeed
    from buddy_top.panes.base import Pane
    from buddy_top.panes.runs.page import RunPage
    from buddy_top.screens.alerts import AlertsScreen

_AXIS_COLUMNS = 10
"""Columns of a full-width chart that are not slices of time: border, padding and the axis."""


class Stage(sheets.DressedApp):
    """Five tabs, built when they are first visited, and one full-screen run; asks the feed for what they show."""

    CSS_PATH = sheets.FRAME
    registry: Sequence[Command] = COMMANDS
    """What can be done here, with the keys that do it."""

    def __init__(self, options: Options, feed: SnapshotFeed | None = None) -> None:
        super().__init__(options)
        self.feed = feed or Feed(options)
        self.snapshot: Snapshot | None = None
        self.tab = Tab(options.tab)
        self.window = options.window or Window.H24
        self._stands = False  # there is a place for panes
        self.run_page: RunPage | None = None
        self.alerts_screen: AlertsScreen | None = None
        self.panes: dict[Tab, Pane] = {}
        self.journey = Journey(self)
        self.own_use = OwnUse(self)
        self._left = options.left or Remembered()
        self._columns = 80
        self.little_room = LittleRoom(self)
        self._before_run: Widget | None = None

    def get_default_screen(self) -> RootScreen:
        """A screen without keys of its own, that says when it is about to be laid out anew."""
        self.root = RootScreen(self.little_room.fit, id="_default")
        return self.root

    def compose(self) -> ComposeResult:
        """The frame first: panes are built when they are first visited."""
        options = self.options
        self.header = HeaderLine()
        self.header.set_fields(
            first_fields(options.runs_dir, self.window, home=options.home, demo=options.demo)
        )
        self.tab_line = TabLine()
        self.tab_line.set_tabs(tab_labels(None), self.tab.value)
        self.body = Container(id="body")
        self.filter_line = FilterLine()
        self.footer = FooterLine()
        yield self.header
        yield self.tab_line

    # What it is drawn from

    @on(WantsChanged)
    def _ask(self) -> None:
        base = Wants(
            tab=self.tab,
            window=self.window,
            slices=slices_for(self._columns),
            names=self.filter_line.completing,
            past=self.journey.moment,
        )
        self.feed.ask(self.visible_pane.wants(base))

    def post_wants(self) -> None:
        """Ask the feed for what the screen shows now."""
        self._ask()

    def set_window(self, window: Window) -> None:
        """Look further back, or less far, on every tab at once."""
        self.window = window
        self.show_header()
        self._ask()

    # Drawing

    def draw(self) -> None:
        """Draw the last snapshot again: header, tabs, footer and the visible pane."""
        if self.snapshot is None:
            return
        with self.own_use.preparing(), self.batch_update():
            self.show_header()
            self.tab_line.set_tabs(tab_labels(self.snapshot), self.tab.value)
            self.visible_pane.show(self.snapshot)
            if self.filter_line.completing:
                self.filter_line.look()
            self._show_keys()
            if self.alerts_screen is not None:
                self.alerts_screen.show_snapshot(self.snapshot)

    def show_header(self) -> None:
        """The facts of the header anew, and nothing else."""
        if self.snapshot is not None:
            self.header.set_fields(self._header_fields(self.snapshot))

    def _header_fields(self, snapshot: Snapshot) -> HeaderFields:
        options = self.options
        return header_fields(
            snapshot,
            self.window,
            home=options.home,
            demo=options.demo,
            playing=self.journey.playing,
            now_ms=options.clock.now_ms(),
            use=self.own_use.spans,
        )

    def show_time(self) -> None:
        """Mark the whole screen as the past, or take the marks away: never by colour alone."""
        past = self.snapshot is not None and self.snapshot.past is not None
        self.screen_stack[0].set_class(past, "-past")
        self.tab_line.set_remark(HINT if past else Plain(""))

    def _show_keys(self) -> None:
        """The keys that do something here, with what there is now."""
        if self.filter_line.editing:
            self.footer.set_keys(self.filter_line.keys)
            return
        empty = self.snapshot is not None and self.snapshot.is_empty
        there = self.there
        self.footer.set_keys(footer_keys(self.place, self.registry, there=there, empty=empty))

    @property
    def there(self) -> frozenset[Need]:
        """What some keys need to do anything: of the pane, and of the time one looks at."""
        time: set[Need] = {"now"} if self.journey.traveller is None else {"past", "travel"}
        if self.place == "run":
            time.add("travel")
        return self.visible_pane.there | time

    # Panes

    @property
    def place(self) -> Place:
        """Where the person is: a tab, or the full-screen run."""
        return "run" if self.run_page is not None else self.tab.value

    @property
    def visible_pane(self) -> Pane:
        """The pane on the screen."""
        if self.run_page is not None:
            return self.run_page
        from buddy_top.panes.base import Pane

        return self.panes.get(self.tab) or Pane()

    async def visit(self, tab: Tab) -> None:
        """Bring a tab to the front, building it on the first visit; while the screen is being built, begin with it."""
        if not self._stands:
            self.tab = tab
            return
        back_to = self._before_run if self.run_page is not None and tab is self.tab else None
        await self.leave_run()
        if tab not in self.panes:
            self.wear(*sheets.sheets_of(tab))
            self.panes[tab] = pane_class(tab)()
            self.panes[tab].restore_order(self._left.orders.get(tab.value))
            await self.body.mount(self.panes[tab])
        self.tab = tab
        for other, pane in self.panes.items():
            pane.display = other is tab
        self._arrive(back_to)

    def _arrive(self, back_to: Widget | None = None) -> None:
        """Give the keyboard to the pane, or to that part of it which had it before."""
        if back_to is not None and back_to.is_attached:
            back_to.focus()
        else:
            self.visible_pane.focus_main()
        pane = self.visible_pane
        self.filter_line.serve(self.place, pane.filter_text, pane.adviser)
        self._show_keys()
        self.tab_line.set_tabs(tab_labels(self.snapshot), self.tab.value)
        self.draw()
        self._ask()

    async def open_run(self, run_id: str, at_ms: int | None = None, call: CallNamed | None = None) -> None:
        """Show one run full screen; esc brings back where one was."""
        page = self.run_page
        if page is None:
            from buddy_top.panes.runs.page import RunPage

            self.wear(sheets.PANES, sheets.RUN)
            page = RunPage(run_id)
            self.run_page, self._before_run = page, self.focused
            page.listed = self._list_to_step_through()
            self.panes[self.tab].display = False
            await self.body.mount(page)
            if self.run_page is not page:
                return  # left while it was being built
        page.open(run_id, at_ms, call)
        self.journey.open_run(run_id)
        self._arrive()

    def _list_to_step_through(self) -> ListWants:
        """The list of the runs tab as it was left, without a line of it in sight."""
        pane = self.panes.get(Tab.RUNS)
        return ListWants(last=0) if pane is None else pane.list_wants(0, 0)

    async def leave_run(self) -> None:
        """Close the full-screen run, if one is open."""
        page, self.run_page = self.run_page, None
        if page is not None:
            await page.remove()


def slices_for(width: int) -> int:
    """One slice of time for each column a full-width chart has."""
    return max(20, min(240, width - _AXIS_COLUMNS))
