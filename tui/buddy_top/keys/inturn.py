"""Keys one after the other: the next is looked at when all that the one before it set going has happened.

Textual sends every key at once to whatever has the keyboard at that moment. A key that brings another pane to the
front, or opens a dialog, takes a while; letters that are typed right behind it would go to the old place, or nowhere.
Keys that only move or write hold nobody up: a hundred of them are obeyed before one picture is drawn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.message import Message
from textual.widgets import Input

ROUNDS = 3
"""So often the way of a key is gone through: what it calls, what is asked for by that, and what comes of it."""

PATIENCE_S = 0.5
"""So long a key may be on its way: a part of the screen that is taken away may take what was sent to it along."""

Typed = events.Key | events.Paste


class Followed(Message, bubble=True):
    """Goes the way of a key right behind it; when it arrives, the key has been obeyed."""

    def __init__(self, number: int, rounds: int) -> None:
        self.number = number
        self.rounds = rounds
        super().__init__()


class InTurn:
    """Holds keys back while a command that was called by another is on its way through `app`.

    Args:
        obey: What the app does with a key.
    """

    def __init__(self, app: App[None], obey: Callable[[Typed], Awaitable[None]]) -> None:
        self._app = app
        self._obey = obey
        self._waiting: deque[Typed] = deque()
        self._number = 0
        self._under_way = True  # the start itself: until the first pane stands there is nothing to obey a key
        self._alarm: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """The first pane stands: what was typed until now is obeyed."""
        self._app.post_message(Followed(self._number, 1))

    async def take(self, key: Typed) -> None:
        """Obey it now, or after those before it."""
        self._waiting.append(key)
        if not self._under_way:
            await self._next()

    async def arrived(self, message: Followed) -> None:
        """The key has gone its way; while others wait, what it has set going is followed too."""
        message.stop()
        if message.number != self._number:
            return  # it was given up
        if self._waiting and message.rounds > 1:
            self._follow(message.rounds - 1)
        else:
            await self._next()

    async def _next(self) -> None:
        self._number += 1
        self._under_way = False
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        while self._waiting and not self._under_way:
            key = self._waiting.popleft()
            self._under_way = self._calls_a_command(key)
            await self._obey(key)
            if self._under_way:
                self._alarm = asyncio.get_running_loop().call_later(PATIENCE_S, self._give_up, self._number)
                self._follow(ROUNDS)

    def _calls_a_command(self, key: Typed) -> bool:
        """Is it a key of the app or of the dialog on top, and no letter of what is written?"""
        app = self._app
        if isinstance(key, events.Paste) or (key.is_printable and isinstance(app.focused, Input)):
            return False
        return any(key.key in one._bindings.key_to_bindings for one in (app, app.screen))

    def _follow(self, rounds: int) -> None:
        """Send a message to where keys go now: it comes behind whatever is still to be done there."""
        target = self._app.focused or self._app.screen
        if not target.post_message(Followed(self._number, rounds)):
            self._app.post_message(Followed(self._number, 1))

    def _give_up(self, number: int) -> None:
        self._app.post_message(Followed(number, 1))
