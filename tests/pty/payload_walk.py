"""A walk through everything the monitor can show, on runs that carry payloads, with every one of them in every view."""

from __future__ import annotations

import base64
import re
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.pty.oracle import CLEAR_LINE, DOWN, ESCAPE, PAGE_DOWN, PALETTE, Watch, check
from tests.pty.payload_runs import ARTIFACTS, TOGETHER, write_payload_runs
from tests.pty.payloads import TAG, Payload
from tests.pty.terminal import terminal

SIZE = (200, 100)
TYPED_LENGTH = 30
"""Of a payload that is pasted: so many characters."""

FILTER_HOLDS, PALETTE_HOLDS = 6, 3
"""So many payloads are pasted together: they have one line to be seen in."""

PANELS = {"1": "Activity", "2": "Providers", "3": "Tools", "4": "Errors", "5": "Runs"}
"""The key of a tab → the title of its first panel."""

FORMS = (2, 4, 4, 4, 4)
"""In so many forms each tab can be exported."""

ALL = (
    *(f"{tab} {part}" for tab in ("providers", "tools", "errors", "runs") for part in ("list", "detail")),
    *("errors one by one", "timeline", "event in full", "event as JSON", "compare", "replay", "run metrics"),
    *(f"artifact {name}" for name in ARTIFACTS if name != "binary.bin"),
    *("artifact names", "family", "raw", "filter line", "palette", "palette hits", "exported files"),
)
"""The sinks that show any number of payloads; each must have shown (nearly) all of them."""


class Walked(NamedTuple):
    """What came of one start of the monitor."""

    seen: dict[str, set[bytes]]
    """Sink → the payloads seen there."""
    leaks: list[str]
    obeyed: list[str]
    """What a terminal would have obeyed of clipboards and exported files."""
    sent: int
    """Bytes."""
    files: int
    copies: int
    took_s: float


def obeyed(text: str) -> list[str]:
    """What a terminal would obey of a file or a clipboard: CSV keeps invisible letters, but no control and no bidi."""
    return re.findall(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\n)", text)


def prepared(root: Path, some: Sequence[Payload]) -> tuple[Path, list[str]]:
    """Runs that carry these payloads below `root`, and the ids of the carriers."""
    runs = root / "runs"
    runs.mkdir(parents=True)
    (root / "out").mkdir()
    return runs, write_payload_runs(runs, some, now_ms=time.time_ns() // 1_000_000)


def walked(root: Path, some: Sequence[Payload]) -> Walked:
    """Start the monitor on these payloads, look at everything, and leave."""
    begun = time.monotonic()
    runs, carriers = prepared(root, some)
    out = runs.with_name("out")
    arguments = ("--runs-dir", str(runs), "--window", "all", "--export-dir", str(out), "--refresh", "0.05")
    with terminal("-m", "buddy_top", *arguments, "--debug", size=SIZE, drawn=False) as term:
        watch = Watch(term)
        term.until_sent(b"Overview")
        watch.rest(1.5)
        _walk(watch, some, len(carriers), out)
        term.signal(signal.SIGTERM)
        assert term.exit_code() == 143, bytes(term.out[-4_000:])
        copies = [base64.b64decode(one) for one in re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", term.out)]
        files = [file.read_bytes() for file in out.iterdir()]
        for sink, texts in (("copied", copies), ("exported files", files)):
            watch.seen[sink] = {tag for text in texts for tag in TAG.findall(text)}
        wrong = [text[:200] for text in map(bytes.decode, (*copies, *files)) if obeyed(text)]
        return Walked(
            dict(watch.seen),
            check(watch),
            wrong,
            len(term.out),
            len(files),
            len(copies),
            time.monotonic() - begun,
        )


def _walk(watch: Watch, payloads: Sequence[Payload], carriers: int, out: Path) -> None:
    """Every tab with every row and what can be opened there, every view of every carrier, and what is typed."""
    count = len(payloads)
    lists = (("providers", "2", count), ("tools", "3", count + 1), ("errors", "4", 1 + count // TOGETHER))
    for name, tab, rows in (*lists, ("runs", "5", count + carriers)):
        _tab(watch, tab)
        watch.details(f"{name} detail", rows, count)
        _whole_list(watch, f"{name} list")
        if name == "errors":
            watch.opened("errors one by one", "t")
            _whole_list(watch, "errors one by one")
            watch.opened("errors one by one", "t")
        _dialogs(watch, tab, out)
    _tab(watch, "1")
    for _ in range(4):
        watch.press("overview", *"jjj", "l")
    _dialogs(watch, "1", out)
    watch.opened("alerts", "a")
    watch.pages("alerts", most=6)
    watch.press("alerts", ESCAPE)
    _run_pages(watch, carriers)
    _typed(watch, payloads)


def _whole_list(watch: Watch, sink: str) -> None:
    """The list of a tab from its first row to its last, with the whole screen to itself."""
    watch.opened(sink, "g", "z")
    watch.pages(sink)
    watch.opened(sink, "z", "g")


def _dialogs(watch: Watch, tab: str, out: Path) -> None:
    """What can be opened in a tab, and every form that it can be exported in."""
    watch.opened("help", "?")
    watch.press("help", ESCAPE)
    watch.press("origin", "i", PAGE_DOWN, ESCAPE)
    watch.press("copied", "j", "y", "Y")
    watch.press("sort menu", "s", ESCAPE)
    for row in range(FORMS[list(PANELS).index(tab)]):
        watch.opened("export menu", "x", *[DOWN] * row, until="╭─ Export")
        watch.exported(out, "\r")


def _tab(watch: Watch, key: str) -> None:
    """Go there by way of others, so that it is drawn anew."""
    watch.press("tabs", "2")
    for one in dict.fromkeys(("1", key)):
        watch.opened("tabs", one, until=f"╭─ {PANELS[one]}")


def _run_pages(watch: Watch, carriers: int) -> None:
    _tab(watch, "5")
    watch.opened("filter line", "g", "/", until="enter keep")
    watch.opened("runs list", *"calls>5", "\r", until="match: calls>5")
    watch.opened("timeline", "g", "\r", until="[timeline]")
    for index in range(carriers):
        _one_run(watch, is_oldest=index == 0)
        watch.opened("timeline", "]")
    _tab(watch, "5")
    watch.opened("filter line", "/", CLEAR_LINE, ESCAPE, ESCAPE, until=" runs ─")


def _one_run(watch: Watch, *, is_oldest: bool) -> None:
    """From the timeline through every view of it, and back there."""
    watch.pages("timeline")
    watch.opened("event in full", "G", "k", "\r", until="bash · +")
    watch.pages("event in full", most=60)
    watch.opened("event as JSON", "J")
    watch.pages("event as JSON", most=60)
    watch.press("event as JSON", "h", "h", ESCAPE)
    watch.press("origin", "i", PAGE_DOWN, ESCAPE)
    if not is_oldest:  # it is nobody's fork, and so there is nothing to compare it with
        watch.opened("compare", "D", until="B − A")
        watch.pages("compare", most=60)
        watch.press("compare", ESCAPE)
    watch.opened("replay", "R", until="╭─ Replay")
    watch.pages("replay", most=60)
    watch.press("replay", ESCAPE)
    watch.opened("run metrics", "v", until="[metrics]")
    watch.pages("run metrics", most=60)
    _artifacts(watch)
    watch.opened("family", "v", until="[family]")
    watch.pages("family", most=40 if is_oldest else 1)
    watch.opened("raw", "v", until="[raw]")
    watch.pages("raw", most=60)
    watch.opened("timeline", "v", until="[timeline]")


def _artifacts(watch: Watch) -> None:
    """The texts that hold many payloads come first in the list; then the list itself."""
    watch.opened("artifact names", "v", until="[artifacts]")
    for name in sorted(ARTIFACTS):
        watch.opened(f"artifact {name}", "g" if name == min(ARTIFACTS) else "j")
        watch.press(f"artifact {name}", "l")
        watch.pages(f"artifact {name}", most=60)
        watch.press("artifact names", "h")
    watch.pages("artifact names", most=60)


def _typed(watch: Watch, payloads: Sequence[Payload]) -> None:
    """The filter with its advice, and the palette with what it finds."""
    lines = [payload.text.replace("\n", " ")[:TYPED_LENGTH] for payload in payloads]
    watch.opened("filter line", "/", until="enter keep")
    for index, line in enumerate(_together(lines, FILTER_HOLDS)):
        watch.paste("filter line", f"status:{line}" if index % 2 else line)
    watch.press("filter line", CLEAR_LINE, ESCAPE, ESCAPE)
    watch.opened("palette", PALETTE)
    for line in _together(lines, PALETTE_HOLDS):
        for part in (line, *line.splitlines()[1:]):  # of what is pasted the palette takes the first line
            watch.paste("palette", part)
    for line in lines[::20]:
        watch.paste("palette", line)
        watch.opened("palette")
    for payload, line in zip(
        payloads, lines, strict=True
    ):  # a busy machine may have been too slow with the others
        if payload.tag not in watch.seen["palette"]:
            watch.paste("palette", line)
    for payload in payloads:  # the run is named after it; without its last letter what is typed is no payload
        if payload.tag not in watch.seen["palette hits"]:
            watch.press("palette hits", CLEAR_LINE)
            watch.asked("palette hits", payload.tag[:-1].decode(), payload.tag)
    watch.press("palette", ESCAPE)


def _together(lines: Sequence[str], number: int) -> Iterator[str]:
    for at in range(0, len(lines), number):
        yield "".join(lines[at : at + number])
