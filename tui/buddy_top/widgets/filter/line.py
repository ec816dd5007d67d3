"""The line one types a filter into; it stays in sight as long as a filter is in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from rich.style import Style
from textual import on
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from buddy_core.safety.text import Plain
from buddy_top.commands import FILTERING
from buddy_top.drawing.cells import Span
from buddy_top.widgets.filter.past import FilterPast

if TYPE_CHECKING:
    from buddy_top.listing.filter_advice import Adviser
    from buddy_top.widgets.filter.advice import AdviceLine
    from buddy_top.widgets.filter.field import FilterField
    from buddy_top.widgets.text.lines import Lines

WORDS_HINT = "words that must all occur"

REST_S = 0.3
"""What may be the beginning of a field or a name changes the list once the typing has rested so long."""


class FilterLine(Vertical):
    """`/` and a text field, hidden while there is nothing to show; with an adviser a line of advice above it.

    The list follows the text only while all of it means something. What it consists of is made when it is first
    used, for most who watch filter nothing.
    """

    DEFAULT_CSS = """
    FilterLine { height: auto; display: none; }
    FilterLine.-shown { display: block; }
    FilterLine Horizontal { height: 1; }
    FilterLine Lines { width: 3; }
    FilterLine FilterField { width: 1fr; }
    FilterLine AdviceLine { display: none; }
    FilterLine.-advised AdviceLine { display: block; }
    """

    class Changed(Message):
        """Another text is in force."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Closed(Message):
        """The keyboard goes back to the rows."""

    class KeysChanged(Message):
        """Other keys do something in the line, or it has got or lost the keyboard."""

    class Attended(Message):
        """It has got or lost the keyboard, so that names to complete with are needed, or no longer."""

    sign: Lines
    advice_line: AdviceLine
    field: FilterField

    def __init__(self) -> None:
        super().__init__()
        self._built = False
        self._adviser: Adviser | None = None
        self._chosen = 0
        self._folded = False  # the ways to go on were closed, until another letter is typed
        self._seen: tuple[str, int | None] = ("", None)
        self._in_force = ""
        self._resting: Timer | None = None
        self._past = FilterPast()
        self._ids: tuple[str, ...] = ()

    async def _build(self) -> None:
        """The advice, and below it the sign and the field."""
        from buddy_top.listing.filter_advice import Advice
        from buddy_top.widgets.filter.advice import AdviceLine
        from buddy_top.widgets.filter.field import FilterField
        from buddy_top.widgets.text.lines import Lines

        self._advice = self._no_advice = Advice()
        self.sign, self.advice_line, self.field = Lines(1), AdviceLine(), FilterField(self, WORDS_HINT)
        self.sign.set_lines([(Span(Plain(" /"), "accent"),)])
        self._built = True  # before anything waits: nobody builds it a second time
        await self.mount(self.advice_line, Horizontal(self.sign, self.field))

    # What the workspace does with it

    @property
    def editing(self) -> bool:
        """True while the keyboard is in it."""
        return self._built and self.field.has_focus

    @property
    def completing(self) -> bool:
        """True while the names that are there help with what is typed."""
        return self.editing and self._adviser is not None

    @property
    def text(self) -> str:
        """What stands in it, whether it is in force or not."""
        return self.field.value if self._built else ""

    @property
    def keys(self) -> tuple[tuple[str, str, str], ...]:
        """Key, word and action of what can be done in it, for the footer."""
        return tuple((one.key, one.word, one.action) for one in FILTERING if one.id in self._ids)

    async def edit(self) -> None:
        """Show the line and give it the keyboard."""
        if not self._built:
            await self._build()
            self.look()
        self.add_class("-shown")
        self.set_class(self._adviser is not None, "-advised")  # with the line: the list moves once
        self.screen.set_focus(self.field)  # at once: the next letter may be here already

    def serve(self, place: str, text: str, adviser: Adviser | None) -> None:
        """Hold the filter of another place: what was typed there and is not in force yet comes back."""
        self._past.leave(self.text if self._built and not self._advice.good else "")
        self._adviser = adviser
        draft = self._past.arrive(place)
        self.hold(draft or text)
        self._in_force = text

    def hold(self, text: str) -> None:
        """Show what filter is in force without giving it the keyboard; an empty one hides the line."""
        if not self._built:
            return  # nothing was ever typed
        self._stop_resting()
        self._in_force = text
        with self.prevent(Input.Changed):
            self.field.value = text
        self.field.cursor_position = len(text)
        self.set_class(bool(text) or self.editing, "-shown")
        self.look()

    def look(self) -> None:
        """Say what is to be said of the text as it stands."""
        cursor = self.field.cursor_position if self.editing else None
        seen = (self.field.value, cursor)
        advice = self._adviser(*seen) if self._adviser is not None else self._no_advice
        if seen[0] != self._seen[0]:
            self._folded = False
        if self._folded:
            advice = replace(advice, choices=(), begin=0, end=0)
        if advice.choices != self._advice.choices:
            self._chosen = 0
        self._seen, self._advice = seen, advice
        self._show()

    # What its own keys do

    def accept(self, choice: int | None = None) -> bool:
        """Take a way to go on, the chosen one if none is named; False where there never is one."""
        advice = self._advice
        if advice.choices:
            text = advice.choices[self._chosen if choice is None else choice].text
            behind = max(0, self.field.cursor_position - advice.end)
            self.field.replace(text, advice.begin, advice.end)
            self.field.cursor_position = advice.begin + len(text) + behind
        return self._adviser is not None

    def step(self, step: int) -> None:
        """Through the filters of before, or among the ways to go on; where there are none, to the rows."""
        found = self._past.step(self.field.value, step)
        if found is not None:
            self.field.value = found
            self.field.cursor_position = len(found)
            self.look()
            self._folded = True  # up and down go on through the filters of before
            self.look()
        elif self._advice.choices:
            self._chosen = (self._chosen + step) % len(self._advice.choices)
            self._show()
        else:
            self._leave()

    def escape(self) -> None:
        """Close the ways to go on of what was typed; else clear, and leave."""
        if self._advice.choices and self.field.value:
            self._folded = True
            self.look()
            return
        self.field.value = ""
        self._apply("")
        self._leave()

    def _leave(self) -> None:
        self.post_message(self.Closed())

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.look()
        self._stop_resting()
        if self._advice.good and self._advice.unfinished:
            self._resting = self.set_timer(REST_S, self._rested)
        elif self._advice.good:
            self._apply(self.field.value)
        elif len(self._in_force) > self._advice.before and event.value.startswith(self._in_force):
            self._take_back(event.value[: self._advice.before])

    def _take_back(self, text: str) -> None:
        """What is wrong began as a word, and the list followed it: back to what it was before."""
        if self._adviser is not None and self._adviser(text, None).good:
            self._apply(text)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._adviser is not None and not (said := self._adviser(self.field.value, None)).good:
            self._seen, self._advice = (self.field.value, None), said
            self._show()
            return
        self._rested()
        self._past.keep(self.field.value)
        self._leave()

    def on_advice_line_clicked(self, event: AdviceLine.Clicked) -> None:
        """Take the way to go on that was clicked."""
        event.stop()
        self.field.focus()
        self.accept(event.choice)

    def on_descendant_focus(self) -> None:
        """The keyboard is here: other keys, and names to complete with."""
        self._attended()

    def on_descendant_blur(self) -> None:
        """The keyboard is elsewhere: what was typed takes effect, as far as it means something."""
        if self._resting is not None:
            self._rested()
        self.set_class(bool(self.field.value), "-shown")
        self._attended()

    def _attended(self) -> None:
        self.look()
        self.post_message(self.KeysChanged())
        if self._adviser is not None:
            self.post_message(self.Attended())

    def _rested(self) -> None:
        self._stop_resting()
        if self._adviser is None or self._advice.good:
            self._apply(self.field.value)

    def _stop_resting(self) -> None:
        if self._resting is not None:
            self._resting.stop()
            self._resting = None

    def _apply(self, text: str) -> None:
        self._stop_resting()
        if text != self._in_force:
            self._in_force = text
            self.post_message(self.Changed(text))

    # How it looks

    def _show(self) -> None:
        self.set_class(self._adviser is not None and (self.editing or not self._advice.good), "-advised")
        self.advice_line.set_advice(self._advice, self._chosen)
        ink = self.sign.ink("bad")
        self.field.mark(self._advice.wrong, Style(color=ink.color, underline=True))
        ids = self._ids_now()
        if ids != self._ids:
            self._ids = ids
            self.post_message(self.KeysChanged())

    def _ids_now(self) -> tuple[str, ...]:
        """The ids of what its keys do now, in the order of the footer."""
        ids: list[str] = []
        if self._advice.choices:
            ids = ["complete", "choose"]
        if self._past.any and (not self.field.value or self._past.browsing(self.field.value)):
            ids.append("earlier")
        return (*ids, "keep", "clear")
