"""What the replay screen says: everything an approval is bound to, and what a command printed. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from buddy_core.runs.replay.live import Printed
from buddy_core.runs.replay.model import Command, RecordedTest, Replayed, Rerun
from buddy_core.runs.replay.report import SIGNS, ending_words, recorded_words
from buddy_core.safety.shown import shown, shown_lines
from buddy_core.safety.text import Plain, plain
from buddy_top.artifacts.log import narrowed, without_colours
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span, literal

_LABEL = 13
_MOST_NAMES = 60
_MOST_LINES = 2_000
_INKS = {"passed": "ok", "failed": "bad", "timed out": "bad", "not started": "bad", "cancelled": "warn"}


def sign_and_words(test: RecordedTest) -> Cell:
    """How a command ended when the run was recorded."""
    verdict = test.recorded.verdict
    ink = {"passed": "ok", "failed": "bad"}.get(verdict, "dim")
    return (Span(plain(recorded_words(test.recorded), limit=80), ink),)


def row_cells(number: int, test: RecordedTest, now: Cell) -> tuple[Cell, ...]:
    """One command in the list: its number from 1, its line, how it ended then, and `now_cell`."""
    return (
        literal(str(number), "label"),
        (Span(shown(test.line, limit=300), "value" if test.command is not None else "dim"),),
        sign_and_words(test),
        now,
    )


def now_cell(test: RecordedTest, rerun: Rerun | None, *, running: bool) -> Cell:
    """What became of it here."""
    if running:
        return literal("● running", "accent")
    if rerun is None:
        return literal("–" if test.command is not None else "cannot be run", "dim")
    change = Replayed(test, rerun).change
    ink = (
        "ok"
        if change in ("still passes", "now passes")
        else "bad"
        if change in ("now fails", "still fails")
        else "warn"
    )
    return literal(rerun.ending if change in (None, "not comparable") else str(change), ink)


def ending_cell(rerun: Rerun) -> Cell:
    """How it ended just now."""
    words = f"{SIGNS[rerun.ending]} {ending_words(rerun)}"
    return (Span(shown(words, limit=200), _INKS[rerun.ending]),)


def approval_cells(command: Command, test: RecordedTest, env: Mapping[str, str]) -> Iterator[Cell]:
    """Everything that the word is bound to, unmasked and whole, what is left out, and at the end the word."""
    yield _line("arguments", json.dumps(command.argv, ensure_ascii=False), "strong")
    yield _line("program", command.program)
    yield _line("directory", command.cwd)
    yield _line("recorded", recorded_words(test.recorded))
    if test.recorded.error:
        yield (_label("said"), Span(shown(test.recorded.error, limit=300), "label"))
    for notice in command.notices:
        yield _line("mind", f"! {notice}", "warn")
    for index, (name, value) in enumerate(sorted(command.environment.items())):
        yield _line("" if index else "environment", f"{name}={value}", "label")
    left_out = sorted(name for name in env if name not in command.environment)
    if left_out:
        more = len(left_out) - _MOST_NAMES
        names = ", ".join(left_out[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
        yield _line("left out", f"{fmt.plural(len(left_out), 'variable')} of yours: {names}", "dim")
    yield _line(
        "limits",
        f"{command.timeout_s:g} s; no shell, no input, no terminal; what it leaves is ended",
        "label",
    )
    yield _line("approval", command.digest, "dim")
    yield (_label("its word"), Span(plain(command.word), "strong-accent"))


def obstacle_cells(test: RecordedTest) -> Iterator[Cell]:
    """Why a command cannot be run again."""
    yield (_label("recorded"), Span(shown(test.line, limit=2_000)))
    yield (_label("not run"), Span(shown(test.obstacle, limit=500), "warn"))
    yield _line("outcome", recorded_words(test.recorded), "label")
    if test.recorded.error:
        yield (_label("said"), Span(shown(test.recorded.error, limit=300), "label"))


def output_cells(printed: Printed, width: int) -> list[Cell]:
    """What was printed, its beginning and its end; printable, secrets masked, without colours of its own.

    Rules and gaps give way where a line would not fit `width`; other long lines are left to be wrapped.
    """
    if not printed.size:
        return [(Span(Plain("nothing was printed yet"), "dim"),)]
    if not printed.omitted:
        return _text(printed.head + printed.tail, width)
    middle = Plain(f"… {fmt.bytes_(printed.omitted)} are left out here …")
    return [*_text(printed.head, width), (Span(middle, "warn"),), *_text(printed.tail, width)]


def printed_by(rerun: Rerun) -> Printed:
    """The output of a command that has ended, in the form of one that runs."""
    return Printed(rerun.head.encode(), rerun.tail.encode(), rerun.output_bytes)


def _text(data: bytes, width: int) -> list[Cell]:
    text = without_colours(data.decode("utf-8", "replace")).replace("\r\n", "\n")
    lines = shown_lines(
        "\n".join(line.rpartition("\r")[2] for line in text.split("\n")), limit_lines=_MOST_LINES
    )
    return [(Span(narrowed(line, width)),) for line in lines]


def _line(name: str, text: str, ink: str = "value") -> Cell:
    return (_label(name), Span(plain(text, limit=20_000), ink))


def _label(name: str) -> Span:
    return Span(Plain(f"{name:<{_LABEL}}"), "label")
