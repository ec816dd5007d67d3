"""What tests of the tail share: a file that grows, and a tail of it with descriptors of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.tailed import event_file, own_pool, tail_of

from buddy_core.runs.reading.descriptors import DescriptorPool
from buddy_core.runs.reading.tail import FileTail


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return event_file(tmp_path)


@pytest.fixture
def pool() -> Iterator[DescriptorPool]:
    with own_pool() as pool:
        yield pool


@pytest.fixture
def tail(events: Path, pool: DescriptorPool) -> FileTail:
    return tail_of(events, pool)
