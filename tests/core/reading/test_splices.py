"""Records spliced into one another: how many are recovered, and that none is made up (case 30).

100 splices of each signature in an ordinary run of the tests; more with `BUDDY_SPLICES=10000 python -m pytest
tests/core/reading/test_splices.py`.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.core.reading.splices import SIGNATURES, Quarry, Splice, real_lines
from tests.core.replayable import Replayable
from tests.samples import OWN, sample_data

from buddy_core.runs.reading import salvage
from buddy_core.runs.reading.jsonl import JsonlReader
from buddy_core.runs.records.wire import EVENTS, WireEvent

SPLICES = int(os.environ.get("BUDDY_SPLICES", "100"))
SEED = int(os.environ.get("BUDDY_SEED", "30"))


class Yield(NamedTuple):
    """What came of the splices of one signature."""

    there: int
    """Intact records on damaged lines."""
    recovered: int
    false: int
    """Records that were never written, or twice."""

    @property
    def rate(self) -> float:
        """Recovered of those that were there; 1 where none was."""
        return self.recovered / self.there if self.there else 1.0


def facts(event: WireEvent) -> tuple[object, ...]:
    return event.ts, event.type, event.run_id, bytes(event.data)


def dig(signature: str, lines: list[bytes], splices: int) -> Yield:
    """Read many splices, each as a file of its own."""
    quarry = Quarry(lines, random.Random(f"{SEED} {signature}"))
    there = recovered = false = 0
    for _ in range(splices):
        quarry.named = quarry.chance.random() < 0.8
        splice = SIGNATURES[signature](quarry)
        got = read(splice)
        wanted = Counter(facts(EVENTS.strict(record)) for record in (*splice.dug, *splice.whole))
        there += len(splice.dug)
        recovered += len(splice.dug) - (wanted - got).total()
        false += (got - wanted).total()
    return Yield(there, recovered, false)


def read(splice: Splice) -> Counter[tuple[object, ...]]:
    reader = JsonlReader()
    batch = reader.feed(splice.text)
    account = reader.accounting()
    assert account.balanced and account.seen == len(splice.text) and account.pending == 0
    assert account.recovered_lines == max(0, len(batch) - len(splice.whole)), "each is flagged as recovered"
    return Counter(map(facts, batch.events))


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """Real records, with those of the larger sample where it is there."""
    try:
        larger = [sample_data() / "codebuddy-home" / "runs"]
    except pytest.skip.Exception:
        larger = []
    return real_lines(OWN / "home" / "runs", *larger)


@pytest.mark.timeout(120 + SPLICES)
def test_a_record_spliced_into_others_is_recovered_and_none_is_made_up(
    lines: list[bytes], record_property: Callable[[str, object], None]
) -> None:
    """Case 30: every signature, torn at places taken by chance."""
    found = {signature: dig(signature, lines, SPLICES) for signature in SIGNATURES}
    assert {signature: one.false for signature, one in found.items() if one.false} == {}
    assert {signature: one.rate for signature, one in found.items() if one.rate < 0.999} == {}
    there, recovered = sum(one.there for one in found.values()), sum(one.recovered for one in found.values())
    worst = min(found, key=lambda signature: found[signature].rate)
    record_property(
        "figure",
        f"{len(found)} signatures × {SPLICES:,} splices: {recovered:,} of {there:,} records recovered "
        f"({recovered / there:.3%}; worst “{worst}” {found[worst].rate:.2%}), made up 0",
    )


@pytest.mark.parametrize("signature", ["torn log of logs", "end of a log of logs", "torn log of logs, next"])
def test_without_a_look_around_records_would_be_made_up(
    signature: str, lines: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of case 30."""
    monkeypatch.setattr(salvage, "_believable", lambda *_: True)
    assert dig(signature, lines, 50).false > 0


def test_where_only_whole_lines_count_hardly_any_would_be_recovered(
    lines: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other negative control of case 30."""
    monkeypatch.setattr(salvage, "_objects", lambda *_: iter(()))
    assert dig("torn, next", lines, 50).rate == 0


@pytest.fixture
def recorded(tmp_path: Path) -> Replayable:
    """A run that ran tests, and a directory in which they could run again."""
    return Replayable(tmp_path)


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_command_dug_out_of_a_damaged_line_is_never_replayable(
    signature: str, recorded: Replayable
) -> None:
    """Case 30: only what stands on a line of its own is."""
    head = b'{"ts":1767890000000,"runId":"run_mk000000_aaaaaa",'
    lines = [
        head + b'"type":"tool_call","data":{"toolName":"bash","toolCallId":"c","args":{"command":"pytest"}}}'
    ]
    quarry = Quarry(lines, random.Random(signature))
    splices = [SIGNATURES[signature](quarry) for _ in range(20)]
    recorded.run.raw(
        b"".join(splice.text for splice in splices).replace(
            b"run_mk000000_aaaaaa", recorded.run.run_id.encode()
        )
    )
    tests = [item.test for item in recorded.replay().items]
    assert any(test.command for test in tests) == any(splice.whole for splice in splices)
    assert all(test.obstacle == "its record is damaged" for test in tests if not test.command)
