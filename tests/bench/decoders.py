"""Ingest to what else reads such a file: `jq -c .type`, and Python's own `json` line by line, in CPU time.

Those only decode; ours decodes, pairs calls with results, and counts everything in windows of time.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
from pathlib import Path

from ingest_rate import ingest, timed
from ratios import Finding, Pairs, Spread, absent
from workload import finished_runs


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """The same history through each in turn; the ratio tells how many times as fast ours is."""
    root, (runs, events) = scratch / "history", (40, 1_000) if quick else (100, 2_000)
    size = finished_runs(root, runs=runs, events=events)
    files, jq = sorted(root.glob("run_*/events.jsonl")), shutil.which("jq")
    to_json, to_jq = Pairs(), Pairs()
    for number in range(4 if quick else 8):
        ours, counted = timed(lambda: ingest(root))
        json_s, lines = timed(lambda: _json(files))
        jq_s, types = _jq(jq, files) if jq else (0.0, lines)
        if not lines == types == counted:
            raise RuntimeError(f"json read {lines} lines, jq {types}, and {counted} events were ingested")
        if number:
            to_json.add(json_s, ours)
            to_jq.add(jq_s, ours)
    what = f"speed of ingest of {runs * events:,} events ({size / 1e6:.0f} MB), to"
    found = [_finding(to_json, f"{what} Python's json.loads of each line", runs * events)]
    if not jq:
        return [*found, absent(f"{what} jq -c .type", "no such program on this machine")]
    version = subprocess.run([jq, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return [*found, _finding(to_jq, f"{what} {version} -c .type", runs * events)]


def _finding(pairs: Pairs, what: str, events: int) -> Finding:
    """Of pairs of their seconds and ours."""
    theirs, ours = (events / Spread.of(taken).median / 1e6 for taken in (pairs.ours, pairs.theirs))
    note, ratio = f"{ours:.2f} to {theirs:.2f} M events/s", pairs.ratios
    return Finding(what, ratio.text(), ratio.n, ratio.median, "at least", 1.0, note=note)


def _json(files: list[Path]) -> int:
    return sum(len([json.loads(line) for line in file.read_bytes().split(b"\n") if line]) for file in files)


def _jq(jq: str, files: list[Path]) -> tuple[float, int]:
    """CPU seconds of jq over all files in one process, and how many lines it gave."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    given = subprocess.run([jq, "-c", ".type", *map(str, files)], capture_output=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, given.count(b"\n")
