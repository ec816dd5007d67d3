"""The runs directory itself, and what lies in it beside runs."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from buddy_core import format as fmt
from buddy_core.runs.checkup.finding import Finding
from buddy_core.runs.names import is_run_id
from buddy_core.safety.paths import entries_beneath
from buddy_core.safety.text import plain

TRASH = ".trash"
"""Where pruned runs wait to be removed."""

_MAX_NAMED = 20
_Found = partial(Finding, None)


def examine_directory(root: Path) -> Iterator[Finding]:
    """Owner and permissions of `root`, links and strangers called like runs, and what a prune left unfinished."""
    yield from _permissions(root.stat())
    named = 0
    for entry in entries_beneath(root):
        if entry.name == TRASH:
            yield from _trash(root)
        elif entry.name.startswith("run_") and named < _MAX_NAMED:
            strangers = list(_stranger(entry))
            named += len(strangers)
            yield from strangers


def beyond_limit(runs: int, watch_runs: int) -> Iterator[Finding]:
    """What is to be known of a directory with more runs than the monitor counts; 0 is no limit."""
    if watch_runs and runs > watch_runs:
        yield _Found(
            "note",
            "watch_runs",
            f"the monitor's numbers are of the newest {watch_runs:,} of {runs:,} runs",
            "would count all with watch_runs = 0",
        )


def _permissions(found: os.stat_result) -> Iterator[Finding]:
    if found.st_uid != os.geteuid():
        yield _Found(
            "warning", "owner", "the runs directory belongs to another user", "would record nothing into it"
        )
    if found.st_mode & stat.S_IWOTH:
        yield _Found(
            "problem",
            "permissions",
            "everybody may write into the runs directory",
            "would make it private (0700)",
        )
    elif found.st_mode & 0o077:
        mode = f"{stat.S_IMODE(found.st_mode):04o}"
        yield _Found(
            "note",
            "permissions",
            f"others may look into the runs directory ({mode})",
            "would make it private (0700)",
        )


def _stranger(entry: os.DirEntry[str]) -> Iterator[Finding]:
    name = plain(entry.name, limit=80)
    if entry.is_symlink():
        yield _Found("warning", "link", f"{name} is a link, and is not followed", "would leave it alone")
    elif not is_run_id(entry.name):
        yield _Found("note", "name", f"{name} is called like a run, and is none", "would leave it alone")
    elif not entry.is_dir(follow_symlinks=False):
        yield _Found(
            "note", "name", f"{name} is called like a run, and is no directory", "would leave it alone"
        )


def _trash(root: Path) -> Iterator[Finding]:
    try:
        left = sum(1 for _ in islice(entries_beneath(root, TRASH), 1_000))
    except OSError:
        yield _Found("warning", "trash", f"{TRASH} cannot be looked into", "would leave it alone")
        return
    if left:
        removed = fmt.plural(left, "pruned run is", "pruned runs are")
        yield _Found("note", "trash", f"{removed} not wholly removed yet", "would finish with the next prune")
