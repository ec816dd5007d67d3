"""`buddy-top config`: what holds, and who said so."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_core.safety.columns import Column, lay_out
from buddy_core.safety.text import plain
from buddy_core.settings import NOWHERE
from buddy_top.cli.output import DONE, print_lines, print_text, terminal_width
from buddy_top.cli.parser import Commands, OneLineParser

if TYPE_CHECKING:
    from buddy_top.config.load import Choices
    from buddy_top.config.resolve import Effective

_COLUMNS = (
    Column("setting"),
    Column("value", limit=60),
    Column("from", limit=200),
    Column("meaning", limit=200, grows=True),
)

_KEY_COLUMNS = (Column("command"), Column("keys"), Column("does", limit=200, grows=True))

_WORDS = {
    "window": "24h, or all when nothing happened in them",
    "export_dir": "your downloads",
    "archive_dir": "in your data directory",
    "cost_per_hour": "no budget",
    "cost_per_day": "no budget",
}
"""What None means."""

_EXAMPLES = {
    "runs_dir": "~/.codebuddy/runs",
    "window": "24h",
    "export_dir": "~/Downloads",
    "archive_dir": "~/.local/share/buddy-top/kept",
    "cost_per_hour": 2.0,
    "cost_per_day": 10.0,
}
"""What the sample shows where there is no default."""


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add `config` to the commands."""
    config = commands.add_parser(
        "config",
        parents=[everywhere],
        allow_abbrev=False,
        help="the settings that hold, and where each comes from",
        description="Shows every setting, its value, and whether a flag, the environment, the configuration "
        "file, what was left on the screen or the default decided it.",
    )
    config.add_argument("--path", action="store_true", help="print only where the configuration file is")
    config.add_argument("--sample", action="store_true", help="print a configuration file with every default")
    config.add_argument("--keys", action="store_true", help="list the commands that [keys] can remap")
    config.set_defaults(handler=_show, path=False, sample=False, keys=False)


def _show(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_top.config.load import gather

    if args.sample:
        print_lines(sample_lines())
        return DONE
    choices = gather(args, os.environ, screen=True)
    if args.path:
        print_lines([plain(str(choices.file.path))])
        return DONE
    if args.keys:
        print_lines(_key_lines(choices))
        return DONE
    _check_keys(choices)
    if args.json:
        from buddy_top.export.documents import to_text

        print_text(to_text(_document(choices, runs_dir, clock)))
    else:
        print_lines(_lines(choices, runs_dir))
    return DONE


def _check_keys(choices: Choices) -> None:
    if choices.file.keys:
        from buddy_top.commands import COMMANDS
        from buddy_top.config.keymap import remapped

        remapped(COMMANDS, choices.file.keys)


def _key_lines(choices: Choices) -> Iterator[str]:
    from buddy_top.commands import COMMANDS
    from buddy_top.config.keymap import remapped

    rows = [(c.id, c.keys, c.help) for c in remapped(COMMANDS, choices.file.keys)]
    yield from lay_out(_KEY_COLUMNS, rows, width=terminal_width())


def _lines(choices: Choices, runs_dir: Path) -> Iterator[str]:
    state = "" if choices.file.exists else "  (not there: “buddy-top config --sample” prints one)"
    yield f"configuration file  {plain(str(choices.file.path))}{state}"
    yield ""
    rows = [
        (found.setting.name, plain(_value(found, runs_dir)), plain(_source(found)), found.setting.help)
        for found in choices.settings.values()
    ]
    yield from lay_out(_COLUMNS, rows, width=terminal_width())
    from buddy_top.cli.config_prices import price_lines

    yield from price_lines(choices, terminal_width())
    if choices.file.keys:
        yield ""
        yield from (f"key  {plain(name)} = {plain(keys)}" for name, keys in choices.file.keys.items())


def _value(found: Effective, runs_dir: Path) -> str:
    if found.setting.name == "runs_dir":
        return str(runs_dir) if runs_dir != NOWHERE else "none: HOME is not set"
    if found.value is None:
        return _WORDS.get(found.setting.name, "–")
    return str(found.value).lower() if isinstance(found.value, bool) else str(found.value)


def _source(found: Effective) -> str:
    words = {"environment": f"${found.place}", "remembered": "left on the screen"}
    return words.get(found.origin, found.place or found.origin)


def _document(choices: Choices, runs_dir: Path, clock: Clock) -> dict[str, object]:
    from buddy_core.runs.viewing.entries import SCHEMA_VERSION
    from buddy_top.cli.config_prices import price_entries

    settings = {
        name: {
            "value": found.value if name != "runs_dir" else None if runs_dir == NOWHERE else str(runs_dir),
            "origin": found.origin,
            "place": found.place or None,
        }
        for name, found in choices.settings.items()
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "generated_at": clock.now_ms(),
        "file": {"path": str(choices.file.path), "exists": choices.file.exists},
        "settings": settings,
        "prices": price_entries(choices),
        "keys": dict(choices.file.keys),
    }


def sample_lines() -> Iterator[str]:
    """A configuration file in which everything is commented out and has its default."""
    from buddy_top.cli.config_prices import SAMPLE
    from buddy_top.config.schema import SETTINGS

    yield "# buddy-top: what a flag or a variable says wins over this file."
    for setting in SETTINGS:
        yield ""
        yield f"# {setting.help}  ({setting.flag}, ${setting.variable})"
        example = _EXAMPLES.get(setting.name, setting.default)
        yield f"# {setting.name} = {_toml(example)}"
    yield from (
        "",
        "# Keys, by command; “buddy-top config --keys” lists the commands.",
        "# [keys]",
        '# filter = "slash,ctrl+f"',
        *SAMPLE,
    )


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f'"{value}"'
