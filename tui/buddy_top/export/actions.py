"""What `y`, `Y` and `x` do: from the selection to the clipboard, from the pane to a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.safety.text import Plain, plain

if TYPE_CHECKING:
    from buddy_top.export.sheet import Sheet
    from buddy_top.frame.workspace import Workspace

MOST_COPIED = 64 * 1024
"""Characters put on the clipboard: terminals cut or refuse longer ones."""


def copy_selection(app: Workspace, *, whole: bool) -> None:
    """Send the selection to the terminal's clipboard (OSC 52) and say so."""
    text = app.visible_pane.copied(app.focused, whole=whole)
    if not text:
        app.footer.say(Plain("nothing is selected"))
        return
    masked = for_clipboard(text)
    app.copy_to_clipboard(masked[:MOST_COPIED])
    words = "copied all of it" if whole else f"copied {masked}"
    if len(masked) > MOST_COPIED:
        words = "copied the beginning: it is too long for a clipboard"
    app.footer.say(plain(words, limit=60))


def for_clipboard(text: str) -> str:
    """`text` without secrets and control characters but line breaks and tabs: it may be pasted into a shell."""
    from buddy_core.safety.redact import redact

    return "".join(sign for sign in redact(text) if sign.isprintable() or sign in "\n\t")


def choose_export(app: Workspace, sheet_of: Callable[[], Sheet | None] | None = None) -> None:
    """Ask for the form, then write the file; nothing is written while read-only.

    `sheet_of` gives what is shown by the time the form is chosen; by default the pane in front is asked.
    """
    from buddy_top.export.place import export_directory
    from buddy_top.screens.menus.export import ExportMenu

    if app.options.read_only:
        app.footer.say(Plain("read-only: nothing is written"))
        return
    directory = export_directory(app.options.export_dir)
    shown = sheet_of or app.visible_pane.sheet

    def write(form: str | None) -> None:
        if form is not None:
            app.run_worker(_write(app, directory, form, sheet_of), group="export")

    app.push_screen(ExportMenu(directory, has_rows=shown() is not None), write)


async def _write(
    app: Workspace, directory: Path, form: str, sheet_of: Callable[[], Sheet | None] | None
) -> None:
    """Have it read, made and written; only a picture of the screen is made where the screen is."""
    from buddy_top.export.place import write_export

    try:
        sheet = await app.visible_pane.whole_sheet() if sheet_of is None else sheet_of()
    except LookupError as error:
        app.footer.say(plain(f"cannot read the rows: {error}", limit=100))
        return
    if form == "svg" or sheet is None:
        text = _picture(app, form)
    else:
        text = await asyncio.to_thread(_sheet_text, form, sheet, app.options.clock.now_ms())
    try:
        path = await asyncio.to_thread(
            write_export, directory, app.place, form, text, now_ms=app.options.clock.now_ms()
        )
    except OSError as error:
        app.footer.say(plain(f"cannot write to {directory}: {error.strerror or error}", limit=100))
        return
    part = f"the first {len(sheet.lines):,} of {sheet.of:,} rows " if sheet is not None and sheet.of else ""
    app.footer.say(plain(f"{part}written to {path}", limit=200))


def _picture(app: Workspace, form: str) -> str:
    if form == "svg":
        from buddy_top.export.picture import masked_picture

        return masked_picture(app.export_screenshot())
    return _whole_picture(app, app.options.clock.now_ms())


def _sheet_text(form: str, sheet: Sheet, now_ms: int) -> str:
    from buddy_top.export import sheet as sheets

    if form == "csv":
        return sheets.as_csv(sheet)
    return sheets.as_markdown(sheet) if form == "md" else sheets.as_document(sheet, now_ms=now_ms)


def _whole_picture(app: Workspace, now_ms: int) -> str:
    from buddy_core.alerts.model import AlertState
    from buddy_top.export.documents import monitor_entry, picture_document, to_text
    from buddy_top.metering.use import own_use

    snapshot = app.snapshot
    if snapshot is None:
        return "{}\n"
    document = picture_document(
        snapshot.view,
        snapshot.state,
        snapshot.recent_errors,
        snapshot.runs,
        snapshot.sources,
        now_ms=now_ms,
        alerts=AlertState(snapshot.alerts, snapshot.budgets),
    )
    use = app.own_use.now or own_use(queue_depth=None, dropped_events=None, picture_ms=None)
    return to_text({**document, "monitor": monitor_entry(use)}) + "\n"
