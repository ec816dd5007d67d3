"""The five tabs, each in a room of its own that is loaded when it is first visited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buddy_top.state import Tab

if TYPE_CHECKING:
    from buddy_top.panes.base import Pane


def pane_class(tab: Tab) -> type[Pane]:
    """The pane of a tab."""
    match tab:
        case Tab.OVERVIEW:
            from buddy_top.panes.overview.pane import OverviewPane

            return OverviewPane
        case Tab.PROVIDERS:
            from buddy_top.panes.providers.pane import ProvidersPane

            return ProvidersPane
        case Tab.TOOLS:
            from buddy_top.panes.tools.pane import ToolsPane

            return ToolsPane
        case Tab.ERRORS:
            from buddy_top.panes.errors.pane import ErrorsPane

            return ErrorsPane
        case Tab.RUNS:
            from buddy_top.panes.runs.pane import RunsPane

            return RunsPane
