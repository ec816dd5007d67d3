"""`buddy-top run diff`."""

from __future__ import annotations

import argparse
from pathlib import Path

from buddy_core.clock import Clock
from buddy_core.errors import RunNotFound, StoreUnavailable
from buddy_top.cli.output import DONE, complain, print_lines, print_text, terminal_width
from buddy_top.cli.parser import RUN_ID_HELP, WRONG_USAGE, Commands, OneLineParser, wrong_usage
from buddy_top.cli.run.found import found_run

DIFFERENT = 1
"""Exit code where the runs are not the same, as that of `diff`."""

_EPILOG = (
    "= same, ~ other arguments, ! another outcome, < only in A, > only in B, · before the fork. "
    "Calls are the same when their tool and arguments are, but for the run's directory, temporary names, numbers and ids. "
    "Exit codes, as of diff: 0 the same calls, outcomes and end; 1 different; 2 trouble; 3 no such run."
)


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add the command to `buddy-top run`."""
    diff = commands.add_parser(
        "diff",
        parents=[everywhere],
        allow_abbrev=False,
        help="two runs side by side: where they part, and what the difference cost",
        epilog=_EPILOG,
    )
    diff.add_argument("a", metavar="A", help=RUN_ID_HELP)
    diff.add_argument("b", metavar="B", help="the other run, likewise")
    diff.add_argument("--all", dest="whole", action="store_true", help="also the calls without a difference")
    diff.set_defaults(handler=_diff)


def _diff(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    try:
        return _compare(args, runs_dir, clock)
    except RunNotFound:
        raise
    except StoreUnavailable as error:
        return complain(error, WRONG_USAGE)


def _compare(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.runs.comparing.compare import compare_runs
    from buddy_core.runs.comparing.lines import diff_lines
    from buddy_top.config.prices import prices_for

    with found_run(args, runs_dir, args.a) as (place_a, a), found_run(args, runs_dir, args.b) as (place_b, b):
        if a == b:
            wrong_usage(f"both names mean {a}: name two runs", program="buddy-top run diff")
        diff = compare_runs(place_a / a, place_b / b, clock=clock, prices=prices_for(args))
    if args.json:
        from buddy_core.runs.comparing.entries import diff_entry
        from buddy_top.export.documents import heading, to_text

        print_text(to_text({**heading(clock.now_ms()), **diff_entry(diff)}))
    else:
        print_lines(diff_lines(diff, now_ms=clock.now_ms(), width=terminal_width(), whole=args.whole))
    return DONE if diff.same else DIFFERENT
