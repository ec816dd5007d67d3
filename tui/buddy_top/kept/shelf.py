"""The archive as the feed has it: what is kept, one kept run opened, and runs put into it. Work is done elsewhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from msgspec.structs import replace

from buddy_core.clock import Clock
from buddy_core.errors import BuddyError
from buddy_core.runs.facts import RunFacts
from buddy_top.listing.model import Listing, ListWants
from buddy_top.state import RunDetail

if TYPE_CHECKING:
    from buddy_core.runs.keeping.archive import Archive

AGAIN_MS = 5_000
"""So often it is looked who is kept, while somebody looks at a list of runs: another process may keep some."""

T = TypeVar("T")


class OpenedRun(NamedTuple):
    """A kept run that is on the screen."""

    run_id: str
    facts: RunFacts | None = None
    """As it was when it was kept; None while the archive is read, and where it is damaged."""
    place: Path | None = None
    """The private directory of runs in which it lies unpacked, for as long as it is open."""
    problem: str | None = None
    """Why it cannot be opened, in words."""


def unopened(run_dir: Path, problem: str) -> RunDetail:
    """Of a run that cannot be opened, why."""
    from buddy_core.runs.timeline.index.eventindex import EventIndex

    return RunDetail(run_dir.name, run_dir, EventIndex(), 0, 0, {}, (), None, problem=problem)


class Shelf:
    """Belongs to the feed's thread, but for `keep`; reads and writes in a thread of its own.

    Args:
        root: The archive's directory, which need not exist; None: nothing can be kept.
        runs_dir: Where runs are kept from.
        told: Called from that thread whenever there is something new.
    """

    def __init__(self, root: Path | None, runs_dir: Path, *, clock: Clock, told: Callable[[], None]) -> None:
        self.ids: frozenset[str] = frozenset()
        """The ids of all kept runs, as far as they are known."""
        self._root = root
        self._runs_dir = runs_dir
        self._clock = clock
        self._told = told
        self._facts: tuple[frozenset[str], tuple[RunFacts, ...]] = (self.ids, ())
        self._reading: frozenset[str] | None = None
        self._looked_at: int | None = None
        self._asked: tuple[object, ...] | None = None
        self._listing: Listing | None = None
        self._opened: OpenedRun | None = None
        self._stack = ExitStack()
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    def look(self, now_ms: int) -> None:
        """Have it looked who is kept, if that was a while ago."""
        if self._root is None or (self._looked_at is not None and 0 <= now_ms - self._looked_at < AGAIN_MS):
            return
        self._looked_at = now_ms
        self._do(self._look)

    def listing(self, wants: ListWants, now_ms: int) -> Listing:
        """The list of kept runs as far as it is known."""
        if self._root is None:
            return Listing(wants, problem="there is no place for an archive")
        key = (wants.question, self.ids)
        if key != self._asked:
            self._asked = key
            self._do(lambda: self._list(wants, now_ms))
        if self._listing is None:
            return Listing(wants, searching=True)
        current = self._listing.wants.question == wants.question
        return replace(self._listing, wants=wants, searching=not current)

    def opened_instead(self, run_id: str | None) -> OpenedRun | None:
        """A run that is kept and not recorded any more; None for every other: what is recorded goes before a copy."""
        if run_id is None or run_id not in self.ids or os.path.lexists(self._runs_dir / run_id):
            self.shut()
            return None
        return self.open(run_id)

    def open(self, run_id: str) -> OpenedRun:
        """A kept run, as far as it is unpacked; another one that was open is removed."""
        if self._opened is None or self._opened.run_id != run_id:
            self._opened = OpenedRun(run_id)
            self._do(lambda: self._open(run_id))
        return self._opened

    def shut(self) -> None:
        """No kept run is on the screen any more: what was unpacked goes."""
        if self._opened is not None:
            self._opened = None
            self._do(self._remove_unpacked)

    def facts(self) -> tuple[RunFacts, ...]:
        """Every kept run as it was then, as far as they have been read; the same tuple while none was added."""
        ids, facts = self._facts
        if ids != self.ids != self._reading:
            self._reading = self.ids
            self._do(self._read_facts)
        return facts

    def keep(self, run_ids: Sequence[str]) -> Future[str]:
        """Put runs into the archive; the future says in a sentence what came of it. From any thread."""
        future: Future[str] = Future()

        def job() -> None:
            try:
                future.set_result(self._keep(run_ids))
            except Exception as error:  # noqa: BLE001 - whoever waits for it must hear of anything
                future.set_exception(error)

        self._do(job)
        return future

    def close(self) -> None:
        """End the thread, soon, and remove what was unpacked."""
        self._closed = True
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(timeout=0.5)

    # In the thread

    def _do(self, job: Callable[[], None]) -> None:
        if self._closed:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="buddy-top archive", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not self._closed:
                with suppress(OSError, BuddyError):  # an archive that cannot be listed has no runs
                    job()
        self._remove_unpacked()

    def _archive(self) -> Archive:
        from buddy_core.runs.keeping.archive import Archive

        if self._root is None:
            raise BuddyError("there is no place for an archive")
        return Archive(self._root, clock=self._clock)

    def _look(self) -> None:
        ids = frozenset(self._archive().ids())
        if ids != self.ids:
            self.ids = ids
            self._told()

    def _read_facts(self) -> None:
        ids = self.ids
        manifests = [run.manifest for run in self._archive().kept() if run.manifest is not None]
        self._facts = ids, tuple(manifest.facts for manifest in manifests)
        self._told()

    def _list(self, wants: ListWants, now_ms: int) -> None:
        from buddy_top.kept.listed import list_kept

        try:
            self._listing = list_kept(self._archive(), wants, now_ms)
        except (OSError, BuddyError) as error:
            self._listing = Listing(wants, problem=str(error))
        self._told()

    def _open(self, run_id: str) -> None:
        self._remove_unpacked()
        if self._opened is None or self._opened.run_id != run_id:
            return  # it was left again meanwhile
        archive, facts = self._archive(), None
        try:
            facts = archive.manifest(run_id).facts
            place = self._stack.enter_context(archive.opened(run_id))
            opened = OpenedRun(run_id, facts, place)
        except (OSError, BuddyError) as error:
            opened = OpenedRun(run_id, facts, None, str(error))
        if self._opened is not None and self._opened.run_id == run_id:
            self._opened = opened
            self._told()

    def _remove_unpacked(self) -> None:
        self._stack.close()

    def _keep(self, run_ids: Sequence[str]) -> str:
        """Each by itself: one that cannot be kept does not hold up the others."""
        archive, kept, already = self._archive(), 0, 0
        problems: list[str] = []
        for run_id in run_ids:
            try:
                outcome = archive.keep(self._runs_dir, run_id)
                kept, already = kept + (outcome.state == "kept"), already + (outcome.state == "already")
            except (OSError, BuddyError) as error:
                problems.append(str(error))
        self._look()
        return kept_words(run_ids, kept, already, problems)


def kept_words(run_ids: Sequence[str], kept: int, already: int, problems: Sequence[str]) -> str:
    """What came of a wish to keep runs, in a sentence."""
    if len(run_ids) == 1:
        words = f"{run_ids[0]} is kept" if kept else f"{run_ids[0]} was kept already"
        return problems[0] if problems else words
    parts = [f"{kept} of {len(run_ids)} runs are kept now"]
    parts += [f"{already} were kept already"] if already else []
    return "; ".join((*parts, *problems[:1]))
