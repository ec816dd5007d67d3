"""`buddy-top run show` and `buddy-top run tail`: one run with its events, as it is or as it goes on."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_top.cli.output import DONE, print_text, terminal_width, writer
from buddy_top.cli.parser import RUN_ID_HELP, Commands, OneLineParser
from buddy_top.cli.run.found import found_run

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add both commands to `buddy-top run`."""
    for name, handler, words in (
        ("show", _show, "one run with its events"),
        ("tail", _tail, "follow one run until it ends"),
    ):
        one = commands.add_parser(name, parents=[everywhere], allow_abbrev=False, help=words)
        one.add_argument("run_id", metavar="ID", help=RUN_ID_HELP)
        one.set_defaults(handler=handler)


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
