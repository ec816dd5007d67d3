"""The family of one run: the tree of its forks, each with what it cost alone and in all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.widget import Widget

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.lineage.model import Family, Member
from buddy_core.runs.names import is_run_id
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, text_of
from buddy_top.messages import OpenRun
from buddy_top.panes.columns.fields import matching
from buddy_top.panes.words import no_match
from buddy_top.run_view.family.cells import COLUMNS, member_cells, sum_lines
from buddy_top.run_view.part import NO_REMARK, RunPart
from buddy_top.state import RunDetail, RunView, Snapshot, Wants
from buddy_top.widgets.table.table import Table
from buddy_top.widgets.text.lines import Lines

if TYPE_CHECKING:
    from buddy_core.origins.model import Origin
    from buddy_top.commands import Need
    from buddy_top.export.sheet import Sheet

_CELLS_FOR_A_LEVEL = 9
"""So much of the name's column belongs to each level of the tree that is drawn before it."""


class FamilyView(RunPart):
    """Sums above, the tree below; enter opens another member."""

    NAME: ClassVar[RunView] = "family"

    def __init__(self) -> None:
        super().__init__()
        self.sums = Lines(3, classes="family-sums")
        self.table = Table(*COLUMNS)
        self._family: Family | None = None
        self._members: Sequence[Member] = ()
        self._now_ms = 0
        self._kept: frozenset[str] = frozenset()
        self._filter = ""

    def compose(self) -> ComposeResult:
        """Sums, then the tree."""
        yield self.sums
        yield self.table

    @property
    def target(self) -> Widget:
        """The tree."""
        return self.table

    def wants(self, base: Wants) -> Wants:
        """The family of the run."""
        return replace(base, family=True)

    def show_run(self, snapshot: Snapshot, run: RunFacts, detail: RunDetail | None) -> Plain:
        """Draw the family as soon as it has been put together; its cursor begins on the run itself."""
        family = (
            snapshot.family if snapshot.family is not None and snapshot.family.run_id == run.run_id else None
        )
        if family is None and self._family is not None and self._family.run_id == run.run_id:
            return NO_REMARK
        moved = family is not None and (self._family is None or self._family.run_id != run.run_id)
        self._family, self._now_ms, self._kept = family, snapshot.taken_at, snapshot.kept
        self._apply(Plain("looking for its forks …"))
        if moved:
            self.table.move_to(run.run_id)
        return _hidden_words(family)

    def show_nothing(self, words: Plain) -> None:
        """No tree."""
        self._family = None
        self._apply(words)

    @property
    def there(self) -> frozenset[Need]:
        """Failed members can be stepped through."""
        return frozenset({"failures"})

    @property
    def filter_text(self) -> str:
        """What the members are filtered by."""
        return self._filter

    def set_filter(self, text: str) -> None:
        """Show only the members that contain every word of `text`."""
        self._filter = text
        self._apply(NO_REMARK)

    def jump_error(self, step: int) -> bool:
        """To the next member that failed, or in which something did."""
        at = self.table.cursor_index
        order = range(at + 1, len(self._members)) if step > 0 else range(at - 1, -1, -1)
        found = next((index for index in order if self._members[index].own.failures.value), None)
        return found is not None and self.table.move_to(found)

    def jump_match(self, focused: Widget | None, step: int) -> bool:
        """To the next member, going round."""
        if not self._filter or not self._members:
            return False
        return self.table.move_to((self.table.cursor_index + step) % len(self._members))

    def on_table_opened(self, event: Table.Opened) -> None:
        """Open the member under the cursor."""
        event.stop()
        if is_run_id(
            event.key
        ):  # what a fork calls its parent may be anything, and names a directory to open
            self.post_message(OpenRun(event.key))

    def copied(self, *, whole: bool) -> str:
        """The id of the member under the cursor, or all that is known of it as JSON."""
        member = self._selected
        if member is None:
            return ""
        if not whole:
            return shown(member.run_id)
        from buddy_core.runs.lineage.entries import member_entry
        from buddy_top.export.sheet import one_record

        return one_record(member_entry(member))

    def origins(self, snapshot: Snapshot) -> list[Origin]:
        """Where its sums come from."""
        from buddy_core.origins.families import origin_of_family

        return [] if self._family is None else [origin_of_family(self._family, snapshot.sources.runs_dir)]

    def sheet(self) -> Sheet | None:
        """The members as they are shown."""
        from buddy_core.runs.lineage.entries import member_entry
        from buddy_top.export.sheet import Sheet

        return Sheet(
            title="family",
            columns=[column.title or column.key for column in COLUMNS],
            lines=[[text_of(cell) for cell in self._cells_at(index)] for index in range(len(self._members))],
            records=[member_entry(member) for member in self._members],
        )

    @property
    def _selected(self) -> Member | None:
        at = self.table.cursor_index
        return self._members[at] if 0 <= at < len(self._members) else None

    def _apply(self, empty: Plain) -> None:
        family = self._family
        self.sums.set_lines([] if family is None else sum_lines(family))
        every = () if family is None else family.members
        self._members = matching(every, self._filter, _text_of) if self._filter else every
        self.table.set_empty(no_match(self._filter) if self._filter and every else empty)
        self.table.set_source([member.run_id for member in self._members], self._cells_at)

    def _cells_at(self, index: int) -> tuple[Cell, ...]:
        assert self._family is not None
        levels = max(2, self.table.width_of("run") // _CELLS_FOR_A_LEVEL)
        member = self._members[index]
        is_kept = member.run_id in self._kept
        return member_cells(member, self._family, self._now_ms, levels=levels, kept=is_kept)


def _hidden_words(family: Family | None) -> Plain:
    if family is None or not (family.before or family.after):
        return NO_REMARK
    return Plain(f"  {fmt.count(family.before)} members above and {fmt.count(family.after)} below not listed")


def _text_of(member: Member) -> str:
    run = member.facts
    return (
        member.run_id if run is None else f"{run.objective} {run.run_id} {run.status} {run.fork_reason or ''}"
    )
