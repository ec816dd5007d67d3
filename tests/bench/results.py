"""RESULTS.md: one section per measure, each as of the day on which it was measured, kept until it is measured again.

The file is written by `run.py --write` and never by hand. A section that was not measured this time stays word for
word, so that a part can be measured anew, and what is compared within a section is always of one hour.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

_HEADING = re.compile(r"^## (\S+)$", re.MULTILINE)
_MISSED, _MET = "| MISSED |", "| met |"
_TABLE = (
    "| what | measured: median (quartiles) | N | target | verdict | medians, and what else there is to say |",
    "|---|---|---|---|---|---|",
)
_PACKAGES = ("buddy-top", "textual", "rich", "msgspec", "prometheus_client", "psutil")


@dataclass
class Moment:
    """When a measure ran, and what else the machine did; loads are the numbers of processes of one minute."""

    begun: datetime
    load_before: float
    took_s: float = 0.0
    load_after: float = 0.0

    @classmethod
    def now(cls) -> Moment:
        """The measure begins."""
        return cls(datetime.now(UTC), os.getloadavg()[0])

    def over(self) -> Moment:
        """The measure has ended."""
        self.took_s, self.load_after = (datetime.now(UTC) - self.begun).total_seconds(), os.getloadavg()[0]
        return self

    def words(self) -> str:
        """Date, load and duration, as they stand in the section."""
        load = f"load {self.load_before:.1f} before and {self.load_after:.1f} after"
        return f"Measured {self.begun:%Y-%m-%d %H:%M} UTC in {self.took_s:.0f} s, {load}"


def section(about: str, rows: Sequence[str], moment: Moment, *, quick: bool) -> str:
    """The text beneath the heading of one measure: what it is, when it ran and with what, and its rows."""
    how = "; a quick run, of few repetitions" if quick else ""
    return "\n".join([f"{about}\n", f"{moment.words()}{how}; {machine()}.\n", *_TABLE, *rows])


def sections(text: str) -> dict[str, str]:
    """What stands in such a file, by the name of the measure."""
    parts = _HEADING.split(text)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def document(found: dict[str, str], order: Iterable[str]) -> str:
    """The whole file of these sections; of measures that are in `order` no more, none is kept."""
    kept = {name: found[name] for name in order if name in found}
    return "\n\n".join([_head(kept), *(f"## {name}\n\n{body}" for name, body in kept.items())]) + "\n"


def _head(kept: dict[str, str]) -> str:
    """What the file is, and how many targets are missed, with the names of the sections."""
    missed = {name: count for name, body in kept.items() if (count := body.count(_MISSED))}
    targets = sum(body.count(_MET) for body in kept.values()) + sum(missed.values())
    where = ", ".join(f"[{name}](#{name}) {count}" for name, count in missed.items()) or "none"
    return "\n".join(
        [
            "# Measured",
            "",
            "Each section is of the moment told in it and stays until it is measured again:",
            "`python tests/bench/run.py [NAME…] --write`; nobody edits this file.",
            "",
            "A ratio compares two programs measured in turn or side by side, pair by pair; N is the number of pairs. Absolute",
            "numbers belong to the machine and to its mood. `MISSED` is a loss and stays here until it is none.",
            "",
            f"**{sum(missed.values())} of {targets} targets are missed**: {where}.",
        ]
    )


def machine() -> str:
    """Where and with what this was measured."""
    where = f"{platform.system()} {platform.release()}, {os.cpu_count()} cores ({platform.machine()})"
    return ", ".join([where, f"Python {platform.python_version()}", *_versions()])


def _versions() -> Iterable[str]:
    for name in _PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
