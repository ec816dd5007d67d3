"""Somebody exchanges directories and files for links while a run is written and read: case 77.

Three seconds in an ordinary run; `BUDDY_SWAP_S=60 python -m pytest tests/core/writing/test_swap_race.py -s` for longer.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from buddy_core.errors import BuddyError
from buddy_core.runs.artifacts.files import list_artifacts
from buddy_core.runs.store.store import RunStore

ATTACKER = Path(__file__).with_name("swap_attacker.py")
SECONDS = float(os.environ.get("BUDDY_SWAP_S", "3"))
SECRET = "the secret"

pytestmark = [
    pytest.mark.sweep,
    pytest.mark.skipif(
        sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "renameat2"),
        reason="renameat2 exchanges names",
    ),
]


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A directory that looks like a run's, with secrets in it."""
    victim = tmp_path / "victim"
    (victim / "artifacts").mkdir(parents=True)
    for name in ("events.jsonl", "metrics.json", "artifacts/plan.md", "artifacts/secret.txt"):
        (victim / name).write_text(SECRET)
    return victim


def state(victim: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(victim)): (path.stat().st_ino, path.read_text() if path.is_file() else "")
        for path in victim.rglob("*")
    }


@contextmanager
def attacked(root: Path, victim: Path) -> Iterator[Callable[[], int]]:
    """Under attack; what is yielded ends it and says how many flips there were."""
    command = [sys.executable, str(ATTACKER), str(root), str(victim)]
    attacker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert attacker.stdout is not None
    attacker.stdout.readline()
    try:
        yield lambda: int(attacker.communicate("stop\n", timeout=30)[0])
    finally:
        attacker.kill()
        attacker.wait()


def test_writing_and_reading_under_attack_has_no_effect_outside(tmp_path: Path, victim: Path) -> None:
    """Case 77: 0 effects outside, 0 secrets read, and what was acknowledged is in the run."""
    before, root = state(victim), tmp_path / "runs"
    store, done, leaked = RunStore(root, max_runs=None, durable=False), Counter[str](), []
    with attacked(root, victim) as stop:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            with suppress(BuddyError):
                run_id = store.start_run("x")
                for number in range(20):
                    done["acked"] += store.emit(run_id, "tick", {"n": number})
                    leaked += write_and_read(store, run_id, done)
                store.end_run(run_id, "completed")
        flips = stop()
    print(f"{flips} flips in {SECONDS:g} s: {dict(done)}")

    assert flips > 50
    assert done["saved"] > 50
    assert done["read"] > 20
    assert leaked == []
    assert state(victim) == before


def write_and_read(store: RunStore, run_id: str, done: Counter[str]) -> list[str]:
    """One round; returns what it read of the victim's."""
    with suppress(BuddyError):
        store.save_artifact(run_id, "plan.md", "mine")
        done["saved"] += 1
    with suppress(BuddyError):
        store.update_metrics(run_id, total_tokens=1)
    text = store.get_artifact(run_id, "plan.md")
    done["read"] += text == "mine"
    names = [info.name for info in list_artifacts(store.runs_dir / run_id)]
    found = [text or "", *names, *(str(event.data) for event in store.get_events(run_id))]
    return [words for words in found if SECRET in words or "secret" in words]


def test_the_attack_reaches_whoever_goes_by_paths(tmp_path: Path, victim: Path) -> None:
    """The negative control of case 77: what a path leads to is not what it led to."""
    root = tmp_path / "runs"
    artifacts = root / "run_mk5k1qoj_724ab2" / "artifacts"
    artifacts.mkdir(parents=True)
    before = state(victim)
    with attacked(root, victim) as stop:
        end = time.monotonic() + 20
        while time.monotonic() < end and state(victim) == before:
            with suppress(OSError):
                (artifacts / "plan.md").write_text("mine")
        stop()
    assert state(victim) != before
