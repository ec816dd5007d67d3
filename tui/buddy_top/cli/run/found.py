"""Runs that are only in the archive any more are found like the others, by the commands that show one run."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_core.errors import AmbiguousRun, BuddyError, RunNotFound, StoreUnavailable
from buddy_top.cli.output import DONE, complain

if TYPE_CHECKING:
    from buddy_core.runs.facts import RunFacts
    from buddy_core.runs.keeping.archive import Archive
    from buddy_core.runs.query.model import Query


def archive_of(args: argparse.Namespace) -> Archive:
    """The archive that the settings name."""
    from buddy_core.runs.keeping.archive import Archive

    return Archive(_archive_root(args))


def kept_ids(args: argparse.Namespace) -> frozenset[str]:
    """The ids of all kept runs, for lists, which need not load what reads them."""
    from buddy_core.runs.reading.reader import run_ids
    from buddy_core.safety.paths import real_root

    return frozenset(run_ids(real_root(_archive_root(args))))


def _archive_root(args: argparse.Namespace) -> Path:
    from buddy_top.config.load import gather
    from buddy_top.config.places import archive_directory

    named = gather(args, os.environ).value("archive_dir", str)
    return Path(named).expanduser().absolute() if named else archive_directory()


@contextmanager
def found_run(args: argparse.Namespace, runs_dir: Path, wanted: str) -> Iterator[tuple[Path, str]]:
    """The runs directory and the id of the run that is meant; a kept one is unpacked for as long as this lasts.

    What is recorded goes before what is kept, and `last` means a recorded run. Raises as `lookup.find_run`, and
    `KeptRunDamaged`.
    """
    from buddy_core.runs.lookup import find_run

    with ExitStack() as stack:
        try:
            place, run_id = runs_dir, find_run(runs_dir, wanted)
        except AmbiguousRun:
            raise
        except (RunNotFound, StoreUnavailable) as error:
            place, run_id = _from_archive(archive_of(args), wanted, error, stack)
        yield place, run_id


def _from_archive(archive: Archive, wanted: str, error: BuddyError, stack: ExitStack) -> tuple[Path, str]:
    """The run unpacked; raises `error` where it is not kept either."""
    from buddy_core.runs.lookup import LAST, choose_run

    try:
        run_id = choose_run([] if wanted == LAST else archive.ids(), wanted, place=str(archive.root))
    except AmbiguousRun:
        raise
    except RunNotFound:
        raise error from None
    complain(f"{run_id} comes from the archive of kept runs", DONE)
    return stack.enter_context(archive.opened(run_id)), run_id


def kept_runs(archive: Archive, query: Query, clock: Clock) -> list[RunFacts]:
    """The kept runs that a filter fits, as they were when they were kept; damaged ones are complained of."""
    from buddy_core.runs.query.evaluate import Matcher

    matcher = Matcher(query, now_ms=clock.now_ms(), content=archive.holds_text)
    found: list[RunFacts] = []
    for run in archive.kept():
        if run.manifest is None:
            complain(run.problem, DONE)
        elif matcher.fits(run.manifest.candidate):
            found.append(run.manifest.facts)
    return found
