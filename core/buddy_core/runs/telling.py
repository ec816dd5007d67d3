"""A run as it happens, line by line: each event when it comes, results beside what was called, silences, the end."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core import format as fmt
from buddy_core.runs.event_words import call_id, describe, tool_name
from buddy_core.runs.following import Note, RunFollower
from buddy_core.runs.liveness import STALLED_AFTER_MS
from buddy_core.runs.model import RunEvent
from buddy_core.runs.show import indented, pause, said
from buddy_core.safety.columns import cells, cut
from buddy_core.safety.text import plain
from buddy_core.signs import STATE_SIGNS

_NAME = 20
_MAX_OPEN = 256
_MAX_DEPTH = 100


class Teller:
    """Turns events, in their order, into lines of at most `width` cells (None: of any length)."""

    def __init__(self, *, width: int | None = None) -> None:
        self._width = width
        self.begin()

    def begin(self) -> None:
        """Forget what was told: another run of events follows."""
        self._first_at: int | None = None
        self._last_at: int | None = None
        self._steps: list[str] = []
        self._base: str | None = None
        self._arguments: dict[str, str] = {}
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
        if event.type == "step_end":
            self._leave(str(event.data.get("step") or ""))
        yield self._fitted(self._line(event, self._first_at))
        if event.type == "step_start" and len(self._steps) < _MAX_DEPTH:
            self._steps.append(str(event.data.get("step") or ""))

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
        named = event.type in ("tool_call", "tool_result")
        title = tool_name(event.data) if named else event.type.replace("_", " ")
        detail = self._joined(event, words.detail)
        self._failed += event.type == "tool_result" and words.state == "failed"
        self._errors += event.type == "error"
        name = indented(len(self._steps)) + plain(title, limit=40)
        took = "" if words.duration_ms is None else fmt.duration(words.duration_ms)
        at = fmt.relative(max(0, event.ts - first_at))
        return f"{at:>8}  {STATE_SIGNS[words.state]}  {name:<{_NAME}}  {took:>7}  {said(detail, words.error, base=self._base)}".rstrip()

    def _joined(self, event: RunEvent, detail: str) -> str:
        """Remembers what is called, and gives a result the words of its call."""
        key = call_id(event.data) if event.type in ("tool_call", "tool_result") else None
        if event.type == "tool_call":
            self._calls += 1
            if key is not None:
                self._arguments[key] = detail
                if len(self._arguments) > _MAX_OPEN:
                    del self._arguments[next(iter(self._arguments))]
        elif key is not None:
            return detail or self._arguments.pop(key, "")
        return detail

    def _leave(self, step: str) -> None:
        """Leave the innermost step of that name, and those inside whose end is missing."""
        if step in self._steps:
            while self._steps.pop() != step:
                pass

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
