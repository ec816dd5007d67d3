"""`R`: the test commands of the run on the screen, or of the one under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buddy_core.safety.text import Plain
from buddy_top.state import Tab

if TYPE_CHECKING:
    from buddy_top.frame.workspace import Workspace


def open_replay(app: Workspace) -> None:
    """Show them, or say that no run is chosen."""
    from buddy_top.panes.runs.pane import RunsPane

    pane = app.panes.get(Tab.RUNS)
    under_cursor = pane.table.cursor_key if isinstance(pane, RunsPane) else None
    run_id = app.run_page.run_id if app.run_page is not None else under_cursor
    if run_id is None:
        app.footer.say(Plain("no run is chosen"))
        return
    from buddy_top.screens.replay.screen import ReplayScreen

    app.push_screen(ReplayScreen(app.options.runs_dir, run_id, read_only=app.options.read_only))
