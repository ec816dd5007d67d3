"""The files of one run as they stand: lines above, the line under the cursor in full below."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.widget import Widget

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.reading.rawfile import RAW_NAMES, RawLine, RawName
from buddy_core.safety.shown import shown, shown_lines
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.messages import WantsChanged
from buddy_top.run_view.part import NO_REMARK, RunPart
from buddy_top.run_view.raw.lines import COLUMNS, LineNumbers, line_cells, whole_line
from buddy_top.state import RawPage, RawSearch, RawWants, RunDetail, RunView, Snapshot, Wants
from buddy_top.widgets.table.table import Table
from buddy_top.widgets.text.lines import Lines
from buddy_top.widgets.text.view import TextView

if TYPE_CHECKING:
    from buddy_top.commands import Need
    from buddy_top.export.sheet import Sheet

_MARGIN, _STEP = 60, 20
"""Lines read beyond those in sight, in steps of so many."""


class RawView(RunPart):
    """`t` goes from file to file; a filter marks its words, `n` and `N` go from line to line that has them all."""

    NAME: ClassVar[RunView] = "raw"

    def __init__(self) -> None:
        super().__init__()
        self.files = Lines(1, classes="raw-files")
        self.table = Table(*COLUMNS)
        self.text = TextView(classes="raw-line")
        self._name: RawName = "events.jsonl"
        self._page: RawPage | None = None
        self._lines: dict[int, RawLine] = {}
        self._asked = (0, 100)
        self._filter = ""
        self._search: RawSearch | None = None
        self._went_to: RawSearch | None = None
        self._run_id: str | None = None

    def compose(self) -> ComposeResult:
        """Names of the files, lines, and one of them in full."""
        yield self.files
        yield self.table
        yield self.text

    @property
    def target(self) -> Widget:
        """The lines."""
        return self.table

    def wants(self, base: Wants) -> Wants:
        """The lines in sight, and a few more."""
        self._asked = self._in_sight()
        if base.run_id != self._run_id:
            self._run_id, self._search = base.run_id, None
        line = self.table.cursor_index
        return replace(base, raw=RawWants(self._name, *self._asked, line, self._search))

    def show_run(self, snapshot: Snapshot, run: RunFacts, detail: RunDetail | None) -> Plain:
        """Draw the lines that were read."""
        page = snapshot.raw
        if page is None or page.run_id != run.run_id or page.wants.name != self._name:
            if self._page is None or self._page.run_id != run.run_id or self._page.wants.name != self._name:
                self._page, self._lines = None, {}
                self._draw(Plain("reading …"))
            return NO_REMARK
        if self._page is None or self._page.run_id != page.run_id or self._page.wants.name != self._name:
            self.table.move_to(0)
        self._page, self._lines = page, {line.number: line for line in page.page}
        self._draw(shown(page.problem) if page.problem else Plain("the file is empty"))
        self._go_to_found(page)
        return self._remark(page)

    def show_nothing(self, words: Plain) -> None:
        """No lines."""
        self._page, self._lines = None, {}
        self._draw(words)

    def _draw(self, empty: Plain) -> None:
        page = self._page
        self._draw_names()
        self.table.set_empty(empty)
        count = 0 if page is None else page.lines
        self.table.set_source(LineNumbers(count), self._cells_at)
        chosen = None if page is None else page.chosen
        self.text.set_lines([] if chosen is None else list(whole_line(chosen)))

    def _draw_names(self) -> None:
        sizes = {} if self._page is None else dict(self._page.sizes)
        spans: list[Span] = []
        for name in RAW_NAMES:
            here, size = name == self._name, sizes.get(name)
            ink = "accent" if here else "label" if size is not None or self._page is None else "dim"
            spans.append(Span(Plain(f"[{name}]" if here else f" {name} "), ink))
            told = fmt.bytes_(size) if size is not None else "not there" if self._page is not None else ""
            spans.append(Span(Plain(f" {told}   "), "dim"))
        self.files.set_lines([tuple(spans)])

    def _remark(self, page: RawPage) -> Plain:
        if page.reading:
            return Plain(f"  {fmt.count(page.lines)} lines in {fmt.bytes_(page.read_bytes)} so far …")
        if page.searching:
            return Plain("  searching …")
        if page.wants.search is not None and page.found is None:
            return Plain("  no further line has these words")
        return Plain(f"  {fmt.plural(page.lines, 'line')}") if page.lines else NO_REMARK

    def _cells_at(self, index: int) -> tuple[Cell, ...]:
        line = self._lines.get(index)
        if line is None:
            if self._asked != self._in_sight():
                self.post_message(WantsChanged())
            return ((Span(fmt.count(index + 1), "dim"),), (), (Span(Plain("…"), "dim"),), ())
        return line_cells(line)

    def _in_sight(self) -> tuple[int, int]:
        first = max(0, self.table.top // _STEP * _STEP - _MARGIN)
        return first, self.table.top // _STEP * _STEP + (self.table.page or 40) + _STEP + _MARGIN

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        """Another line is to be shown in full."""
        if event.table is self.table:
            self.post_message(WantsChanged())

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter moves the keyboard into the line."""
        event.stop()
        self.text.focus()

    @property
    def there(self) -> frozenset[Need]:
        """There is more than one file."""
        return frozenset({"ways"})

    def toggle_grouping(self) -> None:
        """The next file."""
        self._name = RAW_NAMES[(RAW_NAMES.index(self._name) + 1) % len(RAW_NAMES)]
        self._page, self._lines, self._search = None, {}, None
        self._draw(Plain("reading …"))
        self.post_message(WantsChanged())

    @property
    def filter_text(self) -> str:
        """What is marked."""
        return self._filter

    def set_filter(self, text: str) -> None:
        """Mark every word of `text`: no line is hidden."""
        self._filter = text
        self.table.highlight_matches(text, each_word=True)
        self.text.highlight_matches(text, each_word=True)

    def jump_match(self, focused: Widget | None, step: int) -> bool:
        """To the next line that has all words; where it is far away that takes a moment."""
        if not self._filter.strip() or self._page is None or not self._page.lines:
            return False
        if focused is self.text:
            return self.text.next_match(step)
        count, at = self._page.lines, self.table.cursor_index + step
        number = 1 if self._search is None else self._search.number + 1
        self._search = RawSearch(
            number, self._filter, at if 0 <= at < count else (0 if step > 0 else count - 1), step
        )
        self.post_message(WantsChanged())
        return True

    def _go_to_found(self, page: RawPage) -> None:
        search = page.wants.search
        if (
            search is not None
            and search == self._search
            and search != self._went_to
            and page.found is not None
        ):
            self._went_to = search
            self.table.move_to(page.found)

    def copied(self, *, whole: bool) -> str:
        """The line under the cursor, secrets masked, as far as it was read."""
        chosen = None if self._page is None else self._page.chosen
        return "" if chosen is None else "\n".join(shown_lines(chosen.text.decode("utf-8", "replace")))

    def sheet(self) -> Sheet | None:
        """The lines in sight, and some around them: a file as a whole is there already."""
        if self._page is None:
            return None
        from buddy_top.export.sheet import Sheet

        lines = [
            (fmt.count(line.number + 1), shown(line.text.decode("utf-8", "replace"), limit=20_000))
            for line in self._page.page
        ]
        records = [
            {"line": line.number + 1, "offset": line.offset, "state": line.state, "text": text}
            for line, (_, text) in zip(self._page.page, lines, strict=True)
        ]
        return Sheet(title="lines", columns=("line", "text"), lines=lines, records=records)
