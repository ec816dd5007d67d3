"""Where the user's own files are: never in the directory one happens to be in, never in an observed project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

CONFIG_VARIABLE = "BUDDY_TOP_CONFIG"
"""Names another configuration file."""

_APP = "buddy-top"


def config_file(environ: Mapping[str, str], named: str | None = None) -> Path:
    """The configuration file: `named`, else `$BUDDY_TOP_CONFIG`, else in the user's configuration directory."""
    import platformdirs

    chosen = named or environ.get(CONFIG_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_config_dir(_APP, appauthor=False)) / "config.toml"


def state_file() -> Path:
    """Where the monitor notes how its screen was left; it may be thrown away at any time."""
    import platformdirs

    return Path(platformdirs.user_state_dir(_APP, appauthor=False)) / "screen.json"
