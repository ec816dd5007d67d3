"""Few descriptors for many files: the one used longest ago is closed first (case 37)."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from buddy_core.runs.reading.descriptors import DescriptorPool


def an_open_file(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY)


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_beyond_the_limit_the_one_that_was_put_back_longest_ago_is_closed(tmp_path: Path) -> None:
    """Case 37."""
    pool, fds = DescriptorPool(limit=2), [an_open_file(tmp_path) for _ in range(3)]
    pool.put("a", fds[0])
    pool.put("b", fds[1])
    assert pool.take("a") == fds[0]
    pool.put("a", fds[0])
    pool.put("c", fds[2])
    assert [is_open(fd) for fd in fds] == [True, False, True]
    assert (pool.take("b"), pool.take("a"), len(pool)) == (None, fds[0], 1)
    assert "c" in pool and "a" not in pool
    os.close(fds[0])
    pool.clear()
    assert not is_open(fds[2])


@pytest.mark.parametrize(
    ("may_have", "kept"),
    [(40, 10), (256, 64), (255, 63), (1_000_000, 64), (resource.RLIM_INFINITY, 64), (7, 1), (3, 1)],
)
def test_a_pool_keeps_a_quarter_of_what_the_process_may_have_and_never_many(
    may_have: int, kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 37: `ulimit -n`."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (may_have, may_have))
    pool = DescriptorPool()
    for owner in range(70):
        pool.put(owner, an_open_file(tmp_path))
    assert len(pool) == kept
    pool.clear()
    assert len(pool) == 0


def test_a_pool_of_nothing_keeps_one_all_the_same(tmp_path: Path) -> None:
    pool = DescriptorPool(limit=0)
    pool.put("a", an_open_file(tmp_path))
    assert len(pool) == 1
    pool.clear()
