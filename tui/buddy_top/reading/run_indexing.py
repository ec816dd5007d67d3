"""Indexes and searches the one run on the screen: at once while that is a matter of milliseconds, else in a thread.

Only one of the two does it at a time, so that the index has one writer. The thread works in small pieces and
gives way after each of them: whoever draws waits no longer than for one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from buddy_core.runs.reading.accounting import Accounting
from buddy_core.runs.timeline.finding.rowfilter import parse_row_filter
from buddy_core.runs.timeline.finding.rowsearch import RowSearch
from buddy_core.runs.timeline.index.eventindex import EventIndex
from buddy_core.runs.timeline.index.indextail import PIECE, IndexTail
from buddy_core.runs.timeline.index.rowmaker import RowMaker
from buddy_top.state import Found

AT_ONCE_S = 0.012
"""So long whoever asks does the work himself; what is left then goes to a thread."""

HEAD_START_S = 0.1
"""So long after that the thread begins: what was read at once is to be drawn first."""

TOLD_EVERY_S = 0.2
"""How often a thread at work tells how far it is."""


class RunIndexing:
    """Grows one run's index and looks for what its rows are filtered by; `wake` is called from the thread."""

    def __init__(self, runs_dir: Path, run_id: str, wake: Callable[[], None] = lambda: None) -> None:
        self._tail = IndexTail(runs_dir, run_id)
        self._maker = RowMaker(runs_dir, run_id)
        self._wake = wake
        self._search: tuple[str, RowSearch] | None = None
        self._wanted = self._filter = ""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._failed: BaseException | None = None
        self._closed = False
        self._hurry = threading.Event()
        self.whole = False
        """What stood in the file was read to its end once."""

    @property
    def index(self) -> EventIndex:
        """As far as it has come."""
        return self._tail.index

    @property
    def accounting(self) -> Accounting:
        """Of what was read."""
        return self._tail.accounting

    @property
    def problem(self) -> str | None:
        """Why the file cannot be read at present."""
        return self._tail.problem

    @property
    def busy(self) -> bool:
        """A thread is at work."""
        return self._thread is not None

    def found(self) -> Found | None:
        """What the filter has found so far; None where nothing is filtered, or the work has not begun."""
        if (known := self._search) is None:
            return None
        text, search = known
        return Found(text, search.matches, len(search.matches), search.searched)

    def go_on(self, row_filter: str) -> None:
        """Take in what is new in the file and in what is asked for; returns soon, perhaps with a thread at work.

        A thread that is at work takes it in itself, or ends and wakes, so that this is called again.
        """
        self._wanted = row_filter
        if self._failed is not None:
            raise self._failed
        if self.busy or self._closed:
            return
        with self._lock:
            if self._work(time.monotonic() + AT_ONCE_S):
                self._thread = threading.Thread(target=self._run, name="buddy-top index", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Let go of the files, after the piece that is being done; a thread at work ends."""
        self._closed = True
        self._hurry.set()
        with self._lock:
            self._let_go()

    def _run(self) -> None:
        self._hurry.wait(HEAD_START_S)
        told = time.monotonic()
        try:
            while self._piece():
                if time.monotonic() - told > TOLD_EVERY_S:
                    told = time.monotonic()
                    self._wake()
                time.sleep(0)
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits for the index
            self._failed = error
        self._wake()

    def _piece(self) -> bool:
        """Do a little; False when there is nothing left, after which the thread is none any more."""
        with self._lock:
            if not self._closed and self._work(0.0):
                return True
            self._thread = None
            return False

    def _work(self, until: float) -> bool:
        """Index and search, a piece of each in turn, until a moment; True where something is left to do."""
        if self._wanted != self._filter:
            self._filter, self._search = self._wanted, None
        look = True  # nobody but the file knows whether it has grown
        while True:
            if look or self._tail.more:
                self._grow()
                look = False
            searching = self._advance()
            left = self._tail.more or searching
            if not left or time.monotonic() >= until:
                return left

    def _grow(self) -> None:
        self._tail.grow(PIECE)
        if self._search is not None and self._search[1].index is not self._tail.index:
            self._search = None
        if not self._tail.more:
            self.whole = True

    def _advance(self) -> bool:
        """Look at a few more rows; True where there are more."""
        if not self._filter:
            return False
        if self._search is None:
            wanted = parse_row_filter(self._filter)
            self._search = self._filter, RowSearch(self._tail.index, wanted, self._maker)
        search = self._search[1]
        if search.more:
            search.advance()
        return search.more

    def _let_go(self) -> None:
        self._tail.close()
        self._maker.close()
