"""Families read from files and from the index: what a fork copied counts once, and both ways give one answer."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.runs.catalog.catalog import Catalog
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.lineage.tree import Kindred, family_of
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.cli.entry import main

START = 1_767_890_000_000
CLOCK = ManualClock(START + 86_400_000)


def facts_in(runs_dir: Path) -> dict[str, RunFacts]:
    with contextlib.closing(Observer(runs_dir, MetricsCollector(), clock=CLOCK)) as observer:
        observer.load()
        return {run.run_id: run for run in observer.facts()}


def forked(runs_dir: Path) -> tuple[str, str, str]:
    """A parent, a fork whose file begins with the parent's records, and a fork of a run that is gone."""
    parent = RunDirectoryBuilder(runs_dir, suffix="aaaaaa", started_at=START)
    parent.request(prompt=1_000, completion=100, cost=0.5).tool("bash", error="boom").error("lost")
    parent.end("failed").write()
    history = parent.events_file.read_bytes().splitlines(keepends=True)[1:-1]
    metadata = {"parentRolloutId": parent.run_id, "forkReason": "retry"}
    fork = RunDirectoryBuilder(runs_dir, suffix="bbbbbb", started_at=START + 60_000, metadata=metadata)
    fork.event("decision", {"kind": "fork", "parentRunId": parent.run_id, "reason": "retry"})
    for line in history:
        fork.raw(line)
    fork.request(prompt=200, completion=20, cost=0.25).tool("bash").without_metrics()
    fork.write()
    orphan = RunDirectoryBuilder(
        runs_dir, suffix="cccccc", started_at=START + 120_000, metadata={"parentRolloutId": "run_gone"}
    )
    orphan.end().write()
    return parent.run_id, fork.run_id, orphan.run_id


def test_records_that_a_fork_copied_from_its_parent_count_once(tmp_path: Path) -> None:
    parent, fork, _ = forked(tmp_path / "runs")
    found = facts_in(tmp_path / "runs")
    assert (found[fork].tool_calls, found[fork].total_tokens) == (2, 1_320)  # what its file holds
    family = family_of(fork, Kindred(found.values()), now_ms=CLOCK.now_ms())
    above, below = family.members
    assert (above.run_id, below.run_id) == (parent, fork)
    assert (below.own.tool_calls.value, below.own.failures.value, below.own.tokens.value) == (1, 0, 220)
    assert below.own.cost.value == pytest.approx(0.25)
    total = family.total
    assert (total.tool_calls.value, total.failures.value, total.tokens.value) == (2, 2, 1_320)
    assert total.cost.value == pytest.approx(0.75)


def test_a_total_that_a_fork_states_itself_is_its_own(tmp_path: Path) -> None:
    _, fork, _ = forked(tmp_path / "runs")
    (tmp_path / "runs" / fork / "metrics.json").write_text(
        json.dumps({"totalTokens": 5_000, "promptTokens": 4_000, "completionTokens": 1_000, "totalCost": 2.0})
    )
    with (tmp_path / "runs" / fork / "events.jsonl").open("a") as file:
        end: dict[str, Any] = {"ts": START + 70_000, "runId": fork, "type": "run_end"}
        file.write(json.dumps({**end, "data": {"status": "completed"}}) + "\n")
    found = facts_in(tmp_path / "runs")
    (part,) = found[fork].inherited
    assert (part.tool_calls, part.total_tokens, part.total_cost) == (1, 0, 0.0)


def test_a_copied_directory_without_a_parent_keeps_all_its_numbers(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path / "runs", suffix="aaaaaa").tool("bash").end()
    run.write().rename(tmp_path / "runs" / "run_mk000001_bbbbbb")
    found = facts_in(tmp_path / "runs")
    family = family_of("run_mk000001_bbbbbb", Kindred(found.values()), now_ms=CLOCK.now_ms())
    assert family.total.tool_calls.value == 1


def test_the_index_gives_the_same_family_as_the_files(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    parent, fork, orphan = forked(runs)
    for number, (above, own) in enumerate(((fork, "d0000d"), ("run_gone", "e0000e"), (None, "f0000f"))):
        metadata = {} if above is None else {"parentRolloutId": above}
        RunDirectoryBuilder(runs, suffix=own, started_at=START + number, metadata=metadata).end().write()
    found = facts_in(runs)
    catalog = Catalog(runs, tmp_path / "state", write=True, clock=CLOCK)
    with contextlib.closing(catalog):
        catalog.keep(texts=False)
        for run_id in (parent, fork, orphan):
            rows = catalog.kin(run_id)
            by_index = family_of(run_id, Kindred(row.facts for row in rows), now_ms=CLOCK.now_ms())
            assert by_index == family_of(run_id, Kindred(found.values()), now_ms=CLOCK.now_ms())
            assert len(rows) == by_index.total.runs
        assert catalog.kin("run_nobody_000000") == []
        assert len(catalog.kin(parent, limit=2)) == 2


def test_a_circle_in_the_index_ends(tmp_path: Path) -> None:
    """Case 49."""
    ids = [RunDirectoryBuilder(tmp_path, suffix=suffix).run_id for suffix in ("aaaaaa", "bbbbbb", "cccccc")]
    for suffix, above in zip(("aaaaaa", "bbbbbb", "cccccc"), (ids[2], ids[0], ids[1]), strict=True):
        metadata = {"parentRolloutId": above}
        RunDirectoryBuilder(tmp_path / "runs", suffix=suffix, metadata=metadata).end().write()
    with contextlib.closing(
        Catalog(tmp_path / "runs", tmp_path / "state", write=True, clock=CLOCK)
    ) as catalog:
        catalog.keep(texts=False)
        assert sorted(row.facts.run_id for row in catalog.kin(ids[1])) == sorted(ids)


def test_the_command_prints_the_tree_and_its_sums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    parent, fork, orphan = forked(tmp_path / "runs")
    place = ["--runs-dir", str(tmp_path / "runs")]
    assert main(["run", "family", fork, *place]) == 0
    said = capsys.readouterr().out
    assert f"✗ {parent}" in said
    assert f"└ ◌ {fork}" in said
    assert "this run, 1 copied call not counted again" in said
    assert "cost $0.75" in said

    assert main(["run", "family", fork, "--json", *place]) == 0
    told = json.loads(capsys.readouterr().out)["family"]
    assert [member["run_id"] for member in told["members"]] == [parent, fork]
    assert told["total"]["total_tokens"] == {
        "value": 1_320, "at_least": False, "unknown_runs": 0, "estimated": False,
    }  # fmt: skip
    assert told["members"][1]["copied_tool_calls"] == 1

    assert main(["run", "family", orphan, "--json", *place]) == 0
    told = json.loads(capsys.readouterr().out)["family"]
    assert (told["missing_parent"], told["members"][0]["run"]) == ("run_gone", None)
    assert told["total"]["total_cost"]["value"] is None
    assert main(["run", "family", "run_zz", *place]) == 3
