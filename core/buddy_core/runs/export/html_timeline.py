"""The page's picture of time: an overview of the whole run, what went wrong, and a waterfall of its events."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core import format as fmt
from buddy_core.runs.export.gather import ExportedEvent, Report, as_json, begin_of, end_of, went_wrong
from buddy_core.runs.export.html_text import block, text
from buddy_core.runs.timeline.timeline import TimelineRow
from buddy_core.safety.text import Plain
from buddy_core.signs import STATE_SIGNS

MAX_ROWS = 20_000
"""Rows of the page; of a longer run the newest."""

_PAYLOAD = 3_000
_ALL_PAYLOADS = 8_000_000
"""Characters of payloads in the page; beyond it rows have their words only."""

_MAX_FAILURES = 30
_WIDE = 1000
_LEAST = 3
_LANE = 20
_LANES = (0, 26, 52)
"""Where the lanes of the overview begin: steps and notes, tools, model requests."""

_STATE_CLASS = {
    "ok": "ok",
    "failed": "bad",
    "error": "bad",
    "refused": "warn",
    "running": "live",
    "info": "note",
}


def overview(report: Report) -> Iterator[str]:
    """The whole run in one strip: steps, tools and requests by lane, failures over all of them."""
    if len(report.events) < 2:
        return
    span, asked = report.span_ms, any(event.row.kind == "metric" for event in report.events)
    yield '<h2>The run at a glance</h2><section class="panel mapbox"><div class="keys">'
    yield '<span class="k1"><i></i>tools</span>'
    yield '<span class="k2"><i></i>model requests</span>' if asked else ""
    yield '<span class="k3"><i></i>failures</span><span class="k4"><i></i>steps and notes</span></div>'
    height = _LANES[-1] + _LANE if asked else _LANES[1] + _LANE
    yield (
        f'<svg class="map{"" if asked else " short"}" viewBox="0 0 {_WIDE} {height}" '
        'preserveAspectRatio="none" role="img" aria-label="overview of the run">'
    )
    lanes = _LANES if asked else _LANES[:2]
    yield from (f'<rect class="lane" y="{y}" width="{_WIDE}" height="{_LANE}"/>' for y in lanes)
    drawn: set[str] = set()
    for event in report.events:
        bar = _strip(event.row, span, height)
        if bar not in drawn:
            drawn.add(bar)
            yield bar
    yield "</svg>"
    marks = (fmt.duration(span * part / 4) if part else Plain("0") for part in range(5))
    yield '<div class="legend">' + "".join(f"<span>{mark}</span>" for mark in marks) + "</div></section>"


def failures(report: Report) -> Iterator[str]:
    """Failed calls, errors and refusals, each a link to its row; the same thing again is counted."""
    wrong: dict[tuple[str, str, str | None], list[TimelineRow]] = {}
    for event in report.events:
        if went_wrong(event.row):
            wrong.setdefault((event.row.title, event.row.detail, event.row.error), []).append(event.row)
    if not wrong:
        return
    total = sum(map(len, wrong.values()))
    yield f'<h2>What went wrong <small>{total:,}</small></h2><section class="panel">'
    for same in list(wrong.values())[:_MAX_FAILURES]:
        yield from _failure(same[0], len(same), _first_shown(report))
    if len(wrong) > _MAX_FAILURES:
        yield f'<div class="fail note">… and {len(wrong) - _MAX_FAILURES:,} more in the timeline</div>'
    yield "</section>"


def _failure(row: TimelineRow, times: int, first_shown: int) -> Iterator[str]:
    linked = row.index >= first_shown
    yield (
        f'<a class="fail {_kind(row)}" href="#e{row.index}">'
        if linked
        else f'<div class="fail {_kind(row)}">'
    )
    yield f'<span class="at">{fmt.relative(row.since_start_ms)}</span><b>{text(row.title, 80)}</b>'
    if row.detail:
        yield f'<span class="d">{text(row.detail, 240)}</span>'
    if times > 1:
        yield f'<span class="times">{times:,} times</span>'
    if row.error:
        yield f"<pre>{block(row.error, limit_lines=12)}</pre>"
    yield "</a>" if linked else "</div>"


def rows(report: Report) -> Iterator[str]:
    """The waterfall, one row an event."""
    shown = report.events[-MAX_ROWS:]
    hidden = len(report.events) - len(shown)
    count = (
        f"the newest {len(shown):,} of {len(report.events):,}" if hidden else fmt.plural(len(shown), "row")
    )
    yield f'<h2>Timeline <small>{count}</small></h2><section class="panel">'
    marks = (fmt.duration(report.span_ms * part / 2) if part else Plain("0") for part in range(3))
    axis = "".join(f"<span>{mark}</span>" for mark in marks)
    yield f'<div class="cols"><span>at</span><span></span><span>event</span><span>took</span><span class="axis">{axis}</span></div>'
    left = _ALL_PAYLOADS
    for event in shown:
        body = _body(event) if left > 0 else ""
        left -= len(body)
        yield _row(event.row, body, report.span_ms)
    yield "</section>"


def _first_shown(report: Report) -> int:
    shown = report.events[-MAX_ROWS:]
    return shown[0].row.index if shown else 0


def _kind(row: TimelineRow) -> str:
    return _STATE_CLASS.get(row.state, "note")


def _row(row: TimelineRow, body: str, span: float) -> str:
    took = "" if row.duration_ms is None else fmt.duration(row.duration_ms)
    said = f'<span class="d">{text(row.detail, 240)}</span>' if row.detail else ""
    error = f'<span class="err">{text(row.error, 160)}</span>' if row.error else ""
    indent = f" i{min(row.depth, 4)}" if row.depth else ""
    cells = (
        f'<span class="at">{fmt.relative(row.since_start_ms)}</span><span class="s">{STATE_SIGNS[row.state]}</span>'
        f'<span class="w{indent}"><b>{text(row.title, 80)}</b>{said}{error}</span>'
        f'<span class="took">{took}</span><span class="b">{_bar(row, span)}</span>'
    )
    kind = f"row {_kind(row)}"
    if not body:
        return f'<div class="{kind} flat" id="e{row.index}">{cells}</div>'
    return f'<details class="{kind}" id="e{row.index}"><summary>{cells}</summary><div class="body">{body}</div></details>'


def _body(event: ExportedEvent) -> str:
    parts = []
    if event.row.error:
        parts.append(f'<h3>error</h3><pre class="err">{block(event.row.error)}</pre>')
    answered = "call" if event.event.type == "tool_call" else "recorded"
    parts.append(_payload(answered, event.event.data))
    if event.result is not None:
        parts.append(_payload("result", event.result.data))
    return "".join(parts)


def _payload(label: str, data: object) -> str:
    if not isinstance(data, dict) or not data:
        return ""
    shown, left = as_json(data, limit=_PAYLOAD)
    more = f'<p class="more">… {left:,} more characters</p>' if left else ""
    return f"<h3>{label}</h3><pre>{block(shown)}</pre>{more}"


def _bar(row: TimelineRow, span: float) -> str:
    x, width = _place(row, span)
    return (
        f'<svg class="bar" viewBox="0 0 {_WIDE} 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{_colour(row)}" x="{x}" y="1" width="{width}" height="8"/></svg>'
    )


def _strip(row: TimelineRow, span: float, height: int) -> str:
    x, width = _place(row, span)
    lane = 1 if row.kind in ("tool_call", "tool_result") else 2 if row.kind == "metric" else 0
    y, tall = (0, height) if row.kind == "error" else (_LANES[lane], _LANE)
    return f'<rect class="{_colour(row)}" x="{x}" y="{y}" width="{width}" height="{tall}"/>'


def _colour(row: TimelineRow) -> str:
    if row.kind == "metric" and row.state == "ok":
        return "req"
    if row.kind in ("step_start", "step_end") and row.state not in ("failed", "error"):
        return "step"
    return _kind(row)


def _place(row: TimelineRow, span: float) -> tuple[int, int]:
    """Where the bar begins and how wide it is, in thousandths; always to be seen and within the picture."""
    begin = min(1.0, begin_of(row) / span)
    end = min(1.0, end_of(row) / span)
    width = max(_LEAST, round((end - begin) * _WIDE))
    return min(round(begin * _WIDE), _WIDE - width), width
