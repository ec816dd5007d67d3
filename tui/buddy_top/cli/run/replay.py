"""`buddy-top run replay`: the test commands of a run, run again when a person types the word for each.

The word is bound to what is shown (its digits come from the hash of arguments, directory and environment), has to
be typed on a terminal on which all of it was shown, and keys struck before the question are thrown away.
"""

from __future__ import annotations

import argparse
import os
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from buddy_core.clock import Clock
from buddy_core.safety.output import LineWriter, stream_writer
from buddy_top.cli.output import DONE, FAILED, complain, print_text, terminal_width, writer
from buddy_top.cli.parser import RUN_ID_HELP, WRONG_USAGE, Commands, OneLineParser, directory, whole_number
from buddy_top.cli.signals import code_of, signals_as_interrupts

if TYPE_CHECKING:
    from buddy_core.runs.replay.model import Command, ReplayReport

_LONGEST_ANSWER = 4096


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add the command to `buddy-top run`."""
    replay = commands.add_parser(
        "replay",
        parents=[everywhere],
        allow_abbrev=False,
        help="the test commands of a run; run them again after asking",
        description="List the test commands that a run recorded, with their outcome. With --rerun, ask for each one "
        "and run what is approved: without a shell, without input, within limits. Exit code 1 when one did not pass.",
    )
    replay.add_argument("run_id", metavar="ID", help=RUN_ID_HELP)
    replay.add_argument("--rerun", action="store_true", default=False, help="ask for each command and run it")
    replay.add_argument(
        "--timeout",
        type=whole_number,
        default=600,
        metavar="S",
        help="seconds one command may take (default 600)",
    )
    replay.add_argument(
        "--directory",
        type=directory,
        default=None,
        metavar="DIR",
        help="run in DIR, not where the run was",
    )
    replay.set_defaults(handler=_replay)


def _replay(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.runs.replay.session import ReplayCancelled, replay_run

    shown_on = sys.stderr if args.json else sys.stdout
    if args.rerun and not _can_ask(shown_on):
        return complain("--rerun asks before it runs anything, and needs a terminal for that", WRONG_USAGE)
    out = _text_writer(args)
    arrived: list[int] = []
    try:
        with signals_as_interrupts(arrived):
            report = replay_run(
                args.run_id,
                rerun=args.rerun,
                approve=lambda command: _approve(command, out, shown_on),
                store=runs_dir,
                out=out,
                timeout_s=max(1, args.timeout),
                cwd=args.directory,
                width=terminal_width(),
            )
    except ReplayCancelled as cancelled:
        _print_json(args, cancelled.report, clock)
        return code_of(arrived)
    _print_json(args, report, clock)
    return DONE if report.all_passed else FAILED


def _text_writer(args: argparse.Namespace) -> LineWriter:
    """With --json the text is only for who is asked: standard output belongs to the document."""
    if not args.json:
        return writer()
    return stream_writer(sys.stderr) if args.rerun else (lambda _line: None)


def _print_json(args: argparse.Namespace, report: ReplayReport, clock: Clock) -> None:
    if args.json:
        from buddy_top.cli.run.replay_document import replay_document
        from buddy_top.export.documents import to_text

        print_text(to_text(replay_document(report, now_ms=clock.now_ms())))


def _can_ask(shown_on: TextIO | None) -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, shown_on))


def _approve(command: Command, out: LineWriter, shown_on: TextIO) -> bool:
    """True when the word of this command is typed, and nothing else."""
    out(f"Type “{command.word}” to run exactly this; anything else leaves it out:")
    with suppress(termios.error, OSError, ValueError):  # what was typed before is no answer to this question
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    shown_on.write("> ")
    shown_on.flush()
    # One read, one line, so that nothing behind it can be kept for the next question.
    answer = os.read(sys.stdin.fileno(), _LONGEST_ANSWER)
    return answer.decode("utf-8", "replace").strip() == command.word
