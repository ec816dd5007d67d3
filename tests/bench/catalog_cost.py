"""The catalog: pages, filters and full text over 100,000 runs, and what it takes to index them."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import msgspec
from ratios import Finding, Pairs, Spread
from stores import ERRORS, PARTS, STATUSES, THINGS, TOOLS, write_store

from buddy_core.runs.catalog.catalog import Catalog
from buddy_core.runs.catalog.keeping import Progress
from buddy_core.runs.query.model import Query
from buddy_core.runs.query.parser import parse

RUNS, FEW = 100_000, 30
_LONG = 20_000


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """Everything on stores of the same kind; a quick run has a tenth of the runs."""
    runs = RUNS // 10 if quick else RUNS
    stores = {"many": runs, "few": FEW, "none": 0}
    for name, number in stores.items():
        write_store(scratch / name, number)
    write_store(scratch / "long", 50, long_every=1, long_events=_LONG // 5 if quick else _LONG, seed=2)
    findings = _indexing(scratch, runs)
    with contextlib.closing(Catalog(scratch / "few", scratch, write=True)) as few:
        few.keep()
    with contextlib.closing(Catalog(scratch / "none", scratch, write=True)) as none:
        none.keep()
    return [*findings, *_pages(scratch, runs), *_filters(scratch, runs)]


def _indexing(scratch: Path, runs: int) -> list[Finding]:
    summaries = [path / "summary.json" for path in (scratch / "many").iterdir()]
    decode_s = _timed(lambda: [msgspec.json.decode(path.read_bytes()) for path in summaries])
    took: dict[str, float] = {}
    with contextlib.closing(Catalog(scratch / "many", scratch, write=True)) as catalog:
        catalog.keep(progress=_noting(took))
        again_s, size = _timed(catalog.keep), catalog.path.stat().st_size
    texts: dict[str, float] = {}
    with contextlib.closing(Catalog(scratch / "long", scratch, write=True)) as catalog:
        read: list[int] = []
        catalog.keep(progress=_noting(texts, read))
        grown = catalog.path.stat().st_size
    rate, text_rate = runs / took["summaries"], read[-1] / 1e6 / texts["texts"]
    whole, alone = runs / took["events"], runs / decode_s
    return [
        Finding(
            f"summaries of {runs:,} runs indexed",
            f"{rate:,.0f}",
            1,
            rate,
            "at least",
            20_000,
            "runs/s",
            f"reading and decoding the same files alone: {alone:,.0f}; with their events: {whole:,.0f}; "
            f"looked over again with nothing new: {again_s:.2f} s; {size / runs:,.0f} bytes a run",
        ),
        Finding(
            f"texts indexed ({read[-1] / 1e6:.0f} MB in 50 long runs)",
            f"{text_rate:.1f}",
            1,
            text_rate,
            "at least",
            20,
            "MB/s",
            f"the index is {grown / read[-1]:.2f} of the text",
        ),
    ]


def _noting(took: dict[str, float], read: list[int] | None = None) -> Callable[[Progress], None]:
    """Adds up the seconds of each phase."""
    last = [time.perf_counter()]

    def note(progress: Progress) -> None:
        now = time.perf_counter()
        took[progress.phase] = took.get(progress.phase, 0.0) + now - last[0]
        last[0] = now
        if read is not None:
            read.append(progress.read_bytes)

    return note


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

        plain, counted = times(_plain(), 200, catalog.page), times(_plain(), 60, catalog.count)
        queries = [parse(text).query for text in itertools.islice(_full(), 200)]
        full = sorted(1000 * _timed(partial(catalog.page, query)) for query in queries)
    p95, median = full[189], full[99]
    return [
        Finding(
            f"a filter over {runs:,} runs, first page",
            plain.text(),
            plain.n,
            plain.median,
            "at most",
            50,
            "ms",
            f"p99 {plain.p99:.0f} ms; counting all that fit {counted.text()} ms",
        ),
        Finding(
            f"full text over {runs:,} runs, first page, p95",
            f"{p95:.1f}",
            len(full),
            p95,
            "at most",
            100,
            "ms",
            f"median {median:.1f}, worst {full[-1]:.0f}; every hit is verified in the files",
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
