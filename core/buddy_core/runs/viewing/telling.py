"""A run as it happens, line by line: each event when it comes, results beside what was called, silences, the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from buddy_core import format as fmt
from buddy_core.runs.model import RunEvent
from buddy_core.runs.timeline.event_words import call_id, describe, tool_name
from buddy_core.runs.viewing.show import indented, pause, said
from buddy_core.runs.watching.following import Note, RunFollower
from buddy_core.runs.watching.liveness import STALLED_AFTER_MS
from buddy_core.safety.columns import cells, cut
from buddy_core.safety.shown import shown
from buddy_core.signs import STATE_SIGNS

_NAME = 20
_MAX_OPEN = 256
_MAX_DEPTH = 100


class _Call(NamedTuple):
    """A call whose result has not come."""

    name: str
    detail: str
    at_ms: int


class Teller:
    """Turns events, in their order, into lines of at most `width` cells (None: of any length)."""

    def __init__(self, *, width: int | None = None) -> None:
        self._width = width
        self.begin()

    def begin(self) -> None:
        """Forget what was told: another run of events follows."""
        self._first_at: int | None = None
        self._last_at: int | None = None
        self._steps: list[tuple[str, int]] = []
        self._open: dict[str | int, _Call] = {}
        self._base: str | None = None
        self._calls = self._failed = self._errors = 0

    def lines(self, event: RunEvent) -> Iterator[str]:
        """A line for the silence before the event, if it was long, and one for the event."""
        self._first_at = event.ts if self._first_at is None else self._first_at
        silence = pause(None if self._last_at is None else event.ts - self._last_at)
        self._last_at = event.ts
        if silence is not None:
            yield self._fitted(f"{'':>8}  …  {silence}")
        if event.type == "run_start" and self._width is not None:
            self._base = _directory(event.data.get("metadata"))
        yield self._fitted(self._line(event, self._first_at))
        if event.type == "step_start" and len(self._steps) < _MAX_DEPTH:
            self._steps.append((str(event.data.get("step") or ""), event.ts))

    def note(self, note: Note) -> str:
        """What happened to the run beside its events."""
        if note == "replaced":
            self.begin()
            return f"{STATE_SIGNS['info']} the file was replaced; from its beginning:"
        quiet = fmt.duration(STALLED_AFTER_MS)
        return f"{STATE_SIGNS['stalled']} stalled: no event for {quiet} or more; still waiting for one"

    def last_words(self, follower: RunFollower) -> str:
        """How the run ended, after the last event."""
        damage = (
            f"; {fmt.plural(follower.skipped_lines, 'damaged line')} skipped"
            if follower.skipped_lines
            else ""
        )
        sign = STATE_SIGNS["info"] if follower.gone else STATE_SIGNS[follower.status]
        if follower.gone:
            return f"{sign} the run was removed while it was read{damage}"
        if follower.status == "interrupted":
            return f"{sign} interrupted: its writer is gone, and no end was recorded{damage}"
        return f"{sign} {follower.status}{self._totals()}{damage}"

    def _line(self, event: RunEvent, first_at: int) -> str:
        words = describe(event.type, event.data)
        detail, begun_at = self._begun(event, words.detail)
        took_ms = words.duration_ms
        if took_ms is None and begun_at is not None:
            took_ms = max(0, event.ts - begun_at)
        self._failed += event.type == "tool_result" and words.state == "failed"
        self._errors += event.type == "error"
        named = event.type in ("tool_call", "tool_result")
        title = tool_name(event.data) if named else event.type.replace("_", " ")
        name = indented(len(self._steps)) + shown(title, limit=40)
        took = "" if took_ms is None else fmt.duration(took_ms)
        at, text = fmt.relative(max(0, event.ts - first_at)), said(detail, words.error, base=self._base)
        return f"{at:>8}  {STATE_SIGNS[words.state]}  {name:<{_NAME}}  {took:>7}  {text}".rstrip()

    def _begun(self, event: RunEvent, detail: str) -> tuple[str, int | None]:
        """What the event says, with the words of its call, and when that or its step began; keeps the books."""
        if event.type == "tool_call":
            self._calls += 1
            key = call_id(event.data) or self._calls
            self._open[key] = _Call(tool_name(event.data), detail, event.ts)
            if len(self._open) > _MAX_OPEN:
                del self._open[next(iter(self._open))]
        elif event.type == "tool_result":
            call = self._called(event)
            return (detail, None) if call is None else (detail or call.detail, call.at_ms)
        elif event.type == "step_end":
            return detail, self._leave(str(event.data.get("step") or ""))
        return detail, None

    def _called(self, event: RunEvent) -> _Call | None:
        """The call of a result: by id; without one the oldest open call of that tool that has none either."""
        key = call_id(event.data)
        if key is not None and key in self._open:
            return self._open.pop(key)
        name = tool_name(event.data)
        for candidate, call in self._open.items():
            if call.name == name and (key is None or isinstance(candidate, int)):
                return self._open.pop(candidate)
        return None

    def _leave(self, step: str) -> int | None:
        """Leave the innermost step of that name, and those inside whose end is missing; when it began."""
        if all(name != step for name, _ in self._steps):
            return None
        while True:
            name, begun_at = self._steps.pop()
            if name == step:
                return begun_at

    def _totals(self) -> str:
        if self._first_at is None or self._last_at is None:
            return ""
        took = fmt.duration(max(0, self._last_at - self._first_at))
        parts = [fmt.plural(self._calls, "call"), f"{self._failed:,} failed" if self._failed else ""]
        parts.append(fmt.plural(self._errors, "error") if self._errors else "")
        return f" after {took}: {', '.join(part for part in parts if part)}"

    def _fitted(self, line: str) -> str:
        return line if self._width is None or cells(line) <= self._width else cut(line, self._width)


def _directory(metadata: object) -> str | None:
    cwd = metadata.get("cwd") if isinstance(metadata, dict) else None
    return cwd if isinstance(cwd, str) and cwd else None
