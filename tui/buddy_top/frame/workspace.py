"""The stage between the feed and the person: what is published reaches it, and what is clicked or asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.events import Resize

from buddy_core.metrics.window import Window
from buddy_top.config.remembered import Remembered
from buddy_top.drawing.themes import THEMES
from buddy_top.frame.stage import Stage
from buddy_top.messages import (
    FeedFailed,
    KeysChanged,
    MomentChosen,
    OpenEvent,
    OpenRun,
    OpenTab,
    SnapshotTaken,
    UseTaken,
)
from buddy_top.options import Options
from buddy_top.starting.arenas import GIVING_BACK_S, give_back
from buddy_top.state import Snapshot, Tab
from buddy_top.terminal.announce import Announcer
from buddy_top.terminal.safe_app import end_of_reading, end_of_start
from buddy_top.widgets.filter.line import FilterLine
from buddy_top.widgets.frame.footer import FooterLine
from buddy_top.widgets.frame.header import HeaderLine
from buddy_top.widgets.frame.tabs import TabLine

if TYPE_CHECKING:
    from buddy_core.alerts.model import Alert
    from buddy_core.origins.model import Origin
    from buddy_core.runs.timeline.timeline import TimelineRow
    from buddy_top.feeding.snapshot_feed import SnapshotFeed


class Workspace(Stage):
    """The stage with everything that happens to it; keys come with `BuddyTop`."""

    TITLE = "buddy-top"
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (100, "-wide"), (160, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-tiny"), (24, "-short"), (34, "-tall")]  # noqa: RUF012

    def __init__(self, options: Options, feed: SnapshotFeed | None = None) -> None:
        super().__init__(options, feed)
        self.paused = False
        self.wants_demo = False
        self._announcer = Announcer(options.notify)
        self._is_alone = False  # nothing else lives in this process
        self._window_is_chosen = options.window is not None
        self._window_was_chosen = False
        self._first_theme = options.theme or THEMES[0].name
        for theme in THEMES:
            self.register_theme(theme)
        self.begin_with_theme(self._first_theme)

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

    # What the feed publishes

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

    def _should_widen(self, snapshot: Snapshot) -> bool:
        """Nobody chose a window, everything is read, and all of it is older: an empty screen would lie."""
        sources = snapshot.sources
        anything = bool(snapshot.runs or sources.history_runs)
        done = sources.complete and anything
        quiet = not any_activity(snapshot) and snapshot.past is None
        return not self._window_is_chosen and done and quiet

    @on(UseTaken)
    def _use_taken(self, event: UseTaken) -> None:
        self.own_use.arrived(event.use)

    @on(FeedFailed)
    def _feed_died(self, event: FeedFailed) -> None:
        raise event.error

    # What is laid over the picture

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

    @on(OpenEvent)
    def _open_event(self, event: OpenEvent) -> None:
        from buddy_top.screens.event import EventScreen

        def closed(row: TimelineRow | None) -> None:
            if row is not None:
                event.left_at(row)

        place = self.snapshot.place if self.snapshot is not None else None
        run_dir = (place or self.options.runs_dir) / event.run_id
        self.push_screen(EventScreen(run_dir, event.rows, event.at, as_raw=event.raw), closed)

    # What panes and lines say of themselves

    @on(KeysChanged)
    def _keys_changed(self) -> None:
        self._show_keys()

    @on(MomentChosen)
    def _moment_chosen(self, event: MomentChosen) -> None:
        self.journey.go_to_event_at(event.offset)

    @on(OpenTab)
    async def _open_tab_at(self, event: OpenTab) -> None:
        await self.visit(event.tab)
        if event.key is not None:
            self.visible_pane.reveal(event.key)
            self.filter_line.hold(self.visible_pane.filter_text)

    @on(OpenRun)
    async def _open_run_at(self, event: OpenRun) -> None:
        await self.open_run(event.run_id, event.at_ms, event.call)

    @on(TabLine.Clicked)
    async def _tab_clicked(self, event: TabLine.Clicked) -> None:
        await self.visit(Tab(event.key))

    @on(FooterLine.Clicked)
    async def _key_clicked(self, event: FooterLine.Clicked) -> None:
        await self.run_action(event.action)

    @on(HeaderLine.WindowClicked)
    def _window_clicked(self, event: HeaderLine.WindowClicked) -> None:
        self.choose_window(Window(event.name))

    @on(HeaderLine.UseClicked)
    def _use_clicked(self) -> None:
        self.explain(self.own_use.origins())

    @on(HeaderLine.AlertsClicked)
    def _alerts_clicked(self) -> None:
        self.open_alerts()

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


def any_activity(snapshot: Snapshot) -> bool:
    """True when something happened within the window."""
    view = snapshot.view
    return bool(view.total_requests or view.total_tool_calls or view.total_errors or view.unattributed_tokens)
