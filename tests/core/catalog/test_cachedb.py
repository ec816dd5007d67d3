"""Caches in SQLite files: private, thrown away when they are no good, written by one process (case 52)."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from buddy_core.caches.db import CacheDb, discard, open_reader, open_writer
from buddy_core.caches.errors import CacheUnavailable, cache_errors
from buddy_core.caches.layout import CacheLayout

LAYOUT = CacheLayout(0x0B0D1, 3, ("CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT) STRICT",))


def put(cache: CacheDb, text: str) -> None:
    with cache.transaction() as connection:
        connection.execute("INSERT INTO note(text) VALUES(?)", (text,))


def notes(cache: CacheDb) -> list[str]:
    return [text for (text,) in cache.connection.execute("SELECT text FROM note ORDER BY id")]


def filled(path: Path) -> None:
    with contextlib.closing(open_writer(path, LAYOUT)) as cache:
        put(cache, "kept")


def test_what_was_written_is_read_by_others_and_later(tmp_path: Path) -> None:
    filled(tmp_path / "state" / "a.sqlite")
    with contextlib.closing(open_reader(tmp_path / "state" / "a.sqlite", LAYOUT)) as cache:
        assert notes(cache) == ["kept"]
        with pytest.raises(sqlite3.OperationalError):
            cache.connection.execute("INSERT INTO note(text) VALUES('x')")


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    """Case 80."""
    before = os.umask(0)
    try:
        filled(tmp_path / "state" / "a.sqlite")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "state").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_an_interrupted_change_leaves_nothing_behind(tmp_path: Path) -> None:
    with contextlib.closing(open_writer(tmp_path / "a.sqlite", LAYOUT)) as cache:
        with pytest.raises(KeyError), cache.transaction() as connection:
            connection.execute("INSERT INTO note(text) VALUES('half')")
            raise KeyError
        assert notes(cache) == []


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with contextlib.closing(open_writer(path, LAYOUT)) as cache:
        put(cache, "kept")
        with pytest.raises(CacheUnavailable, match="another buddy-top"):
            open_writer(path, LAYOUT)
        with contextlib.closing(open_reader(path, LAYOUT)) as reader:
            assert notes(reader) == ["kept"]
    open_writer(path, LAYOUT).close()


def test_the_lock_of_a_killed_writer_is_free(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    code = (
        "import os,sys,pathlib;from buddy_core.caches.db import *;"
        f"c=open_writer(pathlib.Path({str(path)!r}),CacheLayout(0x0B0D1,3,{LAYOUT.statements!r}));"
        "c.connection.execute('BEGIN IMMEDIATE');c.connection.execute(\"INSERT INTO note(text) VALUES('x')\");"
        "os.kill(os.getpid(),9)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "core"}, check=False).returncode == -9
    )
    with contextlib.closing(open_writer(path, LAYOUT)) as cache:
        assert notes(cache) == []


def damage_head(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(b"x" * 64 + data[64:])


def damage_tables(path: Path) -> None:
    """Case 52: a schema that somebody else wrote."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TRIGGER evil AFTER INSERT ON note BEGIN DELETE FROM note; END")


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2000])


def make_older(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=2")


@pytest.mark.parametrize("harm", [damage_head, damage_tables, cut_off, make_older])
def test_a_file_that_is_no_good_is_not_read_and_begun_anew(tmp_path: Path, harm: object) -> None:
    path = tmp_path / "a.sqlite"
    filled(path)
    harm(path)  # type: ignore[operator]
    with pytest.raises(CacheUnavailable):
        open_reader(path, LAYOUT)
    with contextlib.closing(open_writer(path, LAYOUT)) as cache:
        assert cache.fresh
        assert notes(cache) == []
        put(cache, "again")
    assert path.with_name("a.sqlite.corrupt").exists() is (harm is not make_older)
    with contextlib.closing(open_reader(path, LAYOUT)) as cache:
        assert notes(cache) == ["again"]


def test_no_flipped_byte_raises_anything_but_the_errors_of_caches(tmp_path: Path) -> None:
    """Case 52: a byte flipped in every page, and in many places of each."""
    path = tmp_path / "a.sqlite"
    with contextlib.closing(open_writer(path, LAYOUT)) as cache:
        for number in range(60):
            put(cache, f"{number} " * 100)
    good = path.read_bytes()
    for place in range(0, len(good), 331):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        try:
            with contextlib.closing(open_writer(path, LAYOUT)) as cache, cache_errors(path):
                notes(cache)
                put(cache, "x")
        except CacheUnavailable:
            discard(path)


def test_no_place_to_write_and_no_file_to_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheUnavailable):
        open_writer(tmp_path / "file" / "a.sqlite", LAYOUT)
    with pytest.raises(CacheUnavailable):
        open_reader(tmp_path / "none.sqlite", LAYOUT)


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    """Case 76."""
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "a.sqlite").symlink_to(tmp_path / "victim")
    with pytest.raises(CacheUnavailable):
        open_writer(tmp_path / "a.sqlite", LAYOUT)
    assert (tmp_path / "victim").read_text() == "precious"
