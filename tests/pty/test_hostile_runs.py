"""Promises C5 and C6 on the real program: whatever a run holds, it is shown as text and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pty.escapes import colours, leaks
from tests.pty.hostile import ESCAPES, MARKUP, write_hostile_names, write_hostile_runs
from tests.pty.terminal import ENVIRONMENT, Terminal, terminal

ESCAPE = "\x1b[27u"
"""The escape key as it is sent without doubt about what follows it."""

RUNS = len(ESCAPES) + len(MARKUP)
KEYS_OF_A_RUN = ("j", "\r", "v", "v", "v", "t", "j", "e", "E", "?", ESCAPE, "q")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    root = tmp_path / "home" / "runs"
    root.mkdir(parents=True)
    write_hostile_runs(root, now_ms=time.time_ns() // 1_000_000)
    write_hostile_names(root)
    return root


def visited(term: Terminal) -> Iterator[str]:
    """Every pane, every view of every run, filters, help and palette; what was seen after each key."""
    for tab in "12345":
        for key in (tab, "j", "j", "s", ESCAPE, "r", "t", "z", "z", "?", ESCAPE):
            yield press(term, key)
    for letter in ("/", *"LEAK", ESCAPE):
        yield press(term, letter)
    yield press(term, "\x10")
    for letter in "open":
        yield press(term, letter)
    yield press(term, ESCAPE)
    yield press(term, "5")
    for _ in range(RUNS):
        yield press(term, "j")
    yield press(term, "\r")
    for step in ("[", "]", "["):  # up and down the list in each view of a run
        for _ in range(RUNS):
            yield press(term, step)
        yield press(term, "v")
    for key in KEYS_OF_A_RUN:
        yield press(term, key)


def press(term: Terminal, key: str) -> str:
    """Type a key and take what comes until nothing does."""
    term.type(key)
    size = -1
    while size != len(term.out):
        size = len(term.out)
        assert term.read(0.06), f"the program ended after {key!r}:\n{term.text()}"
    return term.text()


UNGUARDED = str(Path(__file__).with_name("unguarded.py"))


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
@pytest.mark.slow
def test_no_byte_of_a_hostile_run_reaches_the_terminal(hostile: Path, size: tuple[int, int]) -> None:
    """Cases 55 to 62: every payload, every field, every pane."""
    with terminal("-m", "buddy_top", "--runs-dir", str(hostile), "--window", "all", size=size) as term:
        term.until("Overview")
        seen = "\n".join(visited(term))
        term.type("\x03")
        assert term.exit_code() == 0
        assert leaks(term.out) == []
        assert b"\x1b]8;" not in term.out
        assert b"file:///etc" not in term.out or b"[link=file:///etc" in term.out
    for shown in ("␛]0;LEAK", "⟨9b⟩31m", "⟨202e⟩gnp", "[/x]", "[@click=app.quit]", "[TODO] fix [bold]"):
        assert shown in seen, f"{shown} was never seen"


def test_text_is_printable_before_it_reaches_the_last_filter(hostile: Path) -> None:
    """Cases 55 to 58: the first protection holds without the second one."""
    with terminal(UNGUARDED, "guard", "--runs-dir", str(hostile), size=(160, 50)) as term:
        look_around(term)
        assert leaks(term.out) == []


def test_without_either_protection_there_are_leaks_so_the_tests_above_can_fail(hostile: Path) -> None:
    """The negative control of cases 55 to 58."""
    with terminal(UNGUARDED, "all", "--runs-dir", str(hostile), size=(160, 50)) as term:
        look_around(term)
        assert leaks(term.out)


def look_around(term: Terminal) -> None:
    term.until_sent(b"Overview")
    for key in "12345jvv1":
        press(term, key)
    term.signal(signal.SIGTERM)
    assert term.exit_code() == 143


PLAIN = ("title", "c1", "bidi", "lines")
"""The payloads of the newest runs, of which the last is shown."""


@pytest.mark.parametrize(
    ("arguments", "payloads"),
    [
        *(
            (arguments, PLAIN)
            for arguments in (
                ["--once"],
                ["--once", "--json"],
                ["run", "list", "--limit", "0"],
                ["run", "list", "--json"],
                ["run", "show", "\x1b]0;LEAK\x07"],
                ["\x1b]0;LEAK\x07\n"],
                ["--theme", "\x1b]0;LEAK\x07\n", "--once"],
            )
        ),
        *(
            (["run", command, "last", *form], (payload,))
            for command in ("show", "tail")
            for form in ([], ["--json"])
            for payload in PLAIN
        ),
    ],
    ids=lambda words: " ".join(words).replace("\x1b", "ESC").replace("\x07", "BEL").replace("\n", "LF"),
)
def test_no_byte_of_a_hostile_run_leaves_in_plain_output(
    tmp_path: Path, payloads: tuple[str, ...], arguments: list[str]
) -> None:
    """Cases 61 and 64."""
    root = tmp_path / "runs"
    root.mkdir()
    chosen = {payload: ESCAPES[payload] for payload in payloads}
    write_hostile_runs(root, now_ms=time.time_ns() // 1_000_000, payloads=chosen)
    done = subprocess.run(
        [sys.executable, "-m", "buddy_top", "--runs-dir", str(root), *arguments],
        capture_output=True,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode in (0, 2, 3), done.stderr.decode()
    for output in (done.stdout, done.stderr):
        assert leaks(output.replace(b"\n", b"\r\n")) == []
        assert b"Traceback" not in output


def test_markup_in_a_run_is_text_and_does_nothing(tmp_path: Path) -> None:
    """Case 60: also when it is clicked, on its row and in what is told of the row below."""
    root = tmp_path / "runs"
    root.mkdir()
    write_hostile_runs(root, now_ms=time.time_ns() // 1_000_000, payloads=MARKUP)
    with terminal("-m", "buddy_top", "--runs-dir", str(root), "--tab", "runs", size=(200, 60)) as term:
        term.until(lambda text: all(payload[:12] in text for payload in MARKUP.values()))
        press(term, "g")
        for begin in (payload[:12] for payload in MARKUP.values()):
            click(term, begin, 0)
            while term.text().count(begin) < 2:
                assert term.read(0.06)
            click(term, begin, 1)
            press(term, ESCAPE)
        term.type("q")
        assert term.exit_code() == 0
        assert leaks(term.out) == []


def click(term: Terminal, words: str, nth: int) -> None:
    """Click into these words where they stand on the screen for the nth time."""
    places = [
        (row, line.find(words)) for row, line in enumerate(term.text().splitlines(), 1) if words in line
    ]
    row, column = places[nth]
    term.type(f"\x1b[<0;{column + 10};{row}M")
    press(term, f"\x1b[<0;{column + 10};{row}m")


REPLIES = (
    "\x1b[24;80R",
    "\x1b[?62;c",
    "\x1b]lq\x1b\\",
    "\x1b]0;q2\x07",
    "\x1bP1$rq\x1b\\",
    "\x1b_q\x1b\\",
    "\x1b[0n",
    "\x1b[?25u",
    "\x1b[200~q\x1b[201~",
    "\xff\xfe",
)


def test_a_reply_of_the_terminal_presses_no_key(hostile: Path) -> None:
    """Case 59: forged reports on standard input do nothing; nor do bytes that are no UTF-8."""
    with terminal("-m", "buddy_top", "--runs-dir", str(hostile), "--tab", "tools") as term:
        before = term.until("LEAK").splitlines()[2:]
        for reply in REPLIES:
            term.type(reply.encode("latin-1"))
            press(term, "j")
            assert "Help" not in term.text(), ascii(reply)
            assert term.text().splitlines()[2:3] == before[:1], f"{reply!a} opened another tab"
        term.type("q")
        assert term.exit_code() == 0


def test_columns_do_not_drift_behind_odd_characters(tmp_path: Path) -> None:
    """Case 58: the right edge of the frame stays in the last column, as a terminal counts cells."""
    root = tmp_path / "runs"
    root.mkdir()
    odd = {name: ESCAPES[name] for name in ("zalgo", "selectors", "invisible", "tags", "bidi")}
    odd["wide"] = "日本語のテスト ﷽ ｆｕｌｌ 한국어"
    write_hostile_runs(root, now_ms=time.time_ns() // 1_000_000, payloads=odd)
    with terminal("-m", "buddy_top", "--runs-dir", str(root), "--tab", "runs", size=(120, 40)) as term:
        term.until(lambda text: "日" in text and "⟨fe0f⟩" in text)
        press(term, "j")
        edges = [line for line in term.cells() if line[0] in "│╭╰"]
        assert len(edges) > 20
        assert {line[119] for line in edges} <= set("│╮╯┃▌▐█▁▔ ")
        assert not [line for line in edges if line[119] == " "]


def test_no_color_is_obeyed_by_every_pane(hostile: Path) -> None:
    """Case 70."""
    with terminal(
        "-m", "buddy_top", "--runs-dir", str(hostile), size=(120, 40), env={"NO_COLOR": "1"}
    ) as term:
        term.until("Overview")
        for tab in "12345":
            press(term, tab)
        term.type("q")
        assert term.exit_code() == 0
        assert colours(term.out) == []


@pytest.mark.parametrize("env", [{"LANG": "C"}, {"LC_ALL": "POSIX"}], ids=["LANG=C", "LC_ALL=POSIX"])
def test_without_utf8_every_pane_is_ascii(hostile: Path, env: dict[str, str]) -> None:
    """Case 71."""
    with terminal("-m", "buddy_top", "--runs-dir", str(hostile), size=(120, 40), env=env) as term:
        term.until("Overview")
        for tab in "12345":
            press(term, tab)
        term.type("q")
        assert term.exit_code() == 0
        assert term.out.isascii()


def test_the_directory_itself_may_have_a_hostile_name(tmp_path: Path) -> None:
    """Case 61."""
    root = tmp_path / os.fsdecode(b"\xff\x1b]0;LEAK\x07[x]\n")
    (tmp_path / "clean").mkdir()
    write_hostile_runs(tmp_path / "clean", now_ms=time.time_ns() // 1_000_000, payloads={"a": "[/x]"})
    (tmp_path / "clean").rename(root)
    with terminal("-m", "buddy_top", "--runs-dir", str(root), size=(160, 40)) as term:
        term.until("Overview")
        press(term, "5")
        term.type("q")
        assert term.exit_code() == 0
        assert leaks(term.out) == []
