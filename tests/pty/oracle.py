"""Holds every byte the monitor sends against what may leave, and tells which payloads were seen where."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.cells import cell_len
from tests.pty.escapes import ALLOWED, leaks
from tests.pty.payloads import TAG
from tests.pty.terminal import Terminal

ESCAPE = "\x1b[27u"
"""The escape key as it is sent without doubt about what follows it."""

PAGE_DOWN, DOWN, PALETTE, CLEAR_LINE, PASTE_ENDS = "\x1b[6~", "\x1b[B", "\x10", "\x15", "\x1b[201~"
STEP_S = 0.02
"""Looks at the program are so far apart while nothing comes from it."""

AT_WORK_NS = 1_500_000
"""A program that has used so much time of a processor since it was last looked at has not slept meanwhile."""

QUIET_S = 0.04
"""So long it sends nothing and sleeps when a picture is complete."""

VAIN_S = 0.16
"""So long it sleeps after a key that shows nothing, as at the end of a list; it puts off nothing for longer than that."""

OPENED_S = 0.25
"""The same for what is opened: one part of it may be asked for when another is there."""

KNOWN_S = 0.1
"""So long it sleeps when the detail of a row is complete that shows nothing new: it is gone back to when something is
missing in the end.
"""

PASTE_LOOKS = 3
"""So often is looked for what was pasted; of some lines only the beginning is taken."""

ANSWER_S = 5.0
"""So long what is looked for may take."""

A_PAGE = 500
"""Fewer bytes show no other page; a clock may tick, or a cursor move to the last row."""

OPENING_S = 30.0
"""So long what is opened may take: machines are busy."""

CLIPBOARD = r"\x1b\]52;c;[A-Za-z0-9+/=]*\x07"
"""What `y` sends: nothing of it is text but in base64."""

_AT = re.compile(r"\x1b\[(\d+);(\d+)H")


class Watch:
    """One terminal, what was sent to it since it was last looked at, and which payloads were seen in which sink."""

    def __init__(self, term: Terminal) -> None:
        self.term = term
        self.seen: dict[str, set[bytes]] = defaultdict(set)
        self._looked = self._opened_at = 0
        self._tasks = Path(f"/proc/{term.child.pid}/task")
        self._used_ns = 0

    def press(self, sink: str, *keys: str) -> int:
        """Type keys, each when the picture of the one before is complete; the number of payloads new to `sink`."""
        before = len(self.seen[sink])
        for key in keys:
            self.term.type(key)
            self._settle()
            self._look(sink)
        return len(self.seen[sink]) - before

    def pages(self, sink: str, *, most: int = 100) -> None:
        """From the first row to the last, page by page, until there is no further one."""
        self.opened(sink, "g")
        vain = 0
        for _ in range(most):
            size = len(self.term.out)
            if not self.press(sink, PAGE_DOWN):  # it may be read first
                self.rest(VAIN_S)
                self._look(sink)
            vain = vain + 1 if len(self.term.out) - size < A_PAGE else 0
            if vain == 2:
                break

    def opened(self, sink: str, *keys: str, until: str = "") -> None:
        """Type keys that open something which is read elsewhere, and wait until it is there.

        Args:
            until: A text by which it is known; when it does not come a key was lost, or led elsewhere.
        """
        self._opened_at = start = len(self.term.out)
        self.press(sink, *keys)
        end = time.monotonic() + OPENING_S
        while until and until not in ALLOWED.sub("", self._text(start)):
            assert self.term.read(0.1), "the program has ended"
            assert time.monotonic() < end, f"{sink}: {until!r} did not come after {keys}"
        self.rest(OPENED_S)
        self._look(sink)

    def details(self, sink: str, rows: int, payloads: int) -> None:
        """From row to row of the list of a tab just opened, until all payloads are seen outside of that list."""
        start = self._opened_at
        self.opened(f"{sink}, all", "g")
        beyond = _beyond_first_panel(self._text(start))
        self._looked = start
        self._see_new(sink, beyond, OPENED_S)
        for key, patience_s in (("j", KNOWN_S), ("k", OPENED_S)):
            vain = 0
            for _ in range(rows):
                if vain == 2 or len(self.seen[sink]) >= payloads:
                    break
                size = len(self.term.out)
                self.term.type(key)
                self._see_new(sink, beyond, patience_s)
                vain = vain + 1 if len(self.term.out) - size < A_PAGE else 0

    def exported(self, directory: Path, *keys: str) -> bool:
        """Type keys that write a file, and wait until there is one more."""
        before = len(list(directory.iterdir()))
        self.press("export menu", *keys)
        end = time.monotonic() + 10
        while len(list(directory.iterdir())) == before and time.monotonic() < end:
            assert self.term.read(0.05), "the program has ended"
        self._look("export menu")
        return time.monotonic() < end

    def asked(self, sink: str, words: str, answer: bytes) -> None:
        """Type words that are looked for, and wait until this payload is among what was found, or for long in vain."""
        self.term.type(words)
        end = time.monotonic() + ANSWER_S
        while answer not in self.seen[sink] and time.monotonic() < end:
            self.rest(OPENED_S)
            self._look(sink)

    def paste(self, sink: str, text: str) -> None:
        """Paste a text into an empty line, as a terminal in bracketed paste mode does, and wait until it is there."""
        self.press(sink, f"{CLEAR_LINE}\x1b[200~{text.replace(PASTE_ENDS, '')}{PASTE_ENDS}")
        there = set(TAG.findall(text.encode("utf-8", "surrogatepass")))
        for _ in range(PASTE_LOOKS):
            if there <= self.seen[sink]:
                break
            self.rest(OPENED_S)
            self._look(sink)

    def rest(self, seconds: float = 0.7) -> None:
        """Wait until nothing has come for so long, and the program has slept all the while."""
        self._rest(lambda: seconds)

    def _settle(self) -> None:
        """Wait for the picture that a key makes, if it makes one."""
        begun = len(self.term.out)
        self._rest(lambda: VAIN_S if len(self.term.out) < begun + A_PAGE else QUIET_S)

    def _rest(self, patience_s: Callable[[], float]) -> None:
        begun = since = time.monotonic()
        while (now := time.monotonic()) < min(since + patience_s(), begun + OPENING_S):
            if self._stirs():
                since = now

    def _stirs(self) -> bool:
        """Take what comes in a moment: has anything come, or is the program at work on something?

        However busy the machine is, a thread that has something to do does not sleep.
        """
        size = len(self.term.out)
        assert self.term.read(STEP_S), f"the program has ended: {bytes(self.term.out[-4_000:])!r}"
        return len(self.term.out) > size or not self._sleeps()

    def _sleeps(self) -> bool:
        """Do all of its threads sleep, and have they since the last look, but for a moment?"""
        if not self._tasks.parent.parent.is_dir():  # not Linux: what it sends is all that is known of it
            return True
        used_ns, before_ns = 0, self._used_ns
        try:
            for task in self._tasks.iterdir():
                if (task / "stat").read_text().rpartition(")")[2].split()[0] != "S":
                    return False
                used_ns += int((task / "schedstat").read_text().split()[0])
        except OSError:  # a thread has just ended
            return False
        self._used_ns = used_ns
        return used_ns < before_ns + AT_WORK_NS

    def _see_new(self, sink: str, where: Callable[[int, int], bool], patience_s: float) -> None:
        """Wait for payloads in that part of the screen: for a new one, or until the program has slept for a while.

        Args:
            patience_s: That while, once payloads that are known have come; it is at least `VAIN_S` when none have.
        """
        since, before, found = time.monotonic(), len(self.seen[sink]), False
        while (now := time.monotonic()) < since + (patience_s if found else max(patience_s, VAIN_S)):
            if self._stirs():
                since = now
            elif len(self.term.out) > self._looked:
                there = set(_tags_at(self._text(self._looked), where))
                self._looked = len(self.term.out)
                found = found or bool(there)
                self.seen[sink] |= there
                if len(self.seen[sink]) > before:
                    return

    def _look(self, sink: str) -> None:
        text = ALLOWED.sub("", self._text(self._looked))
        self.seen[sink] |= set(TAG.findall(text.encode()))
        self._looked = len(self.term.out)

    def _text(self, start: int) -> str:
        return self.term.out[start:].decode("utf-8", "replace")


def _drawn(text: str) -> Iterator[tuple[int, int, str]]:
    """The pieces of pictures, each with the row and column it begins in."""
    parts = _AT.split(text)
    for row, column, piece in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        yield int(row), int(column), ALLOWED.sub("", piece)


def _tags_at(text: str, where: Callable[[int, int], bool]) -> Iterator[bytes]:
    for row, column, piece in _drawn(text):
        encoded = piece.encode()
        for found in TAG.finditer(encoded):
            if where(row, column + cell_len(encoded[: found.start()].decode())):
                yield found[0]


def _beyond_first_panel(text: str) -> Callable[[int, int], bool]:
    """Is this place outside of the first panel of the pane? It begins at the left edge of the screen."""
    top = right = bottom = 0
    for row, column, piece in _drawn(text):
        if column == 1 and piece.startswith("╭") and row <= (top or row):
            top, right = row, cell_len(piece.partition("╮")[0]) + 1
        if column == 1 and piece.startswith("╰") and top < row <= (bottom or row):
            bottom = row
    assert 0 < top < bottom, "the pane was not drawn anew"
    return lambda row, column: row > bottom or (row >= top and column > right)


def check(watch: Watch) -> list[str]:
    """What left that may not; links and titles would be among it."""
    return leaks(watch.term.out, also=CLIPBOARD)
