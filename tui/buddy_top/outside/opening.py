"""`o` and `O`: the text on the screen in the user's pager or editor, and what became of it in the footer."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from buddy_core.errors import BuddyError
from buddy_core.safety.text import Plain, plain
from buddy_top.outside.copies import named_copy, nameless_copy, remove_copy
from buddy_top.outside.handover import QUICK_S, hand_over
from buddy_top.outside.programs import Kind, Program, find_program

if TYPE_CHECKING:
    from buddy_top.frame.workspace import Workspace

GROUP = "outside"
"""Group of the worker that waits for the program; there is at most one."""


def open_outside(app: Workspace, kind: Kind) -> None:
    """Open the text that is on the screen, or say why that cannot be."""
    opened = None if app.run_page is None else app.run_page.detail.part.opened
    program = find_program(kind, os.environ)
    if opened is None:
        app.footer.say(Plain("there is no text here to open"))
    elif kind == "editor" and app.options.read_only:
        app.footer.say(Plain("read-only: no copy is written for an editor; o opens the pager"))
    elif not isinstance(program, Program):
        app.footer.say(program)
    elif not any(worker.group == GROUP and not worker.is_finished for worker in app.workers):
        app.run_worker(_open(app, kind, program, *opened), group=GROUP)


async def _open(app: Workspace, kind: Kind, program: Program, run_dir: Path, name: str) -> None:
    try:
        code = await (_page if kind == "pager" else _edit)(app, program, run_dir, name)
    except SuspendNotSupported:
        app.footer.say(Plain("this terminal cannot be handed to another program"))
    except (OSError, BuddyError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        app.footer.say(plain(f"{program.called} cannot be opened: {reason}", limit=120))
    else:
        app.footer.say(_became(program, code))


async def _page(app: Workspace, program: Program, run_dir: Path, name: str) -> int:
    app.footer.say(Plain(f"opening {program.called} …"))
    with await asyncio.to_thread(nameless_copy, run_dir, name) as text:
        return await hand_over(app, program.argv, text=text)


async def _edit(app: Workspace, program: Program, run_dir: Path, name: str) -> int:
    app.footer.say(Plain(f"opening {program.called} …"))
    copy = await asyncio.to_thread(named_copy, run_dir, name)
    begun = time.monotonic()
    kept = False
    try:
        code = await hand_over(app, (*program.argv, str(copy)))
        kept = code == 0 and time.monotonic() - begun < QUICK_S
        return code
    finally:
        if kept:  # it has a window of its own, and may not have read the file yet
            app.at_end.append(lambda: remove_copy(copy))
        else:
            remove_copy(copy)


def _became(program: Program, code: int) -> Plain:
    if code == 0:
        return Plain(f"back from {program.called}: it had a copy, the artifact is as it was")
    told = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return Plain(f"{program.called} {told}")
