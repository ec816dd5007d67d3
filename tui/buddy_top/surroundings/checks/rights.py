"""Who owns the directories, who may look into them, and whether they can be written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from buddy_core.settings import NOWHERE, RUNS_DIR_VARIABLE
from buddy_top.surroundings.around import Surroundings
from buddy_top.surroundings.check import Check

_OTHERS = 0o077

_MOST_FILES = 200
"""Of each directory so many entries are looked at."""


def check_runs_directory(around: Surroundings) -> Iterator[Check]:
    """The directory an agent records into and the monitor reads."""
    place = around.runs_dir
    by = f" (named by {around.runs_dir_by})" if around.runs_dir_by else ""
    if place == NOWHERE:
        advice = (
            f"Name the directory that holds the runs with --runs-dir or {RUNS_DIR_VARIABLE}, or set HOME."
        )
        yield Check("runs", "failed", "there is no place to look: HOME is not set", advice)
        return
    try:
        found = place.stat()
    except FileNotFoundError:
        yield from _absent(around, by)
        return
    except OSError as error:
        advice = "Name another directory with --runs-dir, or change its permissions."
        yield Check("runs", "failed", f"{place}{by} cannot be reached: {error.strerror}", advice)
        return
    if not stat.S_ISDIR(found.st_mode):
        advice = "Name the directory that holds the runs with --runs-dir."
        yield Check("runs", "failed", f"{place}{by} is no directory", advice)
    elif not os.access(place, os.R_OK | os.X_OK):
        advice = f"Change its permissions (chmod u+rx), or name another directory: {_owner(found, around)}."
        yield Check("runs", "failed", f"{place}{by} may not be read by this user", advice)
    else:
        yield Check("runs", "ok", f"{place}{by} can be read{_link(place)}")
        yield from _guarded("runs", place, found, around)


def _absent(around: Surroundings, by: str) -> Iterator[Check]:
    place = around.runs_dir
    if place.is_symlink():
        advice = "Make the directory it points to, or point it somewhere else."
        yield Check("runs", "failed", f"{place}{by} is a link to nowhere", advice)
        return
    advice = (
        "Start an agent: its first run makes the directory. “buddy-top demo” shows what it will look like."
    )
    yield Check("runs", "note", f"{place}{by} does not exist yet", advice)


def _link(place: Path) -> str:
    return f", a link to {os.path.realpath(place)}" if place.is_symlink() else ""


def _guarded(name: str, place: Path, found: os.stat_result, around: Surroundings) -> Iterator[Check]:
    """What is wrong with owner and mode of a directory that is there."""
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != around.uid:
        advice = "Reading is safe. Nothing is recorded or run from there: it is another's."
        yield Check("rights", "warning", f"{name}: {place} belongs to {_owner(found, around)}", advice)
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        advice = f"Take it away (chmod 700 {quote(str(place))}): whoever can write there can make the monitor show anything."
        yield Check("rights", "failed", f"{name}: everybody may write into {place} ({mode:04o})", advice)
    elif mode & stat.S_ISVTX:
        advice = "Let it have a directory of its own, which nobody else may look into (0700)."
        yield Check("rights", "note", f"{name}: {place} is shared by everybody ({mode:04o})", advice)
    elif mode & _OTHERS:
        advice = f"chmod 700 {quote(str(place))}: what agents record may hold secrets."
        yield Check("rights", "note", f"{name}: others may look into {place} ({mode:04o})", advice)


def _owner(found: os.stat_result, around: Surroundings) -> str:
    if found.st_uid == around.uid:
        return "it is this user's own"
    try:
        import pwd

        return f"user {pwd.getpwuid(found.st_uid).pw_name}"
    except (ImportError, KeyError):
        return f"user number {found.st_uid}"


def check_own_directories(around: Surroundings) -> Iterator[Check]:
    """The program's own directories: state, configuration, kept runs."""
    if around.home is None:
        advice = "Set HOME to your home directory: without it nothing can be remembered."
        yield Check("home", "warning", "HOME is not set, or is no absolute path", advice)
    elif not around.home.is_dir():
        advice = "Make it, or set HOME to a directory that exists."
        yield Check("home", "warning", f"{around.home} is no directory", advice)
    places = {
        "caches": around.state,
        "configuration": None if around.config is None else around.config.parent,
        "kept runs": around.archive,
    }
    for name, place in places.items():
        if place is not None:
            yield from _own(name, place, around)


def _own(name: str, place: Path, around: Surroundings) -> Iterator[Check]:
    try:
        found = place.stat()
    except FileNotFoundError:
        yield from _could_be_made(name, place)
        return
    except OSError as error:
        advice = "Look at what stands in its way; without it everything works, and nothing is remembered."
        yield Check("rights", "warning", f"{name}: {place} cannot be reached: {error.strerror}", advice)
        return
    if not stat.S_ISDIR(found.st_mode):
        advice = "Move it away: a directory belongs there."
        yield Check("rights", "warning", f"{name}: {place} is no directory", advice)
        return
    bad = list(_guarded(name, place, found, around)) if name != "configuration" else []
    bad += _exposed_files(name, place, around) if name != "configuration" else []
    if not os.access(place, os.W_OK | os.X_OK) and name != "configuration":
        advice = "Make it writable; until then the monitor works, and remembers nothing."
        bad.append(
            Check("rights", "warning", f"{name}: {place} cannot be written{_read_only(place)}", advice)
        )
    yield from bad or [Check("rights", "ok", f"{name}: {place} is in order{_link(place)}")]


def _could_be_made(name: str, place: Path) -> Iterator[Check]:
    around = next((one for one in place.parents if one.exists()), Path("/"))
    if os.access(around, os.W_OK | os.X_OK) or name == "configuration":
        yield Check("rights", "ok", f"{name}: {place} is not there, and not needed yet")
        return
    advice = "Make it writable; until then the monitor works, and remembers nothing."
    found = f"{name}: {place} cannot be made: {around} cannot be written{_read_only(around)}"
    yield Check("rights", "warning", found, advice)


def _read_only(place: Path) -> str:
    try:
        return ", its file system is read-only" if os.statvfs(place).f_flag & os.ST_RDONLY else ""
    except OSError:
        return ""


def _exposed_files(name: str, place: Path, around: Surroundings) -> list[Check]:
    """Files of ours that others may read, or that are not ours."""
    exposed, strange = [], []
    try:
        entries = sorted(os.listdir(place))[:_MOST_FILES]  # noqa: PTH208 - names alone are asked for
    except OSError:
        return []
    for entry in entries:
        try:
            found = (place / entry).lstat()
        except OSError:
            continue
        if stat.S_ISLNK(found.st_mode) or found.st_uid != around.uid:
            strange.append(entry)
        elif stat.S_IMODE(found.st_mode) & _OTHERS:
            exposed.append(entry)
    checks = []
    if exposed:
        advice = f"chmod -R go= {quote(str(place))}: they are this user's alone."
        checks.append(Check("rights", "warning", f"{name}: others may look into {_some(exposed)}", advice))
    if strange:
        advice = f"Look at them, and remove them from {place}: they are not used."
        found_words = f"{name}: links, or files of another user: {_some(strange)}"
        checks.append(Check("rights", "warning", found_words, advice))
    return checks


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
