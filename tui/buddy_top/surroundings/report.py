"""All checks, one after the other: each says what it found, and none can break the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from buddy_core.format import plural
from buddy_core.safety.text import Plain
from buddy_top.surroundings.around import Surroundings
from buddy_top.surroundings.check import STATES, Check, State
from buddy_top.surroundings.checks import agent, caches, limits, programs, rights, sending, settings, terminal

Look = Callable[[Surroundings], Iterator[Check]]

LOOKS: tuple[Look, ...] = (
    agent.check_agent,
    rights.check_runs_directory,
    rights.check_own_directories,
    limits.check_file_systems,
    limits.check_notifications,
    limits.check_descriptors,
    terminal.check_terminal,
    terminal.check_size,
    terminal.check_colours,
    terminal.check_locale,
    terminal.check_signs,
    terminal.check_abilities,
    settings.check_settings,
    caches.check_history,
    caches.check_index,
    caches.check_remembered,
    sending.check_telemetry,
    sending.check_metrics,
    agent.check_clock,
    programs.check_versions,
)
"""In the order of the report: from what is looked at to what it is looked at with."""


class Report(msgspec.Struct, frozen=True):
    """What all checks found, in their order."""

    checks: tuple[Check, ...]

    def count(self, state: State) -> int:
        """How many found that."""
        return sum(check.state == state for check in self.checks)

    @property
    def failed(self) -> bool:
        """True when something cannot work."""
        return self.count("failed") > 0

    @property
    def verdict(self) -> Plain:
        """`all is well`, or how much is not."""
        bad = [
            f"{plural(self.count('failed'), 'thing')} cannot work" if self.failed else "",
            plural(self.count("warning"), "warning") if self.count("warning") else "",
            plural(self.count("note"), "note") if self.count("note") else "",
        ]
        return Plain(", ".join(part for part in bad if part) or "all is well")

    @property
    def sum(self) -> Plain:
        """One line for all of it."""
        return Plain(f"{plural(len(self.checks), 'check')}: {self.verdict}. Nothing was changed.")


def examine(around: Surroundings, looks: Sequence[Look] = LOOKS) -> Report:
    """Look at everything. A check that breaks is told as failed."""
    found: list[Check] = []
    for look in looks:
        try:
            found.extend(look(around))
        except Exception as error:  # noqa: BLE001 - whatever is wrong here is what somebody wants to know
            subject = look.__name__.removeprefix("check_").replace("_", " ")
            advice = "Please report it: nothing that is found here should break a check."
            found.append(Check(subject, "failed", f"could not be looked at: {type(error).__name__}", advice))
    return Report(tuple(found))


def report_document(report: Report) -> dict[str, object]:
    """For JSON, as `doctor --json` prints it."""
    counts = {state: report.count(state) for state in STATES}
    return {
        "failed": report.failed,
        "counts": counts,
        "checks": [msgspec.structs.asdict(one) for one in report.checks],
    }
