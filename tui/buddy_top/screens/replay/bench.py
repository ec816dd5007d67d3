"""The test commands of one run: found in its files, run again one at a time, and what came of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from buddy_core.errors import BuddyError
from buddy_core.runs.replay.commands import Conditions, Findings, find_tests
from buddy_core.runs.replay.live import Live
from buddy_core.runs.replay.model import Command, RecordedTest, Rerun
from buddy_core.runs.replay.session import TIMEOUT_S
from buddy_core.runs.replay.single import NotApproved, rerun_one
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain


class Bench:
    """Belongs to one screen, in whose thread everything is asked of it. Whether what was typed approves is the library's to say.

    Args:
        clock: Seconds, for how long a command has been running.
        env: The variables that a command may be given some of.
    """

    def __init__(
        self, runs_dir: Path, run_id: str, *, clock: Callable[[], float], env: Mapping[str, str]
    ) -> None:
        self._runs_dir = runs_dir
        self._run_id = run_id
        self._clock = clock
        self._begun = 0.0
        self._reruns: dict[Command, Rerun] = {}
        self.conditions = Conditions(TIMEOUT_S, dict(env))
        self.tests: list[RecordedTest] = []
        self.live: Live | None = None
        """What the command that runs has printed so far."""
        self.at_work: int | None = None
        """The number of the command that runs."""

    async def find(self) -> Findings:
        """Look for the commands, in a thread.

        Raises:
            OSError, BuddyError: The run cannot be read.
        """
        found = await asyncio.to_thread(find_tests, self._runs_dir, self._run_id, self.conditions)
        self.tests = list(found.tests)
        return found

    def command(self, at: int | None) -> Command | None:
        """What would be run; None where it cannot be, or where nothing is chosen."""
        return None if at is None else self.tests[at].command

    def rerun(self, at: int) -> Rerun | None:
        """How it ended here, if it was run again."""
        command = self.tests[at].command
        return None if command is None else self._reruns.get(command)

    @property
    def took_s(self) -> int:
        """Whole seconds since the command that runs was started."""
        return int(self._clock() - self._begun)

    def begin(self, at: int) -> Live:
        """From now on the command of this number is the one that runs."""
        self.at_work, self._begun, self.live = at, self._clock(), Live()
        return self.live

    async def play(self, at: int, command: Command, typed: str, live: Live) -> Plain | None:
        """Run it to its end, in a thread; words where nothing was run."""
        try:
            became = await asyncio.to_thread(
                rerun_one,
                self._runs_dir,
                self._run_id,
                self.conditions,
                at,
                command,
                typed=typed,
                live=live,
            )
            return self._settle(at, command, became)
        except (OSError, BuddyError, NotApproved) as error:
            return shown(f"nothing was run: {error}", limit=200)
        finally:
            live.cancel()
            self.at_work = self.live = None

    def cancel(self) -> bool:
        """End the command that runs, and everything it started; False where none does."""
        if self.live is None:
            return False
        self.live.cancel()
        return True

    def _settle(self, at: int, command: Command, became: Rerun | RecordedTest | None) -> Plain | None:
        """Keep the outcome; words where something else stands in the files now, and nothing was run."""
        if isinstance(became, Rerun):
            self._reruns[command] = became
            return None
        self.tests[at] = became or replace(self.tests[at], command=None, obstacle="it is not there any more")
        return Plain("it has changed meanwhile: nothing was run, read it again")
