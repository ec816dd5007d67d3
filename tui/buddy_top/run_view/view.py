"""One run: two heading lines, a line of views, and the chosen view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual.app import ComposeResult

from buddy_core.runs.model import RunFacts
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top import format as fmt
from buddy_top.cells import Span
from buddy_top.messages import WantsChanged
from buddy_top.run_view.artifacts import ArtifactsView
from buddy_top.run_view.heading import heading_lines
from buddy_top.run_view.metrics import metrics_lines, metrics_sheet
from buddy_top.run_view.timeline import TimelineView
from buddy_top.state import RunDetail, RunView, Snapshot, Wants
from buddy_top.widgets.lines import Lines
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table import Table
from buddy_top.widgets.textview import TextView

if TYPE_CHECKING:
    from buddy_top.export.sheet import Sheet

VIEWS: tuple[RunView, ...] = ("timeline", "metrics", "artifacts")

_NOTHING = Plain("")
_NO_RUN = RunDetail(run_id="", rows=(), hidden=0, artifacts=(), accounting=None)


def older_words(detail: RunDetail | None) -> Plain:
    """That the timeline begins later than the run does, where it does."""
    if detail is None or detail.reading or not detail.hidden:
        return _NOTHING
    return Plain(f"  {fmt.count(detail.hidden)} older lines not shown")


class RunDetailView(Panel):
    """The selected run in a panel of its own."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view: RunView = "timeline"
        self.heading = Lines(2, id="run-heading")
        self.tabs = Lines(1, id="run-views")
        self.timeline = TimelineView()
        self.metrics = TextView()
        self.artifacts = ArtifactsView()
        self.follow = True
        self._run_id: str | None = None
        self._last: tuple[Snapshot, RunFacts] | None = None

    def compose(self) -> ComposeResult:
        """Heading, view names, views: only the chosen one is displayed."""
        yield self.heading
        yield self.tabs
        yield self.timeline
        yield self.metrics
        yield self.artifacts

    def on_mount(self) -> None:
        """Show the first view."""
        self.set_view(self.view)

    def wants(self, base: Wants) -> Wants:
        """The run, and the text of the chosen artifact when artifacts are in view."""
        artifact = self.artifacts.chosen if self.view == "artifacts" else None
        return replace(base, artifact=artifact)

    def set_view(self, view: RunView) -> None:
        """Bring one view to the front."""
        self.view = view
        self.timeline.display = view == "timeline"
        self.metrics.display = view == "metrics"
        self.artifacts.display = view == "artifacts"
        self._draw_view_names()
        if self._last is not None:
            self.show(*self._last)
        self.post_message(WantsChanged())

    def step_view(self, step: int) -> None:
        """The next view, or the one before; the keyboard goes along if it was in the one that is left."""
        focused = self.screen.focused
        inside = focused is not None and self in focused.ancestors
        self.set_view(VIEWS[(VIEWS.index(self.view) + step) % len(VIEWS)])
        if inside:
            self.focus_view()

    def focus_view(self) -> None:
        """Give the keyboard to the view in front."""
        target = {"timeline": self.timeline.table, "metrics": self.metrics, "artifacts": self.artifacts.table}
        target[self.view].focus()

    def show_nothing(self, title: Plain, words: Plain = _NOTHING) -> None:
        """Draw that there is no run, and nothing of one that was drawn before; `words` say why."""
        self._last = self._run_id = None
        self.set_title(title)
        self.set_summary(_NOTHING)
        self.heading.set_lines([])
        self._draw_view_names()
        self.timeline.show("", (), words)
        self.metrics.set_lines([(Span(words, "dim"),)])
        self.artifacts.show(_NO_RUN)

    def show(self, snapshot: Snapshot, run: RunFacts | None) -> None:
        """Draw `run`; its rows come with the snapshot as soon as they have been read."""
        if run is None:
            self.show_nothing(Plain("no run selected"))
            return
        self._last = (snapshot, run)
        self.set_title(shown(run.objective or run.run_id, limit=200))
        self.set_summary(shown(run.run_id))
        self.heading.set_lines(heading_lines(run, snapshot.taken_at))
        if run.run_id != self._run_id:
            self._run_id = run.run_id
            self.timeline.table.follow = False  # what was followed was another run
        self._show_view(snapshot, run)

    def _show_view(self, snapshot: Snapshot, run: RunFacts) -> None:
        detail = snapshot.run if snapshot.run is not None and snapshot.run.run_id == run.run_id else None
        rows = detail.rows if detail is not None else ()
        if self.view == "timeline":
            self._draw_view_names(older_words(detail))
            self.timeline.show(run.run_id, rows, self._empty_words(detail), cwd=run.cwd)
            if run.live and self.follow and not self.timeline.table.follow:
                self.timeline.table.follow = True
        elif self.view == "metrics":
            self.metrics.set_lines(metrics_lines(run, detail, snapshot.taken_at))
        elif detail is not None:
            self.artifacts.show(detail)
            if self.artifacts.chosen != snapshot.wants.artifact:
                self.post_message(WantsChanged())

    def _empty_words(self, detail: RunDetail | None) -> Plain:
        if detail is None:
            return Plain("reading …")
        if detail.reading and detail.accounting is not None:
            return Plain(f"reading … {fmt.bytes_(detail.accounting.seen)} so far")
        return shown(detail.problem) if detail.problem else Plain("no events yet")

    def _draw_view_names(self, remark: Plain = _NOTHING) -> None:
        spans: list[Span] = []
        for view in VIEWS:
            chosen = view == self.view
            spans.append(Span(Plain(f"[{view}]" if chosen else f" {view} "), "accent" if chosen else "label"))
        self.tabs.set_lines([(*spans, Span(remark, "dim"))])

    def sheet(self) -> Sheet | None:
        """The rows of the view in front; None where there is no run."""
        if self.view == "timeline":
            return self.timeline.sheet()
        if self.view == "artifacts":
            return self.artifacts.sheet()
        return None if self._last is None else metrics_sheet(self.metrics.words(), self._last[1])

    def toggle_follow(self) -> bool:
        """Stay on the newest event of a live run, or stop doing so."""
        self.follow = not self.follow
        self.timeline.table.follow = self.follow
        return self.follow

    def on_table_follow_ended(self, event: Table.FollowEnded) -> None:
        """Moving away from the newest event by hand ends following for good."""
        event.stop()
        self.follow = False
