"""A catalog that is damaged, killed, out of room or out of memory: it is lost, never the answer (cases 52, 54, 98)."""

from __future__ import annotations

import contextlib
import random
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.core.catalog.test_catalog import CLOCK, by_catalog, by_scan, opened, plan, write
from tests.core.catalog_stores import RunPlan

from buddy_core.caches.errors import CacheUnavailable
from buddy_core.runs.catalog import catalog as catalog_module
from buddy_core.runs.catalog.catalog import Catalog
from buddy_core.runs.query.model import EVERYTHING
from buddy_core.runs.query.parser import parse

ROOT = Path(__file__).parents[3]
FOUND = parse("content:exit tool:bash number").query


def store(root: Path, runs: int = 12) -> None:
    (root / "runs").mkdir()
    write(root, *(numbered(number) for number in range(runs)))


def numbered(number: int) -> RunPlan:
    return plan(number, objective=f"number {number}", tools=["bash", "view_file"], artifacts=["plan.md"])


def same_as_scan(root: Path) -> None:
    with opened(root) as catalog:
        catalog.keep()
        for query in (EVERYTHING, FOUND):
            assert by_catalog(catalog, query) == by_scan(root, query)


def test_bytes_flipped_in_every_page_lose_the_catalog_at_most(tmp_path: Path) -> None:
    """Case 52."""
    store(tmp_path)
    with opened(tmp_path) as catalog:
        catalog.keep()
        path = catalog.path
    good, chance = path.read_bytes(), random.Random(7)
    for page in range(0, len(good), 4096):
        data = bytearray(good)
        for _ in range(8):
            data[page + chance.randrange(4096)] ^= 0xFF
        path.write_bytes(data)
        with contextlib.suppress(CacheUnavailable), opened(tmp_path) as catalog:
            catalog.keep()
            catalog.page(FOUND, limit=0)
            catalog.count(EVERYTHING)
    with opened(tmp_path) as catalog:
        catalog.discard()
    same_as_scan(tmp_path)


def test_damage_that_a_question_finds_is_mended_by_the_next_keeping(tmp_path: Path) -> None:
    """Case 52."""
    store(tmp_path)
    with opened(tmp_path) as catalog:
        catalog.keep()
        catalog._cache.connection.execute("UPDATE body SET crc = crc + 1 WHERE num = 5")
        with pytest.raises(CacheUnavailable):
            catalog.page(limit=0)
        assert catalog.page() == []
        assert catalog.path.with_name(catalog.path.name + ".corrupt").exists()
        catalog.keep()
        assert by_catalog(catalog) == by_scan(tmp_path, EVERYTHING)


def test_a_writer_that_was_not_closed_has_its_pages_looked_over(tmp_path: Path) -> None:
    """Case 54: after the machine itself failed, pages that were never written may look like any others."""
    store(tmp_path)
    with opened(tmp_path) as catalog:
        catalog.keep()
        path, killed = catalog.path, catalog.path.read_bytes()
    closed = path.read_bytes()
    page = next(
        at
        for at in range(len(killed) - 4096, 0, -4096)
        if killed[at] in (2, 5, 10, 13)  # of a tree
    )
    for data, left in ((closed, 12), (killed, 0)):
        path.write_bytes(data[: page + 3] + b"\xff\xff" + data[page + 5 :])
        with opened(tmp_path) as catalog:
            assert catalog.count() == left
    same_as_scan(tmp_path)


def kill_while_keeping(root: Path, after_s: float) -> None:
    code = (
        "import pathlib,sys\nfrom buddy_core.clock import ManualClock\n"
        "from buddy_core.runs.catalog.catalog import Catalog\nfrom buddy_core.runs.catalog import keeping\n"
        "keeping._COMMIT_S = keeping._FIRST_COMMIT_S = 0.0\nroot=pathlib.Path(sys.argv[1])\n"
        f"c=Catalog(root/'runs',root/'state',write=True,clock=ManualClock({CLOCK.now_ms()}))\n"
        "print('open',flush=True)\n"
        "while True:\n    c.discard() if int(sys.argv[2]) else None\n    c.keep()\n"
        "    c._cache.connection.execute('UPDATE run SET signature=1, indexed=0')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(root), str(int(after_s * 1e5) % 2)],
        env={"PYTHONPATH": str(ROOT / "core")},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def kills(root: Path, times: int) -> None:
    store(root, 6)
    chance = random.Random(54)
    for _ in range(times):
        kill_while_keeping(root, chance.uniform(0.0, 0.12))
        same_as_scan(root)


@pytest.mark.sweep
def test_a_killed_indexer_leaves_a_catalog_that_is_good_or_begun_anew(tmp_path: Path) -> None:
    """Case 54."""
    kills(tmp_path, 8)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_killed_indexers(tmp_path: Path) -> None:
    """Case 54."""
    kills(tmp_path, 1_000)


def in_child(root: Path, limits: str) -> str:
    """Keep a catalog in a process with less of something; gives what became of it."""
    code = (
        "import pathlib,resource,sys,signal\nfrom buddy_core.clock import ManualClock\n"
        "from buddy_core.caches.errors import CacheUnavailable\nfrom buddy_core.runs.catalog.catalog import Catalog\n"
        f"{limits}\nroot=pathlib.Path(sys.argv[1])\n"
        "try:\n"
        f"    c=Catalog(root/'runs',root/'state',write=True,clock=ManualClock({CLOCK.now_ms()}))\n"
        "    c.keep()\n    print('kept', c.count())\n    c.close()\n"
        "except CacheUnavailable as error:\n    print('without:', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        env={"PYTHONPATH": str(ROOT / "core")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_full_disk_is_told_and_nothing_is_lost_but_the_catalog(tmp_path: Path) -> None:
    store(tmp_path)
    said = in_child(tmp_path, "resource.setrlimit(resource.RLIMIT_FSIZE,(40_000,40_000))")
    assert said.startswith("without:")
    same_as_scan(tmp_path)


def test_little_memory_is_enough_or_told(tmp_path: Path) -> None:
    """Case 98."""
    store(tmp_path)
    assert resource.RLIMIT_AS
    said = in_child(tmp_path, "resource.setrlimit(resource.RLIMIT_AS,(400 << 20, 400 << 20))")
    assert said.startswith(("kept 12", "without:"))


def test_a_sqlite_without_full_text_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(tmp_path)
    layout = catalog_module.LAYOUT
    broken = replace(layout, statements=tuple(text.replace("fts5", "fts9") for text in layout.statements))
    monkeypatch.setattr(catalog_module, "LAYOUT", broken)
    with pytest.raises(CacheUnavailable, match="no such module"):
        Catalog(tmp_path / "runs", tmp_path / "state", write=True)


def test_a_write_that_waits_for_ever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 52: `BEGIN EXCLUSIVE` by somebody else."""
    import sqlite3

    monkeypatch.setattr("buddy_core.caches.db.BUSY_S", 0.05)
    store(tmp_path)
    with opened(tmp_path) as catalog:
        catalog.keep()
        path = catalog.path
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CacheUnavailable), opened(tmp_path, write=False) as reader:
            reader.page()
        with pytest.raises(CacheUnavailable), opened(tmp_path) as catalog:
            catalog.keep()
    same_as_scan(tmp_path)
