"""The card one sees where nothing has been recorded yet."""

from __future__ import annotations

from pathlib import Path

from buddy_core.safety.text import Plain, plain
from buddy_top.drawing.cells import Cell, Span
from buddy_top.state import Snapshot

EXAMPLE = (
    "from buddy_core import RunStore",
    "",
    'with RunStore().run("Fix the flaky login test") as run:',
    '    with run.tool("bash", {"command": "pytest"}) as call:',
    '        call.returned("12 passed in 0.8 s")',
)


def welcome_lines(snapshot: Snapshot) -> list[Cell]:
    """What was looked for and where, how an agent starts to record, and the key for the demonstration."""
    sources = snapshot.sources
    return [
        (Span(Plain("No runs yet"), "strong"),),
        (),
        _place(sources.runs_dir, sources.problem),
        (Span(Plain("They appear here by themselves as soon as an agent starts to record."), "label"),),
        (),
        (Span(Plain("d"), "accent"), Span(Plain("  watch the demonstration agent"), "value")),
        (),
        (Span(Plain("Code Buddy records into ~/.codebuddy/runs without being asked."), "label"),),
        (Span(Plain("Elsewhere:  buddy-top --runs-dir DIR   or   CODEBUDDY_RUNS_DIR=DIR"), "label"),),
        (),
        (Span(Plain("An agent of your own, in Python:"), "label"),),
        (),
        *((Span(Plain(f"  {line}"), "info"),) for line in EXAMPLE),
    ]


def _place(runs_dir: Path, problem: str | None) -> Cell:
    words = problem or "is empty"
    return (
        Span(Plain("Looked in "), "label"),
        Span(plain(str(runs_dir)), "value"),
        Span(Plain(": "), "label"),
        Span(plain(words), "warn" if problem else "label"),
    )
