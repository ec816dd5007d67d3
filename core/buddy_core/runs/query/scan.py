"""Every run of a directory as filters see it, read from the files alone: what an index must agree with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.folding.observed import ObservedRun
from buddy_core.runs.folding.roster import Roster
from buddy_core.runs.folding.seen import SeenRecords
from buddy_core.runs.folding.turnfile import TurnFile
from buddy_core.runs.folding.turns import TURN_METRICS, RunSpan, TurnBook, span_of
from buddy_core.runs.lookup import run_ids
from buddy_core.runs.query.candidate import Candidate, Gleanings, masked
from buddy_core.runs.query.evaluate import FindContent, Matcher
from buddy_core.runs.query.model import Query
from buddy_core.runs.reading.garbage import without_collection
from buddy_core.runs.searching.search import content_finder
from buddy_core.safety.paths import real_root

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceTable

_PIECE = 4 * 1024 * 1024


def read_once(
    root: Path, run_id: str, *, now_ms: int, prices: PriceTable | None = None, turn_model: str | None = None
) -> Candidate:
    """One run from its files. Damage is counted, not raised.

    `prices` are for a run that states no cost, `turn_model` is the model that only its turns could tell.
    """
    run, gleanings = ObservedRun(root, run_id, SeenRecords(), prices), Gleanings()
    try:
        with without_collection():
            run.refresh(now_ms=now_ms)
            more = True
            while more:
                reading = run.read(now_ms=now_ms, budget_bytes=_PIECE, watching=False)
                gleanings.add(reading.harvest)
                more = reading.more
        gleanings.add_tools(call.name for call in run.files.fold.open_calls)
        run.ask()
        facts = run.facts(now_ms=now_ms, turn_model=turn_model, polling=False)
    finally:
        run.close()
    return Candidate(facts, gleanings.tools, gleanings.errors)


def scan(runs_dir: Path, *, clock: Clock, prices: PriceTable | None = None) -> list[Candidate]:
    """Every run, newest first; raises `StoreUnavailable`."""
    now_ms, root = clock.now_ms(), real_root(runs_dir)
    found = {run_id: read_once(root, run_id, now_ms=now_ms, prices=prices) for run_id in run_ids(runs_dir)}
    model_of = models_by_turns(runs_dir, (span_of(run.facts) for run in found.values()))
    roster = Roster()
    for run_id, run in found.items():
        if run.facts.model is None and (model := model_of(run_id)) is not None:
            found[run_id] = read_once(root, run_id, now_ms=now_ms, prices=prices, turn_model=model)
        roster.put(found[run_id].facts)
    roster.rebuild(now_ms)
    return [found[facts.run_id] for facts in roster.facts]


def scan_matching(
    runs_dir: Path,
    query: Query,
    *,
    clock: Clock,
    content: FindContent | None = None,
    prices: PriceTable | None = None,
) -> list[RunFacts]:
    """The runs that a filter fits, newest first, each of them read; raises `StoreUnavailable`."""
    find = content or content_finder(real_root(runs_dir))
    matcher = Matcher(query, now_ms=clock.now_ms(), content=find)
    return [run.facts for run in scan(runs_dir, clock=clock, prices=prices) if matcher.fits(masked(run))]


def models_by_turns(runs_dir: Path, spans: Iterable[tuple[str, int, int]]) -> Callable[[str], str | None]:
    """The models that the file of turns beside `runs_dir` names, by run id; `spans` are those of `RunSpan`."""
    book, file = TurnBook(), TurnFile(runs_dir.parent / TURN_METRICS)
    try:
        requests, more = file.read()
        while more:
            read, more = file.read()
            requests += read
    finally:
        file.close()
    if requests:
        book.enter(requests, (RunSpan(*span) for span in spans))
    return book.model_of
