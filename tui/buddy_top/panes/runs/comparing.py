"""Which two runs `D` compares: those that are marked, else a fork and its parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buddy_core.runs.names import started_at_of
from buddy_core.safety.text import Plain
from buddy_top.panes.runs.pane import RunsPane
from buddy_top.state import Snapshot, Tab

if TYPE_CHECKING:
    from buddy_top.frame.workspace import Workspace


def open_comparison(app: Workspace) -> None:
    """Show the two runs side by side, or say what has to be marked."""
    if app.snapshot is None:
        return
    chosen = _chosen(app, app.snapshot)
    if isinstance(chosen, str):
        app.footer.say(chosen)
        return
    from buddy_top.screens.compare import CompareScreen

    app.push_screen(CompareScreen(app.options, *chosen))


def _chosen(app: Workspace, snapshot: Snapshot) -> tuple[str, str] | Plain:
    """The ids of both, the older first, or words that say which are missing."""
    pane = app.panes.get(Tab.RUNS)
    marks = pane.table.marks if isinstance(pane, RunsPane) else frozenset[str]()
    marked = sorted((one for one in marks if _is_there(one, snapshot)), key=lambda one: _start(one, snapshot))
    if app.run_page is None and len(marked) == 2:
        return marked[0], marked[1]
    if app.run_page is None and len(marked) > 2:
        return Plain("more than two runs are marked")
    here = app.run_page.run_id if app.run_page is not None else _under_cursor(pane)
    run = None if here is None else snapshot.by_id.get(here)
    if run is None or (app.run_page is None and marked and run.run_id in marked):
        return Plain("mark two runs with space to compare them")
    if app.run_page is None and marked:
        return marked[0], run.run_id
    parent = run.parent_run_id
    if parent is None or parent == run.run_id:
        return Plain("no fork: mark two runs in the list with space to compare them")
    if not _is_there(parent, snapshot):
        return Plain("the run that this one was forked from is not here any more")
    return parent, run.run_id


def _is_there(run_id: str, snapshot: Snapshot) -> bool:
    """Of very many runs only those in sight are known; that another is listed is enough."""
    return run_id in snapshot.by_id or (snapshot.listing is not None and run_id in snapshot.listing.ids)


def _start(run_id: str, snapshot: Snapshot) -> int:
    known = snapshot.by_id.get(run_id)
    return known.started_at if known is not None else started_at_of(run_id) or 0


def _under_cursor(pane: object) -> str | None:
    return pane.table.cursor_key if isinstance(pane, RunsPane) else None
