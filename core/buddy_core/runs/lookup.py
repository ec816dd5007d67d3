"""Which run is meant: a whole id, the beginning of one, or `last`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from buddy_core.errors import AmbiguousRun, RunNotFound, StoreUnavailable
from buddy_core.safety.paths import entries_beneath, real_root
from buddy_core.safety.text import plain

LAST = "last"
"""Names the run that started last."""

_SHOWN = 3


def check_runs_dir(runs_dir: Path) -> None:
    """Raise `StoreUnavailable`, in words that say what to do, unless `runs_dir` can be listed."""
    try:
        next(entries_beneath(real_root(runs_dir)), None)
    except OSError as error:
        raise StoreUnavailable(_unavailable(runs_dir, error)) from error


def run_ids(runs_dir: Path) -> list[str]:
    """The ids of all runs in `runs_dir`, newest first by the time in the id; raises `StoreUnavailable`."""
    from buddy_core.runs.reading import reader  # the monitor only checks the directory, and starts without it

    check_runs_dir(runs_dir)
    return reader.run_ids(real_root(runs_dir))


def find_run(runs_dir: Path, wanted: str) -> str:
    """The id of the run that `wanted` means: an id, a beginning that only one run has, or `last`.

    The beginning may leave out `run_`. Raises `RunNotFound`, `AmbiguousRun` or `StoreUnavailable`.
    """
    return choose_run(run_ids(runs_dir), wanted, place=str(runs_dir))


def choose_run(ids: Sequence[str], wanted: str, *, place: str) -> str:
    """`find_run` among ids that are known already, newest first; `place` is named when none fits."""
    if wanted == LAST and ids:
        return ids[0]
    if wanted in ids:
        return wanted
    starts = (wanted, f"run_{wanted}")
    fitting = [run_id for run_id in ids if run_id.startswith(starts)] if wanted not in ("", LAST) else []
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        some = ", ".join(fitting[:_SHOWN]) + (", …" if len(fitting) > _SHOWN else "")
        raise AmbiguousRun(
            f"{len(fitting)} runs begin with “{plain(wanted, limit=60)}” ({some}): add a letter"
        )
    if not ids:
        raise RunNotFound(f"there is no run in {plain(place)} yet")
    raise RunNotFound(
        f"no run in {plain(place)} has an id that begins with “{plain(wanted, limit=60)}”: "
        "“buddy-top run list” shows them"
    )


def _unavailable(runs_dir: Path, error: OSError) -> str:
    where = plain(str(runs_dir))
    if isinstance(error, FileNotFoundError):
        return f"there is no directory {where}: let an agent record there, or name another with --runs-dir"
    if isinstance(error, NotADirectoryError):
        return f"{where} is not a directory: name the directory that holds the runs with --runs-dir"
    if isinstance(error, PermissionError):
        return (
            f"{where} may not be read by this user: change its permissions, or name another with --runs-dir"
        )
    return f"{where} cannot be read ({error.strerror or error}): name another with --runs-dir"
