"""When a run without a lock counts as over, what is a stray, and what is said of what could not go: to the millisecond."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from buddy_core.runs.names import run_id_at
from buddy_core.runs.pruning import strays
from buddy_core.runs.pruning.prune import is_over
from buddy_core.runs.pruning.trash import TRASH_NAME, Trash, explain
from buddy_core.runs.watching.liveness import INTERRUPTED_AFTER_MS

NOW = 1_770_000_000_000
DAY = 86_400_000
RUN = run_id_at(NOW, "abcdef")


@pytest.fixture
def run_fd(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def touch(path: Path, at_ms: float) -> None:
    """Set when `path` itself changed last, not what it leads to."""
    os.utime(path, ns=(0, int(at_ms * 1_000_000)), follow_symlinks=False)


@pytest.mark.parametrize(
    ("changed_at", "over"),
    [
        (NOW, False),
        (NOW - INTERRUPTED_AFTER_MS + 1, False),
        (NOW - INTERRUPTED_AFTER_MS + 0.5, True),
        (NOW - INTERRUPTED_AFTER_MS, True),
        (NOW + DAY, False),
        (NOW + DAY + 1, True),
    ],
)
def test_a_directory_that_changed_in_the_last_hour_is_live_unless_that_hour_is_days_ahead(
    tmp_path: Path, run_fd: int, changed_at: float, over: bool
) -> None:
    """Cases 40 and 81."""
    touch(tmp_path, changed_at)
    assert is_over(run_fd, NOW) is over


@pytest.mark.parametrize(("later", "over"), [(0, True), (199, True), (200, False)])
def test_an_end_counts_among_the_last_two_hundred_events(
    tmp_path: Path, run_fd: int, later: int, over: bool
) -> None:
    tick = f'{{"ts":{NOW},"type":"note","data":{{}}}}\n'
    (tmp_path / "events.jsonl").write_text(tick.replace("note", "run_end") + tick * later, encoding="utf-8")
    touch(tmp_path / "events.jsonl", NOW)
    assert is_over(run_fd, NOW) is over


def test_events_that_are_a_link_have_the_age_of_the_link(tmp_path: Path, run_fd: int) -> None:
    """Case 76: what it leads to belongs to another run, or to nobody."""
    (tmp_path / "elsewhere").touch()
    touch(tmp_path / "elsewhere", NOW)
    (tmp_path / "events.jsonl").symlink_to("elsewhere")
    touch(tmp_path / "events.jsonl", NOW - INTERRUPTED_AFTER_MS)
    assert is_over(run_fd, NOW)


@pytest.mark.parametrize(
    ("age_ms", "gone"), [(0, 0), (strays.STRAY_AFTER_MS, 0), (strays.STRAY_AFTER_MS + 1, 1)]
)
def test_a_temporary_file_is_a_stray_after_an_hour(
    tmp_path: Path, run_fd: int, age_ms: int, gone: int
) -> None:
    """Case 15."""
    (tmp_path / RUN).mkdir()
    stray = tmp_path / RUN / ".summary.json.tmp"
    stray.touch()
    touch(stray, NOW - age_ms)
    assert strays.sweep(run_fd, NOW) == gone
    assert stray.exists() is not bool(gone)


def test_strays_of_every_run_and_of_its_artifacts_are_counted_within_bounds(
    tmp_path: Path, run_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 15: a directory with any number of names takes no longer than one with so many."""

    def plant() -> None:
        for number, name in [(number, name) for number in range(2) for name in ("a", "b", "c")]:
            place = tmp_path / run_id_at(NOW, f"{number:06x}") / "artifacts"
            place.mkdir(parents=True, exist_ok=True)
            for stray in (place / f".{name}.tmp", place.parent / f".{name}.tmp"):
                stray.touch()
                touch(stray, NOW - strays.STRAY_AFTER_MS - 1)

    plant()
    assert strays.sweep(run_fd, NOW) == 12
    plant()
    monkeypatch.setattr(strays, "_MOST", 2)
    assert strays.sweep(run_fd, NOW) <= 8


def test_an_error_is_told_in_the_words_of_the_system_or_else_in_its_own() -> None:
    assert (
        explain(OSError(errno.EBUSY, "Device or resource busy", "/secret/path")) == "device or resource busy"
    )
    assert explain(OSError("Odd words")) == "odd words"


def test_what_stands_under_the_name_of_the_trash_is_seen_even_if_it_leads_nowhere(
    tmp_path: Path, run_fd: int
) -> None:
    """Case 76: a link there is a problem to be told, not an empty place."""
    assert not Trash.exists(run_fd)
    (tmp_path / TRASH_NAME).symlink_to("nowhere")
    assert Trash.exists(run_fd)


def test_the_trash_is_private_from_its_first_moment(tmp_path: Path, run_fd: int) -> None:
    """Case 80 and promise C11."""
    old = os.umask(0)
    try:
        with Trash(run_fd):
            assert (tmp_path / TRASH_NAME).stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(old)


def test_without_a_descriptor_to_spare_the_strays_are_left_to_the_next_process(
    tmp_path: Path, run_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 37."""

    def refused(_fd: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "dup", refused)
    strays.sweep_once(run_fd, NOW)
