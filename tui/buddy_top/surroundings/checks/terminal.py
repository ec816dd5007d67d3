"""The terminal: what it says it is, what it can do, what stands between it and the program."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core.safety.ascii import speaks_utf8
from buddy_top.surroundings.answers import EXPECTED, WIDTHS
from buddy_top.surroundings.around import Surroundings
from buddy_top.surroundings.check import Check

LEAST, COMFORTABLE = (60, 16), (80, 24)
"""Columns and lines below which a card says so, and from which on everything has room."""

_PLAIN = ("", "dumb", "unknown")
_NO_MOUSE = frozenset({"linux"})
_COLOURS_BY_NAME = ("direct", "truecolor", "24bit")


def check_terminal(around: Surroundings) -> Iterator[Check]:
    """Is there one, of which kind and size."""
    term = around.variable("TERM")
    if not around.on_screen:
        ends = [
            name
            for name, is_tty in (("input", around.stdin_tty), ("output", around.stdout_tty))
            if not is_tty
        ]
        found = f"standard {' and '.join(ends)} {'are' if len(ends) > 1 else 'is'} no terminal"
        yield Check("terminal", "note", found, "There the monitor prints the plain picture, as --once does.")
    elif term in _PLAIN:
        what = f"TERM is {term}" if term else "TERM is not set"
        advice = (
            "Set TERM to what your terminal is (xterm-256color fits most): without it only lines are printed."
        )
        yield Check("terminal", "warning", f"{what}, so no screen can be drawn", advice)
    else:
        yield Check("terminal", "ok", f"TERM is {term}")
    yield from _between(around)


def _between(around: Surroundings) -> Iterator[Check]:
    """What stands between the terminal and the program."""
    if around.variable("TMUX") or around.variable("TERM").startswith("tmux"):
        advice = "For copying with y: “set -g set-clipboard on” in tmux.conf; for colours: “set -ga terminal-features ',*:RGB'”."
        yield Check("terminal", "note", "runs inside tmux", advice)
    elif around.variable("STY") or around.variable("TERM").startswith("screen"):
        advice = "screen passes no texts to the clipboard of the terminal, so copying with y may do nothing."
        yield Check("terminal", "note", "runs inside screen", advice)
    if around.variable("SSH_CONNECTION") or around.variable("SSH_TTY"):
        advice = (
            "Copying with y reaches the clipboard of the machine you sit at, if its terminal allows OSC 52."
        )
        yield Check("terminal", "note", "runs over ssh", advice)


def check_size(around: Surroundings) -> Iterator[Check]:
    """Is there room."""
    if not around.on_screen:
        return
    if around.size is None or 0 in around.size:
        advice = "Set it with “stty cols 120 rows 40”, or COLUMNS and LINES: 80 × 24 is assumed meanwhile."
        yield Check("size", "warning", "the terminal does not say how large it is", advice)
        return
    width, height = around.size
    told = f"{width} columns, {height} lines"
    if width < LEAST[0] or height < LEAST[1]:
        yield Check(
            "size", "warning", told, f"Make it at least {LEAST[0]} × {LEAST[1]}: below, a card says so."
        )
    elif width < COMFORTABLE[0] or height < COMFORTABLE[1]:
        yield Check("size", "note", told, "Everything is there from 80 × 24 on, and comfortable at 120 × 40.")
    else:
        yield Check("size", "ok", told)


def check_colours(around: Surroundings) -> Iterator[Check]:
    """How many there are, by what the environment says."""
    if around.variable("NO_COLOR"):
        yield Check("colours", "note", "NO_COLOR is set: no colour is used", "Unset it to have colours.")
        return
    if not around.on_screen:
        return
    term = around.variable("TERM")
    if around.variable("COLORTERM").lower() in ("truecolor", "24bit") or term.endswith(_COLOURS_BY_NAME):
        yield Check("colours", "ok", "24-bit colours")
    elif "256color" in term or term in ("xterm-kitty", "xterm-ghostty", "alacritty", "foot"):
        advice = "Set COLORTERM=truecolor if the terminal has 24-bit colours; nearly all of today have."
        yield Check("colours", "note", "256 colours", advice)
    else:
        advice = "Set TERM to xterm-256color and COLORTERM to truecolor if the terminal can do that."
        yield Check("colours", "warning", "16 colours or fewer", advice)


def check_signs(around: Surroundings) -> Iterator[Check]:
    """Do the characters of the screens take as many columns as they should."""
    widths = around.answers.widths if around.answers is not None else None
    if not speaks_utf8(around.environ) or widths is None:
        return
    if widths == EXPECTED:
        yield Check("signs", "ok", "every sign is as wide as it should be")
        return
    wrong = [text for text, found, right in zip(WIDTHS, widths, EXPECTED, strict=False) if found != right]
    advice = "In the terminal's settings let characters of ambiguous width be narrow, or choose another font."
    if wrong[0] != WIDTHS[0]:
        advice = "Columns may be crooked where such text is shown; another terminal may do better."
    yield Check("signs", "warning", f"other columns than they should take: {' '.join(wrong)}", advice)


def check_abilities(around: Surroundings) -> Iterator[Check]:
    """Mouse, clipboard, pictures without flicker, keys without doubt."""
    if not around.on_screen or around.variable("TERM") in _PLAIN:
        return
    if around.variable("TERM") in _NO_MOUSE:
        yield Check(
            "mouse", "note", "the console of Linux sends no mouse to programs", "Every command has a key."
        )
    answers = around.answers
    if answers is None:
        found = "was not asked what it can do" if around.in_monitor else "does not say what it can do"
        yield Check("abilities", "note", f"the terminal {found}", "“buddy-top doctor” in a shell asks it."
                    if around.in_monitor else "Nothing needs to be done: what is missing is done without.")  # fmt: skip
        return
    yield _clipboard(answers.clipboard)
    if answers.synchronized:
        yield Check("pictures", "ok", "synchronized output: a picture appears whole")
    else:
        yield Check("pictures", "note", "no synchronized output: a large change may be seen half drawn",
                    "Nothing needs to be done; kitty, foot, WezTerm, Ghostty and iTerm2 have it.")  # fmt: skip
    keys = "the keyboard protocol of kitty" if answers.keyboard else "keys in the traditional way"
    yield Check("keyboard", "ok", f"sends {keys}")


def _clipboard(says_so: bool | None) -> Check:
    if says_so:
        return Check("clipboard", "ok", "the terminal takes copied texts (OSC 52)")
    advice = (
        "If y copies nothing, allow OSC 52 in its settings, or select with the mouse while holding shift."
    )
    return Check("clipboard", "note", "the terminal does not say whether it takes copied texts", advice)


def check_locale(around: Surroundings) -> Iterator[Check]:
    """Which characters can be shown."""
    decided = next((name for name in ("LC_ALL", "LC_CTYPE", "LANG") if around.variable(name)), "")
    told = f"{decided}={around.variable(decided)}" if decided else "no locale is set"
    if not speaks_utf8(around.environ):
        coding = around.variable("PYTHONIOENCODING")
        by = "PYTHONIOENCODING" if coding and "utf" not in coding.lower() else decided
        advice = f"Set {by} to a UTF-8 locale such as C.UTF-8: until then everything is drawn with ASCII."
        if by == "PYTHONIOENCODING":
            advice = "Unset it: until then everything is drawn with ASCII."
        yield Check("locale", "warning", f"{by}={around.variable(by)} is no UTF-8", advice)
    elif "utf" not in around.stdout_encoding.lower():
        advice = "Unset PYTHONIOENCODING, or set PYTHONUTF8=1: until then lists are printed with ASCII."
        yield Check("locale", "warning", f"standard output is {around.stdout_encoding}, not UTF-8", advice)
    elif decided:
        yield Check("locale", "ok", told)
    else:
        yield Check("locale", "ok", "no locale is set, and UTF-8 is assumed")
