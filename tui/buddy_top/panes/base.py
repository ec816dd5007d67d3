"""What every pane is: something that shows a snapshot, says what it wants of the next one, and obeys keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container
from textual.widget import Widget

from buddy_top.listing.model import ListWants
from buddy_top.state import Snapshot, Tab, Wants
from buddy_top.widgets.table.table import Table
from buddy_top.widgets.text.view import TextView

if TYPE_CHECKING:
    from buddy_core.origins.model import Origin
    from buddy_top.commands import Need
    from buddy_top.export.sheet import Sheet
    from buddy_top.listing.filter_advice import Adviser


class Pane(Container):
    """One tab's content. Panes read snapshots and nothing else."""

    TAB: ClassVar[Tab]

    def show(self, snapshot: Snapshot) -> None:
        """Draw `snapshot`; called only while the pane is visible."""
        raise TypeError(f"{type(self).__name__} must say how it shows a snapshot")

    def wants(self, base: Wants) -> Wants:
        """`base` with what this pane needs beyond it."""
        return base

    def list_wants(self, first: int, last: int) -> ListWants:
        """The list of runs as it is listed here, with these lines of it."""
        return ListWants(first=first, last=last)

    def focus_main(self) -> None:
        """Give the keyboard to the part one moves in."""

    def reveal(self, key: str) -> None:
        """Put the cursor on the row with this key."""

    def toggle_follow(self) -> bool:
        """Stick to the newest row or stop doing so; True when it now follows."""
        return False

    def toggle_grouping(self) -> None:
        """The other way of laying out its rows, where there are two."""

    def chosen_order(self) -> tuple[str, bool] | None:
        """The column its table was sorted by, and whether from the top; None where nobody chose."""
        return None

    def restore_order(self, order: tuple[str, bool] | None) -> None:
        """Sort as it was left; called before it is shown. A column there is no more is ignored."""

    @property
    def there(self) -> frozenset[Need]:
        """What some keys need to do anything, as far as it is on the screen."""
        return frozenset({"filter"}) if self.filter_text else frozenset()

    @property
    def stations(self) -> Sequence[Widget]:
        """Where the keyboard goes from panel to panel; empty for wherever it can go of what is in sight."""
        return ()

    def jump_error(self, step: int) -> bool:
        """Put the cursor on the next (1) or previous (-1) row that failed; False when there is none that way."""
        return False

    def jump_match(self, focused: Widget | None, step: int) -> bool:
        """Go to the next match of the filter where the keyboard is, going round; False when there is none."""
        return isinstance(focused, TextView) and focused.next_match(step)

    async def step_view(self, step: int) -> None:
        """The next view of the run beside it, where there is one."""

    def sheet(self) -> Sheet | None:
        """Its rows as they are shown; None where there are none to write down."""
        return None

    async def whole_sheet(self) -> Sheet | None:
        """The same with rows that have to be read first, where there are such."""
        return self.sheet()

    def origins(self, snapshot: Snapshot, focused: Widget | None) -> list[Origin]:
        """Where its numbers come from: those under the cursor first, those of everything last."""
        from buddy_top.panes.origins import of_everything

        return [of_everything(snapshot)]

    def copied(self, focused: Widget | None, *, whole: bool) -> str:
        """The text to copy: what names the selection, or all of it (`whole`); empty when nothing is selected."""
        if isinstance(focused, Table):
            return focused.row_words()
        return focused.words() if isinstance(focused, TextView) else ""

    @property
    def filter_text(self) -> str:
        """What the rows are filtered by; empty when they are not."""
        return ""

    def set_filter(self, text: str) -> None:
        """Show only the rows that contain every word of `text`."""

    @property
    def adviser(self) -> Adviser | None:
        """What helps to type its filter, where that is more than words; None for words that must all occur."""
        return None
