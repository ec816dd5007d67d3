"""What each damaged sample must give, written down by hand, byte by byte where bytes are lost.

Cases 30, 31, 40, 43 to 46 and 48: every intact record counts, every damaged byte is accounted for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.samples import OWN, sample_data

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.looking.model import WindowView
from buddy_core.metrics.model import ErrorRecord
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.reading.tail import FileTail

MUCH_LATER = 1_790_000_000_000


def read(folder: Path) -> tuple[dict[str, RunFacts], WindowView, list[ErrorRecord]]:
    clock = ManualClock(MUCH_LATER)
    collector = MetricsCollector(clock=clock)
    observer = Observer(folder, collector, clock=clock)
    observer.load()
    observer.close()
    return (
        {run.run_id: run for run in observer.facts()},
        collector.view(Window.ALL),
        collector.get_recent_errors(100),
    )


def row(run: RunFacts) -> tuple[Any, ...]:
    counts = (run.event_count, run.tool_calls, run.tool_failures, run.errors)
    damage = (run.integrity.skipped_lines, run.integrity.recovered_lines, run.integrity.pending_bytes)
    return run.status, counts, damage


def skipped_bytes(folder: Path, run_id: str) -> dict[str, int]:
    tail = FileTail(folder, run_id)
    account = tail.poll().accounting
    tail.close()
    assert account.balanced
    return {reason: size for reason, size in account.skipped.items() if reason != "blank"}


# By hand:                  status         events, calls, failures, errors    skipped, recovered, pending
SAMPLE = {
    "run_mk0000001_aaaaaa": (
        "interrupted",
        (12, 3, 1, 0),
        (0, 0, 40),
    ),  # the torn tail is 40 bytes and may still grow
    "run_mk0000002_bbbbbb": (
        "completed",
        (11, 3, 1, 0),
        (0, 1, 0),
    ),  # a decision was lost, the step_start spliced in not
    "run_mk0000003_cccccc": ("completed", (12, 3, 1, 0), (0, 2, 0)),  # two records on one line
    "run_mk0000004_dddddd": (
        "completed",
        (12, 3, 1, 0),
        (0, 1, 0),
    ),  # the decision stands behind 4096 NUL bytes
    "run_mk0000005_eeeeee": (
        "completed",
        (12, 3, 1, 0),
        (0, 0, 0),
    ),  # half an emoji in a result without a call
    "run_mk0000006_ffffff": (
        "completed",
        (13, 4, 1, 1),
        (2, 0, 0),
    ),  # [1,2] and null; a call without an object
    "run_mk0000007_abcdef": (
        "completed",
        (8, 0, 0, 2),
        (0, 0, 0),
    ),  # BOM, CRLF, bad UTF-8, an error full of escapes
    "run_mk0000008_123456": ("interrupted", (12, 3, 1, 0), (0, 0, 0)),  # no summary
}

SAMPLE_BYTES = {
    "run_mk0000001_aaaaaa": {},
    "run_mk0000002_bbbbbb": {"torn": 57},
    "run_mk0000003_cccccc": {},
    "run_mk0000004_dddddd": {"nul": 4096},
    "run_mk0000005_eeeeee": {},
    "run_mk0000006_ffffff": {"not_object": 11},
    "run_mk0000007_abcdef": {"bom": 3},
    "run_mk0000008_123456": {},
}

OURS = {
    "run_mjr0ga80_0000e1": ("completed", (5, 2, 1, 0), (0, 0, 57)),  # the last line is torn after 57 bytes
    "run_mjr0ga80_0000e2": (
        "completed",
        (4, 2, 1, 0),
        (0, 1, 0),
    ),  # the result of bash was overwritten by a call
    "run_mjr0ga80_0000e3": (
        "completed",
        (5, 2, 1, 0),
        (1, 2, 0),
    ),  # joined lines, a blank one, and a line of NULs
    "run_mjr0ga80_0000e4": (
        "interrupted",
        (7, 2, 1, 2),
        (2, 0, 0),
    ),  # BOM, CRLF, wrong types, bad UTF-8, torn summary
    "run_mjr0ga80_0000e5": ("interrupted", (5, 2, 1, 0), (0, 0, 0)),  # neither summary nor metrics
}


def test_every_damaged_run_of_the_sample_data_gives_what_it_must() -> None:
    runs, _, _ = read(sample_data() / "damaged")

    assert {run_id: row(run) for run_id, run in runs.items()} == SAMPLE
    assert {run.total_tokens for run in runs.values()} == {None}


def test_every_lost_byte_of_the_sample_data_is_accounted_for() -> None:
    folder = sample_data() / "damaged"

    assert {run_id: skipped_bytes(folder, run_id) for run_id in SAMPLE} == SAMPLE_BYTES


def test_the_tools_of_the_damaged_sample_data_are_those_of_its_intact_records() -> None:
    _, view, _ = read(sample_data() / "damaged")
    tools = {tool.name: (tool.total_calls, tool.error_count, tool.duration_count) for tool in view.tools}

    assert tools == {"search": (7, 0, 7), "create_file": (14, 7, 14), "bash": (1, 0, 0)}


def test_the_errors_of_the_damaged_sample_data_are_kept_as_they_were_written() -> None:
    _, _, errors = read(sample_data() / "damaged")
    messages = [error.message for error in errors if error.type == "error"]

    assert messages == [
        "12",
        "bad utf8 \ufffd\ufffd",
        "\x1b]52;c;cm0gLXJm\x07 \x1b[2J [/x] [@click=app.quit]click[/]",
    ]


def test_our_own_damaged_samples_give_what_they_must() -> None:
    runs, view, errors = read(OWN / "damaged")

    assert {run_id: row(run) for run_id, run in runs.items()} == OURS
    assert {tool.name: (tool.total_calls, tool.error_count) for tool in view.tools} == {
        "bash": (4, 0),
        "edit": (5, 5),
    }
    messages = {error.message for error in errors if error.type == "error"}
    assert messages == {"half \ufffd", "\ufffd \x1b]0;x\x07 [/x]"}


def test_what_happened_to_a_damaged_file_is_told_in_words() -> None:
    runs, _, _ = read(OWN / "damaged")
    notes = runs["run_mjr0ga80_0000e4"].integrity.notes

    assert "summary.json is no JSON object" in notes
    assert any("byte order mark" in note for note in notes)


@pytest.mark.parametrize("run_id", OURS)
def test_the_bytes_of_our_damaged_samples_balance(run_id: str) -> None:
    skipped_bytes(OWN / "damaged", run_id)
