"""`content:` asked of the files of runs, each file once for as long as it does not grow."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from buddy_core.runs.facts import RunFacts

Contents = tuple[tuple[str, bool], ...]
"""Texts to look for in the files of a run, and whether they must not be there."""

PART_S = 0.15
"""So often what a search of files has found so far is told."""

_MOST = 100_000


class ContentMemo:
    """Remembers what the files of runs hold. `holds` reads files: not for the thread that draws."""

    def __init__(self, runs_dir: Path) -> None:
        self._runs_dir = runs_dir
        self._find: Callable[[str, str], bool] | None = None
        self._known: dict[tuple[str, str], tuple[int, bool]] = {}

    def known(self, run: RunFacts, text: str) -> tuple[bool | None, bool]:
        """What is known without reading: whether the text is there, and whether the run has not grown since."""
        events, found = self._known.get((run.run_id, text), (-1, None))
        return found, events == run.event_count

    def holds(self, run: RunFacts, text: str) -> bool:
        """Whether the text stands in an event, or in a line of an artifact."""
        found, current = self.known(run, text)
        if found is None or not current:
            found = self._finder()(run.run_id, text)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[run.run_id, text] = (run.event_count, found)
        return found

    def _finder(self) -> Callable[[str, str], bool]:
        if self._find is None:
            from buddy_core.runs.searching.search import content_finder
            from buddy_core.safety.paths import real_root

            self._find = content_finder(real_root(self._runs_dir))
        return self._find


class FileSearch:
    """Searches the files of few runs in a thread of its own; another search takes the place of this one.

    Args:
        told: Called from that thread whenever more is known.
    """

    def __init__(self, runs_dir: Path, told: Callable[[], None]) -> None:
        self._memo = ContentMemo(runs_dir)
        self._told = told
        self._waiting: deque[tuple[RunFacts, str]] = deque()
        self._work = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def fitting(self, contents: Contents, runs: Sequence[RunFacts]) -> tuple[list[RunFacts], int]:
        """Of `runs` those that fit as far as is known, and how many are still to be searched for it."""
        fitting, waiting = [], []
        for run in runs:
            verdicts = [(text, negated, *self._memo.known(run, text)) for text, negated in contents]
            waiting += [(run, text) for text, _, _, current in verdicts if not current]
            if all(found is not None and found != negated for _, negated, found, _ in verdicts):
                fitting.append(run)
        self._search(waiting)
        return fitting, len({run.run_id for run, _ in waiting})

    def stop(self) -> None:
        """Nobody asks any more."""
        self._waiting = deque()

    def close(self) -> None:
        """End the thread, soon."""
        self._closed = True
        self.stop()
        self._work.set()

    def _search(self, waiting: Sequence[tuple[RunFacts, str]]) -> None:
        self._waiting = deque(waiting)
        if waiting and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="buddy-top search", daemon=True)
            self._thread.start()
        self._work.set()

    def _run(self) -> None:
        import time

        while not self._closed:
            self._work.wait()
            self._work.clear()
            due = time.monotonic() + PART_S
            while waiting := self._waiting:
                try:
                    run, text = waiting.popleft()
                except IndexError:  # another search has just taken its place
                    continue
                self._memo.holds(run, text)
                if not self._waiting or time.monotonic() > due:
                    self._told()
                    due = time.monotonic() + PART_S
