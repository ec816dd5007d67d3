"""What keys do to the pane on the screen, and to the runs in it; what they do beyond is loaded when they are struck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.screen import Screen
from textual.widget import Widget

from buddy_core.safety.text import Plain
from buddy_top.frame.workspace import Workspace

if TYPE_CHECKING:
    from buddy_top.outside.programs import Kind
    from buddy_top.panes.tablepane import TablePane


class PaneActions(Workspace):
    """The actions of commands that work on a list, a text or a run; those of the whole monitor come with `BuddyTop`."""

    @property
    def _table_pane(self) -> TablePane[Any] | None:
        """The pane on the screen, where it is one around a table."""
        from buddy_top.panes.tablepane import TablePane

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

    def action_jump_error(self, step: int) -> None:
        """The next row that failed."""
        if not self.visible_pane.jump_error(step):
            self.footer.say(Plain("no further error this way"))

    def action_jump_match(self, step: int) -> None:
        """The next match of the filter, going round."""
        pane = self.visible_pane
        if pane.filter_text and not pane.jump_match(self.focused, step):
            self.footer.say(Plain("no match here"))

    def action_follow(self) -> None:
        """Stick to the newest row, or stop doing so."""
        self.footer.say(
            Plain("following the newest" if self.visible_pane.toggle_follow() else "not following")
        )

    def action_step_panel(self, step: int) -> None:
        """Give the keyboard to the next list or text of the pane, going round."""
        step_focus(self.screen, self.visible_pane, step, self.visible_pane.stations)

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

    def action_origin(self) -> None:
        """Where the numbers under the cursor come from, and those of everything."""
        if self.snapshot is None or "numbers" not in self.visible_pane.there:
            return
        pages = self.visible_pane.origins(self.snapshot, self.focused)
        self.explain([*pages, *self.own_use.origins()])

    # Runs

    async def action_run_view(self, step: int) -> None:
        """The next view of the run on the screen."""
        await self.visible_pane.step_view(step)
        self.filter_line.hold(self.visible_pane.filter_text)
        self._show_keys()

    def action_step_run(self, step: int) -> None:
        """The neighbouring run, in the order of the list on the runs tab."""
        listing = self.snapshot.listing if self.snapshot is not None else None
        if self.run_page is not None and listing is not None:
            self.run_page.step(listing.ids, step)
            self.draw()

    def action_mark(self) -> None:
        """Mark the run under the cursor, or take its mark away."""
        from buddy_top.panes.runs.pane import RunsPane

        if isinstance(self.visible_pane, RunsPane):
            self.visible_pane.table.toggle_mark()

    def action_toggle_archive(self) -> None:
        """The runs of the archive in place of those that are recorded, and back."""
        from buddy_top.panes.runs.pane import RunsPane

        if isinstance(self.visible_pane, RunsPane):
            self.visible_pane.toggle_kept()

    def action_keep(self) -> None:
        """Copy the run on the screen, the marked ones, or the one under the cursor into the archive."""
        from buddy_top.kept.keeping import keep_chosen

        keep_chosen(self)

    def action_compare(self) -> None:
        """Two runs side by side."""
        from buddy_top.panes.runs.comparing import open_comparison

        open_comparison(self)

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


def step_focus(screen: Screen[object], pane: Widget, step: int, chain: Sequence[Widget] = ()) -> None:
    """Move the focus by `step` among the widgets of `pane` that take the keyboard, going round.

    A `chain` names them, also those that only come into sight when they have it.
    """
    chain = chain or [widget for widget in screen.focus_chain if pane in widget.ancestors]
    if chain:
        focused = screen.focused
        at = chain.index(focused) if focused is not None and focused in chain else -step
        screen.set_focus(chain[(at + step) % len(chain)])  # at once: the next key may be here already
