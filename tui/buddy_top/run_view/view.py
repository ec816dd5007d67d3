"""One run: two heading lines, a line of views, and the chosen view, which is made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from buddy_core.runs.facts import RunFacts
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Span
from buddy_top.messages import WantsChanged
from buddy_top.run_view.heading import heading_lines
from buddy_top.run_view.part import NO_REMARK, RunPart
from buddy_top.run_view.timeline.view import TimelineView
from buddy_top.state import RunView, Snapshot, Wants
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Table
from buddy_top.widgets.text.lines import Lines

if TYPE_CHECKING:
    from buddy_top.export.sheet import Sheet


def _metrics() -> RunPart:
    from buddy_top.run_view.metrics.view import MetricsView

    return MetricsView()


def _artifacts() -> RunPart:
    from buddy_top.run_view.artifacts.view import ArtifactsView

    return ArtifactsView()


def _family() -> RunPart:
    from buddy_top.run_view.family.view import FamilyView

    return FamilyView()


def _raw() -> RunPart:
    from buddy_top.run_view.raw.view import RawView

    return RawView()


_MAKE: dict[RunView, Callable[[], RunPart]] = {
    "timeline": TimelineView,
    "metrics": _metrics,
    "artifacts": _artifacts,
    "family": _family,
    "raw": _raw,
}

VIEWS: tuple[RunView, ...] = tuple(_MAKE)
"""In the order in which they are named on the screen."""


class RunDetailView(Panel):
    """The selected run in a panel of its own."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view: RunView = "timeline"
        self.heading = Lines(2, id="run-heading")
        self.tabs = Lines(1, id="run-views")
        self.timeline = TimelineView()
        self.follow = True
        self._parts: dict[RunView, RunPart] = {"timeline": self.timeline}
        self._run_id: str | None = None
        self._last: tuple[Snapshot, RunFacts] | None = None
        self._nothing = NO_REMARK

    def compose(self) -> ComposeResult:
        """Heading, view names, and the first view; only the chosen one is displayed."""
        yield self.heading
        yield self.tabs
        yield self.timeline

    def on_mount(self) -> None:
        """Show the first view."""
        self.set_view(self.view)

    @property
    def part(self) -> RunPart:
        """The view in front."""
        return self._parts[self.view]

    def wants(self, base: Wants) -> Wants:
        """What the view in front needs."""
        return self.part.wants(base)

    async def open_view(self, view: RunView) -> None:
        """Bring one view to the front, making it first if need be."""
        if view not in self._parts:
            made = _MAKE[view]()
            made.display = False
            await self.mount(made)
            self._parts[view] = made
        self.set_view(view)

    def set_view(self, view: RunView) -> None:
        """Bring a view that was made before to the front."""
        self.view = view
        for name, part in self._parts.items():
            part.display = name == view
        if self._last is not None:
            self.show(*self._last)
        else:
            self.part.show_nothing(self._nothing)
            self._draw_view_names()
        self.post_message(WantsChanged())

    async def step_view(self, step: int) -> None:
        """The next view, or the one before; the keyboard goes along if it was in the one that is left."""
        focused = self.screen.focused
        inside = focused is not None and self in focused.ancestors
        await self.open_view(VIEWS[(VIEWS.index(self.view) + step) % len(VIEWS)])
        if inside:
            self.focus_view()

    def focus_view(self) -> None:
        """Give the keyboard to the view in front."""
        self.part.target.focus()

    def show_nothing(self, title: Plain, words: Plain = NO_REMARK) -> None:
        """Draw that there is no run, and nothing of one that was drawn before; `words` say why."""
        self._last = self._run_id = None
        self._nothing = words
        self.set_title(title)
        self.set_summary(NO_REMARK)
        self.heading.set_lines([])
        self._draw_view_names()
        for part in self._parts.values():
            part.show_nothing(words)

    def show(self, snapshot: Snapshot, run: RunFacts | None) -> None:
        """Draw `run`; its rows come with the snapshot as soon as they have been read."""
        if run is None:
            self.show_nothing(Plain("no run selected"))
            return
        self._last = (snapshot, run)
        self.set_title(shown(run.objective or run.run_id, limit=200))
        copy = snapshot.place is not None and run.run_id == snapshot.wants.run_id
        self.set_summary(Plain(f"{'kept copy · ' if copy else ''}{shown(run.run_id)}"))
        counted = snapshot.listing is None or run.run_id not in snapshot.listing.partial
        self.heading.set_lines(heading_lines(run, snapshot.taken_at, counted=counted))
        if run.run_id != self._run_id:
            self._run_id = run.run_id
            self.timeline.table.follow = False  # what was followed was another run
        detail = snapshot.run if snapshot.run is not None and snapshot.run.run_id == run.run_id else None
        self._draw_view_names(self.part.show_run(snapshot, run, detail))
        follows = run.live and self.follow and snapshot.past is None
        if self.view == "timeline" and follows and not self.timeline.table.follow:
            self.timeline.table.follow = True

    def _draw_view_names(self, remark: Plain = NO_REMARK) -> None:
        spans: list[Span] = []
        for view in VIEWS:
            chosen = view == self.view
            spans.append(Span(Plain(f"[{view}]" if chosen else f" {view} "), "accent" if chosen else "label"))
        self.tabs.set_lines([(*spans, Span(remark, "dim"))])

    def sheet(self) -> Sheet | None:
        """The rows of the view in front; None where there is no run."""
        return None if self._last is None else self.part.sheet()

    def toggle_follow(self) -> bool:
        """Stay on the newest event of a live run, or stop doing so."""
        self.follow = not self.follow
        self.timeline.table.follow = self.follow
        return self.follow

    def on_table_follow_ended(self, event: Table.FollowEnded) -> None:
        """Moving away from the newest event by hand ends following for good."""
        event.stop()
        self.follow = False
