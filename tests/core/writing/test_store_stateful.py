"""Two stores on one directory against a model in plain Python: every step, in every order hypothesis thinks of.

`BUDDY_STORE_SEQUENCES` (sequences of up to forty steps, 25) makes the search longer.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from buddy_core.clock import ManualClock
from buddy_core.errors import BuddyError, RunClosed, RunLocked, RunNotFound
from buddy_core.runs.model import EndStatus
from buddy_core.runs.store.store import RunStore

SEQUENCES = int(os.environ.get("BUDDY_STORE_SEQUENCES", "25"))
KEPT = 3
NOW = 1_770_000_000_000

which = st.integers(0, 1)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
statuses: st.SearchStrategy[EndStatus] = st.sampled_from(("completed", "failed", "cancelled"))


@dataclass
class Recorded:
    """What the model knows of one run."""

    objective: str
    owner: int | None
    """The store that has it open."""
    status: str = "running"
    events: list[tuple[str, Any]] = field(default_factory=list)
    artifacts: dict[str, str] = field(default_factory=dict)
    tokens: int = 0
    parent: str | None = None


class Stores(RuleBasedStateMachine):
    """Both stores share a clock, keep three runs, and prune each other's."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="buddy-stores-"))
        self.clock = ManualClock(NOW)
        self.made: list[RunStore] = []
        self.stores = [self._store(), self._store()]
        self.refused = [0, 0]
        self.model: dict[str, Recorded] = {}
        self.ended_by: list[set[str]] = [set(), set()]

    def _store(self) -> RunStore:
        self.made.append(RunStore(self.root, max_runs=KEPT, clock=self.clock, durable=False))
        return self.made[-1]

    def teardown(self) -> None:
        for store in self.made:
            store.close()
            assert store.wait_for_prune(30)
        shutil.rmtree(self.root)

    @rule(target=runs, store=which, objective=words)
    def start(self, store: int, objective: str) -> str:
        self.clock.advance(1)
        run_id = self.stores[store].start_run(objective)
        self._began(run_id, store, objective)
        return run_id

    @rule(target=runs, store=which, parent=runs, reason=words)
    def fork(self, store: int, parent: str, reason: str) -> object:
        self.clock.advance(1)
        known = self.model.get(parent)
        if known is None:
            with pytest.raises(RunNotFound):
                self.stores[store].fork_run(parent, reason)
            return multiple()
        run_id = self.stores[store].fork_run(parent, reason)
        self._began(run_id, store, f"[fork:{reason}] {known.objective}", parent=parent, reason=reason)
        return run_id

    def _began(
        self, run_id: str, store: int, objective: str, parent: str | None = None, reason: str = ""
    ) -> None:
        run = self.model[run_id] = Recorded(objective, store, parent=parent)
        start: dict[str, Any] = {"objective": objective}
        if parent is not None:
            above = self.model[parent].events[0][1].get("metadata", {})
            start["metadata"] = above | {"parentRolloutId": parent, "forkReason": reason}
        run.events.append(("run_start", start))
        if parent is not None:
            run.events.append(("decision", {"kind": "fork", "parentRunId": parent, "reason": reason}))
        self._prune_model()

    @rule(store=which, run=runs, type_=words, data=st.dictionaries(words, words, max_size=2))
    def emit(self, store: int, run: str, type_: str, data: dict[str, str]) -> None:
        open_here = self._open_in(store, run)
        assert self.stores[store].emit(run, type_, data) == open_here
        if open_here:
            self.model[run].events.append((type_, data))
        else:
            self.refused[store] += 1

    @rule(store=which, n=st.integers(0, 9))
    def append(self, store: int, n: int) -> None:
        current = self._current(store)
        assert self.stores[store].append_event("note", {"n": n}) == (current is not None)
        if current is not None:
            self.model[current].events.append(("note", {"n": n}))

    @rule(store=which, run=runs, name=st.sampled_from(("plan.md", "log.txt")), content=words)
    def save(self, store: int, run: str, name: str, content: str) -> None:
        if not self._open_in(store, run):
            with pytest.raises(self._why(store, run)):
                self.stores[store].save_artifact(run, name, content)
            return
        path = self.stores[store].save_artifact(run, name, content)
        self.model[run].artifacts[name] = content
        self.model[run].events.append(("patch_created", {"artifact": name, "path": str(path)}))

    @rule(store=which, run=runs, tokens=st.integers(0, 1_000), adding=st.booleans())
    def count(self, store: int, run: str, tokens: int, *, adding: bool) -> None:
        call = self.stores[store].add_metrics if adding else self.stores[store].update_metrics
        if not self._open_in(store, run):
            with pytest.raises(self._why(store, run)):
                call(run, total_tokens=tokens)
            return
        call(run, total_tokens=tokens)
        self.model[run].tokens = tokens + (self.model[run].tokens if adding else 0)

    @rule(store=which, run=runs, status=statuses)
    def end(self, store: int, run: str, status: EndStatus) -> None:
        if self._open_in(store, run):
            self.stores[store].end_run(run, status)
            self.model[run].status, self.model[run].owner = status, None
            self.model[run].events.append(("run_end", {"status": status}))
            self.ended_by[store].add(run)
        elif self._why(store, run) is RunClosed:
            self.stores[store].end_run(run, status)
            self.refused[store] += 1
        else:
            with pytest.raises(self._why(store, run)):
                self.stores[store].end_run(run, status)

    @rule(store=which)
    def prune(self, store: int) -> None:
        before = set(self.model)
        report = self.stores[store].prune() if self.root.exists() else None
        self._prune_model()
        assert report is None or set(report.removed) == before - set(self.model)

    @rule(store=which)
    def reopen(self, store: int) -> None:
        """The store is closed, as when its process dies, and another one takes its place."""
        self.stores[store].close()
        for run in self.model.values():
            if run.owner == store:
                run.owner = None
        self.stores[store] = self._store()
        self.refused[store] = 0
        self.ended_by[store] = set()

    @rule(run=consumes(runs))
    def lose_interest(self, run: str) -> None:
        """No more steps for this run, so that others have their turn."""

    @invariant()
    def every_store_lists_what_the_model_holds(self) -> None:
        newest = sorted(self.model, reverse=True)
        for store in self.stores:
            assert [run.run_id for run in store.list_runs(100)] == newest
            assert [run.status for run in store.list_runs(2)] == [self.model[r].status for r in newest[:2]]

    @invariant()
    def every_run_reads_as_the_model_says(self) -> None:
        for run_id, run in self.model.items():
            for store in self.stores:
                record = store.get_run(run_id)
                assert record is not None
                summary, metrics = record.summary, record.metrics
                assert (summary.objective, summary.status) == (run.objective, run.status)
                assert summary.metadata.parent_rollout_id == run.parent
                assert metrics is not None
                assert metrics.total_tokens == run.tokens
                assert set(record.artifacts) == set(run.artifacts)
                assert summary.artifact_count == len(run.artifacts)
                if run.status != "running":
                    assert summary.event_count == len(run.events)
            assert [(e.type, e.data) for e in self.stores[0].get_events(run_id)] == run.events
            for name, content in run.artifacts.items():
                assert self.stores[1].get_artifact(run_id, name) == content

    @invariant()
    def the_current_run_and_the_counts_are_right(self) -> None:
        for number, store in enumerate(self.stores):
            assert store.current_run_id == self._current(number)
            assert sum(store.refused.values()) == self.refused[number]
            assert store.prune_problems == {}

    def _current(self, store: int) -> str | None:
        return max((run_id for run_id in self.model if self._open_in(store, run_id)), default=None)

    def _open_in(self, store: int, run_id: str) -> bool:
        return run_id in self.model and self.model[run_id].owner == store

    def _why(self, store: int, run_id: str) -> type[BuddyError]:
        """What a store raises for a run that it does not have open."""
        if run_id in self.ended_by[store]:
            return RunClosed
        run = self.model.get(run_id)
        if run is None:
            return RunNotFound
        if run.status != "running":
            return RunClosed
        return RunNotFound if run.owner is None else RunLocked

    def _prune_model(self) -> None:
        for run_id in sorted(self.model, reverse=True)[KEPT:]:
            if self.model[run_id].owner is None:
                del self.model[run_id]


Stores.TestCase.settings = settings(
    max_examples=SEQUENCES,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestStores = Stores.TestCase
