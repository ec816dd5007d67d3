"""Case 63: what is said when the monitor breaks."""

from __future__ import annotations

import asyncio

import pytest

from buddy_top.terminal.crash import crash_lines, report_of


def failure() -> Exception:
    secret = "CANARY-IN-A-LOCAL"
    try:
        raise ValueError(f"bad \x1b]0;x\x07 [/x] after {len(secret)}")
    except ValueError as error:
        return error


def test_one_line_says_what_happened_where_and_what_to_do() -> None:
    [line] = crash_lines([report_of(failure())], debug=False)
    assert line.startswith(
        "buddy-top: stopped by an error of its own: ValueError: bad ␛]0;x␇ [/x] after 17 in "
    )
    assert "test_crash_report.py:" in line
    assert line.endswith("run it again with --debug for the traceback")


def test_the_traceback_comes_on_request_without_a_value() -> None:
    lines = crash_lines([report_of(failure())], debug=True)
    assert lines[0] == "Traceback (most recent call last):"
    assert not [line for line in lines if "CANARY" in line]
    assert all(line.isprintable() for line in lines)
    assert "--debug" not in lines[-1]


def test_further_failures_are_counted() -> None:
    [line] = crash_lines([report_of(failure())] * 3, debug=False)
    assert "(and 2 more after it)" in line


def test_nothing_to_report_is_no_line() -> None:
    assert crash_lines([], debug=True) == []


def test_the_failure_of_a_worker_is_named_by_its_cause() -> None:
    class WorkerFailed(Exception):
        error = LookupError("gone")

    assert report_of(WorkerFailed("Worker raised exception")).headline.startswith("LookupError: gone")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def forever() -> None:
    forever()


def endless() -> Exception:
    try:
        forever()
    except RecursionError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    "error",
    [
        Mute(),
        endless(),
        ExceptionGroup("many", [ValueError("a"), OSError(5, "b")]),
        asyncio.CancelledError(),
        KeyError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_failure_is_too_odd_to_report(error: BaseException) -> None:
    report = report_of(error)
    assert type(error).__name__ in report.headline
    assert len(report.headline) < 400
    assert len(report.traceback) <= 301
