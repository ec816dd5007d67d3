"""What is seen: frozen values that screens, exporters and JSON output all read.

Durations are milliseconds, money is US dollars, `*_at` is wall time in milliseconds since the epoch.
None means "not known": a latency nobody measured, a cost nobody stated. It is never written as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from buddy_core.metrics.looking.late import LateQuantiles
from buddy_core.metrics.looking.named import Metric
from buddy_core.metrics.model import ErrorRecord, SessionMetrics
from buddy_core.metrics.window import Window


@dataclass(frozen=True, slots=True)
class ToolMetrics(LateQuantiles):
    """One tool over a window. Times are over the calls whose duration is known (`duration_count`)."""

    MEAN = "avg_duration_ms"
    SHARES = (("p50_duration_ms", 0.5), ("p95_duration_ms", 0.95), ("p99_duration_ms", 0.99))

    name: str
    total_calls: int
    success_count: int
    error_count: int
    total_duration_ms: float
    avg_duration_ms: float | None
    min_duration_ms: float | None
    max_duration_ms: float | None
    p50_duration_ms: float | None
    p95_duration_ms: float | None
    p99_duration_ms: float | None
    last_executed_at: int | None
    duration_count: int = 0


@dataclass(frozen=True, slots=True)
class ProviderMetrics(LateQuantiles):
    """One provider and model over a window. Averages are over the requests that state the number."""

    MEAN = "avg_latency_ms"
    SHARES = (("p50_latency_ms", 0.5), ("p95_latency_ms", 0.95), ("p99_latency_ms", 0.99))

    provider: str
    model: str
    total_requests: int
    total_tokens: int
    prompt_tokens: int
    completion_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    total_cost: float | None
    """Costs that were stated or estimated; None when requests were made and of none a cost is known."""
    avg_latency_ms: float | None
    p50_latency_ms: float | None
    p95_latency_ms: float | None
    avg_ttft_ms: float | None
    error_count: int
    last_request_at: int | None
    latency_count: int = 0
    cost_count: int = 0
    """Requests that stated a cost; these and the estimated ones fewer than `total_requests`: a lower bound."""
    p99_latency_ms: float | None = None
    last_failed_at: int | None = None
    """Wall time of the latest request that failed; None when none did."""
    estimated_cost: float | None = None
    """Part of `total_cost` that was priced from tokens, of `estimated_count` requests; None: of none."""
    estimated_count: int = 0

    @property
    def cost_is_partial(self) -> bool:
        """True when `total_cost` is a lower bound: of some answered requests a cost is known, of others not.

        A request that failed seldom costs anything.
        """
        known = self.cost_count + self.estimated_count
        return self.total_cost is not None and 0 < known < self.total_requests - self.error_count

    @property
    def tokens_logged(self) -> bool:
        """False when requests were answered and not one stated a token: the token counts mean "unknown"."""
        return self.total_tokens > 0 or self.total_requests == self.error_count

    @property
    def cache_tokens(self) -> int | None:
        """Read from and written to a cache; None when requests were answered and none stated any.

        Most sources leave these out where there are none, so nought and not logged cannot be told apart.
        """
        cached = self.cache_read_tokens + self.cache_write_tokens
        return None if not cached and self.total_requests > self.error_count else cached


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Errors of one type whose messages differ only in numbers, paths and ids."""

    fingerprint: str
    """Stable key: type, a space, and the message with its variable parts blanked."""
    type: str
    count: int
    first_at: int
    last_at: int
    run_ids: tuple[str, ...]
    """Runs it was seen in, newest first, at most 20."""
    latest: ErrorRecord


@dataclass(frozen=True, slots=True)
class DashboardState:
    """The headline numbers. The two rates are over the last five minutes, or the uptime if shorter."""

    uptime_ms: int
    active_session: str | None
    total_sessions: int
    total_tokens: int | None
    """None when tools were called and nobody logged a request."""
    total_cost: float | None
    total_tool_calls: int
    avg_response_time_ms: float | None
    error_rate: float | None
    """Percent of API requests that failed, 0 to 100; None without requests."""
    tokens_per_minute: float | None
    cost_per_hour: float | None
    estimated_cost: float | None = None
    """Part of `total_cost` that was priced from tokens; None: nothing was."""
    estimated_cost_per_hour: float | None = None
    """The same part of `cost_per_hour`."""


@dataclass(frozen=True, slots=True)
class ActivityBucket:
    """What happened in one slice of time."""

    start_at: int
    tokens: int = 0
    cost: float = 0.0
    """Stated and estimated."""
    requests: int = 0
    tool_calls: int = 0
    errors: int = 0
    """Failed tool calls and recorded errors; a tool's failure that gave a reason counts once."""
    failures: int = 0
    """These and failed requests: everything that went wrong."""
    latency_sum_ms: float = 0.0
    latency_count: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """A window cut into equal slices, oldest first, without holes."""

    bucket_ms: int
    buckets: tuple[ActivityBucket, ...]


@dataclass(frozen=True, slots=True)
class WindowView:
    """Everything the collector knows about one window, taken at one moment."""

    window: Window
    taken_at: int
    since_ms: int | None
    """First millisecond that is included (aligned to the minute); None when nothing limits it."""
    total_requests: int
    failed_requests: int
    total_tokens: int | None
    """None when tools were called and nobody logged a request."""
    prompt_tokens: int
    completion_tokens: int
    cache_tokens: int | None
    """None when requests were answered and none stated any."""
    total_cost: float | None
    unattributed_cost: float
    """Part of `total_cost` known only as run totals, not by provider."""
    unattributed_tokens: int
    total_tool_calls: int
    failed_tool_calls: int
    total_errors: int
    """Recorded errors (which include failed tools that gave a reason) and failed tools without one. Failed
    requests are `failed_requests`: who records one as an error too would count it twice."""
    avg_latency_ms: float | None
    p50_latency_ms: float | None
    p95_latency_ms: float | None
    latency_count: int
    error_rate: float | None
    """Percent of API requests that failed; None without requests."""
    providers: tuple[ProviderMetrics, ...]
    """Most requests first."""
    tools: tuple[ToolMetrics, ...]
    """Most calls first."""
    errors: tuple[ErrorGroup, ...]
    """Latest first."""
    estimated_cost: float | None = None
    """Part of `total_cost` that was priced from tokens; None: nothing was."""
    unattributed_estimated_cost: float | None = None
    """The same part of `unattributed_cost`."""


@dataclass(frozen=True, slots=True)
class HistogramBin:
    """Calls whose duration lies in [low_ms, high_ms)."""

    low_ms: float
    high_ms: float
    count: int


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """One slice of time of one provider, tool or error group."""

    start_at: int
    count: int = 0
    failures: int = 0
    tokens: int = 0
    duration_sum_ms: float = 0.0
    duration_count: int = 0
    p95_ms: float | None = None
    """Of the durations in this slice, for providers; None without any."""


@dataclass(frozen=True, slots=True)
class Trend:
    """How often something happened in each slice of a window, oldest first; for a line of bars in a table."""

    bucket_ms: int
    """Length of a slice."""
    counts: tuple[int, ...]
    """The first slice is whole, though the window may begin within it."""
    failures: tuple[int, ...] = ()
    """Those of them that failed, slice by slice; empty where everything is a failure."""

    @property
    def rise(self) -> int:
        """How many more there were in the newer half than in the older one; negative when it got quieter."""
        half = len(self.counts) // 2
        return sum(self.counts[len(self.counts) - half :]) - sum(self.counts[:half])


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One finished call of a tool, as far as it is remembered."""

    at_ms: int
    """When it ended."""
    duration_ms: float | None
    success: bool
    run_id: str | None
    argument: str = ""
    """What it was about: its command, its path, its pattern; observed text of at most 300 characters."""


@dataclass(frozen=True, slots=True)
class ToolDepth:
    """Single calls and failures of one tool in a window."""

    slowest: tuple[ToolCall, ...] = ()
    """At most 20 whose duration is known, the slowest first."""
    latest: tuple[ToolCall, ...] = ()
    """At most 20, the latest first."""
    texts: tuple[ErrorGroup, ...] = ()
    """What failures said, the most frequent first; numbers, paths and ids in a text do not count."""
    exact: bool = True
    """False where a slow call may be missing, which takes hundreds of calls each faster than the one before."""
    forgotten: int = 0
    """Texts given up for newer ones: at most 50 a tool are counted."""


@dataclass(frozen=True, slots=True)
class MetricsExport:
    """Everything at once, for JSON and tests."""

    exported_at: int
    state: DashboardState
    metrics: tuple[Metric, ...]
    tools: tuple[ToolMetrics, ...]
    providers: tuple[ProviderMetrics, ...]
    errors: tuple[ErrorRecord, ...]
    session: SessionMetrics | None
    rejected: Mapping[str, int]
    """Values refused by reason: not finite, negative, name too long, …"""
    overflow: Mapping[str, int] = field(default_factory=dict)
    """Samples past a limit, by kind: `provider`, `tool`, `error`, `metric` went to `other`; `bucket` are in
    the totals, not in the windows."""
