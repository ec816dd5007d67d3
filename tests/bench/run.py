"""Measure the monitor: `python tests/bench/run.py [NAME…] [--quick] [--write]`.

Everything is measured side by side in one run and told as a ratio with its spread, since absolute numbers
belong to the machine and to its mood. `--write` keeps the results, losses included, in RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import catalog_cost
import cpu
import crowd
import host_cost
import ingest_rate
import latency
import long_view
import many_runs
import memory
import paint
import run_list
from ratios import Finding

MEASURES: dict[str, Callable[..., list[Finding]]] = {
    "paint": paint.measure,
    "ingest": ingest_rate.measure,
    "catalog": catalog_cost.measure,
    "many_runs": many_runs.measure,
    "host": host_cost.measure,
    "latency": latency.measure,
    "idle": cpu.idle,
    "busy": cpu.busy,
    "crowd": crowd.measure,
    "longrun": long_view.measure,
    "memory": memory.measure,
    "list": run_list.measure,
}
RESULTS = Path(__file__).with_name("RESULTS.md")
_HEAD = (
    "| what | measured: median (quartiles) | N | target | verdict | medians, and what else there is to say |"
)


def main() -> int:
    """Run the measures asked for; 1 when a target is missed."""
    args = _arguments()
    found: dict[str, list[Finding]] = {}
    with tempfile.TemporaryDirectory(prefix="buddy-top-bench-") as scratch:
        for name in args.names or MEASURES:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            found[name] = MEASURES[name](Path(scratch), quick=args.quick)
            for finding in found[name]:
                print(finding.row(), flush=True)
    if args.write:
        RESULTS.write_text(report(found, quick=args.quick), encoding="utf-8")
    return int(any(one.verdict == "MISSED" for findings in found.values() for one in findings))


def report(found: dict[str, list[Finding]], *, quick: bool) -> str:
    """RESULTS.md."""
    rows = [finding.row() for findings in found.values() for finding in findings]
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    lines = [
        "# Measured",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}.",
        f"Load of the machine at the end: {load}; other work went on meanwhile.{' A quick run.' if quick else ''}",
        "",
        "Each ratio compares two programs measured in turn or side by side, pair by pair. `MISSED` is a loss",
        "and stays here until it is none. To measure again: `python tests/bench/run.py --write`.",
        "",
        _HEAD,
        "|---|---|---|---|---|---|",
        *rows,
        "",
    ]
    return "\n".join(lines)


def machine() -> str:
    """Where and with what this was measured."""
    packages = ("textual", "rich", "msgspec", "psutil")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    where = f"{platform.system()} {platform.release()}, {os.cpu_count()} cores ({platform.machine()})"
    return f"{where}, Python {platform.python_version()}, {versions}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASURES)}; default all")
    parser.add_argument(
        "--quick", action="store_true", help="fewer repetitions: minutes instead of a quarter of an hour"
    )
    parser.add_argument("--write", action="store_true", help="write RESULTS.md")
    args = parser.parse_args()
    if unknown := set(args.names) - set(MEASURES):
        parser.error(f"there is no measure {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    return args


if __name__ == "__main__":
    sys.exit(main())
