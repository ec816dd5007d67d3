"""Measure the monitor: `python tests/bench/run.py [NAME…] [--quick] [--write]`.

Everything is measured side by side in one run and told as a ratio with its spread, since absolute numbers
belong to the machine and to its mood. `--write` keeps the results, losses included, in RESULTS.md, whose other
sections stay as they are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections.abc import Callable
from inspect import getdoc, getmodule
from pathlib import Path

import catalog_cost
import cpu
import crowd
import decoders
import host_cost
import ingest_rate
import latency
import load
import long_view
import many_runs
import memory
import opening
import paint
import peer_idle
import peer_starts
import run_list
import soak
from ratios import Finding
from results import Moment, document, section, sections

MEASURES: dict[str, Callable[..., list[Finding]]] = {
    "paint": paint.measure,
    "starts": peer_starts.measure,
    "opening": opening.measure,
    "rest": peer_idle.measure,
    "ingest": ingest_rate.measure,
    "decoders": decoders.measure,
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
    "load": load.measure,
}
ON_DEMAND: dict[str, Callable[..., list[Finding]]] = {"soak": soak.measure}
"""Takes an hour, and so only when it is named."""

KNOWN = MEASURES | ON_DEMAND

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> int:
    """Run the measures asked for; 1 when a target is missed or a measure came to nothing."""
    args = _arguments()
    failed = False
    for name in args.names or MEASURES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        moment = Moment.now()
        try:
            findings = _measured(name, quick=args.quick)
        except Exception:  # noqa: BLE001 - one that fails leaves the others, and what was found before, as they are
            traceback.print_exc()
            failed = True
            continue
        moment.over()
        print(f"{name}: {moment.words()}", file=sys.stderr, flush=True)
        failed |= any(one.verdict == "MISSED" for one in findings)
        if args.write:
            _write(name, section(_about(name), [one.row() for one in findings], moment, quick=args.quick))
    return int(failed)


def _measured(name: str, *, quick: bool) -> list[Finding]:
    """One measure in a directory of its own; its rows are printed when it is over."""
    with tempfile.TemporaryDirectory(prefix="buddy-top-bench-") as scratch:
        findings = KNOWN[name](Path(scratch), quick=quick)
    for finding in findings:
        print(finding.row(), flush=True)
    return findings


def _about(name: str) -> str:
    """What its file says of it, as one paragraph, and the first line of what the measure says of itself."""
    measure = KNOWN[name]
    said = getdoc(getmodule(measure)) or "", (getdoc(measure) or "").split("\n")[0]
    return " ".join(" ".join(said).split())


def _write(name: str, body: str) -> None:
    """Put one section into the file, at once: an hour of measuring may be broken off."""
    kept = sections(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    RESULTS.write_text(document(kept | {name: body}, KNOWN), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    words = f"of {', '.join(KNOWN)}; default all but {', '.join(ON_DEMAND)}"
    parser.add_argument("names", nargs="*", metavar="NAME", help=words)
    parser.add_argument(
        "--quick", action="store_true", help="fewer repetitions: at most two minutes for each"
    )
    parser.add_argument("--write", action="store_true", help="keep what is found in RESULTS.md")
    args = parser.parse_args()
    if unknown := set(args.names) - set(KNOWN):
        parser.error(f"there is no measure {', '.join(sorted(unknown))}; there are {', '.join(KNOWN)}")
    return args


if __name__ == "__main__":
    sys.exit(main())
