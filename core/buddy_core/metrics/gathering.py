"""Looking at very many series through a window without keeping anybody who records waiting (promise C9).

The lock is held for one step at a time. A step takes whole series, as many as `WORK` allows; what it finds
is finished values nobody changes any more, so that adding up, sorting and building the view need no lock. As
long as everything fits into one step, which is the rule, a view is of a single moment; otherwise each
series in it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core.metrics.ledger import Ledger
from buddy_core.metrics.model import ErrorGroup, ProviderMetrics, ToolMetrics, Window, WindowView
from buddy_core.metrics.rollup import since_of
from buddy_core.metrics.series import PER_LOOK
from buddy_core.metrics.stats import ProviderStats, UsageStats
from buddy_core.metrics.views import build_view

WORK = 200
"""Buckets merged in one step, or as much other work: a millisecond or two."""


class Gathering:
    """One window of one ledger, gathered step by step. `step` is called with the lock held, `view` without."""

    def __init__(self, ledger: Ledger, window: Window, now_ms: int, patience_ms: int = 0) -> None:
        self.exact = True
        """False when a row is older than the rest, see `Series.look`."""
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
        for provider in tuple(ledger.providers.values()):
            stats, row, work = provider.look(window, since, now, patience)
            if row is not None:
                self._providers.append(row)
                self._requests.merge(stats)
            self.exact = self.exact and work > 0
            yield work
        for tool in tuple(ledger.tools.values()):
            done, called, work = tool.look(window, since, now, patience)
            if called is not None:
                self._tools.append(called)
                self._calls += done.calls
                self._failed_calls += done.failures
            self.exact = self.exact and work > 0
            yield work
        for error in tuple(ledger.errors.values()):
            counted, group, work = error.look(window, since)
            if group is not None:
                self._errors.append(group)
                self._other_errors += counted.count - counted.of_tools
            yield work
        yield PER_LOOK + ledger.usage.parts(window, since)
        self._usage.merge(ledger.usage.look(window, since))
