"""The calls of a run that wait for their results, and which of them a result answers.

A result names its call by an id where the writer gives ids; where it does not, the oldest waiting call of the same
tool is meant. A result whose call was never recorded answers none.
"""

from __future__ import annotations

from buddy_core.runs.folding.calls import Call, OpenCall, name_of, payload_of
from buddy_core.runs.records.payloads import MAX_NAME, UNNAMED, ToolCallData, ToolResultData
from buddy_core.runs.records.typed import CallLine

MAX_UNANSWERED = 256
"""Calls without a result that are remembered; older ones were refused, and would make pairing slow."""


class WaitingCalls:
    """Calls in the order in which they were made, at most `MAX_UNANSWERED`."""

    __slots__ = ("_idless", "_numbered", "by_key")

    def __init__(self) -> None:
        self.by_key: dict[str | int, Call] = {}
        """By the id of each, or by its number where it has none. Whoever folds most calls puts and takes those with
        ids here itself."""
        self._idless = 0  # of those that wait
        self._numbered = 0  # calls without an id so far; the number is their key

    @property
    def kept(self) -> tuple[OpenCall, ...]:
        """Those that wait beyond their batch, oldest first."""
        return tuple(call for call in self.by_key.values() if isinstance(call, OpenCall))

    def add(self, data: ToolCallData, call: Call) -> None:
        """A call was made, and `call` is what is kept of it."""
        key: str | int | None = data.tool_call_id or data.call_id or data.id
        if key is None:
            self._numbered += 1
            key = self._numbered
            self._idless += 1
        self.by_key[key] = call
        if len(self.by_key) > MAX_UNANSWERED:
            self.forget_oldest()

    def forget_oldest(self) -> None:
        """There are too many: the one that waits longest is most likely to wait for ever."""
        self._take(next(iter(self.by_key)))

    def answered_by(self, result: ToolResultData) -> Call | None:
        """The call that a result answers, which waits no longer; None where it was not recorded."""
        key = result.tool_call_id or result.call_id or result.id
        call = self.by_key.pop(key, None) if key is not None else None
        if call is not None:
            return call
        return self._best_guess(key, (result.tool_name or result.name or UNNAMED)[:MAX_NAME])

    def let_go_of_lines(self) -> None:
        """Of the calls that wait beyond their batch only what may be shown is kept, not the whole lines."""
        for key, call in self.by_key.items():
            if type(call) is CallLine:
                self.by_key[key] = OpenCall(name_of(call), call.ts, payload_of(call.data.args))

    def _best_guess(self, key: str | None, tool: str) -> Call | None:
        """The oldest call of the tool that a result without a call of its id could be meant for."""
        if key is not None and not self._idless:
            return None  # a filtered tool leaves a result without a call
        for candidate, call in self.by_key.items():
            if name_of(call) == tool and (key is None or isinstance(candidate, int)):
                return self._take(candidate)
        return None

    def _take(self, key: str | int) -> Call:
        if isinstance(key, int):
            self._idless -= 1
        return self.by_key.pop(key)
