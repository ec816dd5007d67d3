"""The files of one run: are they there, are they what they should be, and do they belong to this user alone?"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from buddy_core import format as fmt
from buddy_core.runs.checkup.finding import Finding, Severity
from buddy_core.runs.names import ARTIFACTS_NAME, EVENTS_NAME
from buddy_core.runs.reading.reader import read_small_file
from buddy_core.runs.records.json_values import decode_object
from buddy_core.runs.writing.files import temporary_name
from buddy_core.safety.paths import entries_beneath, stat_beneath
from buddy_core.safety.text import plain

_MAX_ENTRIES = 2_000
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a directory",
}


def examine_files(root: Path, run_id: str) -> Iterator[Finding]:
    """Everything that can be told without reading events."""
    yield from _json(root, run_id, "summary.json", "would show what the events say")
    yield from _json(root, run_id, "metrics.json", "would show what the events say")
    yield from _entries(root, run_id)


def _json(root: Path, run_id: str, name: str, would: str) -> Iterator[Finding]:
    try:
        stat_beneath(root, run_id, name)
    except OSError:
        yield Finding(run_id, "warning", f"no_{name.split('.')[0]}", f"there is no {name}", would)
        return
    data = read_small_file(root, run_id, name)
    fields = None if data is None else decode_object(data)
    if fields is None:
        reason = "cannot be read" if data is None else "is no JSON object"
        yield Finding(run_id, "problem", f"bad_{name.split('.')[0]}", f"{name} {reason}", would)
    elif fields.get("runId", run_id) != run_id:
        claim = plain(fields["runId"], limit=60)
        yield Finding(
            run_id,
            "warning",
            "run_id",
            f"{name} says it belongs to {claim}",
            "would believe the directory's name",
        )


def _entries(root: Path, run_id: str) -> Iterator[Finding]:
    """Permissions, links, temporary files and things that are no files, in the run and among its artifacts."""
    modes: Counter[str] = Counter()
    _count_mode(modes, stat_beneath(root, run_id))
    for parts in ((run_id,), (run_id, ARTIFACTS_NAME)):
        try:
            for entry in islice(entries_beneath(root, *parts), _MAX_ENTRIES):
                found = entry.stat(follow_symlinks=False)
                _count_mode(modes, found)
                yield from _entry(run_id, "/".join((*parts[1:], entry.name)), entry.name, found)
        except FileNotFoundError:
            continue
        except OSError as error:
            where = "/".join(parts[1:]) or "its directory"
            yield Finding(
                run_id,
                "problem",
                "unreadable",
                f"{where} cannot be listed: {error.strerror}",
                "would show the rest",
            )
    yield from _modes(run_id, modes)


def _entry(run_id: str, shown: str, name: str, found: os.stat_result) -> Iterator[Finding]:
    shown = plain(shown, limit=120)
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG and not (kind == stat.S_IFDIR and name == ARTIFACTS_NAME):
        severity: Severity = "problem" if name == EVENTS_NAME else "warning"
        yield Finding(
            run_id,
            severity,
            "no_file",
            f"{shown} is {_KINDS.get(kind, 'a device')}, not a file",
            "would not open it",
        )
    elif kind == stat.S_IFREG and found.st_nlink > 1:
        told = f"{shown} has a second name elsewhere (a hard link)"
        yield Finding(run_id, "warning", "hard_link", told, "would read it, and refuse to write to it")
    elif name.startswith(".") and name == temporary_name(name[1:].removesuffix(".tmp")):
        told = f"{shown} was left by a write that was cut off ({fmt.bytes_(found.st_size)})"
        yield Finding(run_id, "note", "temporary", told, "would remove it")


def _count_mode(modes: Counter[str], found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        return
    modes["owner"] += found.st_uid != os.geteuid()
    if found.st_mode & stat.S_IWOTH:
        modes["writable"] += 1
    elif found.st_mode & 0o077:
        modes["readable"] += 1


def _modes(run_id: str, modes: Counter[str]) -> Iterator[Finding]:
    private = "would make directories 0700 and files 0600"
    if modes["owner"]:
        told = "it belongs to another user, or some of its files do"
        yield Finding(run_id, "warning", "owner", told, "would read them, and neither write nor replay")
    if modes["writable"]:
        told = "everybody may write to its directories or files"
        yield Finding(run_id, "problem", "permissions", told, private)
    if modes["readable"]:
        told = "others may read its directories or files"
        yield Finding(run_id, "note", "permissions", told, private)
