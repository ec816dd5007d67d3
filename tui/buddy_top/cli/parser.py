"""The argument parser all commands share, and the types of their arguments."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from buddy_core.safety.output import stream_writer
from buddy_core.safety.text import plain
from buddy_top.config.schema import BY_NAME, BadValue, Value

WRONG_USAGE = 2
"""Exit code for arguments that make no sense."""

RUN_ID_HELP = "an id, the beginning of one, or “last”"


class OneLineParser(argparse.ArgumentParser):
    """Complains in one line that says what to do."""

    more: Callable[[], str] | None = None
    """Makes what stands below the help, as it is; asked only when somebody wants help."""

    def format_help(self) -> str:
        """The help, and what stands below it."""
        text = super().format_help()
        return text if self.more is None else f"{text}\n{self.more()}"

    def error(self, message: str) -> NoReturn:
        """Write the complaint to stderr and exit with 2."""
        wrong_usage(message, program=self.prog)


if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[OneLineParser]
else:
    Commands = object


def wrong_usage(message: str, *, program: str = "buddy-top") -> NoReturn:
    """Write the complaint to stderr and exit with 2."""
    if sys.stderr is not None:
        stream_writer(sys.stderr)(f"{program}: {plain(message)}: see “{program} --help”")
    raise SystemExit(WRONG_USAGE)


def directory(text: str) -> str:
    """A directory's name, not empty."""
    if not text.strip():  # an unset shell variable; it must not mean the directory one happens to be in
        raise argparse.ArgumentTypeError("the name is empty")
    return text


def typed(parse: Callable[[object], Value]) -> Callable[[str], Value]:
    """The value of a setting, for the argument parser: complaints in its words."""

    def convert(text: str) -> Value:
        try:
            return parse(text)
        except BadValue as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def add_history(command: argparse.ArgumentParser) -> None:
    """The switch of the history, for a command that counts."""
    setting = BY_NAME["history"]
    command.add_argument(
        setting.flag, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=setting.help
    )


def add_watch_runs(command: argparse.ArgumentParser) -> None:
    """The limit of runs whose numbers are counted, for a command that counts."""
    setting = BY_NAME["watch_runs"]
    command.add_argument(
        setting.flag,
        type=typed(setting.parse),
        default=argparse.SUPPRESS,
        metavar=setting.metavar,
        help=setting.help,
    )


def factor(text: str) -> float:
    """Above 0, at most 1000."""
    value = _number(text)
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 1000")
    return value


def whole_number(text: str) -> int:
    """From 0 up."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 up")
    return int(text[:9])


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value
