"""Everything the user has chosen, gathered from where it is said."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from buddy_core.alerts.limits import Limits
from buddy_top.config.file import ConfigFile, read_config
from buddy_top.config.places import CONFIG_VARIABLE, config_file, history_file, state_file
from buddy_top.config.remembered import Remembered, load
from buddy_top.config.resolve import Effective, resolve
from buddy_top.config.schema import SETTINGS

T = TypeVar("T", str, int, float, bool)


class Choices(msgspec.Struct, frozen=True):
    """The effective settings, with the file they may come from and how the screen was left."""

    settings: Mapping[str, Effective]
    file: ConfigFile
    remembered: Remembered = msgspec.field(default_factory=Remembered)

    def value(self, name: str, kind: type[T]) -> T | None:
        """The value of a setting; None when nobody chose and there is no default."""
        value = self.settings[name].value
        return value if isinstance(value, kind) else None

    @property
    def runs_dir(self) -> str | None:
        """The runs directory, where a flag or the file names one; the environment is read by the library."""
        effective = self.settings["runs_dir"]
        return str(effective.value) if effective.origin in ("flag", "file") else None

    @property
    def history(self) -> Path | None:
        """The file that remembers runs after they are gone; None where nothing is to be remembered."""
        return history_file() if self.value("history", bool) else None

    @property
    def watch_runs(self) -> int:
        """Of so many runs the numbers are counted; 0: of all."""
        return self.value("watch_runs", int) or 0


def gather(args: argparse.Namespace, environ: Mapping[str, str], *, screen: bool = False) -> Choices:
    """The choices that hold for `args`; how the screen was left counts only for a `screen`.

    Raises:
        BadConfig: The file or a variable says something that cannot be.
    """
    path = config_file(environ, args.config)
    file = read_config(path, required=bool(args.config or environ.get(CONFIG_VARIABLE)))
    flags = {setting.name: getattr(args, setting.name, None) for setting in SETTINGS}
    left = load(state_file()) if screen else Remembered()
    settings = resolve(flags, environ, file, left.values)
    if not settings["remember"].value:
        left = Remembered()
    return Choices(settings, file, left)


def limits_of(choices: Choices) -> Limits:
    """What the rules of alerts compare with, as far as somebody chose."""
    return Limits(
        cost_per_hour=choices.value("cost_per_hour", float),
        cost_per_day=choices.value("cost_per_day", float),
    )
