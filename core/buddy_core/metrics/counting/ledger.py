"""Everything that was counted, and the only code that counts it. Not locked, not checked: the collector does both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from buddy_core.metrics.counting.activity import ActivityLog
from buddy_core.metrics.counting.blame import Blame
from buddy_core.metrics.counting.bounds import MOST_WAITING
from buddy_core.metrics.counting.errorlog import ErrorLog
from buddy_core.metrics.counting.fingerprint import fingerprint
from buddy_core.metrics.counting.rollup import Tiers
from buddy_core.metrics.counting.room import Room
from buddy_core.metrics.counting.series import ErrorSeries, ProviderSeries, ToolSeries
from buddy_core.metrics.counting.stats import RequestSample, UsageSample, UsageStats
from buddy_core.metrics.counting.texts import FailureTexts
from buddy_core.metrics.model import OTHER, ErrorRecord

BUCKETS = 300_000
"""Buckets of all series together, about 120 MB if an input manages to fill them; real ones stay below 1 %."""

TOOL_ERROR = "tool_error"
"""Type of the error that a failed tool call with a reason also is."""


Kind = Literal["provider", "tool", "error"]
"""What there are series of."""


class Ledger:
    """Series by provider, tool and error group, usage without requests, the activity of everything."""

    def __init__(self, *, max_series: int, max_errors: int) -> None:
        self._max_series = max_series
        self.room = Room(BUCKETS)
        self.providers: dict[tuple[str, str], ProviderSeries] = {}
        self.tools: dict[str, ToolSeries] = {}
        self.errors: dict[str, ErrorSeries] = {}
        self.blame = Blame(self.room)
        self.texts: dict[str, FailureTexts] = {}
        """What failed calls said, by tool."""
        self.error_types: Counter[str] = Counter()
        self.usage = Tiers(UsageStats, self.room)
        self.activity = ActivityLog()
        self.error_log = ErrorLog(max_errors)
        self.overflow: Counter[str] = Counter()
        """Samples that went to `other`, by kind of series."""
        self.version = 0
        """Bumped whenever a number may have changed."""

    def provider(self, provider: str, model: str) -> ProviderSeries:
        """The series of a provider and model; `other` past the limit."""
        known = self.providers.get((provider, model))
        if known is not None:
            return known
        if len(self.providers) >= self._max_series:
            self.overflow["provider"] += 1
            provider = model = OTHER
        return self.providers.setdefault((provider, model), ProviderSeries(provider, model, self.room))

    def provider_of(self, key: str) -> ProviderSeries | None:
        """The series with the key `provider/model`, if there is one; either name may contain slashes itself."""
        for place, letter in enumerate(key):
            if letter == "/" and (found := self.providers.get((key[:place], key[place + 1 :]))):
                return found
        return None

    def tool(self, name: str) -> ToolSeries:
        """The series of a tool; `other` past the limit."""
        known = self.tools.get(name)
        if known is not None:
            return known
        if len(self.tools) >= self._max_series:
            self.overflow["tool"] += 1
            name = OTHER
        return self.tools.setdefault(name, ToolSeries(name, self.room))

    def error(self, record: ErrorRecord) -> ErrorSeries:
        """The group an error belongs to; `other` past the limit."""
        return self.error_group(fingerprint(record.type, record.message), record.type, record)

    def error_group(self, key: str, type_: str, record: ErrorRecord) -> ErrorSeries:
        """The group of a fingerprint, begun with `record`; `other` past the limit."""
        known = self.errors.get(key)
        if known is not None:
            return known
        if len(self.errors) >= self._max_series:
            self.overflow["error"] += 1
            key = type_ = OTHER
        return self.errors.setdefault(key, ErrorSeries(key, type_, record, self.room))

    def series(self) -> list[ProviderSeries | ToolSeries | ErrorSeries]:
        """Every series there is."""
        return [*self.providers.values(), *self.tools.values(), *self.errors.values()]

    def of_kind(self, kind: Kind) -> Mapping[Any, ProviderSeries | ToolSeries | ErrorSeries]:
        """Every series of one kind."""
        if kind == "provider":
            return self.providers
        return self.tools if kind == "tool" else self.errors

    def add_request(self, series: ProviderSeries, sample: RequestSample, now_ms: int) -> None:
        """Count one model request."""
        series.version += 1
        for stats in series.tiers.buckets(sample.at_ms, now_ms):
            stats.add(sample)
        at_ms, prompt, completion, cache_read, cache_write, cost, latency, ttft, success = sample
        if ttft is not None:
            waiting = series.first_tokens.waiting
            waiting.append(ttft)
            if len(waiting) > MOST_WAITING:
                series.first_tokens.settle()
        tokens = prompt + completion + cache_read + cache_write
        for counts in self.activity.buckets(at_ms, now_ms):
            counts.add_request(tokens, cost, latency, success)
        self.version += 1

    def add_tool(
        self, series: ToolSeries, at_ms: int, duration_ms: float | None, success: bool, now_ms: int
    ) -> None:
        """Count one tool call."""
        series.version += 1
        for stats in series.tiers.buckets(at_ms, now_ms):
            stats.add(at_ms, duration_ms, success)
        failures = 0 if success else 1
        for counts in self.activity.buckets(at_ms, now_ms):
            counts.add_tools(1, failures)
        self.version += 1

    def add_error(self, record: ErrorRecord, now_ms: int) -> str:
        """Count one error; gives the type it counts as, `other` past the limit.

        That of a failed tool call is a failure of the tool already, and not of anything else.
        """
        series = self.error(record)
        series.version += 1
        series.note(record)
        of_tool = record.type == TOOL_ERROR and bool(record.context and "tool" in record.context)
        for stats in series.tiers.buckets(record.timestamp, now_ms):
            stats.add(record.timestamp, of_tool)
        self.blame.note(record, series.key, of_tool, now_ms)
        if of_tool:
            self._note_text(record, series.key, now_ms)
        else:
            for counts in self.activity.buckets(record.timestamp, now_ms):
                counts.errors += 1
        self.error_log.add(record)
        known = record.type in self.error_types or len(self.error_types) < self._max_series
        counted_as = record.type if known else OTHER
        self.error_types[counted_as] += 1
        self.version += 1
        return counted_as

    def _note_text(self, record: ErrorRecord, key: str, now_ms: int) -> None:
        """Count what a failed call said for its tool, which is known by then."""
        tool = (record.context or {}).get("tool")
        name = tool if isinstance(tool, str) and tool in self.tools else OTHER
        if name in self.tools:
            texts = self.texts.get(name)
            if texts is None:
                texts = self.texts[name] = FailureTexts(self.room)
            texts.note(record, key, now_ms)

    def add_estimates(
        self,
        key: tuple[str, str] | None,
        amounts: Iterable[tuple[int, float]],
        now_ms: int,
        *,
        take_back: bool = False,
    ) -> None:
        """Count what requests to a provider and model that are counted already were priced at, or no more of it.

        `amounts` are times and US dollars; without a key they are of totals that belong to no request.
        """
        series = None if key is None else self.providers.get(key) or self.providers.get((OTHER, OTHER))
        if series is not None:
            series.version += 1
        elif key is not None:
            return
        for at_ms, dollars in amounts:
            stats = (self.usage if series is None else series.tiers).buckets(at_ms, now_ms)
            for counts in (*stats, *self.activity.buckets(at_ms, now_ms)):
                counts.estimates += -1 if take_back else 1
                counts.estimate += -dollars if take_back else dollars
                if not counts.estimates:
                    counts.estimate = 0.0  # no dust of a sum whose parts are all gone
        self.version += 1

    def add_usage(self, sample: UsageSample, now_ms: int) -> None:
        """Count tokens and cost that belong to no request."""
        for stats in self.usage.buckets(sample.at_ms, now_ms):
            stats.add(sample)
        for counts in self.activity.buckets(sample.at_ms, now_ms):
            counts.add_usage(sample.tokens, sample.cost)
        self.version += 1
