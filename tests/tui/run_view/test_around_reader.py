"""What stands around an error is read once, and again only while there may be more of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from buddy_core.runs.timeline.around import MOST, Moment, Surroundings, events_around
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.reading import around_reader
from buddy_top.reading.around_reader import MOST_KEPT, AroundReader

START = 1_767_961_000_000


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Moment]:
    """Every moment whose file was read, in order."""
    read: list[Moment] = []

    def reading(root: Path, moment: Moment) -> Surroundings:
        read.append(moment)
        return events_around(root, moment)

    monkeypatch.setattr(around_reader, "events_around", reading)
    return read


def an_error(root: Path, after: int) -> tuple[RunDirectoryBuilder, Moment]:
    """A run with an error and so many events behind it."""
    run = RunDirectoryBuilder(root, started_at=START).wait(5).error("here")
    moment = Moment(run.run_id, run.now_ms, "here")
    for number in range(after):
        run.wait(5).event("note", {"number": number})
    run.write()
    return run, moment


def test_a_growing_run_is_read_again_until_enough_stands_behind_the_error(
    tmp_path: Path, read: list[Moment]
) -> None:
    run, moment = an_error(tmp_path, MOST - 1)
    reader = AroundReader(tmp_path)
    assert reader.read(moment).later == MOST - 1
    assert reader.read(moment).later == MOST - 1
    assert len(read) == 1, "nothing was written"
    run.wait(5).event("note", {"number": "the last that is shown"}).write()
    assert reader.known(moment) is None
    assert reader.read(moment).later == MOST
    run.wait(5).event("note", {"number": "one too many"}).write()
    assert reader.read(moment).later == MOST
    assert len(read) == 2, "what comes later is not shown"


def test_a_run_that_vanishes_is_gone_and_may_come_back(tmp_path: Path, read: list[Moment]) -> None:
    run, moment = an_error(tmp_path / "runs", MOST)
    reader = AroundReader(tmp_path / "runs")
    assert reader.read(moment).at == 1
    shutil.move(run.run_dir, tmp_path / "aside")
    assert reader.read(moment).gone
    shutil.move(tmp_path / "aside", run.run_dir)
    assert reader.read(moment).at == 1


def test_of_very_many_errors_the_latest_read_are_remembered(tmp_path: Path, read: list[Moment]) -> None:
    _, moment = an_error(tmp_path, MOST)
    reader = AroundReader(tmp_path)
    reader.read(moment)
    for number in range(MOST_KEPT):
        reader.read(Moment("run_nobody_000000", number, "x"))
    assert len(reader._kept) == MOST_KEPT
    assert reader.known(moment) is None
