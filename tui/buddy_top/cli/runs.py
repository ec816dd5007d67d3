"""`buddy-top run list`, `show` and `tail`."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from buddy_core.clock import Clock
from buddy_core.safety.text import plain
from buddy_top.cli.filters import filter_help, parsed_filter
from buddy_top.cli.output import DONE, print_lines, print_text, terminal_width, writer
from buddy_top.cli.parser import RUN_ID_HELP, Commands, OneLineParser, whole_number


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add the three commands to `buddy-top run`."""
    listed = commands.add_parser(
        "list",
        parents=[everywhere],
        allow_abbrev=False,
        help="the newest runs",
        epilog=filter_help(),
    )
    listed.add_argument(
        "--limit", type=whole_number, default=20, metavar="N", help="how many (default 20; 0: all)"
    )
    listed.add_argument("filter", nargs="*", metavar="FILTER", help="only runs that fit; see below")
    listed.set_defaults(handler=_list)
    for name, handler, words in (
        ("show", _show, "one run with its events"),
        ("tail", _tail, "follow one run until it ends"),
    ):
        one = commands.add_parser(name, parents=[everywhere], allow_abbrev=False, help=words)
        one.add_argument("run_id", metavar="ID", help=RUN_ID_HELP)
        one.set_defaults(handler=handler)


def _list(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.runs.viewing.viewer import runs_table
    from buddy_top.cli.catalogs import matching_runs
    from buddy_top.config.prices import prices_for

    query = parsed_filter(args.filter, program="buddy-top run list")
    shown = matching_runs(runs_dir, query, clock=clock, limit=args.limit, prices=prices_for(args))
    if args.json:
        from buddy_top.documents import runs_document, to_text

        print_text(to_text(runs_document(shown, now_ms=clock.now_ms())))
        return DONE
    none = "no run fits this filter" if args.filter else f"no runs in {plain(str(runs_dir))} yet"
    print_lines(runs_table(shown, now_ms=clock.now_ms(), width=terminal_width()) or [none])
    return DONE


def _show(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.runs.viewing import viewer
    from buddy_top.config.prices import prices_for

    prices = prices_for(args)
    if not args.json:
        viewer.show_run(args.run_id, store=runs_dir, out=writer(), width=terminal_width(), prices=prices)
        return DONE
    from buddy_core.runs.reading.reader import read_metrics
    from buddy_core.runs.viewing.joined import joined_events
    from buddy_top.documents import joined_entry, show_document, to_text

    facts = viewer.find_facts(viewer.load_facts(runs_dir, clock=clock, prices=prices), args.run_id, runs_dir)
    events = [joined_entry(joined) for joined in joined_events(runs_dir, facts.run_id)]
    metrics = read_metrics(runs_dir, facts.run_id)
    print_text(to_text(show_document(facts, metrics, events, now_ms=clock.now_ms())))
    return DONE


def _tail(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.runs.viewing.lookup import find_run
    from buddy_core.runs.viewing.viewer import tail_run

    if args.json:
        asyncio.run(_tail_json(runs_dir, find_run(runs_dir, args.run_id), clock))
    else:
        asyncio.run(tail_run(args.run_id, store=runs_dir, out=writer(), width=terminal_width()))
    return DONE


async def _tail_json(runs_dir: Path, run_id: str, clock: Clock) -> None:
    """One JSON object a line, one line an event."""
    from buddy_core.runs.viewing.entries import event_entry
    from buddy_core.runs.viewing.following import RunFollower
    from buddy_top.documents import to_text

    async for event in RunFollower(runs_dir, run_id, clock=clock).events():
        print_text(to_text(event_entry(event), compact=True))
