"""Ingest: reading, decoding, pairing and recording a history, against decoding its lines and nothing else."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from ratios import Finding, Pairs, Spread
from workload import finished_runs

from buddy_core.metrics.collector import MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.runs.records.wire import WireEvent

TARGET = 0.4


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """Two histories: of the original writer from last month, and of an agent that logged its requests today."""
    return [
        _compared(
            scratch / "old", "runs of last month, no requests logged", quick, days_ago=30, requests=False
        ),
        _compared(scratch / "new", "runs of the last day, requests logged", quick, days_ago=0, requests=True),
    ]


def _compared(root: Path, words: str, quick: bool, *, days_ago: int, requests: bool) -> Finding:
    """Both over the same bytes, in turn, in CPU time of this process."""
    runs, events = (40, 1_000) if quick else (200, 2_000)
    size = finished_runs(root, runs=runs, events=events, days_ago=days_ago, requests=requests)
    files = sorted(root.glob("run_*/events.jsonl"))
    pairs = Pairs()
    for number in range(5 if quick else 9):
        decode_s, lines = timed(lambda: decode_alone(files))
        ingest_s, counted = timed(lambda: ingest(root))
        if lines != counted:
            raise RuntimeError(f"{lines} lines were decoded and {counted} events ingested")
        if number:
            pairs.add(decode_s, ingest_s)
    share, rate = pairs.ratios, events * runs / Spread.of(pairs.ours).median
    what = f"ingest of {runs} × {events:,} events ({size / 1e6:.0f} MB; {words}), to decoding them alone"
    note = f"decoding alone {rate / 1e6:.2f} M events/s"
    return Finding(what, share.text(), share.n, share.median, "at least", TARGET, note=note)


def decode_alone(files: list[Path]) -> int:
    """The yardstick: every line of every file through one typed decoder; gives the number of lines."""
    decode = msgspec.json.Decoder(WireEvent).decode
    return sum(len([decode(line) for line in file.read_bytes().split(b"\n") if line]) for file in files)


def ingest(root: Path) -> int:
    """The real thing: an observer loads the directory into a collector; gives the number of events."""
    observer = Observer(root, MetricsCollector())
    observer.load()
    observer.close()
    return sum(facts.event_count for facts in observer.facts())


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """CPU seconds of this process, and what the work gave."""
    gc.collect()
    begin = time.process_time()
    result = work()
    return time.process_time() - begin, result
