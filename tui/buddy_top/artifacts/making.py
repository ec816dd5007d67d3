"""From an artifact on the disk to a page: reads a part of it and lays it out. Blocks; made for a worker thread.

Of a file of any length no more is read than a first part, doubled each time one scrolls to its end, up to a cap
that the page states. Nothing is unpacked, no link is followed, and nothing in it is obeyed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from buddy_core.errors import BuddyError
from buddy_core.runs.artifacts.files import PREVIEW_BYTES, ArtifactBytes, artifact_text, read_artifact_bytes
from buddy_core.runs.artifacts.kinds import ArtifactKind, kind_of_name, looks_like_diff, nature_of
from buddy_core.safety.paths import real_root
from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.artifacts.layout import count_lines, plainly, safe_lines, wrapped
from buddy_top.artifacts.page import Body, Page
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span

MOST_BYTES = 4 * 1024 * 1024
"""Of one artifact that is ever laid out; a pager gets more."""

MOST_RENDERED: dict[ArtifactKind, int] = {"markdown": PREVIEW_BYTES, "json": 1024 * 1024}
"""Less of what has to be parsed: at worst so much Markdown takes three seconds of the worker's."""

_RENDERED: frozenset[ArtifactKind] = frozenset({"markdown", "diff", "json", "log"})


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a page depends on: two that are equal have the same page."""

    run_dir: Path
    name: str
    size: int
    """Bytes, as the list knows it; another size or time asks for another page."""
    modified_at: int
    width: int
    raw: bool = False
    limit: int = PREVIEW_BYTES
    """Bytes to read; JSON is read as a whole or not rendered."""


def make_page(request: Request) -> Page:
    """Read and lay out what is asked for; what cannot be read is a page that says why."""
    try:
        return _page(request)
    except (OSError, BuddyError) as error:
        words = getattr(error, "strerror", None) or str(error)
        return Page(Body([(Span(shown(f"it cannot be read: {words}", limit=300), "warn"),)]), readable=False)


def _page(request: Request) -> Page:
    kind = kind_of_name(request.name)
    most = MOST_BYTES if request.raw else MOST_RENDERED.get(kind, MOST_BYTES)
    limit = most if kind == "json" else min(request.limit, most)
    run_dir = real_root(request.run_dir.parent) / request.run_dir.name
    read = read_artifact_bytes(run_dir, request.name, limit=limit)
    content = artifact_text(read.data, read.size)
    if content.binary:
        return Page(Body(_note(read)), readable=False)
    if not content.text:
        return Page(Body([(Span(Plain("this file is empty"), "dim"),)]), readable=False)
    text = _whole_lines(content.text) if content.truncated else content.text
    if kind != "markdown" and looks_like_diff(text):
        kind = "diff"
    raw = request.raw or kind not in _RENDERED
    body = _raw(text, request.width) if raw else _rendered(kind, text, request.width, content.truncated)
    more = content.truncated and limit < most
    if content.truncated:
        on = "more is read at the end" if more else _ON[most == MOST_BYTES]
        body = _with_end(
            body, f"the first {fmt.bytes_(len(read.data))} of {fmt.bytes_(read.size)}; {on}", request
        )
    return Page(body, content.text, more=more, raw=request.raw, two_ways=kind in _RENDERED)


def _raw(text: str, width: int) -> Body:
    lines = safe_lines(text)
    return Body(plainly(lines, width), count_lines(text))


def _rendered(kind: ArtifactKind, text: str, width: int, cut: bool) -> Body:
    """The text as its kind asks for; as it stands where that is not possible, and it says so."""
    if kind == "diff":
        from buddy_top.artifacts.diff import diff_body

        return diff_body(text, width)
    if kind == "log":
        from buddy_top.artifacts.log import log_body

        return log_body(text, width)
    if kind == "markdown":
        from buddy_top.artifacts.markdown import markdown_body

        return markdown_body(text, width)
    from buddy_top.artifacts.jsontext import json_body

    body = None if cut else json_body(text, width)
    return body or _as_it_stands(text, width, "too long to be rendered" if cut else "not valid JSON")


def _as_it_stands(text: str, width: int, why: str) -> Body:
    body = _raw(text, width)
    return Body(body.lines, Plain(f"{body.summary} · {why}"))


def _whole_lines(text: str) -> str:
    """Without its last line, which the end of the part has cut; all of it where that is the only one."""
    head, newline, _ = text.rpartition("\n")
    return head + newline if newline else text


_ON = {True: "o opens more of it in the pager", False: "J shows more of it, as it stands"}


def _with_end(body: Body, words: str, request: Request) -> Body:
    end = wrapped((Span(Plain(f"… these are {words}"), "warn"),), request.width)
    return Body([*body.lines, *end], body.summary, body.marks)


def _note(read: ArtifactBytes) -> list[Cell]:
    """What is known of a file that is no text."""
    nature = nature_of(read.data)
    words = nature.words
    if nature.width is not None and nature.height is not None:
        words += f", {nature.width:,} × {nature.height:,} pixels"
    return [
        (Span(Plain(words), "value"), Span(Plain(f"  {fmt.bytes_(read.size)}"), "label")),
        (Span(Plain("not a text: it is not shown here, and not opened elsewhere"), "dim"),),
    ]
