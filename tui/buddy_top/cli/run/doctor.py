"""`buddy-top run doctor`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from buddy_core.clock import Clock
from buddy_top.cli.output import DONE, print_lines, print_text, terminal_width
from buddy_top.cli.parser import RUN_ID_HELP, Commands, OneLineParser


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add the command to `buddy-top run`."""
    doctor = commands.add_parser(
        "doctor",
        parents=[everywhere],
        allow_abbrev=False,
        help="what is wrong with recorded runs",
        description="Look for damage and contradictions in recorded runs, and say what would be done about each. "
        "Nothing is changed. Exit code 0 whatever is found.",
    )
    doctor.add_argument(
        "run_id", metavar="ID", nargs="?", default=None, help=f"{RUN_ID_HELP} (default: all of them)"
    )
    doctor.set_defaults(handler=_doctor)


def _doctor(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.runs.doctor import doctor, report_lines
    from buddy_top.config.load import gather

    watch_runs = gather(args, os.environ).watch_runs
    report = doctor(runs_dir, run_id=args.run_id, clock=clock, watch_runs=watch_runs)
    if not args.json:
        print_lines(report_lines(report, width=terminal_width()))
        return DONE
    from buddy_core.runs.viewing.entries import SCHEMA_VERSION
    from buddy_top.export.documents import to_text

    document = {
        "schema_version": SCHEMA_VERSION,
        "generated_at": clock.now_ms(),
        "runs_dir": str(report.runs_dir),
        "checked": report.checked,
        "healthy": report.healthy,
        "findings": [finding._asdict() for finding in report.findings],
    }
    print_text(to_text(document))
    return DONE
