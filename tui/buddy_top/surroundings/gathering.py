"""From the process as it runs to what the checks look at."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from buddy_core.clock import Clock
from buddy_core.settings import RUNS_DIR_VARIABLE, Settings
from buddy_top.config.errors import BadConfig
from buddy_top.config.load import Choices, gather
from buddy_top.config.places import chosen_archive, config_file, own_state_dir
from buddy_top.options import Options
from buddy_top.surroundings.answers import ask_terminal
from buddy_top.surroundings.around import Surroundings


def look_around(
    args: argparse.Namespace,
    environ: Mapping[str, str],
    clock: Clock,
    *,
    screen: tuple[int, int] | None = None,
    runs_dir: Path | None = None,
) -> Surroundings:
    """The surroundings of this process; a mistake in the settings is a part of them.

    With a `screen` (its columns and lines) the monitor has the terminal, which then is not asked, and `runs_dir` is
    the directory it reads.
    """
    choices, problem = _choices(args, environ)
    named = str(runs_dir) if runs_dir is not None else _named(args, choices)
    settings = Settings.from_env(environ, runs_dir=named)
    stdin_tty, stdout_tty = (end is not None and end.isatty() for end in (sys.stdin, sys.stdout))
    has_terminal = stdin_tty and stdout_tty and environ.get("TERM", "") not in ("", "dumb", "unknown")
    return Surroundings(
        environ=environ,
        clock=clock,
        runs_dir=settings.runs_dir,
        runs_dir_by=_named_by(choices, environ),
        home=settings.home,
        config=_config(args, environ),
        config_problem=problem,
        settings=choices,
        state=own_state_dir(),
        archive=chosen_archive(choices.value("archive_dir", str) if choices is not None else None),
        stdin_tty=stdin_tty,
        stdout_tty=stdout_tty,
        size=screen or (_size() if has_terminal else None),
        answers=ask_terminal() if has_terminal and screen is None else None,
        stdout_encoding=getattr(sys.stdout, "encoding", None) or "utf-8",
        in_monitor=screen is not None,
    )


def _size() -> tuple[int, int]:
    columns, lines = shutil.get_terminal_size((0, 0))
    return columns, lines


def _choices(args: argparse.Namespace, environ: Mapping[str, str]) -> tuple[Choices | None, str]:
    try:
        return gather(args, environ), ""
    except (BadConfig, RuntimeError) as error:  # a mistake; or nobody's home
        return None, str(error)


def _named(args: argparse.Namespace, choices: Choices | None) -> str | None:
    flag = getattr(args, "runs_dir", None)
    return choices.runs_dir if choices is not None else flag


def _named_by(choices: Choices | None, environ: Mapping[str, str]) -> str:
    if choices is None:
        return f"${RUNS_DIR_VARIABLE}" if environ.get(RUNS_DIR_VARIABLE) else ""
    found = choices.settings["runs_dir"]
    return f"${found.place}" if found.origin == "environment" else found.place


def _config(args: argparse.Namespace, environ: Mapping[str, str]) -> Path | None:
    with suppress(RuntimeError):
        return config_file(environ, getattr(args, "config", None))
    return None


def seen_from_monitor(options: Options, size: tuple[int, int]) -> Surroundings:
    """The same from inside the monitor, which has the terminal."""
    args = argparse.Namespace(config=options.config)
    return look_around(args, the_environment(), options.clock, screen=size, runs_dir=options.runs_dir)


def the_environment() -> Mapping[str, str]:
    """A copy of this process's environment: a check may run in a thread beside one that changes it."""
    return dict(os.environ)
