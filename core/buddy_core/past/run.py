"""One run as it stood at a moment: its events so far, and of its other files what they must have said.

`summary.json` and `metrics.json` have no earlier versions. They count as they are once the run had ended by the
moment; before that the summary tells what it told at the start, and the totals are not there. A run that nobody
ended tells everything an hour after its last event, when it was given up. Locks cannot be asked about the past,
so a writer that has gone is noticed as where there is none: by its silence.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from msgspec import Raw

from buddy_core.past.cut import CutFile
from buddy_core.past.moment import Believed, PastMoment
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.folding.facts import LATEST_BELIEVED_MS, build_facts, recorded_status
from buddy_core.runs.folding.harvest import ListedAbove
from buddy_core.runs.folding.observed import EVENTS, EventSource, ObservedRun, Reading
from buddy_core.runs.folding.seen import SeenRecords
from buddy_core.runs.model import EndStatus, RunSummary
from buddy_core.runs.names import started_at_of
from buddy_core.runs.reading.tail import BUDGET, Change
from buddy_core.runs.records.payloads import plain_payload
from buddy_core.runs.records.typed import PLAIN_LINES, TYPED_EVENTS, TypedEvent
from buddy_core.runs.records.wire import WireEvent
from buddy_core.runs.watching.liveness import INTERRUPTED_AFTER_MS, conclude_status

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

_ENDS = frozenset(get_args(EndStatus))
_PATCH = PLAIN_LINES["patch_created"]


class PastRun(ObservedRun):
    """The run `run_id` beneath `root`, at a moment that only goes forward."""

    def __init__(
        self,
        root: Path,
        run_id: str,
        seen: SeenRecords,
        prices: PriceTable | None,
        listed_above: ListedAbove,
        *,
        now_ms: int,
        moment: PastMoment,
    ) -> None:
        self._now_ms = now_ms
        self._at_ms = 0
        self._listed: tuple[str, ...] | None = None
        self._looked = False
        super().__init__(root, run_id, seen, prices, listed_above)
        self.over = False
        """The run had ended by the moment, so its files count as they are."""
        self.advance(moment)

    def _source(self, root: Path, run_id: str) -> EventSource:
        self._cut = PastEvents(root, run_id, self._now_ms)
        return self._cut

    @property
    def events(self) -> int:
        """How many events have happened by the moment."""
        return self._cut.given

    @property
    def finished(self) -> bool:
        """Nothing of it will be different at any later moment."""
        return self.over and self._cut.whole

    def advance(self, moment: PastMoment) -> bool:
        """Go on to a moment, which must not be earlier; True when `read` has something to do."""
        self._at_ms = moment.at_ms
        own = moment.run_id == self.run_id
        self._cut.advance(moment.at_ms, moment.events if own else None)
        return self._cut.due or (not self.over and self._is_over())

    def refresh(self, *, now_ms: int) -> None:
        """Read the JSON files, once: whoever comes back to the present sees what has changed since."""
        if not self._looked:
            self._looked = True
            super().refresh(now_ms=now_ms)
            self._listed = self.files.artifacts

    def read(self, *, now_ms: int, budget_bytes: int, watching: bool) -> Reading:
        """Read on to the moment, and see whether the run has ended by it."""
        reading = super().read(now_ms=now_ms, budget_bytes=budget_bytes, watching=False)
        if not self.over:
            self._conclude()
        return reading

    def ask(self) -> None:
        """A lock says nothing of the past."""

    def whole_file(self) -> None:
        """It must not rest: at a later moment it may go on."""
        return

    def facts(self, *, now_ms: int, turn_model: str | None, polling: bool) -> RunFacts:
        """The run as of the moment, by its files alone."""
        status = conclude_status(
            recorded_status(self.files),
            lock="none",
            now_ms=now_ms,
            last_activity_ms=self._last_activity(now_ms),
        )
        return build_facts(self.files, status=status, turn_model=turn_model, polling=False)

    def _conclude(self) -> None:
        self.over = self._is_over()
        summary, listed = self._summary.value, self._listed or ()
        if self.over:
            self.files = self.files._replace(
                summary=summary, metrics=self._metrics.value, artifacts=tuple(listed)
            )
        else:
            made = tuple(name for name in listed if name in self._cut.artifacts)
            begun = None if summary is None else _as_begun(summary)
            self.files = self.files._replace(summary=begun, metrics=None, artifacts=made)

    def _is_over(self) -> bool:
        if self.files.fold.end_status in _ENDS:
            return True
        if self._cut.held_back:
            return False
        summary = self._summary.value
        if summary is not None and summary.status in _ENDS:
            ended = summary.ended_at
            if ended is not None and 0 < ended <= min(self._now_ms, LATEST_BELIEVED_MS):
                return ended <= self._at_ms
            return self._cut.whole
        quiet_since = max(self._cut.last_at, self._last_activity(self._at_ms) or 0)
        return self._cut.whole and self._at_ms - quiet_since >= INTERRUPTED_AFTER_MS


class PastEvents(CutFile[TypedEvent]):
    """The events of one run up to a moment, and the artifacts they tell of; later times than `now_ms` are not believed."""

    def __init__(self, root: Path, run_id: str, now_ms: int) -> None:
        believed = Believed(started_at_of(run_id) or 0, now_ms)
        super().__init__(
            root, run_id, EVENTS, dialect=TYPED_EVENTS, time_of=lambda event: event.ts, believed=believed
        )
        self.artifacts: set[str] = set()

    def poll(self, budget_bytes: int = BUDGET) -> Change[TypedEvent]:
        """Read on to the moment."""
        change = super().poll(budget_bytes)
        for event in change.batch.events:
            told = type(event) is _PATCH or (type(event) is WireEvent and event.type == "patch_created")
            if told and isinstance(event.data, Raw):
                self.artifacts.add(str(plain_payload(event.data).get("artifact")))
        return change


def _as_begun(summary: RunSummary) -> RunSummary:
    """What the summary said when the run began."""
    return replace(summary, status="running", ended_at=None, event_count=0, artifact_count=0)
