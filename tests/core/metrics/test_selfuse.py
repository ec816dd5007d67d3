"""What a process knows of itself: what the system says, and None where it says nothing."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from buddy_core.selfuse import peak_bytes, process_use, resident_bytes


def test_it_agrees_with_a_program_that_measures_processes() -> None:
    use, seen = process_use(), psutil.Process()
    times = seen.cpu_times()
    assert use.cpu_ms == pytest.approx(1000 * (times.user + times.system), rel=0.2, abs=50)
    if use.memory_bytes is not None:
        assert use.memory_bytes == pytest.approx(seen.memory_info().rss, rel=0.2)
        assert use.peak_memory_bytes is not None
        assert use.peak_memory_bytes >= 0.9 * use.memory_bytes


@pytest.mark.parametrize("data", [b"", b"7", b"7 x", b"\xff \xff"])
def test_what_is_not_said_is_not_known(tmp_path: Path, data: bytes) -> None:
    statm = tmp_path / "statm"
    assert resident_bytes(statm) is None
    statm.write_bytes(data)
    assert resident_bytes(statm) is None
    assert process_use(statm).peak_memory_bytes == peak_bytes()


def test_memory_is_told_in_pages(tmp_path: Path) -> None:
    statm = tmp_path / "statm"
    statm.write_text("900 100 20 1 0 80 0\n")
    assert resident_bytes(statm) == 100 * os.sysconf("SC_PAGE_SIZE")
