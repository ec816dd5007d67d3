"""`python -m tests.fuzz [TARGET …] [--seconds N]`: coverage-guided fuzzing, one target after the other.

Needs atheris (`pip install --group fuzz`). What was found interesting stays in `.fuzz/` and is where the next
call begins; an input that breaks a promise is written there too, and `--again FILE` tries it once more.
Exit code 0 when nothing was found, 1 when something was, 2 when it cannot be done here.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.targets import TARGETS

PLACE = Path(".fuzz")
ABSENT = "atheris is not installed, and without it nothing is fuzzed: pip install --group fuzz (Linux, Python 3.11 to 3.14)"


class Outcome(NamedTuple):
    """What came of fuzzing one target."""

    executions: int
    covered: int
    """Edges of the code that were reached, as atheris counts them."""
    cpu_s: float
    complaint: str
    """The end of what was printed, where something was found; else empty."""


def main(arguments: list[str] | None = None) -> int:
    """Fuzz what was asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Coverage-guided fuzzing.")
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all by default"
    )
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--again", type=Path, metavar="FILE", help="only try this input, without atheris")
    asked = parser.parse_args(arguments)
    names = asked.targets or list(TARGETS)
    if unknown := sorted(set(names) - set(TARGETS)):
        parser.error(f"there is no target {unknown[0]}: there are {', '.join(TARGETS)}")
    if asked.again:
        for name in names:
            TARGETS[name].check(asked.again.read_bytes())
        return 0
    if importlib.util.find_spec("atheris") is None:
        print(ABSENT, file=sys.stderr)
        return 2
    return max([_report(name, fuzz(name, asked.seconds)) for name in names])


def fuzz(name: str, seconds: int) -> Outcome:
    """Fuzz one target in a process of its own, which atheris ends as it likes."""
    corpus = PLACE / name
    corpus.mkdir(parents=True, exist_ok=True)
    before = _cpu_s()
    with tempfile.TemporaryDirectory(prefix="seeds-") as seeds:
        for number, seed in enumerate(TARGETS[name].seeds()):
            (Path(seeds) / f"{number}").write_bytes(seed)
        found = f"{PLACE}/{name}-"
        limits = (f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048")
        options = (*limits, "-print_final_stats=1", f"-artifact_prefix={found}", corpus, seeds)
        child = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.child", name, found, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    said = child.stdout
    return Outcome(
        executions=_last(r"stat::number_of_executed_units:\s*(\d+)", said),
        covered=_last(r"\bcov: (\d+)", said),
        cpu_s=_cpu_s() - before,
        complaint=said[-3_000:] if child.returncode and "run interrupted" not in said else "",
    )


def _report(name: str, outcome: Outcome) -> int:
    told = f"{name}: {outcome.executions:,} executions in {outcome.cpu_s:.0f} s of CPU, {outcome.covered:,} edges reached"
    print(f"{told}, {'something was found' if outcome.complaint else 'nothing found'}", flush=True)
    if outcome.complaint:
        print(outcome.complaint, flush=True)
    return int(bool(outcome.complaint))


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _last(pattern: str, said: str) -> int:
    found = re.findall(pattern, said)
    return int(found[-1]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
