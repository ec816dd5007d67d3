"""What the lines around the panes say, as pure functions of the snapshot: header, tabs, footer, size."""

from __future__ import annotations

from pathlib import Path

from textual.screen import Screen
from textual.widget import Widget

from buddy_core.metrics.model import Window
from buddy_top.commands import COMMANDS, Place, footer_at
from buddy_top.state import Snapshot
from buddy_top.widgets.panel import Panel

MIN_WIDTH, MIN_HEIGHT = 60, 16
"""Below this a card says that the terminal is too small."""

_HERE = Path(__file__).parent
STYLE_SHEETS = [_HERE / "app.tcss"]

_AXIS_COLUMNS = 10
"""Columns of a full-width chart that are not slices of time: border, padding and the axis."""

_PLACES: dict[str, frozenset[Place]] = {}
for _command in COMMANDS:
    _name = _command.action.split("(")[0]
    _PLACES[_name] = _PLACES.get(_name, frozenset()) | _command.places


def action_is_at(action: str, place: Place) -> bool:
    """True when some command with this action works at `place`, or when it is no command of ours."""
    return place in _PLACES.get(action, frozenset({place}))


def slices_for(width: int) -> int:
    """One slice of time for each column a full-width chart has."""
    return max(20, min(240, width - _AXIS_COLUMNS))


def any_activity(snapshot: Snapshot) -> bool:
    """True when something happened within the window."""
    view = snapshot.view
    return bool(view.total_requests or view.total_tool_calls or view.total_errors or view.unattributed_tokens)


def footer_keys(place: Place) -> list[tuple[str, str, str]]:
    """Key, word and action of what the footer shows."""
    return [(command.key_text, command.word, command.action) for command in footer_at(place)]


def maximize_panel(screen: Screen[object]) -> None:
    """Give the panel that holds the focused widget the whole screen."""
    widget: Widget | None = screen.focused
    while widget is not None and not isinstance(widget, Panel):
        widget = widget.parent if isinstance(widget.parent, Widget) else None
    if widget is not None:
        screen.maximize(widget, container=False)


def windows_line(chosen: Window) -> list[tuple[str, bool]]:
    """The windows in their order, and whether each is the chosen one."""
    return [(window.value, window is chosen) for window in Window]
