"""`buddy-top run list`, `show` and `tail`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_core.safety.text import plain
from buddy_top.cli.filters import filter_help, parsed_filter
from buddy_top.cli.output import DONE, complain, print_lines, print_text, terminal_width, writer
from buddy_top.cli.parser import RUN_ID_HELP, Commands, OneLineParser, whole_number
from buddy_top.cli.run.found import archive_of, found_run, kept_ids, kept_runs

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable
    from buddy_core.runs.facts import RunFacts


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add the three commands to `buddy-top run`."""
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
    for name, handler, words in (
        ("show", _show, "one run with its events"),
        ("tail", _tail, "follow one run until it ends"),
    ):
        one = commands.add_parser(name, parents=[everywhere], allow_abbrev=False, help=words)
        one.add_argument("run_id", metavar="ID", help=RUN_ID_HELP)
        one.set_defaults(handler=handler)


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


def _show(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_top.config.prices import prices_for

    with found_run(args, runs_dir, args.run_id) as (place, run_id):
        if args.json:
            _show_json(place, run_id, clock, prices_for(args))
        else:
            from buddy_core.runs.viewing import viewer

            width = terminal_width()
            viewer.show_run(run_id, store=place, out=writer(), width=width, prices=prices_for(args))
    return DONE


def _show_json(runs_dir: Path, run_id: str, clock: Clock, prices: PriceTable | None) -> None:
    from buddy_core.runs.reading.reader import read_metrics
    from buddy_core.runs.viewing import viewer
    from buddy_core.runs.viewing.joined import joined_events
    from buddy_top.export.documents import joined_entry, show_document, to_text

    facts = viewer.find_facts(viewer.load_facts(runs_dir, clock=clock, prices=prices), run_id, runs_dir)
    events = [joined_entry(joined) for joined in joined_events(runs_dir, facts.run_id)]
    metrics = read_metrics(runs_dir, facts.run_id)
    print_text(to_text(show_document(facts, metrics, events, now_ms=clock.now_ms())))


def _tail(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.runs.viewing.viewer import tail_run

    with found_run(args, runs_dir, args.run_id) as (place, run_id):
        if args.json:
            asyncio.run(_tail_json(place, run_id, clock))
        else:
            asyncio.run(tail_run(run_id, store=place, out=writer(), width=terminal_width()))
    return DONE


async def _tail_json(runs_dir: Path, run_id: str, clock: Clock) -> None:
    """One JSON object a line, one line an event."""
    from buddy_core.runs.viewing.entries import event_entry
    from buddy_core.runs.watching.following import RunFollower
    from buddy_top.export.documents import to_text

    async for event in RunFollower(runs_dir, run_id, clock=clock).events():
        print_text(to_text(event_entry(event), compact=True))
