"""`buddy-top run keep` and `buddy-top run unkeep`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buddy_core import format as fmt
from buddy_core.clock import Clock
from buddy_core.errors import BuddyError, RunLocked, RunNotFound
from buddy_core.safety.text import plain
from buddy_top.cli.output import DONE, FAILED, NO_SUCH_RUN, complain, print_lines, print_text
from buddy_top.cli.parser import RUN_ID_HELP, Commands, OneLineParser, wrong_usage
from buddy_top.cli.run.found import archive_of

if TYPE_CHECKING:
    from buddy_core.runs.keeping.archive import Archive, KeepOutcome
    from buddy_core.runs.keeping.following import Told
    from buddy_core.runs.keeping.manifest import Manifest

_PROGRAM = "buddy-top run keep"
_EPILOG = (
    "A kept run is a copy of all its files, compressed (run.tar.xz) and checksummed, which no agent prunes; “run show”, "
    "“run export”, “run diff”, “run list --kept” and “run search --kept” read it. Secrets in it stay as they were recorded, "
    "readable for you alone. Exit code 0: everything is kept."
)


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add the two commands to `buddy-top run`."""
    keep = commands.add_parser(
        "keep",
        parents=[everywhere],
        allow_abbrev=False,
        help="copy runs into the archive, where nothing prunes them",
        epilog=_EPILOG,
    )
    keep.add_argument("run_ids", nargs="*", metavar="ID", help=RUN_ID_HELP)
    keep.add_argument("--all", dest="every", action="store_true", help="every run that is over")
    keep.add_argument("--watch", action="store_true", help="with --all: and whatever ends from now on")
    keep.add_argument("--verify", action="store_true", help="read kept runs (all, or ID) to their last byte")
    keep.set_defaults(handler=_keep)
    unkeep = commands.add_parser(
        "unkeep", parents=[everywhere], allow_abbrev=False, help="remove runs from the archive"
    )
    unkeep.add_argument("run_ids", nargs="+", metavar="ID", help="the id of a kept run, or its beginning")
    unkeep.add_argument("--yes", action="store_true", help="also where the kept copy is the only one")
    unkeep.set_defaults(handler=_unkeep)


def _keep(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    archive = archive_of(args)
    if args.verify and not args.every:
        return _verify(args, archive, clock)
    if args.verify or bool(args.run_ids) == args.every or (args.watch and not args.every):
        wrong_usage("name runs, or --all (and then perhaps --watch), or --verify", program=_PROGRAM)
    from buddy_core.runs.lookup import check_runs_dir

    if args.watch:
        check_runs_dir(runs_dir)
        return _follow(args, runs_dir, archive, clock)
    report = _Report(args, archive)
    for told in _all(runs_dir, archive) if args.every else _named(args.run_ids, runs_dir, archive):
        report.tell(told)
    report.close(clock)
    return report.code


def _named(wanted: Sequence[str], runs_dir: Path, archive: Archive) -> Iterable[Told]:
    from buddy_core.runs.lookup import find_run

    for name in wanted:
        try:
            yield archive.keep(runs_dir, find_run(runs_dir, name))
        except BuddyError as error:
            yield error


def _all(runs_dir: Path, archive: Archive) -> Iterable[Told]:
    """Every run, the oldest first: it is the one that leaves first. Runs that are recorded are passed over."""
    from buddy_core.runs.lookup import run_ids

    for run_id in reversed(run_ids(runs_dir)):
        try:
            if not archive.holds(runs_dir, run_id):
                yield archive.keep(runs_dir, run_id)
        except RunLocked as error:
            complain(error, DONE)
        except BuddyError as error:
            yield error


def _follow(args: argparse.Namespace, runs_dir: Path, archive: Archive, clock: Clock) -> int:
    from buddy_core.runs.keeping.following import Keeper

    report = _Report(args, archive, lines=True)
    keeper = Keeper(runs_dir, archive, tell=report.tell, clock=clock)
    complain(f"keeping whatever ends in {plain(str(runs_dir))}; Ctrl-C ends it", DONE)
    asyncio.run(keeper.follow())
    return DONE


class _Report:
    """Says what became of each run, and knows the exit code.

    With `lines` each is told at once also as JSON, one object a line.
    """

    def __init__(self, args: argparse.Namespace, archive: Archive, *, lines: bool = False) -> None:
        self.code = DONE
        self._json = args.json
        self._lines = lines
        self._archive = archive
        self._entries: list[dict[str, Any]] = []
        self._kept = 0

    def tell(self, told: Told) -> None:
        """One run."""
        if isinstance(told, BuddyError):
            code = NO_SUCH_RUN if isinstance(told, RunNotFound) else FAILED
            self.code = max(self.code, complain(told, code))
            self._put({"problem": str(told)}, ())
            return
        if told.state == "kept" and not self._kept and not self._json:
            complain(
                f"secrets are kept as they were recorded, for you alone: {plain(str(self._archive.root))}",
                DONE,
            )
        self._kept += told.state == "kept"
        self._put(_entry(told.manifest, told.state), _lines(told))

    def verified(self, manifest: Manifest) -> None:
        """One run that was read to its end, and is sound."""
        size = f"{fmt.plural(len(manifest.files), 'file')}, {fmt.bytes_(manifest.size)}"
        self._put(_entry(manifest, "sound"), [f"{manifest.run_id}  is sound: {size}"])

    def close(self, clock: Clock) -> None:
        """Print the document, where one is wanted."""
        if self._json and not self._lines:
            from buddy_top.export.documents import heading, to_text

            place = {"archive": str(self._archive.root)}
            print_text(to_text({**heading(clock.now_ms()), **place, "runs": self._entries}))
        elif not self._json and not self._entries:
            print_lines(["everything is kept"])

    def _put(self, entry: dict[str, Any], lines: Iterable[str]) -> None:
        self._entries = [*self._entries, entry] if not self._lines else []
        if not self._json:
            print_lines(lines)
        elif self._lines:
            from buddy_top.export.documents import to_text

            print_text(to_text(entry, compact=True))


def _lines(told: KeepOutcome) -> Iterable[str]:
    manifest = told.manifest
    if told.state == "already":
        yield f"{told.run_id}  is kept already"
        return
    size, packed = fmt.bytes_(manifest.size), fmt.bytes_(manifest.packed_size)
    yield f"{told.run_id}  kept: {fmt.plural(len(manifest.files), 'file')}, {size} in {packed}"
    for left in manifest.left_out:
        yield f"  left out: {plain(left.name, limit=100)}: {left.reason}"


def _entry(manifest: Manifest, state: str) -> dict[str, Any]:
    return {
        "run_id": manifest.run_id,
        "state": state,
        "kept_at": manifest.kept_at,
        "files": len(manifest.files),
        "size": manifest.size,
        "packed_size": manifest.packed_size,
        "left_out": [{"name": left.name, "reason": left.reason} for left in manifest.left_out],
        "problem": None,
    }


def _verify(args: argparse.Namespace, archive: Archive, clock: Clock) -> int:
    """Read every byte of the named runs, or of all; exit code 1 when one is damaged."""
    report = _Report(args, archive)
    ids = [_kept_id(archive, name) for name in args.run_ids] or archive.ids()
    for run_id in ids:
        try:
            manifest = archive.verify(run_id)
        except BuddyError as error:
            report.tell(error)
        else:
            report.verified(manifest)
    report.close(clock)
    return report.code


def _unkeep(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    archive = archive_of(args)
    for name in args.run_ids:
        run_id = _kept_id(archive, name)
        if not args.yes and not (runs_dir / run_id).is_dir():
            return complain(
                f"the kept copy of {run_id} is the only one: --yes removes it all the same", FAILED
            )
        archive.remove(run_id)
        print_lines([f"{run_id}  is not kept any more"])
    return DONE


def _kept_id(archive: Archive, wanted: str) -> str:
    from buddy_core.runs.lookup import choose_run

    return choose_run(archive.ids(), wanted, place=str(archive.root))
