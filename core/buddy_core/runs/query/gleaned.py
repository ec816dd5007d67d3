"""What is found in runs as they are followed, for filters: nothing is read for them a second time."""

from __future__ import annotations

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.folding.fold import RunFold
from buddy_core.runs.folding.harvest import Harvest
from buddy_core.runs.query.candidate import Candidate, Gleanings, masked


class Gleaned:
    """Tools and error texts by run. One thread adds, any may ask for a candidate."""

    def __init__(self) -> None:
        self._runs: dict[str, Gleanings] = {}

    def add(self, run_id: str, harvest: Harvest, fold: RunFold) -> None:
        """Take what one batch of a run brought, and the calls in it that have no result so far."""
        found = self._runs.setdefault(run_id, Gleanings())
        found.add(harvest)
        found.add_tools(call.name for call in fold.open_calls)

    def forget(self, run_id: str) -> None:
        """This run is gone."""
        self._runs.pop(run_id, None)

    def candidate(self, run: RunFacts) -> Candidate:
        """A run as filters see it, secrets masked."""
        found = self._runs.get(run.run_id) or Gleanings()
        return masked(Candidate(run, found.tools, found.errors))
