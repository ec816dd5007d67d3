"""Looking at very many series through a window without keeping anybody who records waiting (promise C9).

The lock is held for one step at a time. A step takes whole series, as many as `WORK` allows; what it finds
is finished values nobody changes any more, so that adding up, sorting and building the view need no lock. As
long as everything fits into one step, which is the rule, a view is of a single moment; otherwise each
series in it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from buddy_core.metrics.counting.grains import since_of
from buddy_core.metrics.counting.ledger import Ledger
from buddy_core.metrics.counting.stats import ProviderStats, ToolStats, UsageStats
from buddy_core.metrics.looking.model import ErrorGroup, ProviderMetrics, ToolMetrics, WindowView
from buddy_core.metrics.looking.rows import (
    PER_LOOK,
    KnownLooks,
    look_at_errors,
    look_at_provider,
    look_at_tool,
)
from buddy_core.metrics.looking.views import build_view
from buddy_core.metrics.window import Window

T = TypeVar("T")

WORK = 200
"""Buckets merged in one step, or as much other work: a millisecond or two."""

KNOWN_A_MERGE = 20
"""Tools of which the look is known from before that take as long as one merge."""


class Gathering:
    """One window of one ledger, gathered step by step. `step` is called with the lock held, `view` without."""

    def __init__(self, ledger: Ledger, window: Window, now_ms: int, patience_ms: int = 0) -> None:
        self.exact = True
        """False when a row is older than the rest, see `KnownLooks`."""
        self._window = window
        self._now_ms = now_ms
        self._patience_ms = patience_ms
        self._since = since_of(window, now_ms)
        self._providers: list[ProviderMetrics] = []
        self._tools: list[ToolMetrics] = []
        self._errors: list[ErrorGroup] = []
        self._requests = ProviderStats()
        self._usage = UsageStats()
        self._calls = self._failed_calls = self._other_errors = 0
        self._looks = self._all_looks(ledger)

    def step(self) -> bool:
        """Look at some series; True when there are more."""
        done = 0
        for work in self._looks:
            done += work or 1
            if done > WORK:
                return True
        return False

    def view(self) -> WindowView:
        """What was gathered, once `step` has said that there is no more."""
        return build_view(
            self._providers,
            self._tools,
            self._errors,
            requests=self._requests,
            usage=self._usage,
            calls=self._calls,
            failed_calls=self._failed_calls,
            other_errors=self._other_errors,
            window=self._window,
            now_ms=self._now_ms,
        )

    def _all_looks(self, ledger: Ledger) -> Iterator[int]:
        """Look at one series after the other; gives what each look took. All sums are up to date, whatever the rows."""
        window, since, now, patience = self._window, self._since, self._now_ms, self._patience_ms
        for some in _pieces(ledger.providers):
            models: KnownLooks[ProviderStats, ProviderMetrics] = KnownLooks(window, since, now, patience)
            others = models.take(some)
            self._providers += models.rows
            self.exact = self.exact and models.exact
            for requests in models.stats:
                self._requests.merge(requests)
                yield 1
            for provider in others:
                stats, row, work = look_at_provider(provider, window, since, now)
                if row is not None:
                    self._providers.append(row)
                    self._requests.merge(stats)
                yield work
        yield from self._tool_looks(ledger)
        for error in tuple(ledger.errors.values()):
            counted, group, work = look_at_errors(error, window, since)
            if group is not None:
                self._errors.append(group)
                self._other_errors += counted.count - counted.of_tools
            yield work
        yield PER_LOOK + ledger.usage.parts(window, since)
        self._usage.merge(ledger.usage.look(window, since))

    def _tool_looks(self, ledger: Ledger) -> Iterator[int]:
        """The same of tools, of which there may be thousands, and which only have to be added up."""
        window, since, now, patience = self._window, self._since, self._now_ms, self._patience_ms
        for some in _pieces(ledger.tools):
            tools: KnownLooks[ToolStats, ToolMetrics] = KnownLooks(window, since, now, patience)
            others = tools.take(some)
            self._tools += tools.rows
            self._calls += sum([stats.calls for stats in tools.stats])
            self._failed_calls += sum([stats.failures for stats in tools.stats])
            self.exact = self.exact and tools.exact
            yield len(tools.rows) // KNOWN_A_MERGE
            for tool in others:
                done, called, work = look_at_tool(tool, window, since, now)
                if called is not None:
                    self._tools.append(called)
                    self._calls += done.calls
                    self._failed_calls += done.failures
                yield work


def _pieces(series: Mapping[Any, T]) -> Iterator[Sequence[T]]:
    """All of them, as many at a time as are quickly looked through."""
    every = tuple(series.values())
    return (
        every[at : at + WORK * KNOWN_A_MERGE // 4] for at in range(0, len(every), WORK * KNOWN_A_MERGE // 4)
    )
