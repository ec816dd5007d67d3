"""One run as lines: what is known of it, what went wrong, then everything that happened.

Every text out of the run's files is made printable here. With a `width` lines keep within so many cells; without
one (a pipe, a file) nothing is cut that a person may want to search for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from buddy_core import format as fmt
from buddy_core.runs.artifacts.files import MAX_LISTED, ArtifactInfo
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.timeline.timeline import WITHOUT_RESULT, Timeline, TimelineRow
from buddy_core.safety.columns import Column, cells, cut, lay_out
from buddy_core.safety.shown import shown
from buddy_core.signs import STATE_SIGNS

PAUSE_MS = 60_000
"""A silence as long as this gets a line of its own."""

MAX_WRONG = 20
"""Failures told before the timeline; the rest is found in it."""

_COLUMNS = (
    Column("at", right=True),
    Column(""),
    Column("event", limit=36),
    Column("took", right=True, priority=1),
    Column("said", limit=10_000, grows=True),
)
_WRONG_COLUMNS = (_COLUMNS[0], _COLUMNS[1], Column("event", limit=28), _COLUMNS[4])
_LABEL = 14
_INDENT = 2
_MAX_INDENT = 8
_MAX_TOOLS = 6
_NAMED_ARTIFACTS = 50


def run_lines(
    facts: RunFacts,
    timeline: Timeline,
    artifacts: Sequence[ArtifactInfo],
    *,
    now_ms: int,
    forks: Sequence[str] = (),
    width: int | None = None,
) -> Iterator[str]:
    """The whole run; `forks` are the ids of runs that were forked from it."""
    yield from _head(facts, timeline, artifacts, forks, now_ms, width)
    base = None if width is None else facts.cwd
    wrong = [row for row in timeline.rows if went_wrong(row)]
    if wrong:
        yield from ("", "went wrong")
        yield from _wrong(wrong, base, width)
    yield from ("", "timeline")
    yield from _timeline(timeline, base, width)


def went_wrong(row: TimelineRow) -> bool:
    """True for failures, errors and refusals; a call that was merely cut off by the end of the run is none.

    A step that failed is told once, by its end, which says why.
    """
    if row.state == "refused":
        return row.error != WITHOUT_RESULT and row.kind == "tool_call"
    return row.state in ("failed", "error") and row.kind not in ("run_end", "step_start")


def pause(ms: int | None) -> str | None:
    """Words for a silence that is worth a line; None for a shorter one."""
    return None if ms is None or ms < PAUSE_MS else f"{fmt.duration(ms)} without an event"


def said(detail: str, error: str | None, *, base: str | None = None) -> str:
    """What an event says, on one line; paths beneath `base`, where room is short, begin there."""
    return " — ".join(shown(text, limit=300) for text in (beneath(base, detail), error) if text)


def beneath(base: str | None, path: str) -> str:
    """`path` as seen from the directory `base`, if it is one beneath it."""
    return path.removeprefix(base.rstrip("/") + "/") if base else path


def _head(
    facts: RunFacts,
    timeline: Timeline,
    artifacts: Sequence[ArtifactInfo],
    forks: Sequence[str],
    now_ms: int,
    width: int | None,
) -> Iterator[str]:
    yield from _folded(
        f"{STATE_SIGNS[facts.status]} {facts.status}  ", shown(facts.objective, limit=500), width
    )
    for label, text in (*_particulars(facts, timeline, now_ms), *_belongings(facts, artifacts, forks)):
        if text:
            yield from _folded(f"{label:<{_LABEL}}", text, width)
    for note in facts.integrity.notes:
        yield from _folded(f"{'damage':<{_LABEL}}", shown(note, limit=500), width)


def _particulars(facts: RunFacts, timeline: Timeline, now_ms: int) -> Iterator[tuple[str, str]]:
    yield "run", facts.run_id
    if facts.recorded_status not in (None, facts.status):
        yield "recorded", shown(facts.recorded_status, limit=60)
    yield "started", f"{fmt.date_time(facts.started_at or None, now_ms)}, {_took(facts, now_ms)}"
    yield "model", shown(facts.model, limit=200)
    yield "tokens", tokens_told(facts)
    yield "cost", fmt.cost_of(facts)
    yield "events", _events(facts, timeline)
    yield "tools", _tools(facts, timeline)
    yield "error events", f"{facts.errors:,}"
    yield "failovers", f"{facts.failovers:,}" if facts.failovers else ""


def _belongings(
    facts: RunFacts, artifacts: Sequence[ArtifactInfo], forks: Sequence[str]
) -> Iterator[tuple[str, str]]:
    yield "tags", shown(", ".join(facts.tags), limit=500)
    yield "directory", shown(facts.cwd, limit=500)
    if facts.parent_run_id:
        reason = f": {shown(facts.fork_reason, limit=200)}" if facts.fork_reason else ""
        yield "fork of", shown(facts.parent_run_id, limit=60) + reason
    yield "forks", ", ".join(forks)
    yield "artifacts", ", ".join(_artifacts(artifacts))


def _artifacts(artifacts: Sequence[ArtifactInfo]) -> Iterator[str]:
    """Names and sizes of the first, and how many are left out; what is not listed cannot be counted either."""
    for one in artifacts[:_NAMED_ARTIFACTS]:
        yield f"{shown(one.name, limit=120)} {fmt.bytes_(one.size)}"
    if (more := len(artifacts) - _NAMED_ARTIFACTS) > 0:
        yield f"and {'at least ' if len(artifacts) >= MAX_LISTED else ''}{more:,} more"


def _took(facts: RunFacts, now_ms: int) -> str:
    if facts.live:
        return f"running for {fmt.duration(max(0, now_ms - facts.started_at))}"
    return f"took {fmt.duration(facts.duration_ms)}"


def tokens_told(facts: RunFacts) -> str:
    """All tokens of the run and, so that they add up, what each part of them is."""
    if facts.total_tokens is None:
        return fmt.UNKNOWN
    parts = f"prompt {fmt.tokens_full(facts.prompt_tokens)}, completion {fmt.tokens_full(facts.completion_tokens)}"
    if facts.other_tokens:
        parts += f", cache and other {fmt.tokens_full(facts.other_tokens)}"
    return f"{fmt.tokens_full(facts.total_tokens)} ({parts})"


def _events(facts: RunFacts, timeline: Timeline) -> str:
    silence = max((row.gap_ms or 0 for row in timeline.rows), default=0)
    longest = f", longest silence {fmt.duration(silence)}" if silence >= PAUSE_MS else ""
    return f"{facts.event_count:,}{longest}"


def _tools(facts: RunFacts, timeline: Timeline) -> str:
    """Calls by tool only where every call is in the timeline: a part of them would not add up."""
    told = f"{fmt.plural(facts.tool_calls, 'call')}, {facts.tool_failures:,} failed"
    calls = Counter(row.title for row in timeline.rows if row.kind == "tool_call")
    if timeline.hidden or len(calls) < 2:
        return told
    some = ", ".join(f"{shown(name, limit=40)} {count:,}" for name, count in calls.most_common(_MAX_TOOLS))
    return f"{told} ({some}{', …' if len(calls) > _MAX_TOOLS else ''})"


def _wrong(rows: Sequence[TimelineRow], base: str | None, width: int | None) -> Iterator[str]:
    """The reason first: it is what must not be cut off."""
    told = [
        (
            fmt.relative(row.since_start_ms),
            STATE_SIGNS[row.state],
            shown(row.title, limit=40),
            " ← ".join(shown(text, limit=300) for text in (row.error, beneath(base, row.detail)) if text),
        )
        for row in rows[:MAX_WRONG]
    ]
    yield from lay_out(_WRONG_COLUMNS, told, width=width, heading=False)
    if len(rows) > MAX_WRONG:
        yield f"… and {len(rows) - MAX_WRONG:,} more in the timeline"


def _timeline(timeline: Timeline, base: str | None, width: int | None) -> Iterator[str]:
    if timeline.hidden:
        yield f"… {timeline.hidden:,} earlier events are not shown"
    if not timeline.rows:
        yield "no events"
    lines = [line for row in timeline.rows for line in _row(row, base)]
    yield from lay_out(_COLUMNS, lines, width=width, heading=False)


def _row(row: TimelineRow, base: str | None) -> Iterator[tuple[str, ...]]:
    silence = pause(row.gap_ms)
    if silence is not None:
        yield "", "…", "", "", silence
    yield (
        fmt.relative(row.since_start_ms),
        STATE_SIGNS[row.state],
        indented(row.depth) + shown(row.title, limit=40),
        "" if row.duration_ms is None else fmt.duration(row.duration_ms),
        said(row.detail, row.error, base=base),
    )


def indented(depth: int) -> str:
    """The room before what happens inside so many steps."""
    return " " * (_INDENT * min(depth, _MAX_INDENT))


def _folded(label: str, text: str, width: int | None) -> Iterator[str]:
    """`text` behind its label, on as many lines of `width` cells as it needs, broken between words."""
    room = None if width is None else max(20, width - cells(label))
    if room is None or cells(text) <= room:
        yield f"{label}{text}".rstrip()
        return
    for index, line in enumerate(_broken(text, room)):
        yield f"{label if index == 0 else ' ' * cells(label)}{line}".rstrip()


def _broken(text: str, room: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if cells(longer) <= room:
            line = longer
            continue
        if line:
            yield line
        while cells(word) > room:
            piece = cut(word, room + 1)[:-1]
            yield piece
            word = word[len(piece) :]
        line = word
    if line:
        yield line
