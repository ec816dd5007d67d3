"""`buddy-top doctor`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_core.safety.ascii import speaks_utf8, to_ascii
from buddy_core.safety.text import plain
from buddy_top.cli.output import DONE, FAILED, print_text, terminal_width, writer
from buddy_top.cli.parser import Commands, OneLineParser

if TYPE_CHECKING:
    from buddy_top.drawing.cells import Cell, Span

COMMAND = "doctor"

_CODES = {"ok": "32", "warn": "33", "bad": "31", "accent": "36", "dim": "2", "strong": "1"}
"""Inks as SGR parameters: the sixteen colours, which follow the theme of the terminal."""

_ANY_WIDTH = 100_000
"""In a pipe lines are not broken."""


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add `doctor` to the commands."""
    commands.add_parser(
        COMMAND,
        parents=[everywhere],
        allow_abbrev=False,
        help="what buddy-top finds where it runs: terminal, limits, rights, caches, settings",
        description="Checks the terminal, the limits of the system, directories and their rights, history and "
        "index, telemetry, versions and settings, and says what to do about each. Nothing is changed. "
        "Exit code 1 when something cannot work, else 0. Recorded runs: “buddy-top run doctor”.",
    )


def run(args: argparse.Namespace, clock: Clock) -> int:
    """Look, print, and return the exit code; works where settings are wrong and no home is set."""
    from buddy_top.surroundings.gathering import look_around, the_environment
    from buddy_top.surroundings.report import examine, report_document

    report = examine(look_around(args, the_environment(), clock))
    if args.json:
        from buddy_top.export.documents import heading, to_text

        print_text(to_text({**heading(clock.now_ms()), **report_document(report)}))
    else:
        from buddy_top.surroundings.lines import report_lines

        _print(report_lines(report, (terminal_width() or _ANY_WIDTH) - 1))
    return FAILED if report.failed else DONE


def _print(lines: Iterable[Cell]) -> None:
    """Safe lines; in colours on a terminal that wants them."""
    from buddy_top.drawing.cells import text_of

    write = writer()
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        for line in lines:
            write(text_of(line).rstrip())
        return
    drawn = plain if speaks_utf8(os.environ) else _in_ascii
    for line in lines:
        sys.stdout.write("".join(_coloured(span, drawn) for span in line).rstrip() + "\n")
    sys.stdout.flush()


def _in_ascii(text: str) -> str:
    return to_ascii(plain(text))


def _coloured(span: Span, drawn: Callable[[str], str]) -> str:
    """The words made printable once more, between codes of our own."""
    code = _CODES.get(span.ink)
    text = drawn(span.text)
    return f"\x1b[{code}m{text}\x1b[0m" if code and text.strip() else text
