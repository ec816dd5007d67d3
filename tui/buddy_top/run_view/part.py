"""What every view of one run is: something that draws the run, obeys keys and can be copied from."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container

from buddy_core.safety.text import Plain
from buddy_top.state import RunDetail, RunView, Snapshot, Wants
from buddy_top.widgets.text.view import TextView

if TYPE_CHECKING:
    from pathlib import Path

    from textual.widget import Widget

    from buddy_core.origins.model import Origin
    from buddy_core.runs.facts import RunFacts
    from buddy_top.commands import Need
    from buddy_top.export.sheet import Sheet

NO_REMARK = Plain("")


class RunPart(Container):
    """One of the views below the heading of a run. It reads snapshots and nothing else."""

    NAME: ClassVar[RunView]

    def show_run(self, snapshot: Snapshot, run: RunFacts, detail: RunDetail | None) -> Plain:
        """Draw `run`, of which `detail` was read so far; returns a remark to stand behind the names of the views."""
        raise TypeError(f"{type(self).__name__} must say how it shows a run")

    def show_nothing(self, words: Plain) -> None:
        """There is no run: forget what was drawn; `words` say why."""
        raise TypeError(f"{type(self).__name__} must say how it shows that there is nothing")

    @property
    def target(self) -> Widget:
        """What gets the keyboard."""
        raise TypeError(f"{type(self).__name__} must say what gets the keyboard")

    def wants(self, base: Wants) -> Wants:
        """`base` with what this view needs beyond it, while it is in front."""
        return base

    def sheet(self) -> Sheet | None:
        """Its rows as they are shown; None where there are none to write down."""
        return None

    def origins(self, snapshot: Snapshot) -> list[Origin]:
        """Where its own numbers come from, besides those of the run."""
        return []

    def copied(self, *, whole: bool) -> str:
        """The text to copy while it has the keyboard: what names the selection, or all of it (`whole`)."""
        target = self.target
        return target.words() if isinstance(target, TextView) else ""

    def jump_error(self, step: int) -> bool:
        """Put the cursor on the next (1) or previous (-1) failure; False when there is none that way."""
        return False

    def jump_match(self, focused: Widget | None, step: int) -> bool:
        """Go to the next match of the filter, going round; False when there is none."""
        return isinstance(focused, TextView) and focused.next_match(step)

    def toggle_grouping(self) -> None:
        """The other way of laying out its rows, where there are two."""

    def fold(self, *, fold: bool) -> bool:
        """Fold what the cursor is in, or unfold what it is on; False where there is nothing of the kind."""
        return False

    def fold_all(self) -> bool:
        """Fold everything that folds, or unfold it; False where there is nothing of the kind."""
        return False

    def go_to_moment(self) -> None:
        """Ask for a time and go there, where there are times."""

    def open_raw(self) -> None:
        """The selection as it stands in its file, where there is such a thing."""

    @property
    def opened(self) -> tuple[Path, str] | None:
        """Directory of the run and name of the artifact whose text another program could show."""
        return None

    @property
    def there(self) -> frozenset[Need]:
        """What some keys need to do anything, as far as it is in this view."""
        return frozenset()

    @property
    def filter_text(self) -> str:
        """What its rows are filtered by; empty when they are not."""
        return ""

    def set_filter(self, text: str) -> None:
        """Show only the rows that contain every word of `text`."""
