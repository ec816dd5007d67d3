"""`buddy-top run index`."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from buddy_core.clock import Clock
from buddy_top.cli.output import DONE, print_lines, print_text
from buddy_top.cli.parser import Commands, OneLineParser


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add the command to `buddy-top run`."""
    index = commands.add_parser(
        "index",
        parents=[everywhere],
        allow_abbrev=False,
        help="index all runs, for fast lists and searches",
        description="Bring the index of runs up to date, with the full text of events and artifacts. It lies in the "
        "user's state directory, holds no text of secrets, and can be thrown away at any time.",
    )
    index.add_argument("--rebuild", action="store_true", help="throw it away and make it anew")
    index.set_defaults(handler=_index)


def _index(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core import format as fmt
    from buddy_core.runs.catalog.catalog import Catalog
    from buddy_top.cli.run.catalogs import told_progress
    from buddy_top.config.places import state_dir
    from buddy_top.config.prices import prices_for

    prices = prices_for(args)
    with contextlib.closing(
        Catalog(runs_dir, state_dir(), write=True, clock=clock, prices=prices)
    ) as catalog:
        if args.rebuild:
            catalog.discard()
        with told_progress() as tell:
            changed = catalog.keep(progress=tell)
        runs, size = catalog.count(), catalog.path.stat().st_size
    if args.json:
        from buddy_top.export.documents import heading, to_text

        document = {"runs": runs, "changed": changed, "index_bytes": size, "path": str(catalog.path)}
        print_text(to_text({**heading(clock.now_ms()), **document}))
        return DONE
    print_lines(
        [
            f"{fmt.plural(runs, 'run')} indexed, {changed:,} of them read now; {fmt.bytes_(size)} in {catalog.path}"
        ]
    )
    return DONE
