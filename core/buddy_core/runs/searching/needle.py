"""What is searched for: words that must all be there, or expressions, and how a block without them is passed over.

An expression is the user's own, but the text is not: Python's engine may need for ever on a line made for it.
So an expression with a repetition inside a repetition is refused, lines are cut to `MAX_EXPRESSION_LINE`, and
in the main thread a line that still takes a second is given up.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from buddy_core.errors import BuddyError

MAX_EXPRESSION_LINE = 4_000
"""Characters of one line an expression is tried on."""

_SECONDS = 1.0
_FOLDING = ("\u212a".encode(), "\u017f".encode())
"""The Kelvin sign and the long s: the two letters beyond ASCII that stand for a letter of ASCII."""
_HIDDEN = re.compile(rb"\\u(?:00[2-7]|212a|017f|013[01])", re.IGNORECASE)
"""Escapes that mean a letter or a sign of ASCII, or one of those that are searched as if they were."""
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT")
_ENDLESS = 2**16


class BadPattern(BuddyError, ValueError):
    """What is searched for is empty, is no expression, or could take for ever."""


class LineTooHard(Exception):
    """An expression took too long on one line."""


class Needle:
    """Words or expressions, all of which a text must have.

    Args:
        wanted: The words.
        regex: They are expressions of Python's `re`.
        ignore_case: None means: unless one of them has a capital letter.

    Raises:
        BadPattern: There is nothing to search for, or an expression that cannot be used.
    """

    def __init__(
        self, wanted: Sequence[str], *, regex: bool = False, ignore_case: bool | None = None
    ) -> None:
        if not wanted or not all(wanted):
            raise BadPattern("there is nothing to search for: name a word")
        self._folds = all(word == word.lower() for word in wanted) if ignore_case is None else ignore_case
        self._regex = regex
        flags = re.IGNORECASE if self._folds else re.NOFLAG
        self._patterns = [_compiled(word if regex else re.escape(word), flags) for word in wanted]
        self._words = [] if regex else [_bytes_to_expect(word, folds=self._folds) for word in wanted]

    def may_be_in(self, block: bytes, *, escaped: bool) -> bool:
        """False when the words are surely not in these bytes; `escaped` for JSON, which may hide letters.

        Expressions, and words of letters that have more than one spelling, may be anywhere.
        """
        if not any(self._words) or (escaped and _hides_letters(block)):
            return True
        if self._folds and not block.isascii() and any(letter in block for letter in _FOLDING):
            return True
        text = block.lower() if self._folds else block
        return all(word in text for word in self._words if word is not None)

    def fits(self, text: str) -> bool:
        """True when every word is in `text`."""
        return all(self._first(pattern, text) is not None for pattern in self._patterns)

    def first_in(self, text: str) -> tuple[int, int] | None:
        """Where any of the words is first."""
        found = [span for pattern in self._patterns if (span := self._first(pattern, text)) is not None]
        return min(found, default=None)

    def all_in(self, text: str) -> tuple[tuple[int, int], ...]:
        """Every place with one of the words, in order, none inside another."""
        spans: list[tuple[int, int]] = []
        with self._guard():
            found = sorted(match.span() for pattern in self._patterns for match in pattern.finditer(text))
        for begin, end in found:
            if end > begin and (not spans or begin >= spans[-1][1]):
                spans.append((begin, end))
        return tuple(spans)

    def _first(self, pattern: re.Pattern[str], text: str) -> tuple[int, int] | None:
        if self._regex and len(text) > MAX_EXPRESSION_LINE:
            text = text[:MAX_EXPRESSION_LINE]
        with self._guard():
            match = pattern.search(text)
        return None if match is None else match.span()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Give up after a second; only the main thread can be woken, and only expressions need it."""
        if not self._regex or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGALRM, _give_up)
        signal.setitimer(signal.ITIMER_REAL, _SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _hides_letters(block: bytes) -> bool:
    """True with an escape in the place of a letter; one byte is looked for first, which is ten times as fast as two."""
    return b"\\" in block and b"\\u" in block and _HIDDEN.search(block) is not None


def _give_up(_number: int, _frame: FrameType | None) -> None:
    raise LineTooHard


def _bytes_to_expect(word: str, *, folds: bool) -> bytes | None:
    """The bytes in which `word` stands in a file; None where letters or escapes leave a choice."""
    plain = word.isascii() and not any(char in '"\\/\t\n\r' or not char.isprintable() for char in word)
    if not plain:
        return None
    return (word.lower() if folds else word).encode()


def _compiled(expression: str, flags: re.RegexFlag) -> re.Pattern[str]:
    try:
        pattern = re.compile(expression, flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadPattern(f"“{expression[:60]}” is no expression: {error}") from error
    if _nests(expression):
        raise BadPattern(
            f"“{expression[:60]}” repeats a repetition, which can take for ever: write it without the inner one"
        )
    return pattern


def _nests(expression: str) -> bool:
    """True where something without an upper bound is repeated without one."""
    from re import _parser  # type: ignore[attr-defined]

    todo: list[tuple[Any, bool]] = [(_parser.parse(expression), False)]
    while todo:
        node, inside = todo.pop()
        if isinstance(node, tuple) and len(node) == 2 and str(node[0]) in _REPEATS:
            _least, most, body = node[1]
            if inside and most > _ENDLESS:
                return True
            todo.append((body, inside or most > _ENDLESS))
        elif isinstance(node, list | tuple) or hasattr(node, "data"):
            todo.extend((item, inside) for item in getattr(node, "data", node))
    return False
