"""Runs that an attacker wrote: every payload in every field that a file of a run may hold."""

from __future__ import annotations

import os
from pathlib import Path

from buddy_core.testing import RunDirectoryBuilder

ESCAPES = {
    "title": "\x1b]0;LEAK\x07",
    "title-st": "\x1b]2;LEAK\x1b\\",
    "unterminated": "\x1b]0;LEAK without an end",
    "clipboard": "\x1b]52;c;TEVBSw==\x07",
    "hyperlink": "\x1b]8;;file:///etc/passwd\x1b\\LEAK\x1b]8;;\x1b\\",
    "iterm": "\x1b]1337;File=inline=1:AAAA\x07",
    "clear": "\x1b[2J\x1b[HLEAK\x1b[31;42m",
    "alternate": "\x1b[?1049lLEAK\x1b[?25h\x1b[?2004h",
    "dcs": "\x1bP$qm\x1b\\\x1bP+q544e\x1b\\",
    "strings": "\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\",
    "queries": "\x1b[6n\x1b[c\x1b[5n\x1b[21t\x05",
    "reset": "\x1bc\x1b#8\x1b(0\x0e",
    "c1": "\x9b31mLEAK\x9d0;LEAK\x9c\x90q\x9c\x85\x84",
    "controls": "a\rb\x08c\x0bd\x0ce\x00f\x7fg\th\x07\x1f",
    "bidi": "user\u202egnp.exe\u2066x\u2069\u200f\u061c",
    "invisible": "a\u200bb\u200dc\ufeffd\u2060e\u00adf\u034fg\u3164h\uffa0",
    "tags": "\U000e0041\U000e0042\U000e007f\ue000\U000f0000\uf8ff",
    "lines": "one\u2028two\u2029three\nfour\r\nfive",
    "zalgo": "Z" + "\u0301\u0316" * 400,
    "selectors": "\u26a0\ufe0f \U0001f468\u200d\U0001f4bb \U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea \u270b\ufe0e",
    "noncharacters": "\ufffe\uffff\ufdd0\U0010ffff\u0378",
}
"""What a terminal would obey or draw wrongly, by name."""

MARKUP = {
    "closing": "[/x]",
    "open": "[red",
    "click": "[@click=app.quit]click[/]",
    "link": "[link=file:///etc/passwd]link[/link]",
    "todo": "[TODO] fix [bold]this[/bold]",
    "rich": "[on red]x[/on red] :warning: [[escaped]] \\[x]",
    "format": "%s %n {0} {x!r} $HOME $(id) `id`",
    "brackets": "]][[//",
}
"""What a toolkit would take for its own language."""

PAYLOADS = {**ESCAPES, **MARKUP}


def write_hostile_runs(root: Path, *, now_ms: int, payloads: dict[str, str] | None = None) -> list[str]:
    """One run a payload, newest last in the list's order of names; returns the run ids."""
    chosen = PAYLOADS if payloads is None else payloads
    return [
        _hostile_run(root, now_ms - 3_600_000 + 60_000 * index, f"{index:06x}", name, payload)
        for index, (name, payload) in enumerate(chosen.items())
    ]


def _hostile_run(root: Path, started_at: int, suffix: str, name: str, payload: str) -> str:
    dirty = f"{payload} {name}"
    run = RunDirectoryBuilder(
        root,
        started_at=started_at,
        objective=dirty,
        suffix=suffix,
        metadata={"tags": [dirty, "headless", dirty], "cwd": dirty, "channel": dirty, "sessionId": dirty},
    )
    run.step(dirty, dirty)
    run.tool(dirty, {"command": dirty, "path": dirty}, error=dirty)
    run.tool("bash", {"command": dirty}, error=dirty)
    run.request(dirty, dirty, cost=0.01, latency_ms=1200, ttft_ms=300)
    run.error(dirty)
    run.event("decision", {"description": dirty})
    run.event("decision", {"kind": dirty, dirty: dirty})
    run.event(dirty, {dirty: dirty})
    run.event("metric", {"kind": "value", "name": dirty, "value": 1, "labels": {dirty: dirty}})
    run.event("error", {"message": dirty[: len(payload) // 2]}).event(
        "error", {"message": dirty[len(payload) // 2 :]}
    )
    run.raw(dirty.encode("utf-8", "surrogatepass") + b"\n")
    run.artifact(
        "plan.md", f"# {dirty}\n\n[a link](file:///etc/passwd) <b>{dirty}</b>\n![x](http://x/{dirty})\n"
    )
    run.step_end(dirty, passed=False)
    run.call("bash", {"command": dirty})
    run.wait(60_000).end("failed")
    run.summary(status=dirty) if started_at % 120_000 == 0 else run.summary(objective=dirty)
    directory = run.write()
    odd = dirty.replace("/", "_").replace("\0", "0").encode("utf-8", "replace")[:80]
    (directory / "artifacts" / os.fsdecode(odd)).write_bytes(dirty.encode("utf-8", "surrogatepass"))
    return run.run_id


def write_hostile_names(root: Path) -> None:
    """Entries of the runs directory whose names are the payload."""
    for name in (
        b"run_\xff\x1b]0;LEAK\x07",
        b"run_\n",
        b"run_%s",
        b"run_" + b"x" * 200,
        b"run_[@click=quit]",
    ):
        (root / os.fsdecode(name)).mkdir()
