"""`buddy-top run export`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_core.safety.text import plain
from buddy_top.cli.output import DONE, FAILED, complain, print_text
from buddy_top.cli.parser import RUN_ID_HELP, Commands, OneLineParser
from buddy_top.cli.run.found import found_run

if TYPE_CHECKING:
    from buddy_core.runs.export import Format


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add the command to `buddy-top run`."""
    export = commands.add_parser(
        "export",
        parents=[everywhere],
        allow_abbrev=False,
        help="write one run as JSON, Markdown or an HTML page",
        epilog="Secrets are masked unless --unmasked. The HTML page needs no other file and no network.",
    )
    export.add_argument("run_id", metavar="ID", help=RUN_ID_HELP)
    export.add_argument(
        "--format",
        choices=("json", "md", "html"),
        default=None,
        help="default: by the ending of FILE, else json",
    )
    export.add_argument("-o", "--output", metavar="FILE", default=None, help="default: standard output")
    export.add_argument("--force", action="store_true", help="replace FILE when it exists")
    export.add_argument("--unmasked", action="store_true", help="leave secrets as they are")
    export.set_defaults(handler=_export)


def _export(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.runs.export import export_run
    from buddy_top.config.prices import prices_for

    target = None if args.output in (None, "-") else Path(args.output)
    if target is not None and not args.force and os.path.lexists(target):
        return complain(f"{plain(str(target))} exists: name another file, or replace it with --force", FAILED)
    with found_run(args, runs_dir, args.run_id) as (place, run_id):
        document = export_run(
            run_id,
            args.format or ("json" if args.json else _format_of(target)),
            store=place,
            unmasked=args.unmasked,
            clock=clock,
            prices=prices_for(args),
        )
    if args.unmasked:
        complain("secrets are not masked in this export", DONE)
    if target is None:
        _print(document)
        return DONE
    _write(target, document.encode("utf-8"), replace=args.force)
    return complain(f"written: {plain(str(target))}", DONE)


def _format_of(target: Path | None) -> Format:
    endings: dict[str, Format] = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html"}
    return "json" if target is None else endings.get(target.suffix.lower(), "json")


def _print(document: str) -> None:
    """Printable already; where the locale has no UTF-8 the document is written as UTF-8 all the same."""
    if "utf" in (getattr(sys.stdout, "encoding", None) or "utf").lower():
        print_text(document.removesuffix("\n"))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(document.encode("utf-8"))
        sys.stdout.buffer.flush()


def _write(target: Path, data: bytes, *, replace: bool) -> None:
    """A private file that is there whole or not at all; an existing one is replaced only when asked."""
    beside = target.with_name(f".{target.name}.{os.getpid()}") if replace else target
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        if replace:
            os.replace(beside, target)  # noqa: PTH105
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
