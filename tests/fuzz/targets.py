"""What is fuzzed: the six places where text that somebody else wrote comes in, each with its check and first inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tests.fuzz import files, texts


class Target(NamedTuple):
    """One place, and what must hold of it."""

    check: Callable[[bytes], None]
    """Takes any bytes; raises AssertionError where a promise is broken, and anything else where nothing may raise."""
    seeds: Callable[[], Iterable[bytes]]
    """Inputs that reach far into it."""


TARGETS: dict[str, Target] = {
    "lines": Target(files.check_lines, files.seeds_of_lines),
    "salvage": Target(files.check_salvage, files.seeds_of_lines),
    "summary": Target(files.check_summary, files.seeds_of_summaries),
    "filter": Target(texts.check_filter, texts.seeds_of_filters),
    "text": Target(texts.check_text, texts.seeds_of_texts),
    "names": Target(texts.check_names, texts.seeds_of_names),
}
