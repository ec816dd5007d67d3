"""What is said of a number: frozen values, for a card on the screen and for anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from buddy_core import format as fmt

Kind = Literal["measured", "derived", "estimated", "not known"]
"""Measured: stated in a file, counted, or the sum of such. Derived: reckoned from those by a formula. Estimated:
priced from tokens, at least in part. Not known: nothing there to reckon from."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number."""

    key: str
    """What tables call its column."""
    label: str
    value: str
    """As it is written elsewhere; `–` when it is not known. May hold observed text."""
    kind: Kind
    how: str
    """From what, of how many samples, by which formula. May hold observed text."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Everything about the numbers of one thing. Its texts may hold observed text: show them masked."""

    title: str
    about: str
    """What kind of thing it is."""
    span: str
    """The stretch of time the numbers are of."""
    figures: tuple[Figure, ...]
    files: tuple[str, ...]
    """Where they were read."""
    missing: tuple[str, ...]
    """What is not in them."""


def chart(slice_ms: int) -> Iterator[Figure]:
    """What one column of a chart stands for; nothing where there is none."""
    if slice_ms:
        how = "time of one column; they begin at round times, the last is not over"
        yield Figure("chart", "chart", str(fmt.duration(slice_ms)), "derived", how)


def kind_of(value: object, *, otherwise: Kind, estimated: bool = False) -> Kind:
    """The kind of a number that may not be known."""
    if value is None:
        return "not known"
    return "estimated" if estimated else otherwise
