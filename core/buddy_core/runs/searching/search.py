"""Words found in the events and artifacts of all runs, newest run first.

Nothing is held but one block of one file. Events are searched as they were meant, with their JSON read, so a
line break or `é` is found however it is written. Artifacts are opened as plain files only, never unpacked,
and read up to `MAX_ARTIFACT` bytes. What is shown of a find is masked like everything that leaves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

from buddy_core.runs.artifacts.files import list_artifacts
from buddy_core.runs.lookup import find_run, run_ids
from buddy_core.runs.names import ARTIFACTS_NAME, EVENTS_NAME
from buddy_core.runs.searching.artifacts import in_artifact
from buddy_core.runs.searching.events import BLOCK, events_may_have, in_events
from buddy_core.runs.searching.hit import SearchHit, Skip
from buddy_core.runs.searching.needle import Needle
from buddy_core.safety.paths import directory_beneath, read_at, real_root

Place = Literal["events", "artifacts", "all"]


def search_runs(
    words: Sequence[str],
    *,
    runs_dir: Path,
    run_id: str | None = None,
    among: Collection[str] | None = None,
    place: Place = "all",
    regex: bool = False,
    ignore_case: bool | None = None,
    limit: int = 0,
    on_skip: Skip | None = None,
) -> Iterator[SearchHit]:
    """Yield what is found, newest run first, a run's events before its artifacts; at most `limit` (0: all).

    Every word must be in the same event, or in the same line of an artifact. Only the run `run_id` is searched, or
    those whose ids are in `among`, or all. `ignore_case=None` means: unless
    a word has a capital letter. `on_skip` is told in words what was not searched, and why.

    Raises:
        BadPattern: Nothing to search for, or an expression that cannot be used.
        RunNotFound: There is no such run.
        StoreUnavailable: The runs directory cannot be read.
    """
    needle = Needle(words, regex=regex, ignore_case=ignore_case)
    chosen = run_ids(runs_dir) if run_id is None else [find_run(runs_dir, run_id)]
    if among is not None:
        chosen = [one for one in chosen if one in among]
    hits = _hits(needle, real_root(runs_dir), chosen, place, on_skip or (lambda _words: None))
    return islice(hits, limit or None)


def content_finder(root: Path) -> Callable[[str, str], bool]:
    """Answers whether a run beneath `root` (a real path) holds a text in one event or one line of an artifact.

    Capitals mean nothing. The text may be anything but empty.
    """
    needles: dict[str, Needle] = {}

    def holds(run_id: str, text: str) -> bool:
        needle = needles.get(text)
        if needle is None:
            needle = needles[text] = Needle([text], ignore_case=True)
        if _is_surely_not_in(needle, root, run_id):
            return False
        return next(_hits(needle, root, [run_id], "all", lambda _words: None), None) is not None

    return holds


def _is_surely_not_in(needle: Needle, root: Path, run_id: str) -> bool:
    """True when the bytes of the events show it and there are no artifacts: most runs are asked this, and are small."""
    try:
        with directory_beneath(root, run_id) as run_fd:
            events = read_at(run_fd, EVENTS_NAME, BLOCK)
            if len(events) > BLOCK or needle.may_be_in(events, escaped=True):
                return False
            os.stat(ARTIFACTS_NAME, dir_fd=run_fd, follow_symlinks=False)
    except FileNotFoundError as missing:
        return bool(missing.filename == ARTIFACTS_NAME)
    except OSError:
        return False
    return False


def _hits(needle: Needle, root: Path, chosen: Sequence[str], place: Place, skip: Skip) -> Iterator[SearchHit]:
    for run_id in chosen:
        if place != "artifacts" and events_may_have(needle, root, run_id):
            yield from in_events(needle, root, run_id, skip)
        if place != "events":
            for info in list_artifacts(root / run_id):
                yield from in_artifact(needle, root, run_id, info, skip)
