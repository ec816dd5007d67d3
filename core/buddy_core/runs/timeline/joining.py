"""Which call a result answers and which step an end ends: the one place where records of a run are joined.

Whoever makes lines of a run gives each call and step a place (a number that grows) and is told it again when
its end comes. Names and ids are observed.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_OPEN = 256
"""Calls that may wait for their result at a time; of more the oldest is forgotten, and stays without one."""

MAX_DEPTH = 100
"""Steps inside one another that are kept apart."""

MAX_STEP_NAME = 200
"""Characters of a step's name that tell it from others."""


class Opened(NamedTuple):
    """A call or a step whose end has not come."""

    name: str
    place: int
    at_ms: int


class Joiner:
    """The calls and steps that are open at the place the reader has come to."""

    def __init__(self) -> None:
        self.calls: dict[str | int, Opened] = {}
        """By id, or by place where the record has no id; the oldest first."""
        self.steps: list[Opened] = []
        """The outermost first."""

    def call(self, name: str, key: str | None, place: int, at_ms: int) -> None:
        """A call begins; `key` is its id."""
        self.calls[place if key is None else key] = Opened(name, place, at_ms)
        if len(self.calls) > MAX_OPEN:
            del self.calls[next(iter(self.calls))]

    def answered(self, name: str, key: str | None) -> Opened | None:
        """The call that a result ends: by id; without one the oldest open call of that tool."""
        if key is not None and key in self.calls:
            return self.calls.pop(key)
        for candidate, call in self.calls.items():
            if call.name == name and (key is None or isinstance(candidate, int)):
                return self.calls.pop(candidate)
        return None

    def begin_step(self, name: str, place: int, at_ms: int) -> bool:
        """A step begins; False where it is nested too deep to be kept apart."""
        if len(self.steps) >= MAX_DEPTH:
            return False
        self.steps.append(Opened(name, place, at_ms))
        return True

    def end_step(self, name: str) -> tuple[Opened | None, list[Opened]]:
        """The innermost step of that name, and those inside it whose end is missing; they are open no more."""
        missing: list[Opened] = []
        if not any(step.name == name for step in self.steps):
            return None, missing
        while (ended := self.steps.pop()).name != name:
            missing.append(ended)
        return ended, missing


def between(begin: int, end: int) -> float | None:
    """Milliseconds between two records; None where the clock makes no sense of it."""
    return float(end - begin) if 0 < begin <= end else None
