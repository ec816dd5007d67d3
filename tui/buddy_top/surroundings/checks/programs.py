"""Versions of what the program consists of."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from importlib import metadata

from buddy_core._version import __version__
from buddy_top.surroundings.around import Surroundings
from buddy_top.surroundings.check import Check

NEEDED = ("textual", "rich", "msgspec", "aiofiles", "prometheus-client")
TESTED_TEXTUAL = "8.2."
"""The monitor overrides some private parts of Textual, and is tested with these versions."""

_HELPERS = {"linux": "asyncinotify"}


def check_versions(
    around: Surroundings, version_of: Callable[[str], str] = metadata.version
) -> Iterator[Check]:
    """What is installed, and what is missing."""
    python = platform.python_version()
    found: list[str] = []
    for package in (*NEEDED, _HELPERS.get(around.platform, "watchfiles")):
        try:
            found.append(f"{package} {version_of(package)}")
        except metadata.PackageNotFoundError:
            advice = f"pip install {package}"
            yield Check("versions", "failed", f"{package} is not installed", f"Install it: {advice}.")
    yield Check("versions", "ok", f"buddy-top {__version__}, Python {python}, {', '.join(found)}")
    textual = next((one.split()[1] for one in found if one.startswith("textual ")), TESTED_TEXTUAL)
    if not textual.startswith(TESTED_TEXTUAL):
        advice = f"pip install 'textual=={TESTED_TEXTUAL}*'"
        yield Check("versions", "warning", f"textual {textual} was never tested with this monitor", advice)
    yield from _sqlite()


def _sqlite() -> Iterator[Check]:
    try:
        import sqlite3
    except ImportError:
        advice = "Install the sqlite3 module of Python: without it there is neither history nor index."
        yield Check("versions", "warning", "this Python has no SQLite", advice)
        return
    connection = sqlite3.connect(":memory:")
    try:
        options = {row[0] for row in connection.execute("PRAGMA compile_options")}
    finally:
        connection.close()
    if "ENABLE_FTS5" in options:
        yield Check("versions", "ok", f"SQLite {sqlite3.sqlite_version} with full-text search")
    else:
        advice = "Another build of Python may have it; until then very many runs are listed without an index."
        yield Check(
            "versions", "warning", f"SQLite {sqlite3.sqlite_version} has no full-text search (FTS5)", advice
        )
