"""What a run left behind: the list of its artifacts and the text of the chosen one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.widget import Widget

from buddy_core.runs.artifacts import ArtifactInfo, ArtifactText
from buddy_core.runs.model import RunFacts
from buddy_core.safety.shown import shown, shown_lines
from buddy_core.safety.text import Plain
from buddy_top import format as fmt
from buddy_top.cells import Cell, Span, text_of
from buddy_top.messages import WantsChanged
from buddy_top.run_view.part import NO_REMARK, RunPart
from buddy_top.state import RunDetail, RunView, Snapshot, Wants
from buddy_top.widgets.table import Column, Table
from buddy_top.widgets.textview import TextView

if TYPE_CHECKING:
    from buddy_top.export.sheet import Sheet

_COLUMNS = (
    Column("name", Plain("artifact"), 12, grow=1, sortable=False),
    Column("size", Plain("size"), 8, align="right", sortable=False),
)
_LIST_HEIGHT = 7
_NO_RUN = RunDetail(run_id="", rows=(), hidden=0, artifacts=(), accounting=None)


class ArtifactsView(RunPart):
    """A short list above, the text of the artifact under its cursor below."""

    NAME: ClassVar[RunView] = "artifacts"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.table = Table(*_COLUMNS, empty=Plain("this run left no artifacts"), classes="artifact-list")
        self.text = TextView(classes="artifact-text")
        self._infos: tuple[ArtifactInfo, ...] = ()
        self._shown: tuple[tuple[str, ArtifactText] | None, str | None] = (None, None)
        self._name: str | None = None
        self._marked = ""

    def compose(self) -> ComposeResult:
        """List, then text."""
        yield self.table
        yield self.text

    @property
    def chosen(self) -> str | None:
        """The artifact under the cursor."""
        return self.table.cursor_key

    @property
    def filter_text(self) -> str:
        """What is marked in the text."""
        return self._marked

    def set_filter(self, text: str) -> None:
        """Mark every word of `text`: a text is searched, its lines all stay."""
        self._marked = text
        self.text.highlight_matches(text, each_word=True)

    def jump_match(self, focused: Widget | None, step: int) -> bool:
        """To the next match of the text, also while the keyboard is in the list."""
        return self.text.next_match(step)

    def copied(self, *, whole: bool) -> str:
        """The name of the chosen artifact, or its text as far as it was read; its name while there is none.

        Control characters are left out: what was copied may be pasted into a shell.
        """
        artifact, _problem = self._shown
        if whole and artifact is not None and artifact[0] == self.chosen and not artifact[1].binary:
            return "".join(sign for sign in artifact[1].text if sign.isprintable() or sign in "\n\t")
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

    @property
    def target(self) -> Widget:
        """The list."""
        return self.table

    def wants(self, base: Wants) -> Wants:
        """The text of the chosen artifact."""
        return replace(base, artifact=self.chosen)

    def show_run(self, snapshot: Snapshot, run: RunFacts, detail: RunDetail | None) -> Plain:
        """Draw what the run left, once it was looked for."""
        if detail is not None:
            self.show(detail)
            if self.chosen != snapshot.wants.artifact:
                self.post_message(WantsChanged())
        return NO_REMARK

    def show_nothing(self, words: Plain) -> None:
        """No artifacts and no text."""
        self.show(_NO_RUN)

    def show(self, detail: RunDetail) -> None:
        """List the artifacts and draw the text when it is the chosen one's."""
        self._infos = detail.artifacts
        self.table.styles.height = min(_LIST_HEIGHT, max(2, len(self._infos) + 1))
        self.table.set_source([info.name for info in self._infos], self._cells_at)
        shown = (detail.artifact, detail.problem)
        if shown != self._shown:
            same = detail.artifact is not None and self._name == detail.artifact[0]
            self._shown, self._name = shown, detail.artifact[0] if detail.artifact is not None else None
            self.text.set_lines(_lines(detail), keep_scroll=same)

    def _cells_at(self, index: int) -> tuple[Cell, ...]:
        info = self._infos[index]
        return ((Span(shown(info.name)),), (Span(fmt.bytes_(info.size), "label"),))

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        """Another artifact: its text has to be read."""
        if event.table is self.table:
            self.post_message(WantsChanged())

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter moves the keyboard into the text."""
        event.stop()
        self.text.focus()


def _lines(detail: RunDetail) -> list[Cell]:
    """The text, or why there is none."""
    if detail.artifact is not None:
        return list(_text_lines(detail.artifact))
    return [(Span(shown(detail.problem), "warn"),)] if detail.problem else []


def _text_lines(artifact: tuple[str, ArtifactText]) -> Iterable[Cell]:
    name, content = artifact
    if content.binary:
        yield (Span(Plain(f"binary, {fmt.bytes_(content.size)}: not shown"), "dim"),)
        return
    is_diff = name.endswith((".diff", ".patch"))
    is_markdown = name.endswith((".md", ".markdown"))
    for line in shown_lines(content.text):
        yield (Span(line, _diff_ink(line) if is_diff else _markdown_ink(line) if is_markdown else "value"),)
    if content.truncated:
        yield (Span(Plain(f"… cut: the whole file has {fmt.bytes_(content.size)}"), "warn"),)


def _diff_ink(line: str) -> str:
    if line.startswith(("+++", "---", "diff ", "index ")):
        return "strong"
    if line.startswith("@@"):
        return "accent"
    return "ok" if line.startswith("+") else "bad" if line.startswith("-") else "label"


def _markdown_ink(line: str) -> str:
    return "strong" if line.startswith("#") else "accent" if line.startswith("```") else "value"
