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
from buddy_top.cli import picture
from buddy_top.cli.grammar import parse
from buddy_top.cli.output import (
    BROKEN_PIPE,
    FAILED,
    NO_SUCH_RUN,
    abandon_output,
    complain,
    report,
)
from buddy_top.cli.parser import WRONG_USAGE
from buddy_top.cli.signals import code_of, signals_as_interrupts
from buddy_top.config.file import BadConfig
from buddy_top.config.load import gather


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    args = parse(argv)
    arrived: list[int] = []
    try:
        return _command(args, arrived)
    except RunNotFound as error:
        return complain(error, NO_SUCH_RUN)
    except BadConfig as error:
        return complain(error, WRONG_USAGE)
    except BuddyError as error:
        return complain(error, FAILED)
    except KeyboardInterrupt:
        return code_of(arrived)
    except BrokenPipeError:
        abandon_output()
        return BROKEN_PIPE
    except OSError as error:
        abandon_output()
        return complain(f"cannot go on: {error.strerror or error}", FAILED)
    except Exception as error:  # noqa: BLE001 - the last place that can keep a traceback from the user
        if arrived:  # an import that is interrupted may turn the interrupt into another error
            return code_of(arrived)
        return report(error, debug=args.debug)


def _command(args: argparse.Namespace, arrived: list[int]) -> int:
    clock = SystemClock()
    if args.command == "doctor":  # whatever is wrong with the settings, it is what tells of it
        from buddy_top.cli import doctor

        with signals_as_interrupts(arrived):
            return doctor.run(args, clock)
    is_screen = args.handler is None and not args.once and not args.json and picture.screen_is_possible()
    choices = gather(args, os.environ, screen=is_screen and args.command is None)
    if args.command == "demo":
        from buddy_top.starting.launch import run_demo

        return run_demo(args, choices, clock)
    settings = Settings.from_env(runs_dir=choices.runs_dir)
    nowhere = settings.home is None and choices.runs_dir is None and RUNS_DIR_VARIABLE not in os.environ
    if nowhere and args.command != "config":
        raise StoreUnavailable("HOME is not set, so there is no place to look: name one with --runs-dir")
    if args.handler is not None:
        with signals_as_interrupts(arrived):
            code: int = args.handler(args, settings.runs_dir, clock)
            return code
    if not is_screen:
        with signals_as_interrupts(arrived):
            return picture.print_once(settings.runs_dir, choices, args.json, clock)
    from buddy_top.starting.launch import run_monitor

    return run_monitor(args, choices, settings, clock)
