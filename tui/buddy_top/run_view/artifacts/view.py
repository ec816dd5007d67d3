"""What a run left behind: the list of its artifacts and, below, the text of the chosen one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from buddy_core.runs.artifacts.files import MAX_LISTED, ArtifactInfo
from buddy_core.runs.artifacts.kinds import kind_of_name
from buddy_core.runs.facts import RunFacts
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain, plain
from buddy_top.artifacts.making import Request
from buddy_top.artifacts.page import Page
from buddy_top.artifacts.pageview import PageView
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span, spread, text_of
from buddy_top.messages import KeysChanged
from buddy_top.run_view.artifacts.reading import PageMaker
from buddy_top.run_view.part import NO_REMARK, RunPart
from buddy_top.state import RunDetail, RunView, Snapshot
from buddy_top.widgets.table.table import Column, Table
from buddy_top.widgets.text.lines import Lines

if TYPE_CHECKING:
    from buddy_top.commands import Need
    from buddy_top.export.sheet import Sheet

_COLUMNS = (
    Column("name", Plain("artifact"), 12, grow=1, sortable=False),
    Column("kind", Plain("kind"), 8, sortable=False, priority=2),
    Column("size", Plain("size"), 8, align="right", sortable=False),
    Column("time", Plain("written"), 11, align="right", sortable=False, priority=1),
)
_LEAST_LIST, _LIST_HEIGHT = 4, 7
"""Lines of the list with its header: a quarter of the room, within these."""


class ArtifactsView(RunPart):
    """A short list above, the text of the artifact under its cursor below; the text is made in a thread."""

    NAME: ClassVar[RunView] = "artifacts"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.table = Table(*_COLUMNS, empty=Plain("this run left no artifacts"), classes="artifact-list")
        self.heading = Lines(1, classes="artifact-heading")
        self.text = PageView(classes="artifact-text")
        self._infos: tuple[ArtifactInfo, ...] = ()
        self._run_dir: Path | None = None
        self._taken_at = 0
        self._raw = False
        self._pages = PageMaker(self, self._show_page)
        self._marked = ""

    def compose(self) -> ComposeResult:
        """List, a line about the text, the text."""
        yield self.table
        yield self.heading
        yield self.text

    @property
    def target(self) -> Widget:
        """The list."""
        return self.table

    @property
    def chosen(self) -> str | None:
        """The artifact under the cursor."""
        return self.table.cursor_key

    @property
    def page(self) -> Page | None:
        """What is on the screen of the chosen artifact; None while it is read."""
        return self._pages.page_of(self._run_dir, self.chosen)

    @property
    def opened(self) -> tuple[Path, str] | None:
        """The chosen artifact, where it is a text."""
        page = self.page
        if self._run_dir is None or self.chosen is None or page is None or not page.readable:
            return None
        return self._run_dir, self.chosen

    @property
    def there(self) -> frozenset[Need]:
        """A text that another program could show, and failures in it."""
        found: set[Need] = set()
        page = self.page
        if page is not None and page.readable:
            found.add("text")
        if page is not None and page.body.marks:
            found.add("failures")
        return frozenset(found)

    # What it shows

    def show_run(self, snapshot: Snapshot, run: RunFacts, detail: RunDetail | None) -> Plain:
        """List what the run left, and have the text of the chosen one read if that has changed."""
        if detail is not None:
            self._run_dir = snapshot.runs_place / run.run_id
            self._taken_at = snapshot.taken_at
            self._list(detail.artifacts)
            if len(detail.artifacts) >= MAX_LISTED:
                return Plain(f"  {MAX_LISTED:,} are listed, and there may be more")
        return NO_REMARK

    def show_nothing(self, words: Plain) -> None:
        """No artifacts and no text."""
        self._run_dir = None
        self._list(())

    def _list(self, infos: tuple[ArtifactInfo, ...]) -> None:
        self._infos = infos
        room = max(self.size.height // 4, _LEAST_LIST)
        self.table.styles.height = min(room, _LIST_HEIGHT, max(2, len(infos) + 1))
        self.table.set_source([info.name for info in infos], self._cells_at)
        self._want()

    def _cells_at(self, index: int) -> tuple[Cell, ...]:
        info = self._infos[index]
        return (
            (Span(shown(info.name, limit=300)),),
            (Span(plain(kind_of_name(info.name)), "dim"),),
            (Span(fmt.bytes_(info.size), "label"),),
            (Span(fmt.date_time(info.modified_at, self._taken_at), "dim"),),
        )

    def on_resize(self) -> None:
        """Give the list its part of the new room."""
        self._list(self._infos)

    # Reading, elsewhere

    def _want(self) -> None:
        """Ask for the page that belongs to what is chosen, how wide it is and how it is looked at."""
        info = next((info for info in self._infos if info.name == self.chosen), None)
        if info is None or self._run_dir is None:
            self._pages.forget()
            self.heading.set_lines([])
            self.text.set_lines([], keep_scroll=False)
            return
        if not self.text.room:
            return
        request = Request(
            self._run_dir, info.name, info.size, info.modified_at, self.text.room, raw=self._raw
        )
        self._pages.want(request)

    def _show_page(self, page: Page, same: bool) -> None:
        """It has been made; by now another artifact may be chosen."""
        if page is self.page:
            self.text.set_body(page.body, keep_scroll=same)
            self._mark(go=not same)
            self._show_heading()
            self.post_message(KeysChanged())

    def _show_heading(self) -> None:
        """Name and summary of the text, and what can be done with it."""
        page, width = self.page, self.heading.size.width - 2
        if page is None or width <= 0:
            return
        found = len(self.text.matching_lines()) if self._marked else None
        words = [page.body.summary] if page.body.summary else []
        words += [fmt.plural(found, "matching line")] if found is not None else []
        ways = ("J rendered" if page.raw else "J raw") if page.two_ways else ""
        left = (
            Span(Plain(" ")),
            Span(shown(self.chosen or "", limit=300), "strong"),
            Span(Plain(f"  {' · '.join(words)}"), "label"),
        )
        right = " · ".join(way for way in (ways, "o pager" if page.readable else "") if way)
        self.heading.set_lines([spread(left, (Span(Plain(right), "dim"),), width + 1)])

    # What can be done with it

    @on(PageView.EndReached)
    def _read_on(self) -> None:
        """Scrolled to the end of a part: twice as much is read."""
        self._pages.read_on()

    @on(PageView.WidthChanged)
    def _lay_out_anew(self) -> None:
        self._want()
        self._show_heading()

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        """Another artifact: its text has to be read."""
        if event.table is self.table:
            self._want()

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter moves the keyboard into the text."""
        event.stop()
        self.text.focus()

    def open_raw(self) -> None:
        """Rendered, or the text as it stands."""
        self._raw = not self._raw
        self._want()

    def jump_error(self, step: int) -> bool:
        """To the next line of a log that tells of an error."""
        page = self.page
        marks = page.body.marks if page is not None else ()
        top = self.text.top
        later = [mark for mark in marks if (mark > top if step > 0 else mark < top)]
        return bool(later) and self.text.set_top(later[0] if step > 0 else later[-1])

    @property
    def filter_text(self) -> str:
        """What is searched for in the text."""
        return self._marked

    def set_filter(self, text: str) -> None:
        """Mark every word of `text` and go to the first: a text is searched, its lines all stay."""
        self._marked = text
        self._mark(go=True)
        self._show_heading()

    def _mark(self, *, go: bool) -> None:
        self.text.highlight_matches(self._marked, each_word=True)
        found = self.text.matching_lines() if self._marked and go else ()
        if found:
            self.text.set_top(found[0])

    def jump_match(self, focused: Widget | None, step: int) -> bool:
        """To the next match of the text, also while the keyboard is in the list."""
        return self.text.next_match(step)

    def copied(self, *, whole: bool) -> str:
        """The name of the chosen artifact, or its text as far as it was read; its name while there is none."""
        page = self.page
        if whole and page is not None and page.text:
            return page.text
        return self.chosen or ""

    def sheet(self) -> Sheet:
        """The list, with the text of the chosen one as far as it is on the screen."""
        from buddy_core.runs.viewing.entries import fields_of
        from buddy_top.export.sheet import Sheet

        text = self.copied(whole=True)
        has_text = text != self.chosen
        return Sheet(
            title="artifacts",
            columns=[column.title or column.key for column in _COLUMNS],
            lines=[[text_of(cell) for cell in self._cells_at(index)] for index in range(len(self._infos))],
            records=[
                {**fields_of(info), "text": text if has_text and info.name == self.chosen else None}
                for info in self._infos
            ],
        )
