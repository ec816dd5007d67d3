"""What must hold of the filter language, the sanitiser and the rules of names, whatever text they are given.

Each check takes any bytes at all as UTF-8, what is no UTF-8 as halves of surrogate pairs, and raises
AssertionError where a promise is broken.
"""

from __future__ import annotations

import json
import ntpath
import os
import posixpath
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from functools import cache
from pathlib import Path

from buddy_core.errors import BadArtifactName
from buddy_core.runs.artifacts.names import check_artifact_name, check_component
from buddy_core.runs.catalog.filling.summaries import _tolerantly
from buddy_core.runs.names import is_run_id, run_id_at, started_at_of
from buddy_core.runs.query.candidate import Candidate
from buddy_core.runs.query.canonical import canonical
from buddy_core.runs.query.completion import Known, complete
from buddy_core.runs.query.evaluate import Matcher
from buddy_core.runs.query.model import Query, Term
from buddy_core.runs.query.parser import parse
from buddy_core.safety.ascii import to_ascii
from buddy_core.safety.paths import open_beneath
from buddy_core.safety.shown import shown, shown_lines
from buddy_core.safety.text import is_plain, plain, plain_lines

NOW = 1_767_890_000_000
_LONGEST = 20_000
_TOKEN = "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u00a0\u3000"
_WINDOWS_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}


def text_of(data: bytes) -> str:
    """Any bytes as text, with halves of surrogate pairs in it where they are no UTF-8."""
    return data[:_LONGEST].decode("utf-8", "surrogateescape")


def check_filter(data: bytes) -> None:
    """The filter language: what is understood is written down and understood again, and answers yes or no."""
    text = text_of(data[1:])
    parsed = parse(text)
    for problem in parsed.problems:
        assert 0 <= problem.begin <= problem.end <= len(text)
        assert problem.words
    written = canonical(parsed.query)
    again = parse(written)
    assert again.query == parsed.query, "what is written down means something else"
    assert again.problems == ()
    assert canonical(again.query) == written
    for term in parsed.query.terms:
        for run in _candidates():
            assert _fits(Term(term.condition), run) != _fits(Term(term.condition, negated=True), run)
    assert _fits_all(parsed.query) == [
        all(_fits(term, run) for term in parsed.query.terms) for run in _candidates()
    ]
    _check_completion(text, data[0] if data else 0)


def _fits(term: Term, run: Candidate) -> bool:
    return Matcher(Query((term,)), now_ms=NOW, content=_holds, tz=UTC).fits(run)


def _fits_all(query: Query) -> list[bool]:
    matcher = Matcher(query, now_ms=NOW, content=_holds, tz=UTC)
    return [matcher.fits(run) for run in _candidates()]


def _holds(run_id: str, text: str) -> bool:
    return len(text) % 2 == len(run_id) % 2


@cache
def _candidates() -> tuple[Candidate, ...]:
    """A run of which much is known, and one of which next to nothing is."""
    much = {"objective": "Fix the login", "status": "failed", "startedAt": NOW - 60_000, "endedAt": NOW}
    metadata = {"tags": ["bugfix", "gpt-5.5"]}
    totals = {"totalTokens": 150_000, "totalCost": 0.75, "durationMs": 60_000}
    known = _tolerantly(
        "run_mk000000_aaaaaa",
        json.dumps({**much, "metadata": metadata}).encode(),
        json.dumps(totals).encode(),
    )
    unknown = _tolerantly("run_mk000001_bbbbbb", b'{"status":"cancelled","startedAt":0}', b"")
    assert known is not None and unknown is not None
    return replace(known, tools=("bash", "view_file"), errors=("exit 1",)), unknown


def _check_completion(text: str, cursor: int) -> None:
    known = Known(
        tags=lambda: ("bugfix", "two words", "a,b", '"'), tools=lambda: ("bash", "\x1b[2J", "x" * 300)
    )
    found = complete(text, cursor, known)
    assert 0 <= found.begin <= found.end <= len(text)
    typed = text[: found.begin]
    before = len(parse(typed).problems)
    for option in found.options[:5]:
        assert is_plain(option.text), "a completion that nobody can type"
        assert len(parse(typed + option.text).problems) <= before + 1


def check_text(data: bytes) -> None:
    """The sanitiser: nothing but printable text of bounded length, the same when done twice, without the secret."""
    text, limit = text_of(data[1:]), 1 + (data[0] if data else 0)
    line = plain(text, limit=limit)
    _check_plain(line)
    assert len(line) <= limit
    whole = plain(text, limit=10 * _LONGEST * 12)
    _check_plain(whole)
    assert plain(whole, limit=len(whole)) == whole, "done twice it is another"
    for one in plain_lines(text, limit_lines=50, limit_width=limit):
        _check_plain(one)
        assert len(one) <= max(limit, 30)
    narrow = to_ascii(whole)
    assert narrow.isascii() and (narrow == "" or narrow.isprintable())
    secret = f"{text[:limit]} {_TOKEN} {text[limit:]}"
    for one in (shown(secret, limit=limit + 200), *shown_lines(secret)):
        _check_plain(one)
        assert _TOKEN[8:] not in one, "a secret is shown"


def _check_plain(text: str) -> None:
    assert is_plain(text)
    marks = 0
    for sign in text:
        kind = unicodedata.category(sign)
        assert kind not in _UNSEEN, f"U+{ord(sign):04X} is shown"
        marks = marks + 1 if kind[0] == "M" else 0
        assert marks <= 8, "a pile of marks"


def check_names(data: bytes) -> None:
    """Names of artifacts and runs: one plain component on every system, or refused; nothing outside is opened."""
    name = text_of(data)
    try:
        check_artifact_name(name)
    except BadArtifactName as refused:
        assert is_plain(str(refused)) or not is_plain(name)
    else:
        _check_written(name)
        _check_written(unicodedata.normalize("NFKC", name))
    try:
        check_component(name)
    except BadArtifactName:
        pass
    else:
        assert _stays(name), "a name that leads elsewhere"
    if is_run_id(name):
        started = started_at_of(name)
        assert started is not None and _stays(name) and name.isascii()
        assert started_at_of(run_id_at(started, name[-6:])) == started
    _check_opening(name)


def _check_written(name: str) -> None:
    assert name and _stays(name) and len(os.fsencode(name)) <= 200 * 6
    assert unicodedata.is_normalized("NFC", name)
    assert not set(name) & set("/\\:*?\"<>|$`&;!%'") and name.isprintable()
    assert name[0] not in "-.~ +=@#^" and name[-1] not in ". "
    assert ntpath.basename(name) == name and ntpath.splitdrive(name)[0] == ""
    assert name.split(".")[0].strip().upper() not in _WINDOWS_DEVICES
    for sign in name:
        assert unicodedata.category(sign) not in _UNSEEN and sign not in _BLANKS, (
            f"U+{ord(sign):04X} in a name"
        )


def _stays(name: str) -> bool:
    joined = posixpath.normpath(posixpath.join("/runs/one", name))
    return (
        posixpath.dirname(joined) == "/runs/one" and posixpath.basename(joined) == name and "\0" not in name
    )


def _check_opening(name: str) -> None:
    """Opened beneath a directory, with something worth having beside it, a name gives what is in it or nothing."""
    root, inside = _place()
    try:
        opened = open_beneath(root, *name.split("\n"))
    except (OSError, ValueError):
        return
    try:
        assert os.fstat(opened).st_ino == inside, "a file outside was opened"
    finally:
        os.close(opened)


@cache
def _place() -> tuple[Path, int]:
    """A root with one file in it, links out of it, and a file beside it."""
    _KEPT.append(tempfile.TemporaryDirectory(prefix="names-"))
    root = Path(_KEPT[0].name) / "root"
    root.mkdir()
    (root.parent / "secret").write_bytes(b"secret")
    (root / "a").write_bytes(b"inside")
    (root / "b").symlink_to("../secret")
    (root / "c").symlink_to("..")
    return root, (root / "a").stat().st_ino


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def seeds_of_filters() -> Iterator[bytes]:
    """Every field, with values of every kind."""
    for text in (
        'login "exit code" -tag:wip',
        "status:failed,stalled tool:view_*,bash model:sonnet id:mk3 has:patch.diff",
        "cost>0.5 tokens>=100k took<1h30m errors=0 failed>0 calls>=20 events<1.5M",
        "since:2h before:2026-01-08T14:02 since:yesterday before:14:02",
        'content:"a \\" b" -"x y" tag:"a,b",c tga:x since:never http://h/',
    ):
        yield b"\5" + text.encode()
        yield b"\x20" + text.encode()


def seeds_of_texts() -> Iterator[bytes]:
    """What terminals obey and what nobody sees."""
    for text in (
        "plain",
        "żółć 😀 \x1b]52;c;cm0=\x07 \x1b[2J\x9b1m",
        "a\r\nb\tc\u202ed\u200be\u2028f\ufeff",
        "e" + "\u0301" * 20 + "\u1100\u1161\u11a8",
        "[/x] [@click=app.quit]x[/] \U0001f1e9\U0001f1ea\U000e0041",
        "password=hunter2 Bearer abcdefghij",
    ):
        yield b"\x14" + text.encode()
        yield b"\xff" + text.encode() + b"\xff"


def seeds_of_names() -> Iterator[bytes]:
    """Names that may be, and names that must not."""
    for name in (
        "plan.md",
        "a b (1).txt",
        "run_mk000000_aaaaaa",
        "図表.png",
        "a",
        "b",
        "c\nsecret",
        "..\nsecret",
    ):
        yield name.encode()
    for name in (
        "../x",
        "/etc/x",
        "..\\x",
        "CON",
        "COM¹.txt",
        "．．",
        "x.",
        "-x",
        "$x",
        "a\0b",
        "~",
        "e\u0301",
    ):
        yield name.encode()
