"""What this very process uses: processor time and memory, as the system counts them.

Linux says both in `/proc`; elsewhere the memory in use now is not known without a package, only the most there
ever was (getrusage(2)). What nobody says is None.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

STATM = Path("/proc/self/statm")
"""Sizes of this process in pages; the second number is what is resident (proc(5))."""


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """One look."""

    cpu_ms: float
    """Processor time of all threads since the process began, in user mode and in the kernel."""
    memory_bytes: int | None
    """Resident now."""
    peak_memory_bytes: int | None
    """The most that was ever resident."""


def process_use(statm: Path = STATM) -> ProcessUse:
    """Look now; takes a few hundredths of a millisecond and no file of a disk."""
    return ProcessUse(time.process_time_ns() / 1_000_000, resident_bytes(statm), peak_bytes())


def resident_bytes(statm: Path = STATM) -> int | None:
    """Resident memory by `statm`; None where there is no such file or it says something else."""
    try:
        pages = statm.read_bytes().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def peak_bytes() -> int | None:
    """The most memory that was resident; None where the system does not say.

    `ru_maxrss` is in kilobytes, on macOS in bytes.
    """
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (most if sys.platform == "darwin" else most * 1024) or None
