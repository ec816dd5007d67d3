"""The frame with the pane on it: what the feed publishes goes to the header, the tabs and the visible pane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize
from textual.widget import Widget

from buddy_core.metrics.window import Window
from buddy_core.safety.text import Plain
from buddy_top.commands import COMMANDS, Command, Need, Place
from buddy_top.config.remembered import Remembered
from buddy_top.drawing.themes import THEMES
from buddy_top.feed import live_feed
from buddy_top.feeding.snapshot_feed import SnapshotFeed
from buddy_top.frame import lines as frame
from buddy_top.frame import sheets
from buddy_top.listing.model import ListWants
from buddy_top.messages import (
    CallNamed,
    FeedFailed,
    KeysChanged,
    MomentChosen,
    OpenEvent,
    OpenRun,
    OpenTab,
    SnapshotTaken,
    UseTaken,
    WantsChanged,
)
from buddy_top.metering.shown import OwnUse
from buddy_top.options import Options
from buddy_top.panes import pane_class
from buddy_top.panes.welcome import is_empty
from buddy_top.past.journey import HINT, Journey
from buddy_top.screens.root import RootScreen
from buddy_top.starting.arenas import GIVING_BACK_S, give_back
from buddy_top.state import Snapshot, Tab, Wants
from buddy_top.terminal.announce import Announcer
from buddy_top.terminal.littleroom import LittleRoom
from buddy_top.terminal.safe_app import end_of_reading, end_of_start
from buddy_top.widgets.filterline import FilterLine
from buddy_top.widgets.footerline import FooterLine
from buddy_top.widgets.headerline import HeaderFields, HeaderLine
from buddy_top.widgets.tabline import TabLine

if TYPE_CHECKING:
    from buddy_core.alerts.model import Alert
    from buddy_core.origins.model import Origin
    from buddy_core.runs.timeline.timeline import TimelineRow
    from buddy_top.panes.base import Pane
    from buddy_top.panes.run import RunPage
    from buddy_top.screens.alerts import AlertsScreen


class Workspace(sheets.DressedApp):
    """Five tabs and one full-screen run, drawn from whatever the feed publishes; keys come with `BuddyTop`."""

    CSS_PATH = sheets.FRAME
    TITLE = "buddy-top"
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (100, "-wide"), (160, "-huge")]  # noqa: RUF012
    registry: Sequence[Command] = COMMANDS
    """What can be done here, with the keys that do it."""
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-tiny"), (24, "-short"), (34, "-tall")]  # noqa: RUF012

    def __init__(self, options: Options, feed: SnapshotFeed | None = None) -> None:
        super().__init__(options)
        self.feed = feed or live_feed(options)
        self.snapshot: Snapshot | None = None
        self.tab = Tab(options.tab)
        self.window = options.window or Window.H24
        self.paused = False
        self.wants_demo = False
        self._stands = False  # there is a place for panes
        self.run_page: RunPage | None = None
        self.alerts_screen: AlertsScreen | None = None
        self._announcer = Announcer(options.notify)
        self._is_alone = False  # nothing else lives in this process
        self.panes: dict[Tab, Pane] = {}
        self._window_is_chosen = options.window is not None
        self._window_was_chosen = False
        self.journey = Journey(self)
        self.own_use = OwnUse(self)
        self._left = options.left or Remembered()
        self._first_theme = options.theme or THEMES[0].name
        self._columns = 80
        self.little_room = LittleRoom(self)
        self._before_run: Widget | None = None
        for theme in THEMES:
            self.register_theme(theme)
        self.begin_with_theme(self._first_theme)

    def get_default_screen(self) -> RootScreen:
        """A screen without keys of its own, that says when it is about to be laid out anew."""
        self.root = RootScreen(self.little_room.fit, id="_default")
        return self.root

    def compose(self) -> ComposeResult:
        """The frame first: panes are built when they are first visited."""
        options = self.options
        self.header = HeaderLine()
        self.header.set_fields(
            frame.first_fields(options.runs_dir, self.window, home=options.home, demo=options.demo)
        )
        self.tab_line = TabLine()
        self.tab_line.set_tabs(frame.tab_labels(None), self.tab.value)
        self.body = Container(id="body")
        self.filter_line = FilterLine()
        self.footer = FooterLine()
        yield self.header
        yield self.tab_line

    def on_mount(self) -> None:
        """The two lines at the top are on the screen before anything else is loaded."""
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        """Show the first pane, and let the feed begin."""
        with self.batch_update():
            await self.mount(self.body, self.filter_line, self.footer)
            self._stands = True
            await self.visit(self.tab)
        if self.options.meter:
            self.own_use.show(True)
        self.feed.start(self._publish, self._feed_failed)

    def on_unmount(self) -> None:
        """Let go of the files."""
        self.feed.stop()

    # Feed

    def _publish(self, snapshot: Snapshot) -> None:
        self.post_message(SnapshotTaken(snapshot))

    def _feed_failed(self, error: BaseException) -> None:
        self.post_message(FeedFailed(error))

    @on(SnapshotTaken)
    def _show_snapshot(self, event: SnapshotTaken) -> None:
        if self.snapshot is None:
            self._is_alone = end_of_start()
            if self._is_alone:
                self.set_interval(GIVING_BACK_S, give_back)
        elif self._is_alone and not self.snapshot.sources.complete:
            end_of_reading()  # of a part of it, or of the last
        snapshot = self.journey.arrived(event.snapshot)
        if snapshot is None:
            return  # of a past that has been left since
        self.snapshot = snapshot
        if self._should_widen(snapshot):
            self._window_is_chosen = True
            self.set_window(Window.ALL)
        self.show_time()
        self.draw()
        if (told := self._announcer.words_for(event.snapshot)) and self._driver is not None:
            self._driver.write(told)

    @on(UseTaken)
    def _use_taken(self, event: UseTaken) -> None:
        self.own_use.arrived(event.use)

    @on(FeedFailed)
    def _feed_died(self, event: FeedFailed) -> None:
        raise event.error

    @on(KeysChanged)
    def _keys_changed(self) -> None:
        self._show_keys()

    @on(WantsChanged)
    def _ask(self) -> None:
        base = Wants(
            tab=self.tab,
            window=self.window,
            slices=frame.slices_for(self._columns),
            names=self.filter_line.completing,
            past=self.journey.moment,
        )
        self.feed.ask(self.visible_pane.wants(base))

    def post_wants(self) -> None:
        """Ask the feed for what the screen shows now."""
        self._ask()

    def show_time(self) -> None:
        """Mark the whole screen as the past, or take the marks away: never by colour alone."""
        past = self.snapshot is not None and self.snapshot.past is not None
        self.screen_stack[0].set_class(past, "-past")
        self.tab_line.set_remark(HINT if past else Plain(""))

    @on(MomentChosen)
    def _moment_chosen(self, event: MomentChosen) -> None:
        self.journey.go_to_event_at(event.offset)

    @property
    def there(self) -> frozenset[Need]:
        """What some keys need to do anything: of the pane, and of the time one looks at."""
        time: set[Need] = {"now"} if self.journey.traveller is None else {"past", "travel"}
        if self.place == "run":
            time.add("travel")
        return self.visible_pane.there | time

    def _should_widen(self, snapshot: Snapshot) -> bool:
        """Nobody chose a window, everything is read, and all of it is older: an empty screen would lie."""
        sources = snapshot.sources
        anything = bool(snapshot.runs or sources.history_runs)
        done = sources.complete and anything
        quiet = not frame.any_activity(snapshot) and snapshot.past is None
        return not self._window_is_chosen and done and quiet

    def _header_fields(self, snapshot: Snapshot) -> HeaderFields:
        options = self.options
        return frame.header_fields(
            snapshot,
            self.window,
            home=options.home,
            demo=options.demo,
            playing=self.journey.playing,
            now_ms=options.clock.now_ms(),
            use=self.own_use.spans,
        )

    def show_header(self) -> None:
        """The facts of the header anew, and nothing else."""
        if self.snapshot is not None:
            self.header.set_fields(self._header_fields(self.snapshot))

    def draw(self) -> None:
        """Draw the last snapshot again: header, tabs, footer and the visible pane."""
        if self.snapshot is None:
            return
        with self.own_use.preparing(), self.batch_update():
            self.show_header()
            self.tab_line.set_tabs(frame.tab_labels(self.snapshot), self.tab.value)
            self.visible_pane.show(self.snapshot)
            if self.filter_line.completing:
                self.filter_line.look()
            self._show_keys()
            if self.alerts_screen is not None:
                self.alerts_screen.show_snapshot(self.snapshot)

    def _show_keys(self) -> None:
        """The keys that do something here, with what there is now."""
        if self.filter_line.editing:
            self.footer.set_keys(self.filter_line.keys)
            return
        empty = self.snapshot is not None and is_empty(self.snapshot)
        there = self.there
        self.footer.set_keys(frame.footer_keys(self.place, self.registry, there=there, empty=empty))

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
        self.tab_line.set_tabs(frame.tab_labels(self.snapshot), self.tab.value)
        self.draw()
        self._ask()

    async def open_run(self, run_id: str, at_ms: int | None = None, call: CallNamed | None = None) -> None:
        """Show one run full screen; esc brings back where one was."""
        if self.run_page is None:
            from buddy_top.panes.run import RunPage

            self.wear(sheets.PANES, sheets.RUN)
            self.run_page, self._before_run = RunPage(), self.focused
            self.run_page.listed = self._list_to_step_through()
            self.panes[self.tab].display = False
            await self.body.mount(self.run_page)
        self.run_page.open(run_id, at_ms, call)
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

    def explain(self, pages: Sequence[Origin]) -> None:
        """Where numbers come from, over the picture; nothing without a page."""
        if pages:
            from buddy_top.screens.origin import OriginScreen

            self.push_screen(OriginScreen(pages, self.options.home))

    def open_alerts(self) -> None:
        """List what needs attention, over the picture."""
        if self.snapshot is None or self.alerts_screen is not None:
            return
        from buddy_top.screens.alerts import AlertsScreen

        self.alerts_screen = AlertsScreen(self.snapshot, self.options.limits)
        self.push_screen(self.alerts_screen, self._go_to)

    def _go_to(self, alert: Alert | None) -> None:
        """Where an alert happens: its run, or the tab that has the numbers."""
        self.alerts_screen = None
        if alert is not None:
            from buddy_top.screens.alerts import way_to

            self.post_message(way_to(alert))

    @on(HeaderLine.UseClicked)
    def _use_clicked(self) -> None:
        self.explain(self.own_use.origins())

    @on(HeaderLine.AlertsClicked)
    def _alerts_clicked(self) -> None:
        self.open_alerts()

    @on(OpenTab)
    async def _open_tab_at(self, event: OpenTab) -> None:
        await self.visit(event.tab)
        if event.key is not None:
            self.visible_pane.reveal(event.key)
            self.filter_line.hold(self.visible_pane.filter_text)

    @on(OpenRun)
    async def _open_run_at(self, event: OpenRun) -> None:
        await self.open_run(event.run_id, event.at_ms, event.call)

    @on(OpenEvent)
    def _open_event(self, event: OpenEvent) -> None:
        from buddy_top.screens.event import EventScreen

        def closed(row: TimelineRow | None) -> None:
            if row is not None:
                event.left_at(row)

        place = self.snapshot.place if self.snapshot is not None else None
        run_dir = (place or self.options.runs_dir) / event.run_id
        self.push_screen(EventScreen(run_dir, event.rows, event.at, as_raw=event.raw), closed)

    @on(TabLine.Clicked)
    async def _tab_clicked(self, event: TabLine.Clicked) -> None:
        await self.visit(Tab(event.key))

    @on(FooterLine.Clicked)
    async def _key_clicked(self, event: FooterLine.Clicked) -> None:
        await self.run_action(event.action)

    @on(HeaderLine.WindowClicked)
    def _window_clicked(self, event: HeaderLine.WindowClicked) -> None:
        self.choose_window(Window(event.name))

    @on(FilterLine.Changed)
    def _filter_changed(self, event: FilterLine.Changed) -> None:
        self.visible_pane.set_filter(event.text)
        self._show_keys()

    @on(FilterLine.KeysChanged)
    def _filter_keys_changed(self) -> None:
        self._show_keys()

    @on(FilterLine.Attended)
    def _filter_attended(self) -> None:
        self._ask()

    @on(FilterLine.Closed)
    def _filter_closed(self) -> None:
        self.visible_pane.focus_main()

    def on_resize(self, event: Resize) -> None:
        """Charts get as many slices of time as there are columns."""
        self._columns = event.size.width  # `self.size` still is the size before
        if self.panes:
            self._ask()

    def choose_window(self, window: Window) -> None:
        """A person chose this window, so no other is chosen for them."""
        self._window_is_chosen = self._window_was_chosen = True
        self.set_window(window)

    def set_window(self, window: Window) -> None:
        """Look further back, or less far, on every tab at once."""
        self.window = window
        self.show_header()
        self._ask()

    def left_at(self) -> Remembered:
        """How the screen is left: what was chosen on it, over what was chosen on it before."""
        values = dict(self._left.values)
        if self.tab.value != self.options.tab:
            values["tab"] = self.tab.value
        if self._window_was_chosen:
            values["window"] = self.window.value
        if self.theme != self._first_theme:
            values["theme"] = self.theme
        if self.own_use.shown != self.options.meter:
            values["meter"] = self.own_use.shown
        orders = dict(self._left.orders)
        for tab, pane in self.panes.items():
            orders.pop(tab.value, None)
            if order := pane.chosen_order():
                orders[tab.value] = order
        return Remembered(values, orders)
