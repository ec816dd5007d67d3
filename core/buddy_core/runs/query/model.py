"""What a filter asks for, as frozen values: a list of conditions that must all hold.

`canonical.canonical` writes any of them as text that parses to the same again. Where a condition stood in the text
a person typed is no part of it: two spellings of one filter are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

NameField = Literal["tag", "tool", "model", "id", "has"]
"""Fields whose values are names, or patterns of them."""

NumberField = Literal["cost", "tokens", "took", "errors", "failed", "calls", "events"]
"""Fields that are compared; dollars, milliseconds (`took`) and counts."""

TimeField = Literal["since", "before"]

Sign = Literal[">", ">=", "<", "<=", "="]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A name, or with `glob` a pattern in which `*` is any text and `?` any one character; case means nothing."""

    text: str
    glob: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A text that must stand in what is known of a run: objective, id, tags, tools, errors, artifact names."""

    text: str


@dataclass(frozen=True, slots=True)
class StatusIs:
    """The run has one of these statuses."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NameIs:
    """One of the run's names in this field fits one of the patterns."""

    field: NameField
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """A number of the run compared with a value; a number that is not known fits no comparison."""

    field: NumberField
    sign: Sign
    value: float


@dataclass(frozen=True, slots=True)
class Ago:
    """A moment so many milliseconds before now."""

    ms: int


@dataclass(frozen=True, slots=True)
class DaysBack:
    """Midnight, local time: of today (0), of yesterday (1)."""

    days: int


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """The last time the clock showed this, in seconds since midnight."""

    second: int


@dataclass(frozen=True, slots=True)
class Date:
    """A local date, perhaps with a time: `2026-01-08`, `2026-01-08T14:02:00`."""

    iso: str


Moment: TypeAlias = Ago | DaysBack | TimeOfDay | Date


@dataclass(frozen=True, slots=True)
class Started:
    """The run started at the moment or later (`since`), or before it (`before`)."""

    field: TimeField
    moment: Moment


@dataclass(frozen=True, slots=True)
class Content:
    """The text stands in one event, or in one line of an artifact."""

    text: str


Condition: TypeAlias = Word | StatusIs | NameIs | Compare | Started | Content


@dataclass(frozen=True, slots=True)
class Term:
    """One condition, or with `negated` its contrary."""

    condition: Condition
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Everything that must hold of a run; nothing at all fits every run."""

    terms: tuple[Term, ...] = ()

    @property
    def reads_content(self) -> bool:
        """True when the files of runs must be searched, or an index of their texts asked."""
        return any(isinstance(term.condition, Content) for term in self.terms)


EVERYTHING = Query()
"""Fits every run."""
