"""The configuration file: TOML, at most 1 MiB, read whole and believed in nothing it cannot mean."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from buddy_top.config.errors import BadConfig as BadConfig  # noqa: PLC0414 - found here by those who read files
from buddy_top.config.schema import BY_NAME, BadValue, Value

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceEntry

MAX_BYTES = 1024 * 1024


class ConfigFile(msgspec.Struct, frozen=True):
    """What a configuration file says."""

    path: Path
    exists: bool = False
    values: Mapping[str, Value] = msgspec.field(default_factory=dict)
    keys: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Command ids, each with the keys that should do it, comma-separated."""
    prices: tuple[PriceEntry, ...] = ()
    """What tokens cost, by the user's own word."""


def read_config(path: Path, *, required: bool = False) -> ConfigFile:
    """The file at `path`; one that is absent says nothing, unless it is `required`.

    Raises:
        BadConfig: It cannot be read, is no TOML, or names or sets what there is not.
    """
    text = _text(path, required)
    if text is None:
        return ConfigFile(path)
    import tomllib

    try:
        tree = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadConfig(f"{path} is not valid TOML: {error}") from None
    keys, prices = tree.pop("keys", {}), tree.pop("prices", None)
    return ConfigFile(
        path, exists=True, values=_values(path, tree), keys=_keys(path, keys), prices=_prices(path, prices)
    )


def _text(path: Path, required: bool) -> str | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise BadConfig(f"there is no configuration file {path}") from None
        return None
    except (OSError, ValueError) as error:
        raise BadConfig(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise BadConfig(f"{path} is no plain file")
    with os.fdopen(fd, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise BadConfig(f"{path} is longer than a configuration file can be (1 MiB)")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadConfig(f"{path} is not UTF-8") from None


def _values(path: Path, tree: Mapping[str, object]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, given in tree.items():
        setting = BY_NAME.get(name)
        if setting is None:
            raise BadConfig(f"{path}: there is no setting {name!r}{_meant(name, BY_NAME)}")
        try:
            values[name] = setting.parse(given)
        except BadValue as error:
            raise BadConfig(f"{path}: {name}: {error}") from None
    return values


def _keys(path: Path, table: object) -> dict[str, str]:
    if not isinstance(table, dict) or not all(isinstance(keys, str) for keys in table.values()):
        raise BadConfig(f'{path}: [keys] must be a table of lines such as filter = "slash,ctrl+f"')
    return {str(name): keys for name, keys in table.items()}


def _prices(path: Path, table: object) -> tuple[PriceEntry, ...]:
    if table is None:
        return ()
    from buddy_top.config.prices import read_prices  # most files name none

    return read_prices(path, table)


def _meant(name: str, known: Mapping[str, object]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"
