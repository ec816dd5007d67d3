"""The command palette: every command that works here, and every run by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.css.styles import RenderStyles, Styles
from textual.events import Click
from textual.fuzzy import Matcher

from buddy_core.safety.shown import shown
from buddy_top.commands import commands_at
from buddy_top.drawing.cells import cut_right
from buddy_top.messages import OpenRun

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.style import Style
    from textual.worker import Worker

    from buddy_core.runs.facts import RunFacts
    from buddy_top.app import BuddyTop

_LONGEST_NAME = 80
"""Columns of an objective that are shown, and searched."""

_MOST_RUNS = 50
"""Hits listed for one query; typing on narrows them."""


_NEWEST_RUNS = 1_000
"""Runs whose names are compared letter by letter for each key; all others are looked up."""

_TYPING_S = 0.05
"""So long nothing is typed before runs are looked up."""

_LEAST_SCORE = 0.01
"""Of a run whose name does not match, but what else is known of it."""


class HitList(CommandList):
    """Textual's list of hits; a click on one that has been replaced meanwhile chooses nothing."""

    def _on_click(self, event: Click) -> None:  # type: ignore[override]
        """What was clicked is a number in the list that was on the screen: in a shorter one it means nothing."""
        option = event.style.meta.get("option")
        if option is not None and option >= self.option_count:
            event.prevent_default()


class Palette(CommandPalette):
    """Textual's palette, less its crashes when a hit, a click or a key arrives behind what changes or leaves it.

    Its private `_gather_commands` is overridden; checked against textual 8.2.8.
    """

    def compose(self) -> ComposeResult:
        """What Textual's consists of, with a list of hits that minds what it lists."""
        for widget in super().compose():
            yield HitList() if isinstance(widget, CommandList) else widget

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Leave, once: a click and a key that do are both on their way before either is heeded, as in a `Card`."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()

    def get_component_styles(self, *names: str) -> RenderStyles:
        """How a part of it looks; a palette that is gone has no looks, and draws nothing with them."""
        try:
            return super().get_component_styles(*names)
        except KeyError:
            if self.is_attached:
                raise
            return RenderStyles(self, Styles(), Styles())

    def _gather_commands(self, search_value: str) -> Worker[None] | None:  # type: ignore[override]
        return super()._gather_commands(search_value) if self in self.app.screen_stack else None


class Entry(NamedTuple):
    """One thing the palette can do."""

    name: str
    help: str
    run: Callable[[], object]


class _EntryProvider(Provider):
    """Fuzzy search over entries; names are shown as text, never read as markup."""

    @property
    def monitor(self) -> BuddyTop:
        """The running monitor."""
        return self.app  # type: ignore[return-value]

    def entries(self) -> Iterable[Entry]:
        """What there is to find."""
        return ()

    async def discover(self) -> Hits:
        """Everything, before a word is typed."""
        for entry in self.entries():
            yield DiscoveryHit(Content(entry.name), entry.run, text=entry.name, help=entry.help)

    async def search(self, query: str) -> Hits:
        """The entries whose name matches."""
        matcher = self.matcher(query)
        found = 0
        for entry in self.entries():
            score = matcher.match(entry.name)
            if score > 0 and found < _MOST_RUNS:
                found += 1
                yield Hit(
                    score, _highlighted(entry.name, matcher), entry.run, text=entry.name, help=entry.help
                )


def _highlighted(name: str, matcher: Matcher) -> Content:
    """What `matcher.highlight` does, without reading the name as markup: it may be the objective of a run."""
    content = Content(name)
    _, offsets = matcher.fuzzy_search.match(matcher.query, name)
    for offset in offsets:
        end = offset + 1
        while end < len(name) and cell_len(name[end]) == 0:
            end += 1  # an accent stays with its letter
        content = content.stylize(matcher.match_style, offset, end)
    return content


class RegistryProvider(_EntryProvider):
    """The commands of the place one is at."""

    def entries(self) -> Iterable[Entry]:
        """Those that make sense without a cursor."""
        app = self.monitor
        for command in commands_at(app.place, app.registry):
            if command.palette:
                name = f"{command.word[0].upper()}{command.word[1:]} ({command.key_text})"
                yield Entry(name, command.help, partial(app.run_action, command.action))


class RunsProvider(_EntryProvider):
    """Every run: the newest by the letters of their objectives, all others by words that are known of them."""

    def entries(self) -> Iterable[Entry]:
        """The newest, newest first."""
        snapshot = self.monitor.snapshot
        runs = snapshot.runs[:_NEWEST_RUNS] if snapshot is not None else ()
        return (self._entry(run.run_id, run.objective) for run in runs)

    async def search(self, query: str) -> Hits:
        """The newest whose names match, then those that were found."""
        listed = set()
        async for hit in super().search(query):
            listed.add(hit.help)
            yield hit
        matcher = self.matcher(query)
        for run in await self._found(query):
            entry = self._entry(run.run_id, run.objective)
            if run.run_id not in listed and len(listed) < _MOST_RUNS:
                listed.add(run.run_id)
                score = max(matcher.match(entry.name), _LEAST_SCORE)
                yield Hit(
                    score, _highlighted(entry.name, matcher), entry.run, text=entry.name, help=entry.help
                )

    async def _found(self, query: str) -> Sequence[RunFacts]:
        await asyncio.sleep(_TYPING_S)  # whoever types on ends this
        try:
            return await asyncio.wrap_future(self.monitor.feed.find_runs(query))
        except LookupError:
            return ()

    def _entry(self, run_id: str, objective: str) -> Entry:
        # Cut when it is printable: a letter with 800 accents must not hide the words behind it.
        name = cut_right(shown(objective or run_id), _LONGEST_NAME)
        return Entry(name, run_id, partial(self.monitor.post_message, OpenRun(run_id)))

    async def discover(self) -> Hits:
        """Runs appear once one types: there may be a hundred thousand."""
        return
        yield


class MonitorProvider(Provider):
    """Commands, then runs. In one: several are asked in an order that chance decides, and so is what stands first."""

    def __init__(self, screen: Screen[Any], match_style: Style | None = None) -> None:
        super().__init__(screen, match_style)
        self._parts = (RegistryProvider(screen, match_style), RunsProvider(screen, match_style))

    async def discover(self) -> Hits:
        """What each of them shows before a word is typed."""
        for part in self._parts:
            async for hit in part.discover():
                yield hit

    async def search(self, query: str) -> Hits:
        """What each of them finds."""
        for part in self._parts:
            async for hit in part.search(query):
                yield hit
