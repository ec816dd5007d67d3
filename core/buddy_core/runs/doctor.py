"""What is wrong with recorded runs, and what would be done about it. Nothing is changed.

Everything is read through the reader that the monitor uses, so what counts as damage here is what the screens
leave out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from buddy_core import format as fmt
from buddy_core.clock import Clock, SystemClock
from buddy_core.runs.checkup.directory import beyond_limit, examine_directory
from buddy_core.runs.checkup.finding import Finding, Severity
from buddy_core.runs.checkup.run import examine_run
from buddy_core.runs.lookup import find_run, run_ids
from buddy_core.safety.columns import cells
from buddy_core.safety.paths import real_root
from buddy_core.safety.text import plain

_SIGNS: dict[Severity, str] = {"problem": "✗", "warning": "!", "note": "·"}
_SHARED = "permissions"
"""The original writer leaves every file readable for others, which is worth saying, but not for each run."""

_FEW = 3
_ORDER: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """The findings of one look: the worst run first, in each run the worst finding first."""

    runs_dir: Path
    checked: int
    """Runs that were looked at."""
    findings: tuple[Finding, ...] = ()

    @property
    def healthy(self) -> bool:
        """True when there is nothing to tell."""
        return not self.findings

    def count(self, severity: Severity) -> int:
        """How many findings there are of one degree."""
        return sum(finding.severity == severity for finding in self.findings)


def doctor(
    runs_dir: Path | str, *, run_id: str | None = None, clock: Clock | None = None, watch_runs: int = 0
) -> DoctorReport:
    """Look at every run in `runs_dir`, or at the one that `run_id` (an id, a beginning, `last`) means.

    Where there are more than `watch_runs` (0: no limit), it says that the monitor's numbers are not of all of them.

    Raises:
        StoreUnavailable: The directory cannot be listed.
        RunNotFound: There is no such run.
    """
    place = Path(runs_dir)
    now_ms = (clock or SystemClock()).now_ms()
    chosen = run_ids(place) if run_id is None else [find_run(place, run_id)]
    root = real_root(place)
    findings = [*examine_directory(root), *beyond_limit(len(chosen), watch_runs)] if run_id is None else []
    for one in chosen:
        findings += examine_run(root, one, now_ms=now_ms)
    return DoctorReport(place, len(chosen), tuple(_sorted(findings, chosen)))


def report_lines(report: DoctorReport, *, width: int | None = None) -> Iterator[str]:
    """The report as text: a block for each run that has something to tell, then one line that sums it up.

    What is the same in many runs, and harmless, is told once. Lines longer than `width` cells are broken.
    """
    everywhere = _everywhere(report)
    group: str | None = ""
    for finding in report.findings:
        if finding.kind in everywhere and finding.severity == "note":
            continue
        if finding.run_id != group:
            if group != "":
                yield ""
            group = finding.run_id
            yield group or plain(str(report.runs_dir))
        yield from _lines(_SIGNS[finding.severity], finding.message, finding.would, width)
    if everywhere:
        yield from ([""] if group != "" else [])
        yield "in many runs"
        for count, finding in everywhere.values():
            yield from _lines(_SIGNS["note"], f"{finding.message} ({count} runs)", finding.would, width)
    if report.findings:
        yield ""
    yield _sum(report)


def _everywhere(report: DoctorReport) -> dict[str, tuple[int, Finding]]:
    """Kinds of notes that many runs share, with their number and one of them."""
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        if finding.severity == "note" and finding.kind == _SHARED and finding.run_id is not None:
            found.setdefault(finding.kind, []).append(finding)
    return {kind: (len(some), some[0]) for kind, some in found.items() if len(some) > _FEW}


def _lines(sign: str, message: str, would: str, width: int | None) -> Iterator[str]:
    told = f"  {sign} {plain(message, limit=500)}"
    if width is None or cells(told) + len(would) + 2 <= width:
        yield f"{told}: {would}"
    else:
        yield told
        yield f"      {would}"


def _sum(report: DoctorReport) -> str:
    looked = f"{fmt.plural(report.checked, 'run')} looked at"
    if report.healthy:
        return f"✓ {looked}: nothing to tell"
    counts = ((report.count(severity), severity) for severity in _ORDER)
    told = ", ".join(fmt.plural(count, severity) for count, severity in counts if count)
    return f"{looked}: {told}. Nothing was changed."


def _sorted(findings: Sequence[Finding], runs: Sequence[str]) -> list[Finding]:
    newest_first = {run_id: index for index, run_id in enumerate(runs)}
    worst: dict[str | None, int] = {}
    for finding in findings:
        worst[finding.run_id] = min(worst.get(finding.run_id, len(_ORDER)), _ORDER.index(finding.severity))

    def place(finding: Finding) -> tuple[int, int, int]:
        """The directory itself comes before the runs that are as ill as it is."""
        run = finding.run_id
        return worst[run], -1 if run is None else newest_first[run], _ORDER.index(finding.severity)

    return sorted(findings, key=place)
