"""The benchmarks measure what they say: their runs are as described, and their yardsticks count right."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
from tests.bench.ratios import Finding, Pairs, Spread, absent
from tests.bench.results import Moment, document, section, sections
from tests.bench.screens import has_ink
from tests.bench.workload import finished_runs, live_run

from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer

BENCH = Path(__file__).parents[2] / "bench"


def events_of(root: Path) -> list[dict[str, object]]:
    files = sorted(root.glob("run_*/events.jsonl"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


def test_the_history_has_as_many_runs_events_and_bytes_as_it_says(tmp_path: Path) -> None:
    size = finished_runs(tmp_path, runs=3, events=400)
    assert size == sum(file.stat().st_size for file in tmp_path.glob("run_*/events.jsonl"))
    observer = Observer(tmp_path, MetricsCollector())
    observer.load()
    observer.close()
    assert [(facts.status, facts.event_count) for facts in observer.facts()] == [("completed", 400)] * 3
    assert all(not facts.integrity.skipped_lines for facts in observer.facts())


def test_the_history_is_shaped_like_that_of_real_agents(tmp_path: Path) -> None:
    size = finished_runs(tmp_path, runs=4, events=1_000, requests=False)
    events = events_of(tmp_path)
    types = Counter(event["type"] for event in events)
    assert 0.35 < types["tool_call"] / len(events) < 0.48
    assert types["metric"] == 0
    assert 240 < size / len(events) < 360


def test_a_live_run_is_running_until_it_is_no_longer_written(tmp_path: Path) -> None:
    writer = live_run(tmp_path, 0xA0)
    writer.append(list(writer.turn()))
    observer = Observer(tmp_path, MetricsCollector())
    observer.load()
    observer.close()
    (facts,) = observer.facts()
    assert facts.status == "running"
    assert facts.objective == "Live run 0a0"


@pytest.mark.parametrize(
    ("data", "ink"),
    [
        (b"\x1b[?1049h\x1b[?25l\x1b[38;2;1;2;3m  \x1b[0m", False),
        (b"\x1b]0;a title\x07\x1b[?2026$p", False),
        (b"\x1b[1;1H\x1b[1mb\x1b[0m", True),
        ("\x1b[1;1H╭".encode(), True),
        (b"\x1b[38;2;1", False),
    ],
)
def test_only_what_a_person_can_see_is_ink(data: bytes, ink: bool) -> None:
    assert has_ink(data) is ink


def test_ratios_are_taken_pair_by_pair_and_a_missed_target_says_so() -> None:
    pairs = Pairs([2.0, 30.0, 4.0], [1.0, 10.0, 4.0])
    assert (pairs.ratios.median, pairs.ratios.n) == (2.0, 3)
    finding = pairs.finding("speed", side="at most", target=1.4)
    assert finding.verdict == "MISSED"
    assert Finding("share", "0.3", 3, 0.3, "at least", 0.2).verdict == "met"
    assert Spread.of([5.0]).median == 5.0


def test_what_cannot_be_measured_here_is_a_row_that_says_why() -> None:
    row = absent("first paint, to k9s", "no such program | on this machine").row()
    assert row == "| first paint, to k9s | – | 0 | – | absent | no such program / on this machine |"


def test_measuring_one_thing_again_leaves_the_results_of_all_others_as_they_are() -> None:
    order = ("paint", "ingest", "memory")
    row = Pairs([2.0], [1.0]).finding("first paint", side="at most", target=1.25).row()
    first = section("Paint.", [row], Moment.now().over(), quick=False)
    text = document(
        {"memory": "old words", "paint": "older words", "gone": "of a measure that is no more"}, order
    )
    assert sections(text) == {"paint": "older words", "memory": "old words"}
    again = document(sections(text) | {"paint": first}, order)
    assert sections(again) == {"paint": first, "memory": "old words"}
    assert again.count("## ") == 2 and "**1 of 1 targets are missed**: [paint](#paint) 1." in again
    assert "Measured 20" in first and "load" in first and "msgspec" in first


def test_every_measure_can_be_called_by_its_name() -> None:
    told = subprocess.run(
        [sys.executable, BENCH / "run.py", "nothing"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert "there is no measure nothing; there are paint, " in told.stderr


def test_a_peer_that_is_not_on_this_machine_says_so_and_the_others_get_the_same_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    peers = import_module("peers")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert peers.ready(peers.peer("lnav")) == "no such program on this machine"
    work = peers.comparable_work(tmp_path)
    assert len(work.log.read_bytes().splitlines()) == peers.RUNS * peers.EVENTS == 6_000
    assert len(list(work.collection.iterdir())) == len(list(work.runs.glob("run_*"))) == 30
    tl = peers.Ready(peers.peer("toolong"), "/bin/tl", "1.5.0")
    assert tl.on(work) == ["env", "-u", "PYTHONPATH", f"HOME={work.home}", "/bin/tl", str(work.log)]
