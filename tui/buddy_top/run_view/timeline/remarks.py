"""What stands beside the names of the views while a timeline is in front, and in place of its rows."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.timeline.index.eventindex import CALL, EventIndex
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.panes.words import no_match
from buddy_top.run_view.part import NO_REMARK
from buddy_top.state import Found, RunDetail

_LOOKED_AT = 200
"""Rows that run, steps among them, of which the last call is looked for."""


def timeline_remark(
    detail: RunDetail | None, run: RunFacts, filter_text: str, folded: int, now_ms: int
) -> Plain:
    """How far the events are indexed and searched; what runs, what is folded. Nothing where there is nothing to say."""
    if detail is None or not detail.events:
        return NO_REMARK
    said = " · ".join(_remarks(detail, run, filter_text, folded, now_ms))
    return Plain(f"  {said}") if said else NO_REMARK


def _remarks(detail: RunDetail, run: RunFacts, filter_text: str, folded: int, now_ms: int) -> Iterator[str]:
    found = detail.found if detail.found is not None and detail.found.text == filter_text else None
    if filter_text and found is not None:
        yield f"{fmt.count(found.count)} of {fmt.plural(detail.rows, 'line')}"
        if found.searched < detail.rows or detail.reading:
            yield f"{_percent(found.searched, _rows_to_come(detail))} searched"
    elif detail.reading:  # else the heading says it
        yield fmt.plural(detail.events, "event")
    if detail.reading:
        yield f"{_percent(_seen(detail), detail.size)} indexed"
    if folded:
        yield f"{fmt.plural(folded, 'line')} folded"
    if run.live and (running := _running(detail.index, now_ms)):
        yield running
    if not detail.index.ordered:
        yield "the clock went back"


def empty_words(detail: RunDetail | None, *, live: bool = True) -> Plain:
    """What stands where there is no row; of a run that is over nothing more is awaited."""
    if detail is None:
        return Plain("reading …")
    if detail.reading:
        return Plain(f"reading … {fmt.bytes_(_seen(detail))} so far")
    if detail.problem:
        return shown(detail.problem)
    return Plain("no events yet" if live else "no event was recorded")


def searching_words(found: Found | None, detail: RunDetail) -> Plain:
    """What stands where no row fits, so far or at all."""
    if found is None:
        return Plain("searching …")
    if found.searched < detail.rows or detail.reading:
        return Plain(f"nothing fits so far · {_percent(found.searched, _rows_to_come(detail))} searched")
    return no_match(found.text)


def _running(index: EventIndex, now_ms: int) -> str:
    """The tool that was called last of those that run, and since when."""
    row = index.last_running()
    for _ in range(_LOOKED_AT):
        if row is None:
            return ""
        if index.kinds[index.events[row]] == CALL:
            name = shown(index.tool_names.name(index.tools[row]) or "a tool", limit=30)
            return f"{name} runs {fmt.duration(max(now_ms - index.times[index.events[row]], 0))}"
        row = index.last_running(row)
    return ""


def _seen(detail: RunDetail) -> int:
    return 0 if detail.accounting is None else detail.accounting.seen


def _rows_to_come(detail: RunDetail) -> int:
    """Rows there will be when all is indexed, as far as can be told by now."""
    seen = _seen(detail)
    return round(detail.rows * detail.size / seen) if detail.reading and seen else detail.rows


def _percent(part: int, whole: int) -> str:
    """Never 100 % before it is all."""
    return f"{min(99, part * 100 // whole) if whole else 0} %"
