"""A menu of the forms in which what is shown can be written to a file."""

from __future__ import annotations

from pathlib import Path

from buddy_core.safety.text import Plain, plain
from buddy_top.drawing.cells import cut_left
from buddy_top.screens.menus.menu import Choice, Menu

_FORMS = {
    "csv": ("CSV", "the rows, for a spreadsheet"),
    "json": ("JSON", "the rows, for a program"),
    "md": ("Markdown", "the rows, for people"),
    "svg": ("SVG", "the picture of the screen"),
}


class ExportMenu(Menu):
    """Answers with the chosen form, or None."""

    def __init__(self, directory: Path, *, has_rows: bool) -> None:
        forms = _FORMS if has_rows else {"json": ("JSON", "the numbers of this tab"), "svg": _FORMS["svg"]}
        super().__init__(
            Plain(f"Export to {cut_left(plain(str(directory)), 40)}"),
            [Choice(key, Plain(name), Plain(note)) for key, (name, note) in forms.items()],
        )
