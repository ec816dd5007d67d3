"""Where the user's own files are: never in the directory one happens to be in, never in an observed project."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

CONFIG_VARIABLE = "BUDDY_TOP_CONFIG"
"""Names another configuration file."""

_APP = "buddy-top"
_DEFAULTS = {"config": "~/.config", "state": "~/.local/state", "data": "~/.local/share"}


def config_file(environ: Mapping[str, str], named: str | None = None) -> Path:
    """The configuration file: `named`, else `$BUDDY_TOP_CONFIG`, else in the user's configuration directory."""
    chosen = named or environ.get(CONFIG_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return _directory("config") / "config.toml"


def state_file() -> Path:
    """Where the monitor notes how its screen was left; it may be thrown away at any time."""
    return state_dir() / "screen.json"


def state_dir() -> Path:
    """The user's own directory for what the program keeps and can do without."""
    return _directory("state")


def own_state_dir() -> Path | None:
    """The same, or None where the user has no directory of their own."""
    try:
        directory = _directory("state")
    except RuntimeError:  # nobody's home
        return None
    return directory if directory.is_absolute() else None


def history_file() -> Path | None:
    """Where runs are remembered after they are gone; None where the user has no directory of their own for it."""
    directory = own_state_dir()
    return None if directory is None else directory / "history.sqlite3"


def chosen_archive(named: str | None) -> Path | None:
    """The place a setting names, else the usual one; None where the user has no directory of their own for it."""
    try:
        directory = Path(named).expanduser() if named else archive_directory()
    except RuntimeError:  # nobody's home
        return None
    return directory.absolute() if named or directory.is_absolute() else None


def archive_directory() -> Path:
    """Where kept runs are, unless a setting names another place; nothing but the user removes what is there."""
    return _directory("data") / "kept"


def _directory(kind: Literal["config", "state", "data"]) -> Path:
    """The user's own directory of this kind.

    On Linux the answer is one variable and one default (XDG Base Directory Specification 0.8), and the library
    that knows every other system would take a fortieth of the time to the first picture.
    """
    if sys.platform == "linux":
        named = os.environ.get(f"XDG_{kind.upper()}_HOME", "")
        default = Path(_DEFAULTS[kind]).expanduser()
        return (Path(named) if named.startswith("/") else default) / _APP
    import platformdirs

    found = {
        "config": platformdirs.user_config_dir,
        "state": platformdirs.user_state_dir,
        "data": platformdirs.user_data_dir,
    }
    return Path(found[kind](_APP, appauthor=False))
