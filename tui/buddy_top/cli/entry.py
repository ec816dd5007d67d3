"""From the arguments to an exit code, whatever happens on the way.

Textual is imported only when a screen is drawn; lists and JSON never wait for it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from buddy_core.clock import SystemClock
from buddy_core.errors import BuddyError, RunNotFound, StoreUnavailable
from buddy_core.settings import RUNS_DIR_VARIABLE, Settings
from buddy_top.cli.grammar import parse
from buddy_top.cli.output import (
    BROKEN_PIPE,
    FAILED,
    INTERRUPTED,
    NO_SUCH_RUN,
    abandon_output,
    complain,
    report,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    args = parse(argv)
    try:
        return _command(args)
    except RunNotFound as error:
        return complain(error, NO_SUCH_RUN)
    except BuddyError as error:
        return complain(error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        abandon_output()
        return BROKEN_PIPE
    except OSError as error:
        abandon_output()
        return complain(f"cannot go on: {error.strerror or error}", FAILED)
    except Exception as error:  # noqa: BLE001 - the last place that can keep a traceback from the user
        return report(error, debug=args.debug)


def _command(args: argparse.Namespace) -> int:
    clock = SystemClock()
    if args.command == "demo":
        from buddy_top.launch import run_demo

        return run_demo(args, clock)
    settings = Settings.from_env(runs_dir=args.runs_dir)
    if settings.home is None and args.runs_dir is None and RUNS_DIR_VARIABLE not in os.environ:
        raise StoreUnavailable("HOME is not set, so there is no place to look: name one with --runs-dir")
    if args.handler is not None:
        code: int = args.handler(args, settings.runs_dir, clock)
        return code
    from buddy_top.cli import picture

    if args.once or args.json or not picture.screen_is_possible():
        return picture.print_once(settings.runs_dir, args, clock)
    from buddy_top.launch import run_monitor

    return run_monitor(args, settings, clock)
