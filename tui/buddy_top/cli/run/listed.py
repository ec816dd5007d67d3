"""`buddy-top run list`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_core.safety.text import plain
from buddy_top.cli.filters import filter_help, parsed_filter
from buddy_top.cli.output import DONE, complain, print_lines, print_text, terminal_width
from buddy_top.cli.parser import Commands, OneLineParser, whole_number
from buddy_top.cli.run.found import archive_of, kept_ids, kept_runs

if TYPE_CHECKING:
    from buddy_core.runs.facts import RunFacts


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add the command to `buddy-top run`."""
    listed = commands.add_parser(
        "list",
        parents=[everywhere],
        allow_abbrev=False,
        help="the newest runs",
    )
    listed.more = filter_help
    listed.add_argument(
        "--limit", type=whole_number, default=20, metavar="N", help="how many (default 20; 0: all)"
    )
    listed.add_argument("filter", nargs="*", metavar="FILTER", help="only runs that fit; see below")
    listed.add_argument("--kept", action="store_true", help="the runs in the archive instead")
    listed.set_defaults(handler=_list)


def _list(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    shown = _chosen(args, runs_dir, clock)
    kept, leaving = kept_ids(args), () if args.kept else _leaving(runs_dir, clock)
    if args.json:
        from buddy_top.export.documents import runs_document, to_text

        print_text(to_text(runs_document(shown, now_ms=clock.now_ms(), kept=kept, leaving=leaving)))
        return DONE
    marks = {} if args.kept else dict.fromkeys(kept, "kept")
    marks |= {run_id: "leaves next" for run_id in leaving if run_id not in kept}
    none = "no run fits this filter" if args.filter else f"no runs in {plain(str(runs_dir))} yet"
    none = "no runs are kept" if args.kept and not args.filter else none
    table = _table(shown, clock, marks)
    print_lines(table or [none])
    if any(marks.get(facts.run_id) == "leaves next" for facts in shown):
        complain("the next run of the agent removes what leaves next; “buddy-top run keep ID” keeps it", DONE)
    return DONE


def _table(runs: Sequence[RunFacts], clock: Clock, marks: Mapping[str, str]) -> Sequence[str]:
    from buddy_core.runs.viewing.viewer import runs_table

    return runs_table(runs, now_ms=clock.now_ms(), width=terminal_width(), marks=marks)


def _chosen(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> Sequence[RunFacts]:
    """The newest runs that fit, of those that are recorded or of those that are kept, as they were then."""
    from buddy_top.cli.run.catalogs import matching_runs
    from buddy_top.config.prices import prices_for

    query = parsed_filter(args.filter, program="buddy-top run list")
    if args.kept:
        found = kept_runs(archive_of(args), query, clock)
        return found[: args.limit] if args.limit else found
    return matching_runs(runs_dir, query, clock=clock, limit=args.limit, prices=prices_for(args))


def _leaving(runs_dir: Path, clock: Clock) -> Sequence[str]:
    from buddy_core.runs.keeping.leaving import leaving_next

    return leaving_next(runs_dir, clock=clock)
