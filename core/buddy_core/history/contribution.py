"""What one run brought to the collector, as columns: the unit that is stored, and absorbed again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from buddy_core.metrics.model import ApiRequest, ErrorRecord
from buddy_core.metrics.recording.batch import ModelKey, RequestRow, ToolColumn, row_of
from buddy_core.runs.folding.harvest import CustomValue, Harvest

MOST_LABEL_SETS = 200
"""Label sets of custom metrics that are remembered of one run, each with its latest value."""


MERGED_AFTER_MS = 8 * 86_400_000
"""A run that is gone is told apart from others for so long; no window looks at single minutes further back."""


class StoredUsage(NamedTuple):
    """Tokens and dollars of a run that none of its requests accounts for, and when they are dated."""

    at_ms: int = 0
    total_tokens: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    model: str | None = None
    """What the tokens may be priced by, where the run logged no request."""
    since: int = 0
    until: int = 0
    """When the run was at work: which turns may have been its own."""
    states_cost: bool = False
    """The run states what all of it cost: nothing of it may be estimated."""


NO_USAGE = StoredUsage()


class Told(NamedTuple):
    """One run as the history tells of it."""

    run_id: str
    found: Contribution
    usage: StoredUsage


@dataclass(slots=True)
class Contribution:
    """Columns of tool calls, rows of requests, errors (those of failed tools too), latest custom values."""

    tools: dict[str, ToolColumn] = field(default_factory=dict)
    rows: dict[ModelKey, list[RequestRow]] = field(default_factory=dict)
    errors: list[ErrorRecord] = field(default_factory=list)
    values: dict[tuple[str, tuple[tuple[str, str], ...]], CustomValue] = field(default_factory=dict)
    """By metric and label set; only the value that came last is of any use."""

    def __len__(self) -> int:
        calls = sum(len(column.ok) for column in self.tools.values())
        return calls + sum(map(len, self.rows.values())) + len(self.errors) + len(self.values)

    def take(self, harvest: Harvest) -> None:
        """Add what was harvested; its columns become this object's own."""
        self._take_columns(harvest.tools, harvest.requests)
        self.errors += harvest.errors
        self.errors += [error for _, _, error in harvest.tool_errors]
        self._take_values(harvest.values)

    def merge(self, other: Contribution) -> None:
        """Add what came later in the same run; its columns become this object's own."""
        self._take_columns(other.tools, other.rows)
        self.errors += other.errors
        self._take_values(other.values.values())

    def _take_columns(self, tools: dict[str, ToolColumn], requests: dict[ModelKey, list[RequestRow]]) -> None:
        for name, column in tools.items():
            mine = self.tools.get(name)
            if mine is None:  # without what tells the arguments of its calls: that stays in the run's files
                self.tools[name] = ToolColumn(column.at_ms, column.duration_ms, column.ok)
                continue
            mine.at_ms += column.at_ms
            mine.duration_ms += column.duration_ms
            mine.ok += column.ok
        for key, rows in requests.items():
            known = self.rows.setdefault(key, rows)
            if known is not rows:
                known += rows

    def _take_values(self, values: Iterable[CustomValue]) -> None:
        for value in values:
            key = (value.name, tuple(sorted((value.labels or {}).items())))
            if key in self.values or len(self.values) < MOST_LABEL_SETS:
                self.values[key] = value


def of_turns(turns: Iterable[ApiRequest]) -> Contribution:
    """Requests that belong to no run file, as rows."""
    found = Contribution()
    for one in turns:
        found.rows.setdefault((one.provider, one.model), []).append(row_of(one))
    return found


def turns_of(key: ModelKey, rows: Iterable[RequestRow]) -> list[ApiRequest]:
    """The other way round."""
    provider, model = key
    return [
        ApiRequest(provider, model, prompt, completion, read, written, cost, latency, ttft, success, None, at)
        for at, prompt, completion, read, written, cost, latency, ttft, success in rows
    ]
