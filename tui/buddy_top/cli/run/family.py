"""`buddy-top run family`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_top.cli.output import DONE, print_lines, print_text, terminal_width
from buddy_top.cli.parser import RUN_ID_HELP, Commands, OneLineParser
from buddy_top.cli.run.found import found_run

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable
    from buddy_core.runs.lineage.model import Family

_EPILOG = (
    "≥ before a sum: some of its runs do not say what they spent. ≈: some of it was priced from tokens. "
    "What a fork copied from its parent is counted once, there."
)


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add the command to `buddy-top run`."""
    family = commands.add_parser(
        "family",
        parents=[everywhere],
        allow_abbrev=False,
        help="the tree of forks that a run belongs to, with what it cost alone and in all",
        epilog=_EPILOG,
    )
    family.add_argument("run_id", metavar="ID", help=RUN_ID_HELP)
    family.set_defaults(handler=_family)


def _family(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_top.config.prices import prices_for

    with found_run(args, runs_dir, args.run_id) as (place, run_id):
        family = read_family(place, run_id, clock, prices_for(args))
    if args.json:
        from buddy_core.runs.lineage.entries import family_entry
        from buddy_top.export.documents import heading, to_text

        print_text(to_text({**heading(clock.now_ms()), "family": family_entry(family)}))
        return DONE
    from buddy_core.runs.lineage.words import family_lines

    print_lines(family_lines(family, now_ms=clock.now_ms(), width=terminal_width()))
    return DONE


def read_family(runs_dir: Path, run_id: str, clock: Clock, prices: PriceTable | None) -> Family:
    """From the index where there are many runs, else from the files of all of them; the answer is the same."""
    from buddy_core.caches.errors import CacheUnavailable
    from buddy_core.runs.lineage.tree import Kindred, family_of
    from buddy_top.cli.run.catalogs import current_catalog
    from buddy_top.reading.family_reader import MOST_KIN

    with current_catalog(runs_dir, clock, prices) as catalog:
        if catalog is not None:
            try:
                rows = catalog.kin(run_id, limit=MOST_KIN)
            except CacheUnavailable:
                rows = []
            if rows:
                return family_of(
                    run_id,
                    Kindred(row.facts for row in rows),
                    now_ms=clock.now_ms(),
                    uncounted={row.facts.run_id for row in rows if not row.whole},
                    unread=len(rows) == MOST_KIN,
                )
    from buddy_core.runs.viewing.viewer import load_facts

    facts = load_facts(runs_dir, clock=clock, prices=prices)
    return family_of(run_id, Kindred(facts), now_ms=clock.now_ms())
