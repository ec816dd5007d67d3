"""The five tabs. Each is a module of its own, loaded when it is first visited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buddy_top.state import Tab

if TYPE_CHECKING:
    from buddy_top.panes.base import Pane


def pane_class(tab: Tab) -> type[Pane]:
    """The pane of a tab."""
    match tab:
        case Tab.OVERVIEW:
            from buddy_top.panes.overview import OverviewPane

            return OverviewPane
        case Tab.PROVIDERS:
            from buddy_top.panes.providers import ProvidersPane

            return ProvidersPane
        case Tab.TOOLS:
            from buddy_top.panes.tools import ToolsPane

            return ToolsPane
        case Tab.ERRORS:
            from buddy_top.panes.errors import ErrorsPane

            return ErrorsPane
        case Tab.RUNS:
            from buddy_top.panes.runs import RunsPane

            return RunsPane
