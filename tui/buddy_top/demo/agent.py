"""The demonstration agent: a day of finished runs at once, then several live ones for as long as it is driven."""

from __future__ import annotations

import heapq
import shutil
from collections import deque
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from typing import NamedTuple

from buddy_core.clock import Clock, ManualClock, SystemClock
from buddy_core.runs.names import run_id_at
from buddy_core.runs.store.store import RunStore
from buddy_top.demo import scripts
from buddy_top.demo.actor import Actor, Script
from buddy_top.demo.models import MODELS
from buddy_top.demo.projects import Project, load_projects

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_LIVE = (4, 4, 5, 5)
"""How many runs are live at once, beside the one that is stuck; drawn again whenever one ends."""

_LIVE_AGES_MS = (148_000, 83_000, 31_000, 14_000)
"""How long ago the runs began that are live at the start."""

_KEPT = 150
"""Finished runs that stay on the disk; the oldest are removed, as a real agent's store does."""

_MAX_LAG_MS = 5_000
"""After a longer sleep of the machine the story goes on from now, instead of catching up in a burst."""

_LIVED_MS = 3 * _MINUTE
"""Runs that began before that were lived at the speed of life."""

_RECENT = 7
"""Objectives that are not repeated; every kind of story has more."""

_CANCELLED = 0.1
_CRASHED = 0.03


class Playing(NamedTuple):
    """One live run: when it goes on, and how; ordered by time."""

    due_ms: int
    order: int
    actor: Actor
    script: Script
    clock: ManualClock
    objective: str
    cancel_at_ms: int | None
    fork: bool


class DemoAgent:
    """Plays runs into `runs_dir`; `begin` once, then `step` again and again.

    The same seed gives the same runs in the same order; only times and what contains them (ids) differ.

    Args:
        seed: None for other runs every time.
        clock: Real time by default; a `ManualClock` makes it a film that is stepped by hand.
        speed: How many times faster than life the live runs go.
    """

    def __init__(
        self, runs_dir: Path, *, seed: int | None = None, clock: Clock | None = None, speed: float = 1.0
    ) -> None:
        self.runs_dir = runs_dir
        self._clock = clock or SystemClock()
        self._speed = speed
        self._seed = Random().getrandbits(32) if seed is None else seed
        self._rng = Random(self._seed)
        self._projects = load_projects()
        self._numbers = count(1)
        self._queue: list[Playing] = []
        self._finished: list[str] = []
        self._failed: list[tuple[str, str, Project]] = []
        self._stores: list[RunStore] = []
        self._recent: deque[str] = deque(maxlen=_RECENT)
        self._target = _LIVE[0]
        self._next_start_ms = 0

    @property
    def live(self) -> tuple[str, ...]:
        """Ids of the runs that have not ended, the one that acts next first."""
        return tuple(playing.actor.run_id for playing in sorted(self._queue))

    def begin(self) -> None:
        """Write the day that has passed, and bring the first live runs up to now."""
        now = self._clock.now_ms()
        for age_ms in self._ages():
            self._play_to_end(now - age_ms)
        first = self._projects[0]
        self._start(now - 3 * _HOUR - 11 * _MINUTE, scripts.crash, "feature", first.features[1], first)
        self._start(now - 27 * _MINUTE, scripts.stuck, "ops", "Restart the staging workers", first)
        for age_ms in _LIVE_AGES_MS:
            self._start_any(now - int(age_ms / self._speed), lasting=True)
        self._act_until(now)
        for _ in range(
            len(_LIVE_AGES_MS) + 1 - len(self._queue)
        ):  # some were quick; the stuck one is one more
            self._start_any(now - int(self._rng.uniform(1_000, 5_000) / self._speed), lasting=True)
            self._act_until(now)
        self._next_start_ms = now + int(2_500 / self._speed)

    def step(self) -> float:
        """Do everything that is due, and return the milliseconds until something is due again."""
        now = self._clock.now_ms()
        self._forgive_lag(now)
        self._act_until(now)
        if now >= self._next_start_ms and len(self._queue) <= self._target:  # the stuck run is one more
            self._start_next(now)
            self._next_start_ms = now + int(self._rng.uniform(4_000, 9_000) / self._speed)
        self._forget_old()
        upcoming = [self._next_start_ms] if len(self._queue) <= self._target else []
        upcoming += [self._queue[0].due_ms] if self._queue else []
        return float(max(1, min(upcoming) - now))

    def close(self) -> None:
        """Let go of every run that is live."""
        for store in self._stores:
            store.close()
        self._stores.clear()
        self._queue.clear()

    def _ages(self) -> list[int]:
        """How long ago the finished runs began, oldest first: denser by day, and some of the last hour."""
        hours = [0.12, 0.2, 0.31, 0.45, 0.7, 1.1, 1.4, 1.9, 2.3, 2.6, 3.2, 4.1, 4.4, 5.0, 5.3, 6.2]
        hours += [7.5, 8.1, 14.6, 15.2, 16.3, 17.9, 18.4, 20.7, 22.8]
        exact = [hour * _HOUR + self._rng.uniform(0, 4) * _MINUTE for hour in (*hours, 46.0, 71.5, 120.2)]
        return [int(age) for age in reversed(exact)]

    def _play_to_end(self, started_at: int) -> None:
        """A run of the past: the first failed ones are followed by a fork of theirs."""
        if self._failed and self._rng.random() < 0.4:
            self._start_fork(started_at)
        else:
            self._start_any(started_at)
        self._act_until(self._clock.now_ms())

    def _start_next(self, now: int) -> None:
        if self._failed and self._rng.random() < 0.5:
            self._start_fork(now)
        elif self._rng.random() < _CRASHED:
            project = self._rng.choice(self._projects)
            self._start(now, scripts.crash, "feature", self._rng.choice(project.features), project)
        else:
            self._start_any(now)

    def _start_any(self, started_at: int, *, lasting: bool = False) -> None:
        """Any story of any project; `lasting` for one that is neither short nor cancelled."""
        rng = self._rng
        stories = scripts.STORIES[1:3] if lasting else scripts.STORIES
        story = rng.choices(stories, weights=[story.weight for story in stories])[0]
        choices = [(project, words) for project in self._projects for words in story.objectives(project)]
        project, objective = rng.choice([choice for choice in choices if choice[1] not in self._recent])
        self._recent.append(objective)
        cancel = None if lasting or rng.random() > _CANCELLED else rng.uniform(12_000, 70_000)
        self._start(started_at, story.script, story.tag, objective, project, cancel_after_ms=cancel)

    def _start_fork(self, started_at: int) -> None:
        parent, objective, project = self._failed.pop(0)
        self._start(started_at, scripts.retry, "bugfix", objective, project, parent=parent)

    def _start(
        self,
        started_at: int,
        script: Callable[[Actor], Script],
        tag: str,
        objective: str,
        project: Project,
        *,
        parent: str | None = None,
        cancel_after_ms: float | None = None,
    ) -> None:
        number = next(self._numbers)
        rng = Random(f"{self._seed}/{number}")
        clock = ManualClock(started_at)
        suffix = f"{rng.getrandbits(24):06x}"
        store = RunStore(
            self.runs_dir,
            max_runs=None,
            clock=clock,
            new_id=lambda now_ms: run_id_at(now_ms, suffix),
            durable=False,
        )
        model = MODELS[rng.choice(project.models)]
        metadata = {
            "channel": rng.choice(("terminal", "terminal", "ide", "ci")),
            "cwd": project.cwd,
            "tags": [tag],
        }
        metadata["session_id"] = f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}"
        run_id = store.fork_run(parent, "retry") if parent else store.start_run(objective, metadata)
        self._stores.append(store)
        speed = self._speed if self._clock.now_ms() - started_at < _LIVED_MS else 1.0
        actor = Actor(store, run_id, rng=rng, project=project, model=model, speed=speed)
        cancel_at = None if cancel_after_ms is None else started_at + int(cancel_after_ms / speed)
        fork = parent is not None
        playing = Playing(started_at, number, actor, script(actor), clock, objective, cancel_at, fork)
        heapq.heappush(self._queue, playing)

    def _act_until(self, now: int) -> None:
        """Let every run do what is due, each at its own time, oldest first."""
        while self._queue and self._queue[0].due_ms <= now:
            playing = heapq.heappop(self._queue)
            playing.clock.advance(playing.due_ms - playing.clock.now_ms())
            self._act(playing)

    def _act(self, playing: Playing) -> None:
        if playing.cancel_at_ms is not None and playing.due_ms >= playing.cancel_at_ms:
            playing.script.close()
            playing.actor.emit("decision", description="Stopped by the user")
            playing.actor.end("cancelled")
        wait_ms = None if playing.actor.ended else next(playing.script, None)
        if wait_ms is None:
            self._settle(playing)
            return
        heapq.heappush(self._queue, playing._replace(due_ms=playing.due_ms + max(1, round(wait_ms))))

    def _settle(self, playing: Playing) -> None:
        """Remember how a run ended, and draw anew how many there should be."""
        run_id, actor = playing.actor.run_id, playing.actor
        self._finished.append(run_id)
        if actor.status == "failed" and not playing.fork:
            self._failed = [*self._failed, (run_id, playing.objective, actor.project)][-3:]
        self._stores.remove(actor.store)
        self._target = self._rng.choice(_LIVE)

    def _forgive_lag(self, now: int) -> None:
        lag = now - self._queue[0].due_ms if self._queue else 0
        if lag > _MAX_LAG_MS:
            self._queue = [playing._replace(due_ms=playing.due_ms + lag) for playing in self._queue]

    def _forget_old(self) -> None:
        while len(self._finished) > _KEPT:
            shutil.rmtree(self.runs_dir / self._finished.pop(0), ignore_errors=True)
