"""A run as Markdown that reads well as plain text too.

Observed text is escaped so that no renderer takes it for markup, a link or HTML; longer texts stand in
fences that are longer than any run of backticks inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from buddy_core import format as fmt
from buddy_core._version import __version__
from buddy_core.runs.export.gather import ExportedArtifact, ExportedEvent, Report, went_wrong
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.viewing.show import tokens_told
from buddy_core.safety.text import plain, plain_lines
from buddy_core.signs import STATE_SIGNS

MAX_ROWS = 20_000
"""Rows of the timeline; of a longer run the newest."""

_MARKUP = re.compile(r"([\\`*_{}\[\]#!|<>~&$])")
_BACKTICKS = re.compile(r"`+")


def to_markdown(report: Report) -> str:
    """The report, one line break between blocks, a newline at its end."""
    return "\n".join(_lines(report)) + "\n"


def inline(text: object, limit: int = 300) -> str:
    """Observed text as one line that no renderer reads as anything but text."""
    escaped = _MARKUP.sub(r"\\\1", plain(text, limit=limit))
    return escaped.replace("://", "&#58;//").replace("@", "&#64;").replace("www.", "www&#46;")


def fence(text: str, *, limit_lines: int = 2_000) -> Iterator[str]:
    """`text` between two fences that nothing inside can close."""
    lines = plain_lines(text, limit_lines=limit_lines)
    longest = max((len(run) for line in lines for run in _BACKTICKS.findall(line)), default=0)
    mark = "`" * max(3, longest + 1)
    yield f"{mark}text"
    yield from lines
    yield mark


def _lines(report: Report) -> Iterator[str]:
    facts = report.facts
    yield f"# {inline(facts.objective, 500) or 'A run without an objective'}"
    yield ""
    yield f"**{STATE_SIGNS[facts.status]} {facts.status}** · `{facts.run_id}`"
    yield ""
    if report.unmasked:
        yield "> **Secrets are not masked in this document.**"
        yield ""
    yield from _particulars(report)
    yield from _wrong(report)
    yield from _timeline(report)
    yield from _artifacts(report)
    masked = "not masked" if report.unmasked else "masked"
    at = _when(report.generated_at)
    yield f"*Written by buddy-top {__version__} on {at}; secrets are {masked}.*"


def _particulars(report: Report) -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    for label, text in particulars(report.facts):
        yield f"| {label} | {inline(text, 500)} |"
    yield ""


def particulars(facts: RunFacts) -> Iterator[tuple[str, str]]:
    """What is known of a run, label and text; nothing that is not known but might be expected is left out."""
    yield "started", _when(facts.started_at or None)
    yield "took", fmt.duration(facts.duration_ms)
    yield "tokens", tokens_told(facts)
    yield "cost", fmt.cost_of(facts)
    yield "events", fmt.count(facts.event_count)
    yield "tool calls", f"{facts.tool_calls:,}, {facts.tool_failures:,} failed"
    yield "errors", fmt.count(facts.errors)
    optional = (
        ("model", facts.model),
        ("tags", ", ".join(facts.tags)),
        ("channel", facts.channel),
        ("directory", facts.cwd),
        ("parent", facts.parent_run_id),
        ("fork", facts.fork_reason),
        ("recorded status", facts.recorded_status if facts.recorded_status != facts.status else None),
        ("damage", "; ".join(facts.integrity.notes)),
    )
    yield from ((label, text) for label, text in optional if text)


def _when(ms: int | None) -> str:
    at = fmt.local(ms)
    return fmt.UNKNOWN if at is None else at.strftime("%Y-%m-%d %H:%M:%S")


def _wrong(report: Report) -> Iterator[str]:
    wrong = [event for event in report.events if went_wrong(event.row)]
    if not wrong:
        return
    yield "## What went wrong"
    yield ""
    for event in wrong[:200]:
        row = event.row
        yield f"- {fmt.relative(row.since_start_ms)} **{inline(row.title, 60)}** {inline(row.detail)}"
        if row.error:
            yield ""
            yield from ("  " + line for line in fence(row.error, limit_lines=40))
            yield ""
    if len(wrong) > 200:
        yield f"- … and {len(wrong) - 200:,} more"
    yield ""


def _timeline(report: Report) -> Iterator[str]:
    yield "## Timeline"
    yield ""
    hidden = len(report.events) - MAX_ROWS
    if hidden > 0:
        yield f"{hidden:,} earlier events are not shown."
        yield ""
    yield "| at | | event | took | said |"
    yield "|---:|---|---|---:|---|"
    for event in report.events[-MAX_ROWS:]:
        yield _row(event)
    yield ""


def _row(event: ExportedEvent) -> str:
    row = event.row
    said = " — ".join(inline(text) for text in (row.detail, row.error) if text)
    took = "" if row.duration_ms is None else fmt.duration(row.duration_ms)
    indent = "&nbsp;&nbsp;" * min(row.depth, 8)
    return f"| {fmt.relative(row.since_start_ms)} | {STATE_SIGNS[row.state]} | {indent}{inline(row.title, 60)} | {took} | {said} |"


def _artifacts(report: Report) -> Iterator[str]:
    if not report.artifacts:
        return
    yield "## Artifacts"
    yield ""
    for artifact in report.artifacts:
        yield from _artifact(artifact)


def _artifact(artifact: ExportedArtifact) -> Iterator[str]:
    note = f" · {artifact.note}" if artifact.note else ""
    yield f"### {inline(artifact.name, 200)}"
    yield ""
    yield f"{fmt.bytes_(artifact.size)}{note}"
    yield ""
    if artifact.text:
        yield from fence(artifact.text)
        yield ""
