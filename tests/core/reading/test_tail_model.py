"""The tail against a model of everything that can happen to a growing file (cases 20 to 30, C2, C4).

60 sequences in an ordinary run of the tests; more with `BUDDY_TAIL_SEQUENCES=5000 python -m pytest
tests/core/reading/test_tail_model.py`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest
from hypothesis import Phase, Verbosity, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test
from tests.core.reading.growing_file import GrowingFile

from buddy_core.runs.reading.jsonl import Batch, WireEvent
from buddy_core.runs.reading.tail import BUDGET, Change, FileTail

SEQUENCES = int(os.environ.get("BUDDY_TAIL_SEQUENCES", "60"))
STEPS = 40


@pytest.mark.timeout(120 + SEQUENCES)
def test_whatever_is_done_to_a_file_every_record_of_it_is_told_once(
    record_property: Callable[[str, object], None],
) -> None:
    """Cases 20, 21, 23 to 27, 29 and 30: any sequence of them, each byte in one account."""

    class Counted(GrowingFile):
        totals: ClassVar[Counter[str]] = Counter()

    run_state_machine_as_test(
        Counted, settings=settings(max_examples=SEQUENCES, stateful_step_count=STEPS, deadline=None)
    )
    totals = Counted.totals
    assert totals["sequences"] >= SEQUENCES
    assert totals["records"] > SEQUENCES, "hardly anything was told: the sequences prove nothing"
    record_property(
        "figure",
        f"{totals['sequences']:,} sequences of {STEPS} steps, {totals['records']:,} records and "
        f"{totals['bytes']:,} bytes accounted, lost 0, doubled 0",
    )


class ForgetsTheHalfLine(FileTail):
    """Enters what waits for its newline as torn, so that even the account balances."""

    def poll(self, budget_bytes: int = BUDGET) -> Change[WireEvent]:
        change = super().poll(budget_bytes)
        if self._reader.pending:
            self._reader._ledger.skip("torn", self._reader.pending)
            self._reader._hold_nothing()
        return change


class TakesEveryGrowthForMore(FileTail):
    """Compares neither the first bytes nor the last with what it read."""

    def _rewritten(self, fd: int) -> bool:
        return False

    def _fresh(self, fd: int, wanted: int) -> bytes:
        return os.pread(fd, wanted, self.position)


class LeavesTheOldFileUnread(FileTail):
    """Lets go of a file at once when it loses its name."""

    def _drain(self, budget: int, *, problem: str | None = None) -> Change[WireEvent]:
        return self._change(Batch(), problem=problem)


class BeginsAgainUnasked(FileTail):
    """Reads from the beginning when it has to open the file again, and does not say so."""

    def close(self) -> None:
        super().close()
        self._begin()


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised over: which inode a new file gets depends on whoever else makes files, and a
    failure that does not come again in the same place is told by another error."""
    while error is not None:
        yield error
        error = error.__context__


@pytest.mark.parametrize(
    "broken", [ForgetsTheHalfLine, TakesEveryGrowthForMore, LeavesTheOldFileUnread, BeginsAgainUnasked]
)
def test_a_tail_that_does_one_thing_wrong_is_found_out(broken: type[FileTail]) -> None:
    """The negative control of cases 20 to 30."""

    class Broken(GrowingFile):
        tail_type = broken
        totals: ClassVar[Counter[str]] = Counter()

    found_out = settings(
        max_examples=300,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
    )
    with pytest.raises((AssertionError, ExceptionGroup, Flaky)) as found:
        run_state_machine_as_test(Broken, settings=found_out)
    assert any(isinstance(one, AssertionError | ExceptionGroup) for one in causes(found.value))
    assert Broken.totals["sequences"] > 0
