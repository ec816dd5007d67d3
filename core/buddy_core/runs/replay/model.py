"""What replay finds, shows and reports, as frozen values.

`Command` is the one object that is shown, approved and executed: its `document` is hashed for the approval, and
the very same bytes are handed to the process that executes it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Verdict = Literal["passed", "failed", "refused", "unknown"]
"""How a recorded command ended: `refused` was not allowed to run, `unknown` has no result."""

Ending = Literal["passed", "failed", "timed out", "cancelled", "not started"]
"""How a command ended that was run again; `not started` says why in `problem`."""

Change = Literal["still passes", "still fails", "now passes", "now fails", "not comparable"]


@dataclass(frozen=True, slots=True)
class TestCounts:
    """What a test runner said of itself in its last lines; None is not known."""

    __test__ = False

    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None

    @property
    def known(self) -> bool:
        """True when there is anything to tell."""
        return (self.passed, self.failed, self.skipped) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the run says of a command."""

    verdict: Verdict
    at_ms: int
    """Wall time of the call."""
    duration_ms: float | None = None
    error: str | None = None
    """Observed text, hostile."""
    counts: TestCounts = field(default_factory=TestCounts)


@dataclass(frozen=True)
class Command:
    """One command exactly as it would be executed; nothing that matters to it is left out of `document`."""

    argv: tuple[str, ...]
    program: str
    """The file that `argv[0]` means, looked up in the PATH of `environment`."""
    program_identity: tuple[int, ...]
    """Device, inode, size and time of change of that file, so that another one in its place is noticed."""
    cwd: str
    cwd_identity: tuple[int, ...]
    environment: Mapping[str, str]
    """All of it: nothing else is inherited."""
    timeout_s: float
    notices: tuple[str, ...] = ()
    """What a person should know before approving; shown with the command and part of what is approved."""

    @cached_property
    def document(self) -> bytes:
        """Everything above as canonical JSON; what is approved and what is executed are these bytes."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        fields["environment"] = dict(self.environment)
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `document` in hex: the approval is bound to it."""
        return hashlib.sha256(self.document).hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def word(self) -> str:
        """What a person types to approve this command and no other."""
        return f"run {self.digest[:4]}"


@dataclass(frozen=True, slots=True)
class RecordedTest:
    """A test command of a run; recorded several times, it stands here once, with its latest outcome."""

    line: str
    """As recorded; hostile."""
    recorded: Recorded
    times: int = 1
    command: Command | None = None
    """None where it cannot be replayed; then `obstacle` says why."""
    obstacle: str | None = None


@dataclass(frozen=True, slots=True)
class Rerun:
    """What happened when a command was run again."""

    command: Command
    ending: Ending
    exit_code: int | None = None
    """None for a death by signal and where nothing ran."""
    signal: int | None = None
    duration_ms: float | None = None
    head: str = ""
    """The beginning of what it printed, standard output and error together; hostile."""
    tail: str = ""
    """The end of it, where `head` does not hold all of it."""
    output_bytes: int = 0
    """All that it printed, also what was not kept."""
    output_omitted: int = 0
    """Bytes between `head` and `tail` that were counted and not kept."""
    left_behind: int = 0
    """Processes that were still there when it had ended, and were ended."""
    counts: TestCounts = field(default_factory=TestCounts)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """One test command of the report."""

    test: RecordedTest
    rerun: Rerun | None = None
    """None when it was not run."""
    left_out: str | None = None
    """Why it was not run although it could have been: nobody was asked, or the answer was no."""

    @property
    def change(self) -> Change | None:
        """The new outcome beside the recorded one; None when it was not run."""
        if self.rerun is None:
            return None
        before, after = self.test.recorded.verdict, self.rerun.ending
        if before not in ("passed", "failed") or after not in ("passed", "failed", "timed out"):
            return "not comparable"
        if after == "passed":
            return "still passes" if before == "passed" else "now passes"
        return "now fails" if before == "passed" else "still fails"


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """Every test command of a run, and what became of those that were run again."""

    run_id: str
    cwd: str | None
    """Where the run said it was; None when it did not say."""
    items: tuple[Replayed, ...] = ()
    cancelled: bool = False
    """True when it was interrupted before everything that was approved had ended."""
    notes: tuple[str, ...] = ()

    @property
    def executed(self) -> int:
        """How many commands were started."""
        return sum(item.rerun is not None and item.rerun.ending != "not started" for item in self.items)

    @property
    def all_passed(self) -> bool:
        """True when nothing that was run failed, timed out, was cancelled or could not start."""
        return not self.cancelled and all(i.rerun is None or i.rerun.ending == "passed" for i in self.items)
