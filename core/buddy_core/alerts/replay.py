"""The same rules over stored runs, gone through in time: when would each have fired?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.alerts import rules, sliding
from buddy_core.alerts.history import History, read_history
from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import Alert, BudgetUse
from buddy_core.alerts.repetition import RepetitionDetector
from buddy_core.alerts.waits import Experience, Wait, slow_calls
from buddy_core.clock import Clock, SystemClock
from buddy_core.metrics.window import Window
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.lookup import check_runs_dir
from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.reading.tail import FileTail
from buddy_core.runs.watching.liveness import INTERRUPTED_AFTER_MS, STALLED_AFTER_MS, lock_state
from buddy_core.safety.paths import real_root

if TYPE_CHECKING:
    from buddy_core.history.keeper import RunHistory
    from buddy_core.prices.table import PriceTable


def replay_alerts(
    runs_dir: Path | str,
    since_ms: int,
    limits: Limits | None = None,
    *,
    clock: Clock | None = None,
    prices: PriceTable | None = None,
    history: RunHistory | None = None,
) -> list[Alert]:
    """Every alert that would have fired at or after `since_ms` (wall milliseconds), newest first.

    Each stands with the moment at which it would have fired and the numbers of that moment. What is only
    known of the present is not guessed for the past: a run whose writer is gone did not stall because of
    that, for nobody knows when it went. Of runs that are gone `history` tells the calls, requests and costs:
    they count where a tool or model failed too often and where a budget was used up.

    With `prices`, budgets count what states no cost by its tokens, and the alert says so.

    Raises:
        StoreUnavailable: There is no such directory, or it may not be read.
    """
    check_runs_dir(Path(runs_dir))
    root, limits, clock = real_root(Path(runs_dir)), limits or Limits(), clock or SystemClock()
    now_ms = clock.now_ms()
    past = read_history(root, clock, prices, history)
    fired = [*_of_windows(past, now_ms, limits), *_of_runs(root, past, since_ms, now_ms, limits)]
    return sorted(
        (alert for alert in fired if alert.since_ms >= since_ms),
        key=lambda alert: (-alert.since_ms, alert.rule, alert.subject, alert.run_id or ""),
    )


def _of_windows(history: History, now_ms: int, limits: Limits) -> Iterator[Alert]:
    for name, attempts in history.tools.items():
        yield from sliding.failures("tool_errors", name, attempts, now_ms, limits)
    for name, attempts in history.providers.items():
        yield from sliding.failures("provider_errors", name, attempts, now_ms, limits)
    if limits.cost_per_hour is not None:
        hourly = BudgetUse("cost_per_hour", limits.cost_per_hour, None)
        yield from sliding.overspending(hourly, Window.H1, history.costs, now_ms)
    if limits.cost_per_day is not None:
        daily = BudgetUse("cost_per_day", limits.cost_per_day, None)
        yield from sliding.overspending(daily, Window.H24, history.costs, now_ms)


def _of_runs(root: Path, history: History, since_ms: int, now_ms: int, limits: Limits) -> Iterator[Alert]:
    waits: dict[tuple[str, str], list[Wait]] = defaultdict(list)
    for run in history.runs:
        story = RunStory(root, run, now_ms, limits)
        if story.until_ms < since_ms:
            continue
        yield from story.alerts()
        for wait in story.waits:
            waits[wait.tool, wait.run_id].append(wait)
    known = {tool: Experience(durations, limits) for tool, durations in history.durations.items()}
    for (tool, _), of_run in waits.items():
        if tool in known:
            yield from slow_calls(of_run, known[tool], limits)


class RunStory:
    """The events of one run, gone through once."""

    def __init__(self, root: Path, run: RunFacts, now_ms: int, limits: Limits) -> None:
        self._root = root
        self._run = run
        self._now_ms = now_ms
        self._limits = limits
        self.until_ms = _alive_until(root, run, now_ms)
        """The last moment at which a reader would have taken the run for a live one."""
        self.waits: list[Wait] = []
        """Calls that waited long enough to be looked at, once `alerts` is exhausted."""

    def alerts(self) -> Iterator[Alert]:
        """What the run alone would have fired: silences, and going in circles."""
        detector = RepetitionDetector(self._run.run_id, self._limits)
        tail = FileTail(self._root, self._run.run_id, EVENTS_NAME)
        heard_at: int | None = None
        more = True
        try:
            while more:
                change = tail.poll()
                more = change.more and not change.reset  # a run that is rewritten just now is not history
                for event in change.batch.events:
                    if event.ts <= self._now_ms:
                        yield from self._silence(heard_at, min(event.ts, self.until_ms), detector)
                        heard_at = max(event.ts, heard_at or 0)
                    for call in detector.calls.feed((event,)):
                        self._wait(call.tool, call.at_ms, call.ended_at)
                        if detector.count(call) and (found := detector.repetition) is not None:
                            yield from rules.repeating((found,))
        finally:
            tail.close()
        yield from self._silence(heard_at, self.until_ms, detector)
        for still in detector.calls.waiting:
            self._wait(still.tool, still.at_ms, self.until_ms + 1)

    def _silence(self, heard_at: int | None, until_ms: int, detector: RepetitionDetector) -> Iterator[Alert]:
        """The alert of the silence from `heard_at` to `until_ms`, if it was long enough."""
        if not self._limits.stalled or heard_at is None or until_ms - heard_at < STALLED_AFTER_MS:
            return
        open_calls: Sequence[str] = [call.tool for call in detector.calls.waiting]
        waiting_for = open_calls[-1] if open_calls else None
        yield rules.silent(self._run, heard_at + STALLED_AFTER_MS, STALLED_AFTER_MS, waiting_for)

    def _wait(self, tool: str, since_ms: int, until_ms: int) -> None:
        until_ms = min(until_ms, self.until_ms + 1)
        if until_ms - since_ms > self._limits.wait_ms:
            self.waits.append(Wait(self._run.run_id, tool, since_ms, until_ms))


def _alive_until(root: Path, run: RunFacts, now_ms: int) -> int:
    """Until when a reader would have called the run running or stalled."""
    heard_at = run.last_event_at or run.started_at
    if run.live:
        return now_ms
    if run.status != "interrupted":
        return min(now_ms, run.ended_at if run.ended_at is not None else heard_at)
    if lock_state(root / run.run_id) == "free":
        return heard_at  # its writer went away, nobody knows when
    return min(now_ms, heard_at + INTERRUPTED_AFTER_MS)
