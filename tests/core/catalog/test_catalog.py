"""The catalog of runs: it answers as a scan of the files does, and can be lost at any moment (cases 52, 53, 54, 98)."""

from __future__ import annotations

import contextlib
import shutil
import stat
import tempfile
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.catalog_stores import NOW, RunPlan, make_old, plans, stores
from tests.core.filter_texts import queries

from buddy_core.caches.errors import CacheUnavailable
from buddy_core.clock import ManualClock
from buddy_core.prices.rates import Rates
from buddy_core.prices.table import PriceEntry, PriceTable
from buddy_core.runs.catalog.asking.pages import Cancelled
from buddy_core.runs.catalog.catalog import Catalog
from buddy_core.runs.catalog.filling import keeping
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.query.candidate import Candidate, masked
from buddy_core.runs.query.completion import Known, complete
from buddy_core.runs.query.evaluate import Matcher
from buddy_core.runs.query.model import EVERYTHING, Content, Query, Term
from buddy_core.runs.query.parser import parse
from buddy_core.runs.query.scan import scan
from buddy_core.runs.searching.search import content_finder
from buddy_core.testing import RunDirectoryBuilder

CLOCK = ManualClock(NOW)
HEAVY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextlib.contextmanager
def opened(root: Path, *, write: bool = True, clock: ManualClock = CLOCK) -> Iterator[Catalog]:
    catalog = Catalog(root / "runs", root / "state", write=write, clock=clock)
    with contextlib.closing(catalog):
        yield catalog


@contextlib.contextmanager
def place() -> Iterator[Path]:
    """A directory of its own, with blocks of words and pieces of texts so small that some are made."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("buddy_core.runs.catalog.words.wordindex.RUNS_IN_BLOCK", 2)
        patch.setattr("buddy_core.runs.catalog.words.texts.SEGMENT", 200)
        (Path(folder) / "runs").mkdir()
        yield Path(folder)


def by_scan(root: Path, query: Query, clock: ManualClock = CLOCK) -> list[RunFacts]:
    matcher = Matcher(query, now_ms=clock.now_ms(), tz=UTC, content=content_finder((root / "runs").resolve()))
    runs = [masked(run) for run in scan(root / "runs", clock=clock)]
    return [run.facts for run in runs if matcher.fits(run)]


def by_catalog(catalog: Catalog, query: Query = EVERYTHING) -> list[RunFacts]:
    rows = catalog.page(query, limit=0, tz=UTC)
    assert all(row.whole for row in rows)
    assert catalog.count(query, tz=UTC) == len(rows)
    return [row.facts for row in rows]


def write(root: Path, *numbered: RunPlan) -> None:
    for plan in numbered:
        plan.write(root / "runs")


@HEAVY
@given(stores(), st.lists(queries(content=False), min_size=1, max_size=12))
def test_any_filter_finds_in_the_catalog_what_a_scan_finds(
    store: list[RunPlan], filters: list[Query]
) -> None:
    with place() as root:
        write(root, *store)
        with opened(root) as catalog:
            catalog.keep(texts=False)
            for query in (EVERYTHING, *filters):
                assert by_catalog(catalog, query) == by_scan(root, query)


PHRASES = (
    "exit code",
    "xit cod",
    "KELVIN",
    "kelvin",
    "café",
    "Two",
    "words\nhere",
    "1.5",
    "a\\b",
    "unnamed",
    "hunter2canary",
    "zz",
)


@HEAVY
@given(
    stores(),
    st.lists(
        st.builds(Term, st.builds(Content, st.sampled_from(PHRASES)), st.booleans()), min_size=1, max_size=3
    ),
    st.booleans(),
)
def test_full_text_finds_what_a_scan_finds_indexed_or_not(
    store: list[RunPlan], terms: list[Term], texts: bool
) -> None:
    query = Query(tuple(terms))
    with place() as root:
        write(root, *store)
        with opened(root) as catalog:
            catalog.keep(texts=texts)
            assert by_catalog(catalog, query) == by_scan(root, query)


@HEAVY
@given(st.data())
def test_whatever_happens_to_the_runs_the_catalog_follows(data: st.DataObject) -> None:
    with place() as root, opened(root) as catalog:
        for _ in range(data.draw(st.integers(1, 5))):
            number = data.draw(st.integers(0, 4))
            plan = data.draw(plans(number))
            if data.draw(st.booleans()):
                shutil.rmtree(root / "runs" / plan.run_id, ignore_errors=True)
            else:
                write(root, plan)
            catalog.keep(texts=data.draw(st.booleans()))
            assert by_catalog(catalog) == by_scan(root, EVERYTHING)
        found = parse('exit -content:"no such"').query
        assert by_catalog(catalog, found) == by_scan(root, found)


def plan(number: int, **choices: object) -> RunPlan:
    usual: dict[str, object] = {
        "objective": "x",
        "tags": [],
        "parent": None,
        "tools": [],
        "text": "exit code 2",
    }
    usual |= {
        "error": None,
        "refused": False,
        "cost": None,
        "artifacts": [],
        "end": "completed",
        "claim": None,
    }
    return RunPlan(number, **(usual | choices))


def test_what_has_not_changed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").mkdir()
    write(tmp_path, plan(0), plan(1), plan(2))
    read: list[str] = []

    def noting(root: Path, run_id: str, **how: Any) -> Candidate:
        read.append(run_id[-1])
        return original(root, run_id, **how)

    original = keeping.read_once
    monkeypatch.setattr(keeping, "read_once", noting)
    with opened(tmp_path) as catalog:
        assert (catalog.keep(), read) == (3, ["2", "1", "0"])
        assert catalog.keep() == 0
        write(tmp_path, plan(1, objective="another"))
        assert (catalog.keep(), read[3:]) == (1, ["1"])
        assert [row.facts.objective for row in catalog.page()] == ["x", "another", "x"]


def test_what_a_watcher_saw_is_read_without_looking_at_the_others(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    write(tmp_path, plan(0), plan(1), plan(2))
    with opened(tmp_path) as catalog:
        catalog.keep()
        write(tmp_path, plan(0, objective="changed"), plan(1, objective="not told of"), plan(3, text="fresh"))
        shutil.rmtree(tmp_path / "runs" / plan(2).run_id)
        told = [plan(number).run_id for number in (0, 2, 3)]
        assert catalog.keep_runs([*told, "run_zz_aaaaaa", "../x", "x"]) == 3
        assert [row.facts.objective for row in catalog.page()] == ["x", "x", "changed"]
        assert catalog.page()[0].facts.run_id == plan(3).run_id
        fresh = parse("content:fresh").query
        assert by_catalog(catalog, fresh) == by_scan(tmp_path, fresh)
        assert (catalog.keep_runs(told), catalog.keep_runs([])) == (0, 0)
        assert catalog.keep() == 1
        assert by_catalog(catalog) == by_scan(tmp_path, EVERYTHING)


def test_turns_of_runs_that_a_watcher_saw_are_joined_by_the_next_keeping(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    write(tmp_path, plan(1))
    (tmp_path / "turn-metrics.jsonl").write_text(
        '{"version":1,"at":"2026-01-08T16:33:30Z","provider":"p","model":"m"}\n'
    )
    with opened(tmp_path) as catalog:
        catalog.keep()
        write(tmp_path, plan(0))
        assert catalog.keep_runs([plan(0).run_id]) == 1
        catalog.keep()
        assert by_catalog(catalog) == by_scan(tmp_path, EVERYTHING)


def test_pages_are_cut_out_of_any_order_with_unknown_values_last(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    costs = [None, 0.25, 1.5, None, 0.25]
    write(tmp_path, *(plan(number, cost=cost) for number, cost in enumerate(costs)))
    with opened(tmp_path) as catalog:
        catalog.keep()

        def ids(**how: object) -> str:
            return "".join(row.facts.run_id[-1] for row in catalog.page(**how))  # type: ignore[arg-type]

        assert ids() == "43210"
        assert ids(descending=False) == "01234"
        assert ids(sort="cost") == "24130"
        assert ids(sort="cost", descending=False) == "41230"
        assert ids(sort="cost", offset=1, limit=2) == "41"
        for sort in ("status", "took", "tokens", "calls", "failed", "objective"):
            assert sorted(ids(sort=sort)) == list("01234")


def test_many_new_runs_are_listed_by_their_summaries_before_their_events_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()
    monkeypatch.setattr(keeping, "SUMMARIES_FIRST", 1)
    write(tmp_path, plan(0, tools=["bash"]), plan(1, end=None), plan(2, objective="newest"))
    seen: list[tuple[str, list[tuple[str, bool]]]] = []
    with opened(tmp_path) as catalog:
        catalog.keep(
            progress=lambda at: seen.append(
                (at.phase, [(row.facts.run_id[-1], row.whole) for row in catalog.page()])
            )
        )
        assert seen[0] == ("summaries", [("2", False), ("0", False)])
        phases = list(dict.fromkeys(phase for phase, _ in seen))  # each is told again as time goes by
        assert phases == ["summaries", "events", "texts"]
        assert by_catalog(catalog) == by_scan(tmp_path, EVERYTHING)


def test_time_and_locks_change_the_status_of_runs_whose_files_do_not(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 60_000)
    run.tool("bash").write()
    make_old(run.run_dir)
    for later, status in ((0, "running"), (11 * 60_000, "stalled"), (90 * 60_000, "interrupted")):
        clock = ManualClock(NOW + later)
        with opened(tmp_path, clock=clock) as catalog:
            catalog.keep()
            assert [facts.status for facts in by_catalog(catalog)] == [status]
            assert by_catalog(catalog) == by_scan(tmp_path, EVERYTHING, clock)


def test_models_that_only_turns_name_are_joined_and_follow_the_file(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    write(tmp_path, plan(0), plan(1))
    with opened(tmp_path) as catalog:
        for model in ("first", "second"):
            (tmp_path / "turn-metrics.jsonl").write_text(
                f'{{"version":1,"at":"2026-01-08T16:33:30Z","provider":"p","model":"{model}"}}\n'
            )
            catalog.keep()
            assert by_catalog(catalog) == by_scan(tmp_path, EVERYTHING)
            assert [facts.model for facts in by_catalog(catalog, parse(f"model:{model}").query)] == [model]
        (tmp_path / "turn-metrics.jsonl").unlink()
        catalog.keep()
        assert [facts.model for facts in by_catalog(catalog)] == [None, None]


def test_other_prices_are_reckoned_with_at_once(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 9_000_000).request(
        model="m", prompt=1_000_000
    )
    make_old(run.end().write())
    for dollars in (1.0, 2.0, None):
        prices = None if dollars is None else PriceTable([PriceEntry("m", Rates(input=dollars, output=0.0))])
        with contextlib.closing(
            Catalog(tmp_path / "runs", tmp_path / "state", write=True, clock=CLOCK, prices=prices)
        ) as catalog:
            assert (catalog.keep(), catalog.keep()) == (1, 0)
            (row,) = catalog.page()
            assert row.facts.total_cost == dollars
            assert row.facts == scan(tmp_path / "runs", clock=CLOCK, prices=prices)[0].facts


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "*",
        "NEAR(",
        "a AND b",
        "\0",
        "x" * 200,
        "words:exit",
        "'; DROP TABLE run; --",
        "%",
        "é" * 99,
        "?",
        ":p0",
    ],
)
def test_no_text_is_taken_for_a_command(tmp_path: Path, text: str) -> None:
    """Case 53."""
    (tmp_path / "runs").mkdir()
    write(tmp_path, plan(0))
    with opened(tmp_path) as catalog:
        catalog.keep()
        quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for field in ("", "content:", "tag:", "id:", "model:"):
            query = parse(field + quoted).query
            assert by_catalog(catalog, query) == by_scan(tmp_path, query)
        assert len(by_catalog(catalog)) == 1


def test_no_secret_stands_in_the_file(tmp_path: Path) -> None:
    """Case 83."""
    (tmp_path / "runs").mkdir()
    text = "export API_TOKEN=canary0123456789canary"
    write(
        tmp_path, plan(0, objective="use password=hunter2canary", text=text, error=text, artifacts=["a.env"])
    )
    with opened(tmp_path) as catalog:
        catalog.keep()
        data = catalog.path.read_bytes()
        assert b"canary" not in data
        assert b"hunter2" not in data
        found = parse("content:canary0123456789").query
        assert len(by_catalog(catalog, found)) == 1, "a person who knows it learns where it is"


def test_the_file_is_private(tmp_path: Path) -> None:
    """Case 80."""
    (tmp_path / "runs").mkdir()
    with opened(tmp_path) as catalog:
        assert stat.S_IMODE(catalog.path.stat().st_mode) == 0o600


def test_one_keeps_and_others_read_what_was_committed(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    write(tmp_path, plan(0))
    with pytest.raises(CacheUnavailable), opened(tmp_path, write=False):
        pass
    with opened(tmp_path) as keeper:
        keeper.keep()
        with (
            opened(tmp_path, write=False) as reader,
            pytest.raises(CacheUnavailable, match="another buddy-top"),
        ):
            assert len(by_catalog(reader)) == 1
            with opened(tmp_path):
                pass


def test_what_nobody_wants_any_more_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    write(tmp_path, plan(0, tools=["bash"]), plan(1, tools=["bash"]))
    with opened(tmp_path) as catalog:
        with pytest.raises(Cancelled):
            catalog.keep(cancelled=lambda: True)
        catalog.keep()
        with pytest.raises(Cancelled):
            catalog.page(parse("content:exit").query, cancelled=lambda: True)
        assert len(by_catalog(catalog)) == 2


def test_filters_are_completed_with_the_names_there_are_the_commonest_first(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    write(tmp_path, plan(0, tools=["bash"]), plan(1, tools=["view_file", "bash"], tags=["Ä tag"]))
    with opened(tmp_path) as catalog:
        catalog.keep()
        assert catalog.names("tool") == ["bash", "view_file"]
        assert catalog.names("model") == []
        known = Known(tags=lambda: catalog.names("tag"))
        assert [option.text for option in complete("tag:", 4, known).options] == ['"Ä tag"']


def test_a_line_too_long_for_the_index_is_always_searched(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    write(tmp_path, plan(0), plan(1))
    folder = tmp_path / "runs" / plan(1).run_id / "artifacts"
    (folder / "min.js").write_text("x" * 3_000_000 + " needle in one line")
    make_old(folder.parent)
    with opened(tmp_path) as catalog:
        catalog.keep()
        for text in ("content:needle", "content:nowhere"):
            assert by_catalog(catalog, parse(text).query) == by_scan(tmp_path, parse(text).query)
        assert len(catalog.suspects(["nowhere"])) == 1


def test_a_search_is_narrowed_to_runs_that_may_hold_the_words(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    texts = ("exit code 2", "no such file", "exit mode")
    write(tmp_path, *(plan(number, tools=["bash"], text=text) for number, text in enumerate(texts)))
    with opened(tmp_path) as catalog:
        catalog.keep(texts=False)
        assert len(catalog.suspects(["exit", "code"])) == 3, "nothing is known of texts that were not read"
        catalog.keep()
        assert [run_id[-1] for run_id in catalog.suspects(["exit", "code"])] == ["0"]
        assert len(catalog.suspects(["é"])) == 3


def test_what_is_gone_from_the_runs_is_not_kept_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("buddy_core.runs.catalog.filling.writing._SLACK", 3)
    monkeypatch.setattr("buddy_core.runs.catalog.words.wordindex.RUNS_IN_BLOCK", 2)
    (tmp_path / "runs").mkdir()
    with opened(tmp_path) as catalog:
        for number in range(12):
            write(tmp_path, plan(0, objective=f"state {number}"), plan(1, text=f"word{number}"))
            catalog.keep()
            for text in ("state", f'"state {number}"', f"content:word{number}", "content:word0"):
                query = parse(text).query
                assert by_catalog(catalog, query) == by_scan(tmp_path, query)
        (texts,) = catalog._cache.connection.execute("SELECT value FROM meta WHERE name='texts'").fetchone()
        (blocks,) = catalog._cache.connection.execute("SELECT count(*) FROM wordblock").fetchone()
        assert texts < 12
        assert blocks < 8
