"""One panel of a pane, for a while, with the whole pane to itself; header, tabs and footer stay."""

from __future__ import annotations

from textual.widget import Widget

from buddy_top.widgets.panel import Panel

ALONE = "-alone"
"""Class of the panel that has the room, and of what it stands in."""

_ASIDE = "-aside"


def is_alone(widget: Widget) -> bool:
    """True when this widget has the pane to itself, so that nothing else needs room."""
    return widget.has_class(ALONE)


def make_alone(widget: Widget | None, pane: Widget) -> None:
    """Give the panel around `widget` the whole of `pane`."""
    node = _panel_around(widget)
    if node is None or pane not in node.ancestors:
        return
    while node is not pane and isinstance(node.parent, Widget):
        node.styles.clear_rule("height")
        node.add_class(ALONE)
        for sibling in node.parent.children:
            sibling.set_class(sibling is not node, _ASIDE)
        node = node.parent


def end_alone(pane: Widget) -> bool:
    """Give everything its room again; False when no panel was alone."""
    changed = [*pane.query(f".{ALONE}"), *pane.query(f".{_ASIDE}")]
    for widget in changed:
        widget.remove_class(ALONE, _ASIDE)
    return bool(changed)


def _panel_around(widget: Widget | None) -> Widget | None:
    while widget is not None and not isinstance(widget, Panel):
        widget = widget.parent if isinstance(widget.parent, Widget) else None
    return widget
