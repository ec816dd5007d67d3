"""Where every byte of an event file went (promise C4): delivered, skipped for a reason, or still waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Reason = Literal["blank", "bom", "nul", "invalid", "torn", "oversize", "not_object"]
"""Why bytes were skipped. `torn` began like a record and never closed; `invalid` is no JSON at all."""

Repair = Literal["recovered", "utf8", "surrogate", "fields", "time"]
"""What was mended so that a record could be shown."""


@dataclass(frozen=True, slots=True)
class Accounting:
    """The account of one generation of one file, in bytes unless the name says lines."""

    generation: int = 1
    """1 for the first content seen under this name; one more each time the content was replaced."""
    seen: int = 0
    """Bytes read so far."""
    delivered: int = 0
    """Bytes of records handed out, with their line ends."""
    pending: int = 0
    """Bytes of a last line whose newline has not come."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Bytes by `Reason`; reasons that did not occur are absent."""
    skipped_lines: int = 0
    """Damaged lines that gave no record; blank lines are not damage."""
    recovered_lines: int = 0
    """Records dug out of damaged lines."""
    notes: tuple[str, ...] = ()
    """One short sentence for each kind of damage or repair, with its count."""

    @property
    def balanced(self) -> bool:
        """True when every byte seen is explained."""
        return self.seen == self.delivered + self.pending + sum(self.skipped.values())


@dataclass(slots=True)
class Ledger:
    """The running account; each number is counted where it arises, none is computed from the others."""

    seen: int = 0
    delivered: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    skipped_lines: int = 0
    pieces: Counter[str] = field(default_factory=Counter)
    """How often each `Reason` and each `Repair` occurred."""

    def skip(self, reason: Reason, size: int) -> None:
        """Enter `size` bytes that belong to no record, as one occurrence of `reason`."""
        self.skipped[reason] += size
        self.pieces[reason] += 1

    def extend(self, reason: Reason, size: int) -> None:
        """Enter more bytes of an occurrence that is already counted."""
        self.skipped[reason] += size

    def mend(self, repair: Repair, times: int = 1) -> None:
        """Count a record that needed mending."""
        self.pieces[repair] += times

    def close(self, generation: int, pending: int) -> Accounting:
        """The account as of now."""
        return Accounting(
            generation=generation,
            seen=self.seen,
            delivered=self.delivered,
            pending=pending,
            skipped=MappingProxyType(dict(self.skipped)),
            skipped_lines=self.skipped_lines,
            recovered_lines=self.pieces["recovered"],
            notes=self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        return tuple(self._note(key) for key in _SENTENCES if self.pieces[key])

    def _note(self, key: str) -> str:
        one, many = _SENTENCES[key]
        count = self.pieces[key]
        words = one if count == 1 else many
        size = self.skipped.get(key)
        return f"{count:,} {words}" + (f" ({size:,} bytes)" if size else "")


_SENTENCES = {
    "torn": ("torn record skipped", "torn records skipped"),
    "invalid": ("piece that is no JSON skipped", "pieces that are no JSON skipped"),
    "not_object": ("line that is no record skipped", "lines that are no records skipped"),
    "oversize": ("line too long to read skipped", "lines too long to read skipped"),
    "nul": ("run of NUL bytes skipped", "runs of NUL bytes skipped"),
    "bom": ("byte order mark ignored", "byte order marks ignored"),
    "recovered": ("record recovered from a damaged line", "records recovered from damaged lines"),
    "utf8": ("record with invalid UTF-8, shown with marks", "records with invalid UTF-8, shown with marks"),
    "surrogate": (
        "record with half a character, shown with marks",
        "records with half characters, shown with marks",
    ),
    "fields": ("record with fields of another type", "records with fields of another type"),
    "time": ("record without a usable time", "records without a usable time"),
}
"""Singular and plural of each note; blank lines are counted in bytes and not worth a sentence."""
