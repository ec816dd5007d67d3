"""Pages are made elsewhere: one at a time in a thread, and next always the one that was wished for last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from textual.widget import Widget

from buddy_top.artifacts.making import Request, make_page
from buddy_top.artifacts.page import Page

WORKERS = "artifact"
"""Group of the workers that read and lay out; there is at most one."""


class PageMaker:
    """The page that was made last, and the wish for the next one. Its workers end with the `view` they work for.

    `show` is given every page that has been made, and whether it is of the same text, looked at the same way, as
    the one before.
    """

    def __init__(self, view: Widget, show: Callable[[Page, bool], None]) -> None:
        self._view = view
        self._show = show
        self._wanted: Request | None = None
        self._made: tuple[Request, Page] | None = None
        self._busy = False

    def page_of(self, run_dir: Path | None, name: str | None) -> Page | None:
        """What was made of this artifact; None while it is read."""
        made = self._made
        return made[1] if made is not None and (made[0].run_dir, made[0].name) == (run_dir, name) else None

    def forget(self) -> None:
        """Nothing is wished for any more."""
        self._wanted = self._made = None

    def want(self, request: Request) -> None:
        """Have it made, unless it has been; of an artifact of which more was read already as much again."""
        before = self._wanted
        if before is not None and (before.run_dir, before.name) == (request.run_dir, request.name):
            request = replace(request, limit=before.limit)
        self._make_next(request)

    def read_on(self) -> None:
        """Have twice as much of the same artifact read, where there is more."""
        if self._made is not None and self._made[1].more and self._made[0] == self._wanted:
            self._make_next(replace(self._made[0], limit=2 * self._made[0].limit))

    def _make_next(self, request: Request) -> None:
        self._wanted = request
        if not self._busy and (self._made is None or self._made[0] != request):
            self._busy = True
            self._view.run_worker(self._make(), group=WORKERS)

    async def _make(self) -> None:
        try:
            while (request := self._wanted) is not None and (self._made is None or self._made[0] != request):
                page = await asyncio.to_thread(make_page, request)
                before, self._made = self._made, (request, page)
                self._show(page, before is not None and _same_text(before[0], request))
        finally:
            self._busy = False


def _same_text(one: Request, other: Request) -> bool:
    return (one.run_dir, one.name, one.raw) == (other.run_dir, other.name, other.raw)
