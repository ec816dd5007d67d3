"""The tables of a catalog, and where its file is.

`run` has one narrow row a run, all that filters and orders ask; `body` what a list shows of it. A run that is read
again gets a new number, so that the two indexes of texts only ever grow: what they say of numbers that are gone
is not asked. `wordblock` and `word` hold the words of many runs end to end, which are searched as they are:
that is five times faster than any index of SQLite for words of three letters, and finds every part of a word.
`content` is the full text, piece by piece: the row of a piece is the number of its run, shifted, and its own. It
keeps of each piece which groups of three letters occur in the words of its
events and artifacts, and no text: it says which runs may hold a phrase, and their files say which do. So an answer is
exact and never older than the files, and no secret can be read in the index as it could in a copy of the text.
`sign` has the signatures of short runs, by which most of those are passed over that do not hold it after all.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from buddy_core.caches.layout import CacheLayout
from buddy_core.safety.paths import real_root

_RUN = """CREATE TABLE run(
    num INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, signature INTEGER NOT NULL, whole INTEGER NOT NULL,
    indexed INTEGER NOT NULL, ended INTEGER NOT NULL, own_model INTEGER NOT NULL, status TEXT NOT NULL,
    started_at INTEGER NOT NULL, id_at INTEGER NOT NULL, span_end INTEGER NOT NULL, took INTEGER,
    tokens INTEGER, cost REAL, errors INTEGER, failed INTEGER, calls INTEGER, events INTEGER,
    tag INTEGER, tool INTEGER, model INTEGER, has INTEGER, title TEXT NOT NULL, parent TEXT,
    pieces INTEGER NOT NULL DEFAULT 0)"""
_WORDBLOCK = """CREATE TABLE wordblock(
    id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, runs INTEGER NOT NULL,
    text BLOB NOT NULL)"""
_CONTENT = """CREATE VIRTUAL TABLE content USING fts5(
    words, content='', detail=none, columnsize=0, tokenize='trigram case_sensitive 1')"""

SEGMENT_BITS = 13
"""A row of `content` is `num << SEGMENT_BITS | piece`: so few that the step from run to run takes two bytes."""

LAYOUT = CacheLayout(
    application_id=0x62744361,
    version=7,
    statements=(
        "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID",
        _RUN,
        "CREATE INDEX run_started ON run(started_at, run_id)",
        "CREATE INDEX run_parent ON run(parent) WHERE parent IS NOT NULL",
        "CREATE INDEX run_open ON run(num) WHERE ended=0",
        "CREATE INDEX run_waiting ON run(num) WHERE indexed=0",
        "CREATE TABLE body(num INTEGER PRIMARY KEY, crc INTEGER NOT NULL, record BLOB NOT NULL)",
        "CREATE TABLE nameset(id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE)",
        "CREATE TABLE word(num INTEGER PRIMARY KEY, text BLOB NOT NULL)",
        _WORDBLOCK,
        _CONTENT,
        "CREATE TABLE sign(num INTEGER PRIMARY KEY, bits BLOB NOT NULL)",
    ),
)


def catalog_path(state_dir: Path, runs_dir: Path) -> Path:
    """The file of the catalog of `runs_dir`, whichever links lead there."""
    name = hashlib.sha256(str(real_root(runs_dir)).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return state_dir / "catalog" / f"{name}.sqlite"
