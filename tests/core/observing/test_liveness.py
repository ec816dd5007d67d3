"""Who is alive is decided by the lock, and without one by how long it has been quiet (promise C3)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.model import Status
from buddy_core.runs.watching.liveness import (
    INTERRUPTED_AFTER_MS,
    LOCK_NAME,
    STALLED_AFTER_MS,
    LockState,
    conclude_status,
    lock_state,
)

NOW = 1_767_890_000_000
MINUTE = 60_000


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    run = tmp_path / "run_mk000000_aaaaaa"
    run.mkdir()
    return run


@pytest.fixture
def held_lock(run_dir: Path) -> Iterator[int]:
    fd = os.open(run_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    yield fd
    os.close(fd)


def test_a_lock_that_a_writer_holds_is_held_and_free_when_it_lets_go(run_dir: Path, held_lock: int) -> None:
    assert lock_state(run_dir) == "held"
    fcntl.flock(held_lock, fcntl.LOCK_UN)
    assert lock_state(run_dir) == "free"


def test_a_lock_that_was_asked_can_be_taken_by_a_writer(run_dir: Path, held_lock: int) -> None:
    fcntl.flock(held_lock, fcntl.LOCK_UN)
    assert lock_state(run_dir) == "free"
    fcntl.flock(held_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_another_reader_that_asks_at_the_same_moment_is_no_writer(run_dir: Path, held_lock: int) -> None:
    fcntl.flock(held_lock, fcntl.LOCK_SH)
    assert lock_state(run_dir) == "free"


def test_a_run_without_a_lock_has_none_and_gets_none(run_dir: Path) -> None:
    assert lock_state(run_dir) == "none"
    assert list(run_dir.iterdir()) == []


def test_a_lock_that_is_a_link_or_a_pipe_is_not_touched(run_dir: Path, tmp_path: Path) -> None:
    """Cases 28 and 76."""
    (tmp_path / "other").write_bytes(b"")
    (run_dir / LOCK_NAME).symlink_to(tmp_path / "other")
    assert lock_state(run_dir) == "none"
    (run_dir / LOCK_NAME).unlink()
    os.mkfifo(run_dir / LOCK_NAME)
    assert lock_state(run_dir) == "none"


def test_a_run_that_does_not_exist_has_no_lock(run_dir: Path) -> None:
    assert lock_state(run_dir / "absent") == "none"


@pytest.mark.parametrize("recorded", ["completed", "failed", "cancelled"])
@pytest.mark.parametrize("lock", ["held", "free", "none"])
def test_an_end_that_was_recorded_stands(recorded: str, lock: LockState) -> None:
    assert conclude_status(recorded, lock=lock, now_ms=NOW, last_activity_ms=NOW - 10**9) == recorded


@pytest.mark.parametrize("recorded", ["running", None, "", "stalled", "interrupted", "\x1b[2J", "COMPLETED"])
@pytest.mark.parametrize(
    ("lock", "quiet", "expected"),
    [
        ("held", 0, "running"),
        ("held", STALLED_AFTER_MS - 1, "running"),
        ("held", STALLED_AFTER_MS, "stalled"),
        ("held", 100 * INTERRUPTED_AFTER_MS, "stalled"),
        ("free", 0, "interrupted"),
        ("free", 100 * INTERRUPTED_AFTER_MS, "interrupted"),
        ("none", 0, "running"),
        ("none", STALLED_AFTER_MS - 1, "running"),
        ("none", STALLED_AFTER_MS, "stalled"),
        ("none", INTERRUPTED_AFTER_MS - 1, "stalled"),
        ("none", INTERRUPTED_AFTER_MS, "interrupted"),
        ("none", -5 * MINUTE, "running"),
    ],
)
def test_any_other_word_is_a_claim_to_be_checked(
    recorded: str | None, lock: LockState, quiet: int, expected: Status
) -> None:
    """DESIGN.md §3.5: ten minutes are stalled, and sixty without a lock interrupted."""
    assert conclude_status(recorded, lock=lock, now_ms=NOW, last_activity_ms=NOW - quiet) == expected


@pytest.mark.parametrize(
    ("lock", "expected"), [("held", "running"), ("free", "interrupted"), ("none", "interrupted")]
)
def test_a_run_that_nothing_is_known_of_runs_only_while_its_lock_is_held(
    lock: LockState, expected: Status
) -> None:
    assert conclude_status("running", lock=lock, now_ms=NOW, last_activity_ms=None) == expected


@given(
    recorded=st.none() | st.text(),
    lock=st.sampled_from(["held", "free", "none"]),
    now=st.integers(-(2**63), 2**63),
    last=st.none() | st.integers(-(2**63), 2**63),
)
def test_every_claim_has_an_answer(recorded: str | None, lock: LockState, now: int, last: int | None) -> None:
    """Case 40: also with clocks gone mad."""
    status = conclude_status(recorded, lock=lock, now_ms=now, last_activity_ms=last)
    assert status in ("running", "completed", "failed", "cancelled", "stalled", "interrupted")
