"""Runs by their small files alone: the quick way says what the tolerant way says, and nothing that is a secret."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.catalog.test_catalog import by_catalog, by_scan, opened, plan, write
from tests.core.catalog_stores import NOW

from buddy_core.runs.catalog.early import Early
from buddy_core.runs.catalog.filling import keeping
from buddy_core.runs.catalog.filling.summaries import SummaryReader, _tolerantly
from buddy_core.runs.catalog.rows import (
    EARLY_REST,
    body_values,
    early_values,
    named_by,
    read_body,
    run_values,
    title,
)
from buddy_core.runs.names import run_id_at
from buddy_core.runs.query.candidate import words_of
from buddy_core.runs.query.model import EVERYTHING
from buddy_core.runs.query.parser import parse

RUN = run_id_at(NOW - 60_000, "000000")
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 2**54),
    st.floats(allow_nan=False),
    st.sampled_from(["", "7", "headless", RUN, "a\u0000b", "token=hunter2canary", "completed", "running"]),
    st.lists(st.sampled_from(["headless", "gpt-5.5", "pwd=hunter2canary", 5]), max_size=3),
)
TEXT = st.sampled_from([None, "headless", "/home/u", "x=1"])
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "channel": TEXT,
        "sessionId": TEXT,
        "cwd": TEXT,
        "forkReason": st.sampled_from(["retry", "token=hunter2canary"]),
        "tags": st.sampled_from([[], ["headless", "gpt-5.5"], ["a"], ["headless", "pwd=hunter2canary"]]),
        "parentRolloutId": st.sampled_from([None, RUN, "token=hunter2canary"]),
        "user": st.just("password=hunter2canary"),
    },
)
SUMMARY = st.fixed_dictionaries(
    {
        "objective": st.sampled_from(["Fix it", "use password=hunter2canary now", "x" * 30_000, "É\x1f\x00"]),
        "status": st.sampled_from(["completed", "failed", "cancelled"]),
        "startedAt": st.sampled_from([NOW - 60_000, 1, NOW * 4]),
        "metadata": METADATA,
    },
    optional={"endedAt": st.sampled_from([NOW, NOW - 90_000, None]), "eventCount": st.just(3)},
)
METRICS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ["totalTokens", "promptTokens", "completionTokens", "totalCost", "durationMs", "failoverCount"],
        st.sampled_from([0, 5, 1.5, 2**53]),
    ),
)
DAMAGE = st.dictionaries(
    st.sampled_from(["objective", "status", "startedAt", "endedAt", "metadata", "totalTokens", "totalCost"]),
    ODD,
    max_size=1,
)


def set_id(names: object) -> int:
    return hash(tuple(names)) % 1000  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(SUMMARY, METRICS, DAMAGE, st.booleans())
def test_the_quick_way_says_what_the_tolerant_way_says(
    tmp_path_factory: pytest.TempPathFactory,
    summary: dict[str, object],
    metrics: dict[str, object],
    damage: dict[str, object],
    some: bool,
) -> None:
    root = tmp_path_factory.getbasetemp() / "early"
    (root / RUN).mkdir(parents=True, exist_ok=True)
    said = msgspec.json.encode(summary | damage), msgspec.json.encode(metrics | damage)
    (root / RUN / "summary.json").write_bytes(said[0])
    (root / RUN / "metrics.json").write_bytes(said[1] if some else b"")
    with SummaryReader(root) as reader:
        (found,) = reader.read([RUN])
    expected = _tolerantly(RUN, said[0], said[1] if some else b"")
    if not isinstance(found, Early):
        assert found == expected
        return
    assert b"canary" not in body_values(1, found)[2]
    assert found.candidate() == expected
    assert read_body(*body_values(1, found)[1:]) == expected
    named = named_by(found, set_id)
    values = early_values(1, found, named, title(found.candidate().facts))
    assert values + EARLY_REST == run_values(1, found.candidate(), signature=0, whole=False, set_id=set_id)


def test_most_runs_go_the_quick_way(tmp_path: Path) -> None:
    """Without that, the test of both ways would show nothing."""
    write(tmp_path, plan(0, tags=["headless", "gpt-5.5"], cost=1.5))
    with SummaryReader(tmp_path / "runs") as reader:
        (found,) = reader.read([plan(0).run_id])
    assert isinstance(found, Early)
    assert (found.model, words_of(found.candidate()).count("gpt-5.5")) == ("gpt-5.5", 2)


def test_a_link_in_the_place_of_a_run_or_of_its_files_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, plan(0), plan(1))
    inside, outside = tmp_path / "runs", tmp_path / "elsewhere"
    (inside / plan(0).run_id).rename(outside)
    (inside / plan(0).run_id).symlink_to(outside)
    (inside / plan(1).run_id / "summary.json").unlink()
    (inside / plan(1).run_id / "summary.json").symlink_to(outside / "summary.json")
    with SummaryReader(inside) as reader:
        assert reader.read([plan(number).run_id for number in (0, 1)]) == [None, None]
    os.mkfifo(inside / plan(2).run_id)
    with SummaryReader(inside) as reader:
        assert reader.read([plan(2).run_id]) == [None]


def test_while_only_summaries_are_read_words_are_found_in_them_and_counts_are_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "SUMMARIES_FIRST", 1)
    monkeypatch.setattr("buddy_core.runs.catalog.words.wordindex.RUNS_IN_BLOCK", 2)
    runs = [plan(number, objective=f"task {number}", tools=["bash"], cost=0.25) for number in range(5)]
    write(tmp_path, *runs, plan(5, objective="use password=hunter2canary", text="password=hunter2canary"))
    with opened(tmp_path) as catalog:

        def look(progress: keeping.Progress) -> None:
            if progress.phase != "summaries" or progress.done < progress.total:
                return
            assert [catalog.count(parse(text).query) for text in ("task", "hunter2", "bash", "calls>0")] == [
                5,
                0,
                0,
                0,
            ]
            assert (catalog.unread(), [row.whole for row in catalog.page()]) == (6, [False] * 6)
            assert b"canary" not in catalog.path.read_bytes()

        def look_at_words(progress: keeping.Progress) -> None:
            look(progress)
            (alone,) = catalog._cache.connection.execute("SELECT count(*) FROM word").fetchone()
            assert alone < 2, "words are found quickly while events are read, too"

        catalog.keep(progress=look_at_words)
        assert catalog.unread() == 0
        for query in (EVERYTHING, parse("task 3").query, parse("bash").query):
            assert by_catalog(catalog, query) == by_scan(tmp_path, query)
        blocks = catalog._cache.connection.execute("SELECT count(*) FROM wordblock").fetchone()
        assert blocks == (3,), "words of runs that were read again are let go"
