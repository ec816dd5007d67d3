"""Runs that carry payloads in every field: many payloads a run, so that few starts show thousands of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len
from tests.pty.payloads import Payload

from buddy_core.safety.text import plain
from buddy_core.testing import RunDirectoryBuilder

PER_RUN = 100
"""Payloads that one carrier holds in its events and artifacts."""

ARTIFACTS = ("binary.bin", "build.log", "code.py", "data.json", "latin.txt", "patch.diff", "plan.md")
"""What a carrier left behind that holds all of its payloads; in the list they stand before those named after one."""

TOGETHER = 10
"""Payloads in one message of the run that comes last: that many are read in the detail of one error."""

BESIDE = 100
"""Columns behind which no payload begins in the errors before those: one line of a list shows all they are about.

The newest hundred errors are kept one by one; so they are about as many payloads as one start has.
"""

_FIRST = 0x100000


def write_payload_runs(root: Path, payloads: Sequence[Payload], *, now_ms: int) -> list[str]:
    """The carriers of these payloads, each with one fork a payload; ids of the carriers, oldest first.

    Each carrier is a fork of the one before, so that they can be compared, and all are one family. The newest run of
    all holds nothing but errors, each of them about several payloads.
    """
    carriers: list[str] = []
    most = min(PER_RUN, (len(payloads) + 1) // 2)  # there are always two to be compared
    for start in range(0, len(payloads), most):
        part = payloads[start : start + most]
        begun = now_ms - 7_200_000 + 60_000 * len(carriers)
        suffix = f"{_FIRST + start:06x}"
        carriers.append(_carrier(root, begun, suffix, part, carriers[-1] if carriers else None))
        for index, payload in enumerate(part):
            _fork(root, begun + 1_000 + index, f"{2 * _FIRST + start + index:06x}", payload, carriers[-1])
    last = RunDirectoryBuilder(
        root, started_at=now_ms - 60_000, objective="together", suffix=f"{3 * _FIRST:06x}"
    )
    for message in _lines_of(payloads):
        last.wait(1).error(message)
    for start in range(0, len(payloads), TOGETHER):
        last.wait(1).error("\n".join(one.text for one in payloads[start : start + TOGETHER]))
    last.end("failed").write()
    return carriers


def _lines_of(payloads: Sequence[Payload]) -> Iterator[str]:
    """All of them, in lines that are each about as wide as a list."""
    line, width = list[str](), 0
    for text in (one.text for one in payloads):
        if width > BESIDE:
            yield " ".join(line)
            line, width = [], 0
        line.append(text)
        width += cell_len(plain(text)) + 1
    yield " ".join(line)


def _fork(root: Path, begun: int, suffix: str, payload: Payload, parent: str) -> None:
    text = payload.text
    metadata = {"tags": [text, "headless", text], "cwd": text, "channel": text, "sessionId": text}
    metadata |= {"parentRolloutId": parent, "forkReason": text}
    run = RunDirectoryBuilder(root, started_at=begun, objective=text, suffix=suffix, metadata=metadata)
    run.error(text).wait(20_000).end("failed").summary(objective=text, **{text: text}).write()


def _carrier(root: Path, begun: int, suffix: str, part: Sequence[Payload], parent: str | None) -> str:
    metadata = {"tags": [part[0].text], "cwd": part[-1].text, "userId": part[1 % len(part)].text}
    if parent is not None:
        metadata |= {"parentRolloutId": parent, "forkReason": part[0].text}
    run = RunDirectoryBuilder(
        root, started_at=begun, objective=part[0].text, suffix=suffix, metadata=metadata
    )
    for index, text in enumerate(one.text for one in part):
        run.step(text, text).tool(text, {"command": text, text: text}, error=text)
        run.tool("bash", {"command": f"pytest {text}"}, error=text)
        run.request(text, text, cost=0.01, latency_ms=20, ttft_ms=3).error(text)
        run.event("decision", {"description": text}).event(text, {text: text})
        run.event("metric", {"kind": "value", "name": text, "value": 1, "labels": {text: text}})
        if index % 4 == 0:  # an escape may begin in one event and end in the next
            half = len(text) // 2
            run.event("error", {"message": text[:half]}).event("error", {"message": text[half:]})
        run.step_end(text, passed=False)
        for line in _odd_lines(run, text):
            run.raw(line + b"\n")
    _artifacts(run, [one.text for one in part])
    run.tool("bash", {one.text: one.text for one in part}, error="\n".join(one.text for one in part))
    run.wait(1_000).end("failed").summary(objective=part[0].text)
    directory = run.write()
    for text in (one.text for one in part):
        name = f"z{text}".replace("/", "_").replace("\0", "0").encode("utf-8", "replace")[:200]
        (directory / "artifacts" / os.fsdecode(name)).write_bytes(text.encode("utf-8", "surrogatepass"))
    return run.run_id


def _odd_lines(run: RunDirectoryBuilder, text: str) -> Iterator[bytes]:
    """No JSON; JSON of Latin-1 bytes, where U+009B is the raw byte; and a lone surrogate, which only JSON can hold."""
    yield text.replace("\n", " ").encode("utf-8", "surrogatepass")
    record = {"ts": run.now_ms, "runId": run.run_id, "type": "decision", "data": {"description": text}}
    yield json.dumps(record, ensure_ascii=False).encode("latin-1", "replace")
    record["data"] = {"description": f"{text}\ud83c\udc80"}
    yield json.dumps(record).encode()


def _artifacts(run: RunDirectoryBuilder, whole: Sequence[str]) -> None:
    texts = [
        text.replace("\0", "") for text in whole
    ]  # a file with a NUL is no text, and none of it would be shown
    lines = [text.replace("\n", " ") for text in texts]
    run.artifact(
        "plan.md",
        "".join(f"- {one} [{one}]({one}) <b>{one}</b>\n" for one in lines)
        + "".join(
            f"\n# {one}\n\n> `{one}` ![{one}](http://x/{one})\n\n```{one}\n{one}\n```\n" for one in lines
        )
        + "| a | b |\n|---|---|\n"
        + "".join(f"| {one} | {one} |\n" for one in lines),
    )
    run.artifact("build.log", "\n".join(texts))
    run.artifact(
        "patch.diff",
        "".join(f"--- a/{one}\n+++ b/{one}\n@@ -1 +1 @@ {one}\n-{one}\n+{one}\n" for one in lines),
    )
    run.artifact("data.json", json.dumps({text: [text, {text: text}] for text in whole}, ensure_ascii=False))
    run.artifact("code.py", "".join(f"# {one}\nx = '{one}'\n" for one in lines))
    run.artifact("latin.txt", "\n".join(texts).encode("latin-1", "replace"))
    run.artifact("binary.bin", b"\0\1\2" + "\n".join(whole).encode("utf-8", "surrogatepass"))
