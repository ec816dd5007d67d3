"""Which value holds, and where it came from: flag, environment, file, what was left, default, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from buddy_top.config.file import BadConfig, ConfigFile
from buddy_top.config.schema import SETTINGS, BadValue, Setting, Value

Origin = Literal["flag", "environment", "file", "remembered", "default"]


class Effective(msgspec.Struct, frozen=True):
    """The value of a setting, and who decided it."""

    setting: Setting
    value: Value
    origin: Origin
    place: str
    """The flag, the variable or the file's path; empty for a default."""


def resolve(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    file: ConfigFile,
    remembered: Mapping[str, Value],
) -> dict[str, Effective]:
    """The effective value of every setting, by name.

    `flags` are values of the command line, already checked; None or absent: not given. `remembered` counts
    only where nobody said anything, and only while `remember` holds.

    Raises:
        BadConfig: A variable says something that cannot be.
    """
    found = {setting.name: _decided(setting, flags, environ, file) for setting in SETTINGS}
    if found["remember"].value:
        for name, value in remembered.items():
            if name in found and found[name].origin == "default":
                found[name] = Effective(found[name].setting, value, "remembered", "")
    return found


def _decided(
    setting: Setting, flags: Mapping[str, object], environ: Mapping[str, str], file: ConfigFile
) -> Effective:
    given = flags.get(setting.name)
    if isinstance(given, str | int | float | bool):
        return Effective(setting, given, "flag", setting.flag)
    if text := environ.get(setting.variable):
        try:
            return Effective(setting, setting.parse(text), "environment", setting.variable)
        except BadValue as error:
            raise BadConfig(f"${setting.variable}: {error}") from None
    if setting.name in file.values:
        return Effective(setting, file.values[setting.name], "file", str(file.path))
    return Effective(setting, setting.default, "default", "")
