"""What an observer reads, gathered into one `SourceStatus`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from buddy_core.observing.sources import SourceStatus

if TYPE_CHECKING:
    from buddy_core.history.keeper import RunHistory
    from buddy_core.runs.folding.roster import Roster
    from buddy_core.runs.folding.turnfile import TurnFile
    from buddy_core.runs.folding.turns import TurnBook
    from buddy_core.runs.watching.leftalone import LeftAlone
    from buddy_core.runs.watching.watch import RunsWatch


class ReadSoFar(NamedTuple):
    """How far the runs themselves are read."""

    runs_dir: Path
    """By the name it was given."""
    problem: str | None
    loaded: int
    total: int
    left: LeftAlone
    roster: Roster
    unreadable: int


def look_at_sources(
    reading: ReadSoFar, watch: RunsWatch, turn_file: TurnFile, turns: TurnBook, history: RunHistory | None
) -> SourceStatus:
    """The state of everything that is read; no file is opened for it."""
    account, roster = turn_file.accounting, reading.roster
    return SourceStatus(
        runs_dir=reading.runs_dir,
        problem=reading.problem,
        mode=watch.mode,
        mode_reason=watch.mode_reason,
        loaded=reading.loaded,
        total=reading.total,
        rejected_names=watch.rejected,
        turn_metrics=turn_file.path if len(turns) or turn_file.present else None,
        turn_requests=len(turns),
        skipped_lines=roster.skipped_lines + account.skipped_lines,
        recovered_lines=roster.recovered_lines + account.recovered_lines,
        ambiguous_turns=turns.ambiguous,
        history=history.path if history is not None else None,
        history_runs=history.runs if history is not None else 0,
        history_turns=history.turns if history is not None else 0,
        history_since_ms=history.since_ms if history is not None else None,
        history_problem=history.problem if history is not None else None,
        history_loading=history is not None and history.loading,
        left_alone=len(reading.left),
        latest_at=roster.latest_at,
        left_before_ms=reading.left.before_ms,
        unreadable=reading.unreadable,
    )
