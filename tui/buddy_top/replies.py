"""Keys pass; replies that nobody asked the terminal for do not.

A terminal answers questions on the same line on which it sends keys. Textual takes an answer that it does
not know apart into key presses, so whoever can make a terminal answer can press keys. Strings (OSC, DCS and
their like) and unknown reports are therefore taken out before the parser sees them.
"""

from __future__ import annotations

import re

ESCAPE_PATIENCE_S = 0.025
"""How long a lone ESC is held: it may be the Escape key or the beginning of a sequence."""

SEQUENCE_PATIENCE_S = 0.3
"""How long the end of a sequence is waited for; what has no end by then is no reply."""

MAX_HELD = 64 * 1024

_EIGHT_BIT = str.maketrans(
    {0x90: "\x1bP", 0x98: "\x1bX", 0x9B: "\x1b[", 0x9C: "\x1b\\", 0x9D: "\x1b]", 0x9E: "\x1b^", 0x9F: "\x1b_"}
)
_SEQUENCE = re.compile(
    r"\x1b[\]PX^_][^\x07\x18\x1a\x1b]*(?:\x07|\x18|\x1a|\x1b\\|(?=\x1b[^\\]))"  # a string and its end
    r"|\x1b\[(?P<parameters>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
)
_BEGUN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x18\x1a\x1b]*\x1b?)?\Z")


class ReplyFilter:
    """Feeds on decoded input in pieces of any size; holds back what may yet become a reply."""

    def __init__(self) -> None:
        self._held = ""

    @property
    def patience_s(self) -> float | None:
        """After how long without input `give_up` is to be called; None when nothing is held back."""
        if not self._held:
            return None
        return ESCAPE_PATIENCE_S if self._held == "\x1b" else SEQUENCE_PATIENCE_S

    def feed(self, text: str) -> str:
        """The part of the input so far that is for the parser."""
        text = self._held + text.translate(_EIGHT_BIT)
        begun = _BEGUN.search(text)
        complete = text if begun is None else text[: begun.start()]
        self._held = "" if begun is None else begun[0]
        if len(self._held) > MAX_HELD:
            self._held = self._held[:2]
        return _SEQUENCE.sub(_without_replies, complete)

    def give_up(self) -> str:
        """No more came: a lone ESC or an unfinished key is for the parser, an unfinished string is not."""
        held, self._held = self._held, ""
        return held if held == "\x1b" or held.startswith("\x1b[") else ""


def _without_replies(found: re.Match[str]) -> str:
    final = found["final"]
    if final is None or _is_reply(found["parameters"], found["between"], final):
        return ""
    return found[0]


def _is_reply(parameters: str, between: str, final: str) -> bool:
    """True for reports that no key, mouse, paste, focus or size event is sent as."""
    if parameters[:1] in ("?", ">", "="):
        return (between, final) != ("$", "y")  # whether a mode is known: Textual asks that
    if final == "t":
        return not parameters.startswith("48;")  # the size of the window, where Textual asked for it
    return final in "cnxy"
