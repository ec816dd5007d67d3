"""One test command of a run again, by the word that a person typed: for those who ask in their own way.

The same rules as `replay_run`: the word is that of exactly these arguments, directory and environment, and what
the files say is looked at again between the word and the start (case 93).
"""

from __future__ import annotations

from pathlib import Path

from buddy_core.errors import BuddyError
from buddy_core.runs.replay.commands import Conditions, find_tests
from buddy_core.runs.replay.live import Live
from buddy_core.runs.replay.model import Command, RecordedTest, Rerun
from buddy_core.runs.replay.runner import execute


class NotApproved(BuddyError):
    """What was typed is not the word of the command; nothing was run."""


def rerun_one(
    runs_dir: Path,
    run_id: str,
    conditions: Conditions,
    position: int,
    command: Command,
    *,
    typed: str,
    live: Live,
) -> Rerun | RecordedTest | None:
    """Run `command`, which is that of the test at `position`; blocks until it has ended.

    Args:
        typed: What the person typed.
        live: Shows what is printed meanwhile, and cancels.

    Returns:
        What became of it. When the files say something else now than what was shown, nothing is run and what
        they say is returned: the test that stands there, or None.

    Raises:
        NotApproved: `typed` is not the word.
    """
    try:
        if typed != command.word:
            raise NotApproved("that is not its word: nothing was run")
        tests = find_tests(runs_dir, run_id, conditions).tests
        now = tests[position] if position < len(tests) else None
        if now is None or now.command != command:
            return now
        return execute(command, live)
    finally:
        live.close()
