"""Keys pass; replies that nobody asked the terminal for do not.

A terminal answers questions on the same line on which it sends keys. Textual takes an answer that it does
not know apart into key presses, so whoever can make a terminal answer can press keys. Strings (OSC, DCS and
their like) and unknown reports are therefore taken out before the parser sees them. So are the escapes within a
paste, which it would take for keys: what is pasted may have been written by whoever wants keys pressed.
"""

from __future__ import annotations

import re

ESCAPE_PATIENCE_S = 0.025
"""How long a lone ESC is held: it may be the Escape key or the beginning of a sequence."""

SEQUENCE_PATIENCE_S = 0.3
"""How long the end of a sequence is waited for; what has no end by then is no reply."""

MAX_HELD = 64 * 1024

PASTE_BEGINS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"

_BEGINS = re.compile("(?:\x1b\\[|\x9b)200~")
_VISIBLE = str.maketrans(
    {point: 0x2400 + point for point in range(32) if chr(point) not in "\t\n\r"} | {0x7F: 0x2421}
)
"""Control characters of a paste, as the screen shows them."""

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
        self._pasting = False

    @property
    def patience_s(self) -> float | None:
        """After how long without input `give_up` is to be called; None when nothing is held back."""
        if not self._held or self._pasting:
            return None
        return ESCAPE_PATIENCE_S if self._held == "\x1b" else SEQUENCE_PATIENCE_S

    def feed(self, text: str) -> str:
        """The part of the input so far that is for the parser."""
        text, self._held = self._held + text, ""
        passed: list[str] = []
        while text:
            part, text = self._pasted(text) if self._pasting else self._typed(text)
            passed.append(part)
        return "".join(passed)

    def give_up(self) -> str:
        """No more came: a lone ESC or an unfinished key is for the parser, an unfinished string is not.

        A paste has an end, however late it comes; until then nothing of it is a key.
        """
        if self._pasting:
            return ""
        held, self._held = self._held, ""
        return held if held == "\x1b" or held.startswith("\x1b[") else ""

    def _typed(self, text: str) -> tuple[str, str]:
        """What is for the parser of what comes before the next paste, and the rest."""
        paste = _BEGINS.search(text)
        if paste is not None:
            self._pasting = True
            before = text[: paste.start()].translate(_EIGHT_BIT) + PASTE_BEGINS
            return _SEQUENCE.sub(_without_replies, before), text[paste.end() :]
        text = text.translate(_EIGHT_BIT)
        begun = _BEGUN.search(text)
        complete = text if begun is None else text[: begun.start()]
        self._held = "" if begun is None else begun[0]
        if len(self._held) > MAX_HELD:
            self._held = self._held[:2]
        return _SEQUENCE.sub(_without_replies, complete), ""

    def _pasted(self, text: str) -> tuple[str, str]:
        """What is for the parser up to the end of the paste, and the rest."""
        content, end, rest = text.partition(PASTE_ENDS)
        if end:
            self._pasting = False
            return content.translate(_VISIBLE) + end, rest
        begun = next(
            (size for size in range(len(PASTE_ENDS) - 1, 0, -1) if text.endswith(PASTE_ENDS[:size])), 0
        )
        self._held = text[len(text) - begun :]
        return text[: len(text) - begun].translate(_VISIBLE), ""


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
