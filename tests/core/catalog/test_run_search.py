"""Words found in runs: what is found, what is passed over, and what a find may not show (cases 51, 55, 83)."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from buddy_core.errors import RunNotFound
from buddy_core.runs.searching.hit import SearchHit
from buddy_core.runs.searching.needle import BadPattern
from buddy_core.runs.searching.search import search_runs
from buddy_core.safety.redact import MASK
from buddy_core.safety.text import is_plain
from buddy_core.testing import RunDirectoryBuilder


def run_with(root: Path, *texts: str, suffix: str = "0a1b2c", at: int = 1_767_890_000_000) -> str:
    run = RunDirectoryBuilder(root, suffix=suffix, started_at=at, objective="Tidy up")
    for text in texts:
        run.event("decision", {"description": text})
    run.write()
    return run.run_id


def put_artifact(root: Path, run_id: str, name: str, data: bytes) -> None:
    folder = root / run_id / "artifacts"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)


def found(root: Path, *words: str, **how: object) -> list[SearchHit]:
    return list(search_runs(words, runs_dir=root, **how))  # type: ignore[arg-type]


def marked(hit: SearchHit) -> list[str]:
    return [hit.text[begin:end] for begin, end in hit.marks]


def test_an_event_is_found_by_a_word_and_says_where(tmp_path: Path) -> None:
    run_id = run_with(tmp_path, "nothing here", "use the slow lane")
    (hit,) = found(tmp_path, "lane")
    assert (hit.run_id, hit.source, hit.name, hit.at_ms) == (run_id, "event", "decision", 1_767_890_000_000)
    assert marked(hit) == ["lane"]
    line = (tmp_path / run_id / "events.jsonl").read_bytes()[hit.offset :].split(b"\n")[0]
    assert b"slow lane" in line


def test_every_word_must_be_in_the_same_event_but_anywhere_in_it(tmp_path: Path) -> None:
    run_with(tmp_path, "alpha", "beta", "beta, then alpha")
    assert [hit.text for hit in found(tmp_path, "alpha", "beta")] == ["beta, then alpha"]


def test_small_letters_find_capitals_and_a_capital_finds_only_itself(tmp_path: Path) -> None:
    run_with(tmp_path, "Deploy", "deploy")
    assert len(found(tmp_path, "deploy")) == 2
    assert [hit.text for hit in found(tmp_path, "Deploy")] == ["Deploy"]
    assert len(found(tmp_path, "Deploy", ignore_case=True)) == 2


@pytest.mark.parametrize("spelling", ["café", "caf\\u00e9"])
def test_a_letter_is_found_however_the_file_spells_it(tmp_path: Path, spelling: str) -> None:
    run = RunDirectoryBuilder(tmp_path)
    run.raw(
        b'{"ts":1767890000001,"runId":"r","type":"decision","data":{"description":"%s"}}\n'
        % spelling.encode()
    ).write()
    assert marked(found(tmp_path, "café")[0]) == ["café"]


def test_a_text_over_an_escaped_line_break_is_one_line_in_the_answer(tmp_path: Path) -> None:
    run_with(tmp_path, "first line\nsecond line with gold\nthird")
    (hit,) = found(tmp_path, "gold")
    assert hit.text == "second line with gold"


def test_an_artifact_is_found_with_its_line(tmp_path: Path) -> None:
    run_id = run_with(tmp_path)
    put_artifact(tmp_path, run_id, "plan.md", b"# Plan\n\n1. dig\n2. dig deeper\n")
    hits = found(tmp_path, "dig")
    assert [(hit.source, hit.name, hit.line) for hit in hits] == [
        ("artifact", "plan.md", 3),
        ("artifact", "plan.md", 4),
    ]


def test_the_newest_run_comes_first_and_events_before_artifacts(tmp_path: Path) -> None:
    old = run_with(tmp_path, "gold", suffix="00000a", at=1_767_890_000_000)
    new = run_with(tmp_path, "gold", suffix="00000b", at=1_767_990_000_000)
    put_artifact(tmp_path, new, "a.txt", b"gold")
    assert [(hit.run_id, hit.source) for hit in found(tmp_path, "gold")] == [
        (new, "event"),
        (new, "artifact"),
        (old, "event"),
    ]


def test_place_run_and_limit_narrow_the_search(tmp_path: Path) -> None:
    old = run_with(tmp_path, "gold", "gold", suffix="00000a")
    put_artifact(tmp_path, old, "a.txt", b"gold\ngold\n")
    assert {hit.source for hit in found(tmp_path, "gold", place="events")} == {"event"}
    assert {hit.source for hit in found(tmp_path, "gold", place="artifacts")} == {"artifact"}
    assert len(found(tmp_path, "gold", limit=3)) == 3
    with pytest.raises(RunNotFound):
        found(tmp_path, "gold", run_id="run_nope")


@pytest.mark.parametrize(
    "data",
    [gzip.compress(b"gold " * 99, mtime=0), b"PK\x03\x04gold", b"gold\0gold"],
    ids=["gzip", "zip", "binary"],
)
def test_packed_and_binary_artifacts_are_left_out_with_a_word(tmp_path: Path, data: bytes) -> None:
    """Case 51: nothing is ever unpacked."""
    run_id = run_with(tmp_path)
    put_artifact(tmp_path, run_id, "big.bin", data)
    said: list[str] = []
    assert found(tmp_path, "gold", on_skip=said.append) == []
    assert said and "is not text" in said[0]


def test_a_sparse_terabyte_is_left_out_at_once(tmp_path: Path) -> None:
    """Case 51."""
    run_id = run_with(tmp_path)
    put_artifact(tmp_path, run_id, "huge.log", b"")
    os.truncate(tmp_path / run_id / "artifacts" / "huge.log", 2**40)
    said: list[str] = []
    assert found(tmp_path, "gold", on_skip=said.append) == []
    assert "is not text" in said[0]


def test_a_link_among_the_artifacts_is_not_followed(tmp_path: Path) -> None:
    run_id = run_with(tmp_path / "runs")
    (tmp_path / "outside").write_text("gold")
    (tmp_path / "runs" / run_id / "artifacts").mkdir(exist_ok=True)
    (tmp_path / "runs" / run_id / "artifacts" / "link").symlink_to(tmp_path / "outside")
    assert found(tmp_path / "runs", "gold") == []


def test_a_long_line_is_told_around_the_find(tmp_path: Path) -> None:
    run_id = run_with(tmp_path)
    put_artifact(tmp_path, run_id, "min.js", b"x" * 300_000 + b" gold " + b"y" * 300_000)
    (hit,) = found(tmp_path, "gold")
    assert marked(hit) == ["gold"]
    assert len(hit.text) <= 210


def test_a_secret_beside_the_find_is_masked(tmp_path: Path) -> None:
    """Case 83."""
    run_id = run_with(tmp_path, "login with password=hunter2canary now")
    put_artifact(tmp_path, run_id, "env", b"API_TOKEN=canary1234canary\n")
    shown = [hit.text for hit in found(tmp_path, "login")] + [
        hit.text for hit in found(tmp_path, "API_TOKEN")
    ]
    assert len(shown) == 2
    assert all("canary" not in text and MASK in text for text in shown)


def test_who_searches_for_a_secret_learns_where_it_is_but_does_not_see_it(tmp_path: Path) -> None:
    """Case 83."""
    run_with(tmp_path, "login with password=hunter2canary now")
    (hit,) = found(tmp_path, "hunter2canary")
    assert "canary" not in hit.text
    assert hit.marks == ()


def test_a_line_inside_a_private_key_is_masked(tmp_path: Path) -> None:
    """Case 83."""
    run_id = run_with(tmp_path)
    key = b"-----BEGIN RSA PRIVATE KEY-----\nMIIEgold\nabcd\n-----END RSA PRIVATE KEY-----\n"
    put_artifact(tmp_path, run_id, "id_rsa", key)
    assert [hit.text for hit in found(tmp_path, "MIIEgold")] == [MASK]


def test_what_is_told_can_be_printed(tmp_path: Path) -> None:
    """Cases 55 to 58."""
    run_with(tmp_path, "gold \x1b]0;pwned\x07 \u202e \x9b31m \r\b gold")
    (hit,) = found(tmp_path, "gold")
    assert is_plain(hit.text)


def test_expressions_find_what_words_cannot(tmp_path: Path) -> None:
    run_with(tmp_path, "exit code 137", "exit code none")
    assert [hit.text for hit in found(tmp_path, r"code \d+", regex=True)] == ["exit code 137"]


@pytest.mark.parametrize("expression", ["(", "(a+)+b", "(a*)*", r"(\w+\s?)+$", "(?:(?:x+)y)+"])
def test_an_expression_that_is_none_or_repeats_a_repetition_is_refused(
    tmp_path: Path, expression: str
) -> None:
    run_with(tmp_path)
    with pytest.raises(BadPattern):
        found(tmp_path, expression, regex=True)


def test_a_line_made_for_the_expression_is_given_up(tmp_path: Path) -> None:
    run_with(tmp_path, "a" * 3_900)
    said: list[str] = []
    hits = found(tmp_path, "a*a*a*a*a*a*a*zz", regex=True, on_skip=said.append)
    assert hits == []
    assert "takes too long" in said[0]


def test_nothing_to_search_for_is_refused(tmp_path: Path) -> None:
    for words in ((), ("",)):
        with pytest.raises(BadPattern):
            found(tmp_path, *words)


@pytest.mark.parametrize("letter", ["\u212a", "\u017f"])
def test_letters_that_fold_to_ascii_are_found_by_their_ascii_letter(tmp_path: Path, letter: str) -> None:
    run_id = run_with(tmp_path, f"ma{letter}e")
    put_artifact(tmp_path, run_id, "a.txt", f"ma{letter}e".encode())
    plain = {"\u212a": "make", "\u017f": "mase"}[letter]
    assert [hit.source for hit in found(tmp_path, plain)] == ["event", "artifact"]


def test_words_apart_in_a_file_of_many_megabytes_are_found_together(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path)
    for number in range(3_000):
        run.event("decision", {"description": f"{number} " + "x" * 900})
    run.event("decision", {"description": "gold " + "y" * 300_000 + " silver"}).write()
    assert len(found(tmp_path, "gold", "silver")) == 1
    assert found(tmp_path, "gold", "copper") == []


def test_a_sparse_event_file_is_searched_past_its_hole(tmp_path: Path) -> None:
    """Case 29."""
    run_id = run_with(tmp_path, "before")
    path = tmp_path / run_id / "events.jsonl"
    line = path.read_bytes().splitlines()[-1].replace(b"before", b"gold")
    os.truncate(path, 2**36)
    with path.open("ab") as file:
        file.write(b"\n" + line + b"\n")
    assert [hit.text for hit in found(tmp_path, "gold")] == ["gold"]
