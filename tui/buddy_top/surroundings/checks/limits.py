"""What the system allows: notifications of changes, open files, and whether the file system tells of changes at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from buddy_core.format import bytes_
from buddy_core.runs.watching.mounts import filesystem_type, silent_filesystem
from buddy_core.runs.watching.watch import MAX_WATCHES
from buddy_core.settings import NOWHERE
from buddy_top.surroundings.around import Surroundings
from buddy_top.surroundings.check import Check

NEEDED_WATCHES = MAX_WATCHES + 2
"""The runs directory, the one around it, and so many live runs at most."""

FEW_DESCRIPTORS, FEWEST_DESCRIPTORS = 256, 40
"""Open files below which some are closed and opened again all the time, and below which nothing is promised."""

LITTLE_SPACE, NO_SPACE = 100_000_000, 5_000_000
"""Bytes free below which an agent may soon stop recording, and below which it has to."""

_INOTIFY = Path("sys/fs/inotify")


def check_notifications(around: Surroundings) -> Iterator[Check]:
    """Is the monitor told when files change, or does it have to look."""
    silent = silent_filesystem(_nearest(around.runs_dir), around.proc / "self/mountinfo")
    if silent is not None:
        advice = (
            "Nothing needs to be done: it is looked at four times a second, and a change shows within 1.2 s."
        )
        yield Check("notifications", "note", f"the runs lie on {silent}, which tells of no changes", advice)
        return
    if around.platform != "linux":
        yield Check("notifications", "ok", "changes are told by the system")
        return
    refused = _refused()
    watches, instances = (_limit(around, name) for name in ("max_user_watches", "max_user_instances"))
    if refused == errno.ENOSPC or (watches is not None and watches < NEEDED_WATCHES):
        found = (
            f"no inotify watches left of {watches}" if refused else f"only {watches} inotify watches a user"
        )
        yield Check("notifications", "warning", found, _raise("max_user_watches", 524_288))
    elif refused is not None:
        found = f"no inotify instances left of {_number(instances)}: {os.strerror(refused)}"
        yield Check("notifications", "warning", found, _raise("max_user_instances", 512))
    else:
        told = f"inotify: {_number(watches)} watches and {_number(instances)} instances a user"
        yield Check("notifications", "ok", told)


def _raise(name: str, to: int) -> str:
    return f"Raise it with “sudo sysctl fs.inotify.{name}={to}”; until then files are looked at four times a second."


def _number(value: int | None) -> str:
    return "an unknown number of" if value is None else f"{value:,}"


def _limit(around: Surroundings, name: str) -> int | None:
    try:
        return int((around.proc / _INOTIFY / name).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _refused() -> int | None:
    """The error of making a watch here and now, which is let go of at once; None when there was none."""
    try:
        from asyncinotify import Inotify, Mask
    except ImportError:
        return errno.ENOSYS
    try:
        with Inotify() as inotify:
            inotify.add_watch(Path("/"), Mask.DELETE_SELF)
    except OSError as error:
        return error.errno or errno.EIO
    return None


def check_descriptors(around: Surroundings) -> Iterator[Check]:
    """How many files may be open at once."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= FEW_DESCRIPTORS:
        told = "any number of" if soft == resource.RLIM_INFINITY else f"{soft:,}"
        yield Check("open files", "ok", f"{told} files may be open at once")
        return
    state = "note" if soft >= FEWEST_DESCRIPTORS else "warning"
    most = "" if hard in (resource.RLIM_INFINITY, soft) else f" (up to {hard:,} without the administrator)"
    advice = (
        f"Raise it with “ulimit -n 1024”{most}: with fewer, files are closed and opened again all the time."
    )
    yield Check("open files", "note" if state == "note" else "warning", f"only {soft} may be open", advice)


def check_file_systems(around: Surroundings) -> Iterator[Check]:
    """Where runs and caches lie, and how much room is left there."""
    places = [("runs", around.runs_dir), ("caches", around.state)]
    for name, place in places:
        if place is None or place == NOWHERE:
            continue
        there = _nearest(place)
        kind = filesystem_type(there, around.proc / "self/mountinfo")
        yield from _room(name, there, f" on {kind}" if kind else "")


def _room(name: str, place: Path, where: str) -> Iterator[Check]:
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        advice = "Look at the file system: mount it, or name another directory."
        yield Check("disk", "warning", f"{name}: {place} cannot be asked ({error.strerror})", advice)
        return
    told = f"{name}: {bytes_(free)} free{where}"
    if free < NO_SPACE:
        advice = "Make room: what an agent cannot record it can only count, and caches stay as they are."
        yield Check("disk", "failed" if name == "runs" else "warning", told, advice)
    elif free < LITTLE_SPACE:
        yield Check("disk", "warning", told, "Make room before agents have to stop recording.")
    else:
        yield Check("disk", "ok", told)


def _nearest(place: Path) -> Path:
    """The directory itself, or the nearest around it that exists."""
    for one in (place, *place.parents):
        with suppress(OSError):
            if one.exists():
                return one
    return Path("/")
