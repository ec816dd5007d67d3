"""Keys are read when they come, an escape alone is told apart from a sequence, and nothing wakes in between."""

from __future__ import annotations

import os
import queue
import selectors
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from textual.events import Key
from textual.message import Message

from buddy_top.terminal.keyboard import Bell, read_keys


@contextmanager
def keyboard() -> Iterator[tuple[int, queue.Queue[Message], Bell, threading.Thread]]:
    """A pipe that is typed into, and the thread that reads it."""
    screen_end, typing_end = os.pipe()
    told: queue.Queue[Message] = queue.Queue()
    ended = Bell()
    thread = threading.Thread(target=read_keys, args=(screen_end, ended, told.put), daemon=True)
    thread.start()
    try:
        yield typing_end, told, ended, thread
    finally:
        ended.set()
        thread.join(timeout=10)
        assert not thread.is_alive()
        os.close(screen_end)
        os.close(typing_end)


def next_key(told: queue.Queue[Message]) -> str:
    message = told.get(timeout=10)
    assert isinstance(message, Key)
    return message.key


def test_a_key_is_told_as_soon_as_it_is_pressed() -> None:
    with keyboard() as (typing_end, told, _, _):
        os.write(typing_end, b"q")
        assert next_key(told) == "q"


def test_an_escape_alone_is_a_key_after_a_moment() -> None:
    with keyboard() as (typing_end, told, _, _):
        os.write(typing_end, b"\x1b")
        assert next_key(told) == "escape"


def test_a_sequence_and_a_character_may_come_in_two_pieces() -> None:
    with keyboard() as (typing_end, told, _, _):
        os.write(typing_end, b"\x1b[")
        os.write(typing_end, b"A")
        assert next_key(told) == "up"
        os.write(typing_end, "é".encode()[:1])
        os.write(typing_end, "é".encode()[1:])
        assert next_key(told) == "é"


def test_reading_ends_when_the_bell_rings_though_nothing_is_typed() -> None:
    with keyboard() as (_, _, ended, thread):
        ended.set()
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_a_terminal_that_is_gone_ends_the_reading_instead_of_spinning() -> None:
    screen_end, typing_end = os.pipe()
    os.close(typing_end)
    read_keys(screen_end, Bell(), lambda _: None)
    os.close(screen_end)


def test_while_nothing_is_typed_the_reader_sleeps_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: queue.Queue[float | None] = queue.Queue()
    select = selectors.SelectSelector.select

    def noted(self: selectors.SelectSelector, timeout: float | None = None) -> object:
        waits.put(timeout)
        return select(self, timeout)

    monkeypatch.setattr(selectors.SelectSelector, "select", noted)
    with keyboard() as (typing_end, told, _, _):
        assert waits.get(timeout=10) is None
        os.write(typing_end, b"j")
        next_key(told)
        moment = waits.get(timeout=10)
        assert moment is not None and moment > 0
        assert waits.get(timeout=10) is None
        assert waits.empty()


def test_a_bell_can_be_rung_any_number_of_times_and_silenced() -> None:
    bell = Bell()
    for _ in range(100_000):
        bell.set()
    with selectors.SelectSelector() as selector:
        selector.register(bell.fileno(), selectors.EVENT_READ)
        assert selector.select(0)
        bell.clear()
        assert not selector.select(0)
        assert not bell.is_set()
        bell.set()
        assert selector.select(0)
