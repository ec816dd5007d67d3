"""Rows whose means and quantiles are worked out when somebody reads one: of two thousand rows few are ever seen.

A row is of one moment all the same: it keeps the counts these are made of until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from buddy_core.metrics.counting.timing import Timing, quantiles_within

Row = TypeVar("Row", bound="LateQuantiles")


class LateQuantiles:
    """Base of a frozen dataclass with a mean and some quantiles; made as usual, it is like any other."""

    __slots__ = ("counted",)

    MEAN: ClassVar[str] = ""
    """The field that is the mean."""
    SHARES: ClassVar[tuple[tuple[str, float], ...]] = ()
    """The fields that are quantiles, with the share of each, ascending."""

    if TYPE_CHECKING:

        @property
        def counted(self) -> tuple[float, dict[int, int], float, float] | None:
            """What the fields are made of; None once somebody has asked for one: until then nobody shows the row."""

    if not TYPE_CHECKING:  # type checkers know the fields, and there are no other names

        def __getattr__(self, name: str) -> float | None:
            """Reached where a field is not set yet: set all of them."""
            fields, shares = zip(*self.SHARES, strict=True)
            if name not in fields and name != self.MEAN:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            counted = self.counted
            if counted is not None:  # else another thread has been quicker
                mean, *rest = counted
                object.__setattr__(self, self.MEAN, mean)
                for field, value in zip(fields, quantiles_within(*rest, shares), strict=True):
                    object.__setattr__(self, field, value)
                object.__setattr__(self, "counted", None)
            return object.__getattribute__(self, name)


def late_row(kind: type[Row], timing: Timing, **fields: Any) -> Row:  # noqa: ANN401 - the fields of the row
    """A row of `kind` with these fields, and the mean and quantiles of `timing` as it is now; it has been settled."""
    row, put = object.__new__(kind), object.__setattr__
    for name, value in fields.items():
        put(row, name, value)
    if timing.count:
        put(row, "counted", (timing.mean, timing.sketch.copy(), timing.low_ms, timing.high_ms))
    else:
        put(row, "counted", None)
        put(row, kind.MEAN, None)
        for name, _ in kind.SHARES:
            put(row, name, None)
    return row
