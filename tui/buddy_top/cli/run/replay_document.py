"""What `run replay --json` prints."""

from __future__ import annotations

from buddy_core.runs.replay.model import Command, Replayed, ReplayReport, Rerun, TestCounts
from buddy_core.runs.viewing.entries import SCHEMA_VERSION
from buddy_top.export.documents import Document


def replay_document(report: ReplayReport, *, now_ms: int) -> Document:
    """Every test command with its recorded outcome and, where it was run again, the new one."""
    return {
        "schema_version": SCHEMA_VERSION,
        "generated_at": now_ms,
        "run_id": report.run_id,
        "cwd": report.cwd,
        "cancelled": report.cancelled,
        "executed": report.executed,
        "notes": report.notes,
        "commands": [_entry(item) for item in report.items],
    }


def _entry(item: Replayed) -> Document:
    recorded = item.test.recorded
    return {
        "line": item.test.line,
        "times": item.test.times,
        "replayable": item.test.command is not None,
        "obstacle": item.test.obstacle,
        "command": None if item.test.command is None else _command(item.test.command),
        "recorded": {
            "outcome": recorded.verdict,
            "at_ms": recorded.at_ms,
            "duration_ms": recorded.duration_ms,
            "error": recorded.error,
            "counts": _counts(recorded.counts),
        },
        "rerun": None if item.rerun is None else _rerun(item.rerun),
        "change": item.change,
        "left_out": item.left_out,
    }


def _command(command: Command) -> Document:
    return {
        "argv": command.argv,
        "program": command.program,
        "cwd": command.cwd,
        "environment": dict(command.environment),
        "timeout_s": command.timeout_s,
        "notices": command.notices,
        "digest": command.digest,
    }


def _rerun(rerun: Rerun) -> Document:
    names = (
        "ending",
        "exit_code",
        "signal",
        "duration_ms",
        "output_bytes",
        "output_omitted",
        "left_behind",
        "problem",
        "head",
        "tail",
    )
    return {**{name: getattr(rerun, name) for name in names}, "counts": _counts(rerun.counts)}


def _counts(counts: TestCounts) -> Document:
    return {"passed": counts.passed, "failed": counts.failed, "skipped": counts.skipped}
