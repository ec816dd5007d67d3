"""One run, full screen: the same views as beside the list, with the keyboard in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.widget import Widget

from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain, plain
from buddy_top.listing.model import ListWants
from buddy_top.messages import CallNamed, WantsChanged
from buddy_top.panes.base import Pane
from buddy_top.run_view.view import RunDetailView
from buddy_top.state import Snapshot, Tab, Wants

if TYPE_CHECKING:
    from buddy_core.origins.model import Origin
    from buddy_top.commands import Need
    from buddy_top.export.sheet import Sheet

_GONE = Plain("this run is not there any more: its directory was removed or moved · esc goes back")


def _opening(snapshot: Snapshot, run_id: str) -> Plain:
    """Of a kept run of which nothing is known: that it is being opened, or why it cannot be."""
    detail = snapshot.run if snapshot.run is not None and snapshot.run.run_id == run_id else None
    return Plain("opening the kept copy …") if detail is None else shown(detail.problem)


_NOT_YET = Plain("this run had not begun at that moment · esc returns to now")


class RunPage(Pane):
    """Opened with enter from anywhere a run is named; esc goes back there."""

    TAB = Tab.RUNS

    def __init__(self, run_id: str) -> None:
        super().__init__(id="run-page")
        self.detail = RunDetailView(id="run-page-detail")
        self.run_id = run_id
        self.listed = ListWants(last=0)
        """The list one steps through."""

    def compose(self) -> ComposeResult:
        """The run, nothing else."""
        yield self.detail

    def open(self, run_id: str, at_ms: int | None, call: CallNamed | None = None) -> None:
        """Show this run, at the moment given, and on the call that ended then where it is named."""
        self.run_id = run_id
        if at_ms is not None:
            self.detail.follow = False
            self.detail.set_view("timeline")
            self.detail.timeline.jump_to_moment(at_ms, call)

    def step(self, listed: Sequence[str], step: int) -> None:
        """Go to the run before or after this one among those listed; at the ends, stay."""
        if self.run_id in listed:
            at = listed.index(self.run_id) + step
            self.run_id = listed[max(0, min(len(listed) - 1, at))]
            self.post_message(WantsChanged())

    def show(self, snapshot: Snapshot) -> None:
        """Draw the run; one that has been deleted says so."""
        run = snapshot.by_id.get(self.run_id)
        if run is None and snapshot.listing is not None and self.run_id in snapshot.listing.ids:
            self.detail.show_nothing(plain(self.run_id), Plain("reading …"))
        elif run is None and self.run_id in snapshot.kept:
            self.detail.show_nothing(plain(self.run_id), _opening(snapshot, self.run_id))
        elif run is None:
            self.detail.show_nothing(plain(self.run_id), _GONE if snapshot.past is None else _NOT_YET)
        else:
            self.detail.show(snapshot, run)

    def wants(self, base: Wants) -> Wants:
        """This run."""
        return self.detail.wants(replace(base, run_id=self.run_id, listing=self.listed))

    def origins(self, snapshot: Snapshot, focused: Widget | None) -> list[Origin]:
        """Those of the run, and those of everything, which stand in the header."""
        from buddy_top.panes.origins import of_run

        run, rest = snapshot.by_id.get(self.run_id), super().origins(snapshot, focused)
        return rest if run is None else [*self.detail.part.origins(snapshot), of_run(run, snapshot), *rest]

    def sheet(self) -> Sheet | None:
        """The rows of the view in front."""
        return self.detail.sheet()

    def copied(self, focused: Widget | None, *, whole: bool) -> str:
        """The selected event or artifact, or what has the keyboard."""
        if focused is self.detail.part.target:
            return self.detail.part.copied(whole=whole)
        return super().copied(focused, whole=whole)

    def focus_main(self) -> None:
        """Focus the view in front."""
        self.detail.focus_view()

    async def step_view(self, step: int) -> None:
        """Timeline, metrics or artifacts."""
        await self.detail.step_view(step)

    @property
    def there(self) -> frozenset[Need]:
        """A filter, numbers, and what the view in front has."""
        found: frozenset[Need] = frozenset({"numbers"})
        return super().there | self.detail.part.there | found

    def jump_error(self, step: int) -> bool:
        """The next failure of the view in front."""
        return self.detail.part.jump_error(step)

    def jump_match(self, focused: Widget | None, step: int) -> bool:
        """In a text to its next match; else as the view in front says."""
        return super().jump_match(focused, step) or self.detail.part.jump_match(focused, step)

    def toggle_grouping(self) -> None:
        """Relative or absolute times, or what else the view in front has two ways of."""
        self.detail.part.toggle_grouping()

    def toggle_follow(self) -> bool:
        """Stay on the newest event of a live run."""
        return self.detail.toggle_follow()

    @property
    def filter_text(self) -> str:
        """The filter of the view in front."""
        return self.detail.part.filter_text

    def set_filter(self, text: str) -> None:
        """Filter the view in front."""
        self.detail.part.set_filter(text)
