"""The catalog: pages, filters and full text over 100,000 runs, and what it takes to index them."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import catalog_keeping
from ratios import Finding, Pairs, Spread
from stores import ERRORS, PARTS, STATUSES, THINGS, TOOLS, write_store

from buddy_core.runs.catalog.catalog import Catalog
from buddy_core.runs.query.model import Query
from buddy_core.runs.query.parser import parse

RUNS, FEW = 100_000, 30
_LONG = 20_000


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """Everything on stores of the same kind; a quick run has a tenth of the runs."""
    runs = RUNS // 10 if quick else RUNS
    stores = {"many": runs, "few": FEW, "none": 0}
    for name, number in stores.items():
        if not (scratch / name).exists():  # a link to a store that is there already will do
            write_store(scratch / name, number)
    write_store(scratch / "long", 50, long_every=1, long_events=_LONG // 5 if quick else _LONG, seed=2)
    findings = catalog_keeping.measure(scratch, runs)
    with contextlib.closing(Catalog(scratch / "few", scratch, write=True)) as few:
        few.keep()
    with contextlib.closing(Catalog(scratch / "none", scratch, write=True)) as none:
        none.keep()
    return [*findings, *_pages(scratch, runs), *_filters(scratch, runs)]


def _pages(scratch: Path, runs: int) -> list[Finding]:
    """A first page, each time with a catalog that is opened for it."""

    def first(name: str) -> float:
        def work() -> None:
            with contextlib.closing(Catalog(scratch / name, scratch)) as catalog:
                catalog.page(limit=30)

        return _timed(work)

    pairs, more = Pairs(), []
    for number in range(60):
        many, few, none = first("many"), first("few"), first("none")
        if number >= 10:
            pairs.add(many, few)
            more.append(1000 * (many - none))
    beyond = Spread.of(more)
    return [
        pairs.finding(
            f"first page of {runs:,} runs, to that of {FEW}", side="at most", target=1.1, scale="ms"
        ),
        Finding(
            f"first page of {runs:,} runs, beyond that of none",
            beyond.text(),
            beyond.n,
            beyond.median,
            "at most",
            50,
            "ms",
        ),
    ]


def _filters(scratch: Path, runs: int) -> list[Finding]:
    with contextlib.closing(Catalog(scratch / "many", scratch)) as catalog:

        def times(texts: Iterator[str], number: int, ask: Callable[[Query], object]) -> Spread:
            queries = [parse(text).query for text in itertools.islice(texts, number)]
            return Spread.of([1000 * _timed(partial(ask, query)) for query in queries])

        plain, counted = times(_plain(), 400, catalog.page), times(_plain(), 60, catalog.count)
        texts = list(itertools.islice(_full(), 200))
        full = [1000 * _timed(partial(catalog.page, parse(text).query)) for text in texts]
        busy = time.process_time()
        with contextlib.closing(Catalog(scratch / "many", scratch)) as other:
            for text in texts:
                other.page(parse(text).query)
        cpu = 1000 * (time.process_time() - busy) / len(texts)
    spread, slowest = Spread.of(full), texts[full.index(max(full))]
    p95 = sorted(full)[189]
    return [
        Finding(
            f"a filter over {runs:,} runs, first page",
            plain.text(),
            plain.n,
            plain.median,
            "at most",
            50,
            "ms",
            f"p99 {plain.p99:.0f} ms, worst {plain.worst:.0f}; counting all that fit {counted.text()} ms",
        ),
        Finding(
            f"full text over {runs:,} runs, first page, p95",
            f"{p95:.1f}",
            len(full),
            p95,
            "at most",
            100,
            "ms",
            f"median and quartiles {spread.text(digits=1)}, worst {spread.worst:.0f} (`{slowest}`); {cpu:.0f} ms of CPU "
            f"time on average; two of five ask for a name of two parts, one for an error, one for a number, one for what "
            f"stands nowhere; each for the first time, and every hit is verified in the files",
        ),
    ]


def _plain() -> Iterator[str]:
    """Filters as people type them."""
    chance = Random(5)
    while True:
        yield chance.choice(
            (
                f"status:{chance.choice(STATUSES)}",
                chance.choice(PARTS),
                f"{chance.choice(PARTS)} {chance.choice(THINGS)} -status:failed",
                f"tool:{chance.choice(TOOLS)} errors>0",
                f"cost>{chance.random():.2f} model:sonnet",
                f"took>{chance.randrange(60)}s tokens<{chance.randrange(400)}k",
                f"-tag:gpt* {chance.choice(THINGS)[:3]}",
            )
        )


def _full() -> Iterator[str]:
    """Words, parts of identifiers, phrases, and what stands nowhere."""
    chance = Random(6)
    while True:
        yield chance.choice(
            (
                f"content:{chance.choice(PARTS)}_{chance.choice(THINGS)}",
                f'content:"{chance.choice(ERRORS)}"',
                f"content:{chance.getrandbits(24):06x}",
                f"content:{chance.choice(PARTS)[1:]}_{chance.choice(THINGS)[:3]} status:failed",
                f"content:{chance.choice(PARTS)}{chance.choice(PARTS)}",
            )
        )


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
