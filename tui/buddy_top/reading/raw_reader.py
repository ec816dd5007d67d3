"""Reads lines of one file of a run for the raw view: the page in sight, the line under the cursor, the next match."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from buddy_core.runs.reading.rawfile import RAW_NAMES, RawFile, RawName
from buddy_core.safety.paths import stat_beneath
from buddy_top.state import RawPage, RawSearch, RawWants

BUDGET = 16 * 1024 * 1024
"""Bytes in which lines are looked for, and words in them, between two pictures."""


class RawReader:
    """Follows one file. Not thread-safe: one caller at a time."""

    def __init__(self, run_dir: Path, name: RawName) -> None:
        self.more = True
        """There is more to read at once: ask again soon."""
        self._run_dir = run_dir
        self._name: RawName = name
        self._file: RawFile | None = None
        self._search: RawSearch | None = None
        self._at = -1
        self._found: int | None = None

    @property
    def file(self) -> tuple[Path, RawName]:
        """The run's directory, and which of its files is read."""
        return self._run_dir, self._name

    def read(self, wants: RawWants) -> RawPage:
        """What is asked for, as far as the file is known by now."""
        page = RawPage(self._run_dir.name, wants, sizes=self._sizes())
        try:
            file = self._opened()
            growing = file.grow(BUDGET)
            searching = self._look_on(file, wants.search)
            self.more = growing or searching
            return replace(
                page,
                lines=file.lines,
                read_bytes=file.read_bytes,
                reading=growing,
                page=tuple(file.page(wants.first, wants.last - wants.first)),
                chosen=file.line(wants.line),
                found=self._found,
                searching=searching,
            )
        except OSError as error:
            self.close()
            words = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
            return replace(page, problem=f"{self._name}: {words or error}")

    def close(self) -> None:
        """Let go of the file."""
        self.more = False
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> RawFile:
        if self._file is not None and self._file.is_stale():
            self.close()
        if self._file is None:
            self._file = RawFile(self._run_dir, self._name)
        return self._file

    def _look_on(self, file: RawFile, search: RawSearch | None) -> bool:
        """Search on; True while that is to go on."""
        if search != self._search:
            self._search, self._found = search, None
            self._at = -1 if search is None else search.first
        if search is None or self._at < 0 or self._found is not None:
            return False
        self._found, self._at = file.find(search.words, self._at, search.step, BUDGET)
        return self._found is None and self._at >= 0

    def _sizes(self) -> tuple[tuple[RawName, int], ...]:
        found = []
        for name in RAW_NAMES:
            try:
                size = stat_beneath(self._run_dir.parent, self._run_dir.name, name).st_size
            except OSError:
                continue
            found.append((name, size))
        return tuple(found)
