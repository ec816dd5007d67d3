"""A file is read the same however its bytes come in pieces (case 20, C4).

Chunks of up to 16 bytes in an ordinary run of the tests; more with `BUDDY_SPLITS=300 python -m pytest
tests/core/reading/test_splits.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest
from tests.core.reading.damaged_lines import DAMAGE, facts, line, read
from tests.core.tailed import append, event_file, own_pool

from buddy_core.runs.reading.jsonl import Batch, EventBatch
from buddy_core.runs.reading.tail import CHUNK, FileTail

SPLITS = int(os.environ.get("BUDDY_SPLITS", "16"))
SHORT = 280
"""With this `max_line` three of the lines are too long."""

WHOLE = b"\xef\xbb\xbf" + b"".join(DAMAGE)
Told = Callable[[str, object], None]


def pieces(text: bytes, first: int, size: int) -> Iterator[bytes]:
    """`first` bytes, then pieces of `size`."""
    return chain((text[:first],), (text[at : at + size] for at in range(first, len(text), size)))


@pytest.mark.parametrize("max_line", [SHORT, 1024])
def test_every_cut_into_two_gives_the_same(max_line: int) -> None:
    """Case 20: inside UTF-8, between CR and LF, inside escapes, inside NUL runs and torn records."""
    whole, reader = read(WHOLE, max_line=max_line)
    for cut in range(len(WHOLE) + 1):
        parts, other = read(WHOLE[:cut], WHOLE[cut:], max_line=max_line)
        assert facts(parts) == facts(whole), cut
        assert other.accounting() == reader.accounting(), cut


@pytest.mark.timeout(120 + 20 * SPLITS)
def test_every_size_of_chunk_from_every_place_on_gives_the_same(record_property: Told) -> None:
    """Case 20: an edge stands at every byte, whatever the size of the chunks."""
    whole, reader = read(WHOLE, max_line=SHORT)
    wanted, account = facts(whole), reader.accounting()
    tried = 0
    for size in range(1, SPLITS + 1):
        for first in range(size):
            parts, other = read(*pieces(WHOLE, first, size), max_line=SHORT)
            assert facts(parts) == wanted, (size, first)
            assert other.accounting() == account, (size, first)
            tried += 1
    record_property(
        "figure",
        f"chunks of 1 to {SPLITS} bytes, edges at each of {len(WHOLE):,} bytes ({tried:,} readings): lost 0, doubled 0",
    )


SPECIAL = line(2, text='żółć 😀 \\ " \n')[:-1] + b"\r\n"


@pytest.mark.parametrize("chunk", [64 * 1024, CHUNK])
def test_a_line_across_the_edge_of_a_chunk_is_read_whole(
    chunk: int, tmp_path: Path, record_property: Told
) -> None:
    """Case 20: the edge at every byte of a line, and eight bytes to either side, inside UTF-8, CR LF and escapes."""
    events = event_file(tmp_path)
    edges = range(-8, len(SPECIAL) + 9)
    wanted, _ = read(SPECIAL)
    with own_pool() as pool:
        for edge in edges:
            before = line(1, pad="a" * (chunk - edge - len(line(1, pad=""))))
            events.write_bytes(before + SPECIAL + line(3))
            tail = FileTail(events.parents[1], events.parent.name, chunk=chunk, descriptors=pool)
            change = tail.poll()
            assert [event.data for event in change.batch.events[1:2]] == [wanted.events[0].data]
            assert change.batch.offsets == [0, len(before), len(before) + len(SPECIAL)]
            assert change.accounting.delivered == change.accounting.seen == events.stat().st_size
            tail.close()
    record_property("figure", f"{len(edges)} places of the edge of {chunk // 1024} KiB: lost 0, doubled 0")


@pytest.mark.timeout(120 + 20 * SPLITS)
@pytest.mark.parametrize("chunk", [3, CHUNK])
def test_a_poll_after_any_byte_changes_nothing(chunk: int, tmp_path: Path, record_property: Told) -> None:
    """Cases 20 and 21: the writer has come so far, the tail looks, the writer goes on."""
    events = event_file(tmp_path)
    text = WHOLE if SPLITS > 16 else line(1) + line(2)[:40] + SPECIAL + b"\0" * 9 + line(4)
    whole, reader = read(text, max_line=SHORT)
    with own_pool() as pool:
        for cut in range(len(text) + 1):
            events.write_bytes(text[:cut])
            tail = FileTail(
                events.parents[1], events.parent.name, chunk=chunk, max_line=SHORT, descriptors=pool
            )
            told: EventBatch = Batch()
            told.extend(tail.poll().batch)
            append(events, text[cut:])
            change = tail.poll()
            told.extend(change.batch)
            assert facts(told) == facts(whole), cut
            assert change.accounting == reader.accounting(), cut
            tail.close()
    record_property(
        "figure", f"{len(text) + 1:,} polls in the midst of a file in chunks of {chunk:,}: lost 0, doubled 0"
    )
