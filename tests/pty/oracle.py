"""Walks the monitor through everything it can show, and holds every byte it sends against what may leave."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence

from tests.pty.escapes import ALLOWED, leaks
from tests.pty.payloads import TAG, Payload
from tests.pty.terminal import Terminal

ESCAPE = "\x1b[27u"
"""The escape key as it is sent without doubt about what follows it."""

PAGE_DOWN, PALETTE, CLEAR_LINE, PASTE_ENDS = "\x1b[6~", "\x10", "\x15", "\x1b[201~"
QUIET_S = 0.04
"""So long nothing comes when a picture is complete."""

PATIENCE_S = 1.5
"""So long a key may take to show anything; some show nothing, as at the end of a list."""

SHARE = 20
"""One row of so many is read in its detail, in each of the lists."""

TYPED_AT_ONCE, TYPED_LENGTH = 6, 30
"""So many payloads are pasted together, each up to so many characters: they have one line to be seen in."""

CLIPBOARD = r"\x1b\]52;c;[A-Za-z0-9+/=]*\x07"
"""What `y` sends: nothing of it is text but in base64."""


class Watch:
    """One terminal, what was sent to it since it was last looked at, and which payloads were seen in which sink."""

    def __init__(self, term: Terminal) -> None:
        self.term = term
        self.seen: dict[str, set[bytes]] = defaultdict(set)
        self._looked = 0

    def press(self, sink: str, *keys: str, patience_s: float = PATIENCE_S) -> int:
        """Type keys, each when the picture of the one before is complete; the number of payloads new to `sink`."""
        before = len(self.seen[sink])
        for key in keys:
            self.term.type(key)
            self._settle(key, patience_s)
            self._look(sink)
        return len(self.seen[sink]) - before

    def pages(self, sink: str, *, most: int = 100) -> None:
        """From the first row to the last, page by page, until nothing new is seen."""
        self.press(sink, "g")
        vain = 0
        for _ in range(most):
            vain = 0 if self.press(sink, PAGE_DOWN) else vain + 1
            if vain == 2:
                break

    def opened(self, sink: str, *keys: str) -> None:
        """Type keys that open something which is read elsewhere, and wait until it is there."""
        self.press(sink, *keys)
        self.rest(0.4)
        self._look(sink)

    def paste(self, sink: str, text: str) -> None:
        """Paste a text, as a terminal in bracketed paste mode does."""
        self.press(sink, f"\x1b[200~{text.replace(PASTE_ENDS, '')}{PASTE_ENDS}")

    def rest(self, seconds: float = 0.7) -> None:
        """Wait until nothing has come for so long."""
        size = -1
        while size != len(self.term.out):
            size = len(self.term.out)
            assert self.term.read(seconds), "the program has ended"

    def _settle(self, key: str, patience_s: float) -> None:
        begun, size = len(self.term.out), -1
        end = time.monotonic() + patience_s
        while size != len(self.term.out) or (size == begun and time.monotonic() < end):
            size = len(self.term.out)
            assert self.term.read(QUIET_S), (
                f"the program ended after {key!r}: {bytes(self.term.out[-400:])!r}"
            )

    def _look(self, sink: str) -> None:
        text = ALLOWED.sub("", self.term.out[self._looked :].decode("utf-8", "replace"))
        self.seen[sink] |= set(TAG.findall(text.encode()))
        self._looked = len(self.term.out)


def walk(watch: Watch, payloads: Sequence[Payload], carriers: int) -> None:
    """Every tab with every row, every view of every carrier, and what is typed."""
    for index, name in enumerate(("providers", "tools", "errors", "runs")):
        watch.opened(f"{name} tab", str(index + 2), "z")
        watch.pages(f"{name} tab")
        watch.opened(f"{name} tab", "z", "g")
        for _ in payloads[::SHARE]:
            watch.press(f"{name} detail", "j")
    watch.opened("errors one by one", "4", "t", "z")
    watch.pages("errors one by one")
    watch.opened("errors one by one", "z", "t")
    _overview(watch)
    _dialogs(watch)
    _run_pages(watch, carriers)
    _typed(watch, payloads)
    _exports(watch)


def _overview(watch: Watch) -> None:
    watch.opened("overview", "1")
    for _ in range(4):
        watch.press("overview", *"jjj", "l")


def _run_pages(watch: Watch, carriers: int) -> None:
    watch.opened("runs tab", "5", "g", "/", *"calls>5", "\r")
    watch.opened("timeline", "g", "\r")
    for index in range(carriers):
        _one_run(watch, is_oldest=index == carriers - 1)
        watch.opened("timeline", "]")
    watch.opened("runs tab", "5", "/", CLEAR_LINE, ESCAPE, ESCAPE)


def _one_run(watch: Watch, *, is_oldest: bool) -> None:
    """From the timeline through every view of it, and back there."""
    watch.pages("timeline")
    watch.opened("event", "G", "k", "\r")
    watch.pages("event", most=8)
    watch.press("event", "J", PAGE_DOWN, PAGE_DOWN, "h", "h", ESCAPE)
    watch.press("origin", "i", PAGE_DOWN, ESCAPE)
    if not is_oldest:  # it is nobody's fork, and so there is nothing to compare it with
        watch.opened("compare", "D")
        watch.pages("compare", most=20)
        watch.press("compare", ESCAPE)
    watch.opened("replay", "R")
    watch.pages("replay", most=20)
    watch.press("replay", ESCAPE)
    watch.opened("run metrics", "v", "l")
    watch.pages("run metrics", most=6)
    watch.opened("artifacts", "v", "g")
    for _ in range(8):
        watch.press("artifacts", "l", PAGE_DOWN, PAGE_DOWN, PAGE_DOWN, "h", "j", patience_s=0.4)
    watch.pages("artifact names", most=6)
    watch.opened("family", "v")
    watch.pages("family", most=40 if is_oldest else 1)
    watch.opened("raw", "v")
    watch.pages("raw", most=30)
    watch.opened("timeline", "v")


def _typed(watch: Watch, payloads: Sequence[Payload]) -> None:
    """The filter with its advice, and the palette with what it finds."""
    lines = [payload.text.replace("\n", " ")[:TYPED_LENGTH] for payload in payloads]
    together = ["".join(lines[at : at + TYPED_AT_ONCE]) for at in range(0, len(lines), TYPED_AT_ONCE)]
    watch.press("filter line", "/")
    for index, line in enumerate(together):
        watch.paste("filter line", f"status:{line}" if index % 2 else line)
        watch.press("filter line", CLEAR_LINE)
    watch.press("filter line", ESCAPE, ESCAPE)
    watch.opened("palette", PALETTE)
    for line in together:
        watch.paste("palette", line)
        watch.press("palette", CLEAR_LINE)
    for line in lines[::SHARE]:
        watch.paste("palette", line)
        watch.opened("palette", CLEAR_LINE)
    watch.press("palette", ESCAPE)


def _dialogs(watch: Watch) -> None:
    watch.opened("alerts", "a")
    watch.pages("alerts", most=6)
    watch.press("alerts", ESCAPE)
    for tab in "12345":
        watch.opened("help", tab, "?")
        watch.press("help", ESCAPE)
        watch.press("origin", "i", PAGE_DOWN, ESCAPE)
        watch.press("copied", "j", "y", "Y", patience_s=0.4)
        watch.press("sort menu", "s", ESCAPE, patience_s=0.4)


def _exports(watch: Watch) -> None:
    for tab in "12345":
        for row in range(2 if tab == "1" else 4):
            watch.opened("export", tab, "x", *["\x1b[B"] * row, "\r")


def check(watch: Watch) -> list[str]:
    """What left that may not; links and titles would be among it."""
    return leaks(watch.term.out, also=CLIPBOARD)
