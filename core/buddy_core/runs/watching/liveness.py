"""Is a run still alive? The writer's lock says so, and where there is none, how long it has been quiet.

A recorded `running` is only a claim: a killed writer never takes it back. Process ids and file times prove
nothing, so they are not asked (promise C3).
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Literal, cast

from buddy_core.runs.model import EndStatus, Status
from buddy_core.safety.paths import open_beneath

LOCK_NAME = "run.lock"
"""Held with flock by the writer for as long as it lives; the original writer has none."""

STALLED_AFTER_MS = 10 * 60_000
"""Quiet for this long: something hangs."""

INTERRUPTED_AFTER_MS = 60 * 60_000
"""Quiet for this long without a lock to ask: the writer is taken to be gone."""

LockState = Literal["held", "free", "none"]
"""`none`: there is no lock, or it cannot be asked."""

_ENDS: frozenset[str] = frozenset({"completed", "failed", "cancelled"})


def lock_state(run_dir: Path) -> LockState:
    """Ask the lock of the run in `run_dir` without creating it; a lock got is given back at once."""
    try:
        fd = open_beneath(run_dir, LOCK_NAME)
    except OSError:
        return "none"
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return "held" if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else "none"
    finally:
        os.close(fd)
    return "free"


def conclude_status(
    recorded: str | None, *, lock: LockState, now_ms: int, last_activity_ms: int | None
) -> Status:
    """What a reader may say of a run whose writer wrote `recorded`.

    An end that was recorded stands. Any other word, known or not, is read as "running", and then: with
    the lock held the run is running, or stalled after ten quiet minutes; with the lock free it is
    interrupted; without a lock it is running, stalled after ten quiet minutes, interrupted after sixty
    or when nothing is known of it at all. Times are wall milliseconds; one in the future counts as now.
    """
    if recorded in _ENDS:
        return cast(EndStatus, recorded)
    if lock == "free":
        return "interrupted"
    if last_activity_ms is None:
        return "running" if lock == "held" else "interrupted"
    quiet = now_ms - last_activity_ms
    if quiet >= INTERRUPTED_AFTER_MS and lock == "none":
        return "interrupted"
    return "stalled" if quiet >= STALLED_AFTER_MS else "running"
