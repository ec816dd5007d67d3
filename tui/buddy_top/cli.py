"""The commands and their manners: exit codes, one-line errors, pipes that close, outputs that are full.

Textual is imported only when a screen is drawn; lists and JSON never wait for it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock, SystemClock
from buddy_core.errors import BuddyError, RunNotFound, StoreUnavailable
from buddy_core.metrics.window import Window
from buddy_core.runs.lookup import check_runs_dir
from buddy_core.safety.output import LineWriter, stream_writer
from buddy_core.safety.text import plain
from buddy_core.settings import RUNS_DIR_VARIABLE, Settings
from buddy_top.arguments import parse

if TYPE_CHECKING:
    from buddy_core.runs.model import RunFacts

DONE, FAILED, NO_SUCH_RUN, INTERRUPTED, BROKEN_PIPE = 0, 1, 3, 130, 128 + signal.SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    args = parse(argv)
    try:
        return _command(args)
    except RunNotFound as error:
        return _complain(error, NO_SUCH_RUN)
    except BuddyError as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _abandon_output()
        return BROKEN_PIPE
    except OSError as error:
        _abandon_output()
        return _complain(f"cannot go on: {error.strerror or error}", FAILED)
    except Exception as error:  # noqa: BLE001 - the last place that can keep a traceback from the user
        return _report(error, debug=args.debug)


def _command(args: argparse.Namespace) -> int:
    clock = SystemClock()
    if args.command == "demo":
        from buddy_top.launch import run_demo

        return run_demo(args, clock)
    settings = Settings.from_env(runs_dir=args.runs_dir)
    if settings.home is None and args.runs_dir is None and RUNS_DIR_VARIABLE not in os.environ:
        raise StoreUnavailable("HOME is not set, so there is no place to look: name one with --runs-dir")
    if args.command == "run":
        return _RUN_COMMANDS[args.run_command](args, settings.runs_dir, clock)
    if args.once or args.json or not screen_is_possible():
        return print_once(settings.runs_dir, args, clock)
    from buddy_top.launch import run_monitor

    return run_monitor(args, settings, clock)


def screen_is_possible(environ: dict[str, str] | None = None) -> bool:
    """True when standard input and output are a terminal that can do more than print lines."""
    term = (os.environ if environ is None else environ).get("TERM", "")
    ends = (sys.stdin, sys.stdout)
    return term not in ("", "dumb", "unknown") and all(end is not None and end.isatty() for end in ends)


def print_once(runs_dir: Path, args: argparse.Namespace, clock: Clock) -> int:
    """`--once`: everything is read, one picture or one JSON object is printed."""
    from buddy_core.metrics.collector import MetricsCollector
    from buddy_core.observe import Observer
    from buddy_top.documents import once_document, to_text
    from buddy_top.once import picture

    check_runs_dir(runs_dir)
    collector = MetricsCollector(clock=clock)
    observer = Observer(runs_dir, collector, clock=clock)
    observer.load()
    observer.close()
    window, now_ms = Window(args.window or "all"), clock.now_ms()
    if args.json:
        _print_text(to_text(once_document(collector, observer, window, now_ms=now_ms)))
    else:
        _print_lines(picture(collector, observer, window, now_ms=now_ms, width=_width()))
    return DONE


def _list(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.runs.viewer import load_facts, runs_table

    found = [facts for facts in load_facts(runs_dir, clock=clock) if _fits(facts, args.words)]
    shown = found[: args.limit] if args.limit else found
    if args.json:
        from buddy_top.documents import runs_document, to_text

        _print_text(to_text(runs_document(shown, now_ms=clock.now_ms())))
        return DONE
    none = "no run fits these words" if args.words else f"no runs in {plain(str(runs_dir))} yet"
    _print_lines(runs_table(shown, now_ms=clock.now_ms(), width=_width()) or [none])
    return DONE


def _show(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.runs import viewer

    if not args.json:
        viewer.show_run(args.run_id, store=runs_dir, out=_writer())
        return DONE
    from buddy_core.runs.joined import joined_events
    from buddy_core.runs.reader import read_metrics
    from buddy_top.documents import joined_entry, show_document, to_text

    facts = viewer.find_facts(viewer.load_facts(runs_dir, clock=clock), args.run_id, runs_dir)
    events = [joined_entry(joined) for joined in joined_events(runs_dir, facts.run_id)]
    metrics = read_metrics(runs_dir, facts.run_id)
    _print_text(to_text(show_document(facts, metrics, events, now_ms=clock.now_ms())))
    return DONE


def _tail(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.runs.lookup import find_run
    from buddy_core.runs.viewer import tail_run

    if args.json:
        asyncio.run(_tail_json(runs_dir, find_run(runs_dir, args.run_id), clock))
    else:
        asyncio.run(tail_run(args.run_id, store=runs_dir, out=_writer()))
    return DONE


async def _tail_json(runs_dir: Path, run_id: str, clock: Clock) -> None:
    """One JSON object a line, one line an event."""
    from buddy_core.runs.following import RunFollower
    from buddy_top.documents import event_entry, to_text

    async for event in RunFollower(runs_dir, run_id, clock=clock).events():
        _print_text(to_text(event_entry(event), compact=True))


_RUN_COMMANDS: dict[str, Callable[[argparse.Namespace, Path, Clock], int]] = {
    "list": _list,
    "show": _show,
    "tail": _tail,
}


def _fits(facts: RunFacts, words: Sequence[str]) -> bool:
    told = (facts.run_id, facts.objective, facts.status, facts.model or "", *facts.tags, *facts.artifacts)
    text = "\n".join(told).casefold()
    return all(word.casefold() in text for word in words)


def _writer() -> LineWriter:
    if sys.stdout is None:
        raise StoreUnavailable("standard output is closed: there is nowhere to print to")
    return stream_writer(sys.stdout)


def _print_lines(lines: Iterable[str]) -> None:
    write = _writer()
    for line in lines:
        write(line)


def _print_text(ascii_text: str) -> None:
    """JSON, which is longer than a line may be and safe as it is."""
    _writer()
    sys.stdout.write(ascii_text + "\n")
    sys.stdout.flush()


def _width() -> int | None:
    """Columns of the terminal; None for a pipe, where lines may be long."""
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None


def _complain(error: object, code: int) -> int:
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            stream_writer(sys.stderr)(f"buddy-top: {error}")
    return code


def _report(error: Exception, *, debug: bool) -> int:
    from buddy_top.crash import crash_lines, report_of

    if sys.stderr is not None:
        write = stream_writer(sys.stderr)
        with contextlib.suppress(OSError, ValueError):
            for line in crash_lines([report_of(error)], debug=debug):
                write(line)
    return FAILED


def _abandon_output() -> None:
    """What is still buffered cannot be written; without this the interpreter would complain at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
