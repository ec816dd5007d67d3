"""The command line's grammar. No work is done here, and nothing heavy is imported."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from buddy_core._version import __version__
from buddy_top.cli.filters import shielded
from buddy_top.cli.parser import Commands, OneLineParser, directory, factor, typed
from buddy_top.config.schema import BY_NAME, SETTINGS

_EPILOG = (
    "Runs are looked for in --runs-dir, else in $CODEBUDDY_RUNS_DIR, else in ~/.codebuddy/runs. "
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such run, 130 and 143 interrupted."
)

_EVERYWHERE = ("--runs-dir", "--archive-dir")
"""Settings that every command takes, not only the monitor."""


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments as a namespace with every field set; exits by itself for --help, --version and errors.

    `handler` is the function of the command, called with the arguments, the runs directory and the clock;
    None for the monitor and the demonstration.
    """
    defaults = argparse.Namespace(
        runs_dir=None,
        json=False,
        debug=False,
        config=None,
        window=None,
        tab=None,
        refresh=None,
        theme=None,
        read_only=None,
        export_dir=None,
        archive_dir=None,
        remember=None,
        history=None,
        meter=None,
        watch_runs=None,
        cost_per_hour=None,
        cost_per_day=None,
        estimate=None,
        notify=None,
        once=False,
        command=None,
        run_command=None,
        handler=None,
        seed=None,
        speed=1.0,
    )
    words = shielded(sys.argv[1:] if argv is None else argv)
    return _parser(words).parse_args(words, defaults)


def _parser(words: Sequence[str]) -> OneLineParser:
    everywhere, screen = _everywhere(), _screen()
    parser = OneLineParser(
        prog="buddy-top",
        description="top for coding agents: what they spend, do and break, live. Without a command: the monitor.",
        epilog=_EPILOG,
        parents=[everywhere, screen],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"buddy-top {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _add_demo(commands, [everywhere, screen])
    if not _draws_a_screen(words, parser):
        _add_others(commands, everywhere)
    return parser


def _draws_a_screen(words: Sequence[str], parser: OneLineParser) -> bool:
    """True when `words` name no other command and ask for no help: the screen does not wait for what they need."""
    valued = {flag for action in parser._actions if action.nargs is None for flag in action.option_strings}
    rest = iter(words)
    for word in rest:
        if word in valued:
            next(rest, None)
        elif word == "demo":
            return True
        elif word in ("-h", "--help") or not word.startswith("-"):
            return False
    return True


def _add_others(commands: Commands, everywhere: OneLineParser) -> None:
    from buddy_top.cli import alerts, config, doctor, metrics
    from buddy_top.cli.run import diff, export, family, index, keep, listed, replay, search, shown
    from buddy_top.cli.run import doctor as run_doctor

    run = commands.add_parser(
        "run", parents=[everywhere], allow_abbrev=False, help="list, show and follow recorded runs"
    )
    about_runs = run.add_subparsers(dest="run_command", metavar="COMMAND", required=True)
    for module in (listed, shown, search, diff, family, keep, replay, export, run_doctor, index):
        module.add(about_runs, everywhere)
    for module in (alerts, config, metrics, doctor):
        module.add(commands, everywhere)


def _everywhere() -> OneLineParser:
    """Options accepted before and after a command; suppressed defaults keep the one from undoing the other."""
    options = OneLineParser(add_help=False, argument_default=argparse.SUPPRESS)
    options.add_argument("--runs-dir", type=directory, metavar="DIR", help="where run directories live")
    options.add_argument("--archive-dir", type=directory, metavar="DIR", help=BY_NAME["archive_dir"].help)
    options.add_argument("--config", type=directory, metavar="FILE", help="another configuration file")
    options.add_argument("--json", action="store_true", help="print JSON instead of text")
    options.add_argument("--debug", action="store_true", help="show tracebacks when something breaks")
    return options


def _screen() -> OneLineParser:
    options = OneLineParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = options.add_argument_group("the monitor")
    group.add_argument(
        "--once",
        action="store_true",
        help="print one picture as text (or --json), alerts and budgets included, and exit",
    )
    for setting in SETTINGS:
        if setting.flag in _EVERYWHERE:
            continue
        if isinstance(setting.default, bool):
            group.add_argument(setting.flag, action=argparse.BooleanOptionalAction, help=setting.help)
        else:
            group.add_argument(
                setting.flag, type=typed(setting.parse), metavar=setting.metavar, help=setting.help
            )
    return options


def _add_demo(commands: Commands, parents: list[OneLineParser]) -> None:
    demo = commands.add_parser(
        "demo",
        parents=parents,
        allow_abbrev=False,
        help="the monitor on a live demonstration agent",
        description="Watch a demonstration agent at work. Its runs are recorded in a temporary directory.",
    )
    demo.add_argument(
        "--seed", type=int, default=argparse.SUPPRESS, metavar="N", help="repeat the same agent"
    )
    demo.add_argument(
        "--speed",
        type=factor,
        default=argparse.SUPPRESS,
        metavar="X",
        help="how many times faster than life",
    )
