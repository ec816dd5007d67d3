"""Counts from what test runners print, and what a new outcome means beside the recorded one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.replay.model import Command, Recorded, RecordedTest, Replayed, Rerun, TestCounts
from buddy_core.runs.replay.outcome import count_tests

GO = "=== RUN TestA\n--- PASS: TestA (0.00s)\n    --- PASS: TestA/x (0.00s)\n--- FAIL: TestB (0.01s)\nFAIL\nFAIL\tpkg 0.2s\n"


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("..F\n==== 1 failed, 12 passed, 2 skipped, 1 warning in 2.30s ====\n", (12, 1, 2)),
        ("1 passed in 0.01s", (1, None, None)),
        ("12 passed, 3 errors in 62.10s (0:01:02)", (12, 3, None)),
        ("Ran 5 tests in 0.001s\n\nOK\n", (5, 0, 0)),
        ("Ran 7 tests in 0.001s\n\nFAILED (failures=1, errors=2, skipped=1)\n", (3, 3, 1)),
        ("Test Suites: 1 failed, 2 total\nTests:       2 failed, 1 skipped, 7 passed, 10 total\n", (7, 2, 1)),
        ("\x1b[32m      Tests  1 failed | 5 passed (6)\x1b[39m\n", (5, 1, None)),
        ("  5 passing (12ms)\n  1 pending\n  2 failing\n", (5, 2, 1)),
        (
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured\ntest result: FAILED. 1 passed; 2 failed;",
            (6, 2, 1),
        ),
        ("Tests run: 9, Failures: 1, Errors: 1, Skipped: 2\n", (5, 2, 2)),
        ("ok  \tpkg/a\t0.1s\nok  \tpkg/b\t0.2s\nFAIL\tpkg/c\t0.1s\n", (2, 1, None)),
        (GO, (2, 1, 0)),
        ("ℹ tests 4\nℹ pass 3\nℹ fail 1\nℹ skipped 0\n", (3, 1, 0)),
        ("# pass 3\n# fail 0\n", (3, 0, None)),
        ("all is well", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_the_summaries_of_common_runners_are_read(output: str, counts: tuple[int | None, ...]) -> None:
    found = count_tests(output)
    assert (found.passed, found.failed, found.skipped) == counts


@given(st.text(max_size=300))
def test_any_output_can_be_looked_at(output: str) -> None:
    count_tests(output)


@pytest.mark.parametrize("piece", ["1 ", "Tests: ", "=", "1 passed, ", "\x1b[1", "Ran 1", "(a=1, "])
def test_hostile_output_takes_no_time_to_read(piece: str) -> None:
    """Case 84: every pattern is linear; a hang would run into the test's time limit."""
    count_tests(piece * (1_000_000 // len(piece)))


COMMAND = Command(("pytest",), "/bin/pytest", (), "/x", (), {}, 1.0)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("passed", "passed", "still passes"),
        ("passed", "failed", "now fails"),
        ("passed", "timed out", "now fails"),
        ("failed", "passed", "now passes"),
        ("failed", "failed", "still fails"),
        ("unknown", "passed", "not comparable"),
        ("refused", "failed", "not comparable"),
        ("passed", "cancelled", "not comparable"),
        ("passed", "not started", "not comparable"),
    ],
)
def test_the_new_outcome_is_held_against_the_recorded_one(before: str, after: str, change: str) -> None:
    test = RecordedTest("pytest", Recorded(before, 0), command=COMMAND)  # type: ignore[arg-type]
    assert Replayed(test, Rerun(COMMAND, after)).change == change  # type: ignore[arg-type]
    assert Replayed(test).change is None


def test_counts_know_whether_they_know_anything() -> None:
    assert TestCounts(failed=0).known
    assert not TestCounts().known
