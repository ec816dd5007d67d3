"""Style sheets, read when the first thing that needs them is shown.

Textual reads every rule of a sheet before the first picture, and looks through all of them for every widget; what
panes and dialogs need would be a tenth of the start for somebody who sees one pane of six.
"""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

from buddy_top.options import Options
from buddy_top.state import Tab
from buddy_top.terminal.safe_app import SafeApp

_HERE = Path(__file__).parents[1]
FRAME: list[str | PurePath] = [_HERE / "app.tcss"]
"""What is read at the start."""

DIALOGS = "screens/dialogs"
PANES = "panes/panes"
RUN = "run_view/run"


def sheets_of(tab: Tab) -> tuple[str, ...]:
    """Names of the sheets that a tab needs."""
    own = (PANES, f"panes/{tab.value}/{tab.value}")
    return (*own, RUN) if tab is Tab.RUNS else own


class DressedApp(SafeApp):
    """An app whose sheets come one by one."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._worn: set[str] = set()

    def wear(self, *sheets: str) -> None:
        """Read these, each once; called before the first widget that needs them comes into being."""
        for name in sheets:
            if name not in self._worn:
                self._worn.add(name)
                path = (_HERE / name).with_suffix(".tcss")
                self.stylesheet.add_source(path.read_text(encoding="utf-8"), read_from=(str(path), ""))

    def push_screen(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - Textual's own, handed on
        """Whatever lies over the picture wears what dialogs do."""
        self.wear(DIALOGS)
        return super().push_screen(*args, **options)
