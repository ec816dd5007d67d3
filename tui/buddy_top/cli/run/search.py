"""`buddy-top run search`."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_core.safety.text import plain
from buddy_top.cli.filters import parsed_filter
from buddy_top.cli.output import DONE, complain, print_text, writer
from buddy_top.cli.parser import RUN_ID_HELP, Commands, OneLineParser, whole_number, wrong_usage
from buddy_top.cli.run.found import archive_of, found_run, kept_runs

if TYPE_CHECKING:
    from buddy_core.runs.searching.hit import SearchHit

_PROGRAM = "buddy-top run search"
_EPILOG = (
    "Every word must be in the same event, or in the same line of an artifact. Small letters find capitals too. "
    "Exit code 0 also when nothing is found."
)


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add the command to `buddy-top run`."""
    search = commands.add_parser(
        "search",
        parents=[everywhere],
        allow_abbrev=False,
        help="find words in the events and artifacts of all runs",
        epilog=_EPILOG,
    )
    search.add_argument("words", nargs="+", metavar="WORD", help="what to find")
    search.add_argument("--run", dest="run_id", metavar="ID", default=None, help=f"only there: {RUN_ID_HELP}")
    search.add_argument(
        "--where", metavar="FILTER", default=None, help="only in runs that fit, as in “run list --help”"
    )
    search.add_argument("--kept", action="store_true", help="in the runs of the archive instead")
    search.add_argument(
        "--in", dest="place", choices=("events", "artifacts", "all"), default="all", help="where to look"
    )
    search.add_argument(
        "--limit", type=whole_number, default=200, metavar="N", help="finds at most (default 200; 0: all)"
    )
    search.add_argument("-i", "--ignore-case", action="store_true", help="capitals mean nothing")
    search.add_argument("--regex", action="store_true", help="words are regular expressions of Python")
    search.set_defaults(handler=_search)


def _search(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.runs.searching.needle import BadPattern, Needle

    try:
        Needle(args.words, regex=args.regex, ignore_case=True if args.ignore_case else None)
    except BadPattern as error:
        wrong_usage(str(error), program=_PROGRAM)
    hits = islice(_hits(args, runs_dir, clock), args.limit or None)
    if args.json:
        from buddy_core.runs.viewing.entries import SCHEMA_VERSION
        from buddy_top.export.documents import to_text

        heading = {"schema_version": SCHEMA_VERSION, "generated_at": clock.now_ms()}
        print_text(to_text({**heading, "hits": [_entry(hit) for hit in hits]}))
        return DONE
    write, found = writer(), 0
    for hit in hits:
        write(_line(hit, clock.now_ms()))
        found += 1
    if not found:
        _note("nothing found")
    elif args.limit and found == args.limit:
        _note(f"stopped after {found:,} finds: --limit 0 shows all")
    return DONE


def _hits(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> Iterator[SearchHit]:
    """What is found in the run that is named, in the archive, or in all runs that are recorded."""
    if args.run_id is not None:
        with found_run(args, runs_dir, args.run_id) as (place, run_id):
            yield from _hits_in(args, place, run_id)
    elif args.kept:
        archive = archive_of(args)
        for facts in kept_runs(archive, parsed_filter(_where(args), program=_PROGRAM), clock):
            with archive.opened(facts.run_id) as place:
                yield from _hits_in(args, place, facts.run_id)
    else:
        yield from _hits_in(args, runs_dir, None, _among(args, runs_dir, clock))


def _hits_in(
    args: argparse.Namespace, runs_dir: Path, run_id: str | None, among: frozenset[str] | None = None
) -> Iterator[SearchHit]:
    from buddy_core.runs.searching.search import search_runs

    return search_runs(
        args.words,
        runs_dir=runs_dir,
        run_id=run_id,
        among=among,
        place=args.place,
        regex=args.regex,
        ignore_case=True if args.ignore_case else None,
        on_skip=_note,
    )


def _among(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> frozenset[str] | None:
    """Ids of the runs to search: those that the filter fits and that may hold the words; None for all of them."""
    from buddy_top.cli.run.catalogs import current_catalog, matching_runs
    from buddy_top.config.prices import prices_for

    among, prices = None, prices_for(args)
    if args.where is not None:
        query = parsed_filter(_where(args), program=_PROGRAM)
        among = frozenset(
            facts.run_id for facts in matching_runs(runs_dir, query, clock=clock, limit=0, prices=prices)
        )
    if args.regex:
        return among
    from buddy_core.caches.errors import CacheUnavailable

    with (
        current_catalog(runs_dir, clock, prices, make=False) as catalog,
        contextlib.suppress(CacheUnavailable),
    ):
        if catalog is not None:
            suspects = catalog.suspects(args.words)
            among = suspects if among is None else among & suspects
    return among


def _where(args: argparse.Namespace) -> list[str]:
    return [] if args.where is None else [args.where]


def _note(words: str) -> None:
    complain(words, DONE)


def _line(hit: SearchHit, now_ms: int) -> str:
    from buddy_core import format as fmt

    at = fmt.date_time(hit.at_ms, now_ms) if hit.source == "event" else f"line {hit.line}"
    where = plain(hit.name, limit=32) if hit.source == "event" else f"artifacts/{plain(hit.name, limit=60)}"
    return f"{hit.run_id}  {at:>12}  {where:<16}  {_marked(hit)}"


def _marked(hit: SearchHit) -> str:
    """The excerpt with each find between `«` and `»`."""
    parts: list[str] = []
    done = 0
    for begin, end in hit.marks:
        parts += (hit.text[done:begin], "«", hit.text[begin:end], "»")
        done = end
    return "".join((*parts, hit.text[done:]))


def _entry(hit: SearchHit) -> dict[str, object]:
    return {
        "run_id": hit.run_id,
        "source": hit.source,
        "name": hit.name,
        "at_ms": hit.at_ms,
        "line": hit.line,
        "offset": hit.offset,
        "text": hit.text,
        "marks": [list(mark) for mark in hit.marks],
    }
