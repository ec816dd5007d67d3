"""Times of a run as people write them."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.core.viewing.test_eventindex import NOW, indexed, line

from buddy_core.runs.timeline.index.moments import moment_in_run, row_of_moment

DAY = datetime(2026, 1, 8, 23, 50, 30).astimezone()
BEGIN = int(DAY.timestamp() * 1000)
END = BEGIN + 3_600_000


@pytest.mark.parametrize(
    ("text", "since_begin"),
    [
        ("23:55", 270_000),
        ("23:50:30", 0),
        ("00:10", 1_170_000),
        ("+3m20s", 200_000),
        ("+ 3m20s", 200_000),
        ("-10s", 3_590_000),
        ("50%", 1_800_000),
        ("0 %", 0),
        ("250%", 3_600_000),
        ("2026-01-08 23:51", 30_000),
        ("never", None),
        ("", None),
        ("+", None),
        ("25:00", None),
        ("yesterday", None),
    ],
)
def test_a_moment_is_understood_in_the_run_it_is_asked_of(text: str, since_begin: int | None) -> None:
    found = moment_in_run(text, BEGIN, END)
    assert found == (None if since_begin is None else BEGIN + since_begin)


def test_where_the_clock_went_back_the_last_row_that_had_begun_is_meant() -> None:
    """Case 40: halving would lead astray."""
    times = [0, 50, 100, 10, 20, 30]
    index = indexed(b"".join(line("decision", {}, NOW + at) for at in times))
    assert not index.ordered
    assert row_of_moment(index, NOW + 25) == 4
    assert row_of_moment(index, NOW - 5) == 0
    assert indexed(b"".join(line("decision", {}, NOW + at) for at in sorted(times))).ordered
