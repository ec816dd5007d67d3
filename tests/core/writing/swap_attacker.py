"""Flips directories and files of a runs root to links and back, as fast as it can. Run as a script, by the swap race.

    python tests/core/writing/swap_attacker.py ROOT VICTIM

Every run directory, its `artifacts`, its event file and one artifact are exchanged with a link into VICTIM,
where the same names lie, and back again. Ends when its standard input does.
"""

from __future__ import annotations

import ctypes
import os
import random
import select
import sys
from pathlib import Path

AT_FDCWD = -100
RENAME_EXCHANGE = 2
PLACES = ("", "artifacts", "artifacts/plan.md", "events.jsonl", "metrics.json")

_libc = ctypes.CDLL(None, use_errno=True)


def exchange(one: Path, other: Path) -> bool:
    """Let two names change places in one step; False when one is not there, or the kernel cannot."""
    return not _libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)


def attack(root: Path, victim: Path, chance: random.Random) -> int:
    """One flip and its taking back; 1 when the flip was made."""
    runs = [path for path in root.glob("run_*") if not path.is_symlink()]
    if not runs:
        return 0
    place = chance.choice(PLACES)
    target = max(runs) / place if chance.random() < 0.7 else chance.choice(runs) / place
    link = root / ".link"
    link.unlink(missing_ok=True)
    link.symlink_to(victim / place)
    if not exchange(link, target):
        return 0
    exchange(link, target)
    return 1


def main() -> None:
    """Flip until told to stop, then say how often."""
    root, victim = map(Path, sys.argv[1:])
    chance, flips = random.Random(1), 0
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        try:
            flips += attack(root, victim, chance)
        except OSError:
            continue  # the other side was faster
    print(flips)


if __name__ == "__main__":
    main()
