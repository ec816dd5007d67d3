"""`K`: which runs are meant, and what the footer says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from buddy_core.safety.text import Plain, plain
from buddy_top.panes.runs.pane import RunsPane

if TYPE_CHECKING:
    from buddy_top.frame.workspace import Workspace


def keep_chosen(app: Workspace) -> None:
    """Have the chosen runs copied into the archive; the footer says what came of it. Nothing is ever overwritten."""
    if app.options.read_only:
        app.footer.say(Plain("read-only: nothing is written"))
        return
    chosen = _chosen(app)
    if not chosen:
        app.footer.say(Plain("no run is selected"))
        return
    what = chosen[0] if len(chosen) == 1 else f"{len(chosen)} runs"
    app.footer.say(plain(f"keeping {what} …"))
    app.run_worker(_keep(app, chosen), group="keep")


def _chosen(app: Workspace) -> Sequence[str]:
    pane = app.visible_pane
    if app.run_page is not None:
        return [app.run_page.run_id]
    if not isinstance(pane, RunsPane):
        return []
    if pane.table.marks:
        return sorted(pane.table.marks)
    return [] if pane.table.cursor_key is None else [pane.table.cursor_key]


async def _keep(app: Workspace, run_ids: Sequence[str]) -> None:
    try:
        said = await asyncio.wrap_future(app.feed.keep_runs(run_ids))
    except Exception as error:  # noqa: BLE001 - whatever a file system may do; the monitor goes on
        said = f"nothing was kept: {error}"
    app.footer.say(plain(said, limit=200))
