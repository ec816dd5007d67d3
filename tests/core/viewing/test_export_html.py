"""A run as one HTML page: nothing observed becomes markup, and the page asks nobody for anything (case 62)."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock
from buddy_core.runs.export import export_run
from buddy_core.testing import RunDirectoryBuilder, sample_runs

NOW = 1_767_990_000_000

INJECTIONS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '" onerror="alert(1)',
    "' onmouseover='alert(1)",
    "<img src=x onerror=alert(1)>",
    "</details></pre></style><b>out</b>",
    "</title><svg onload=alert(1)>",
    "<!-- <a href=javascript:alert(1)> -->",
    "]]><iframe src=//evil.example></iframe>",
    "javascript:alert(1)",
    "&lt;script&gt; &#60;script&#62;",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<style>@import url(//evil.example)</style>",
    "\x00<\x00script>",
    "\u202e</pre>",
    "<a href='data:text/html,x'>",
    "<form action=//evil.example><button>",
)

_ALLOWED_TAGS = re.compile(
    "html|head|meta|title|style|body|header|main|footer|section|div|span|p|h1|h2|h3|b|i|em|small|dl|dt|dd|a|"
    "details|summary|pre|ins|del|table|tr|th|td|svg|rect"
)
_ALLOWED_ATTRIBUTES = re.compile(
    "lang|charset|http-equiv|content|name|class|id|href|viewbox|preserveaspectratio|aria-hidden|aria-label|role|"
    "x|y|width|height"
)
_VOID = frozenset(("meta", "rect"))


class Page(HTMLParser):
    """Every tag, attribute and text of a page, and whether each tag is closed where it should be."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def export(root: Path) -> str:
    return export_run("last", "html", store=root, clock=ManualClock(NOW))


def assert_harmless(document: str) -> Page:
    page = Page(document)
    assert page.open == []
    for tag, attributes in page.tags:
        assert _ALLOWED_TAGS.fullmatch(tag)
        assert all(map(_ALLOWED_ATTRIBUTES.fullmatch, attributes))
        assert re.fullmatch(r"#e\d+", attributes.get("href") or "#e0")
        assert re.fullmatch(r"[a-z0-9 ]*", attributes.get("class") or "")
        assert re.fullmatch(r"(e\d+)?", attributes.get("id") or "")
    return page


@pytest.mark.parametrize("injection", INJECTIONS)
def test_what_is_observed_is_text_and_nothing_else(tmp_path: Path, injection: str) -> None:
    """Case 60: the same text in every field there is."""
    run = RunDirectoryBuilder(tmp_path, objective=injection, metadata={"tags": [injection], "cwd": injection})
    run.step(injection, injection)
    run.event("tool_call", {"toolName": injection, "toolCallId": "1", "args": {injection: injection}})
    run.event("tool_result", {"toolName": injection, "toolCallId": "1", "success": False, "error": injection})
    run.event("error", {"message": injection})
    run.event(injection, {injection: [injection]})
    run.event("metric", {"kind": "api_request", "provider": injection, "model": injection})
    run.write()
    (run.run_dir / "artifacts").mkdir(exist_ok=True)
    name = re.sub(r"[/\0]", "_", injection)
    (run.run_dir / "artifacts" / f"{name}.diff").write_text(f"+{injection}\n-{injection}\n")
    page = assert_harmless(export(tmp_path))
    visible = injection.replace("\x00", "␀").replace("\u202e", "⟨202e⟩")
    assert sum(visible in text for text in page.texts) >= 8


def test_the_page_forbids_everything_but_its_own_style(tmp_path: Path) -> None:
    RunDirectoryBuilder(tmp_path).write()
    document = export(tmp_path)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', document)
    (css,) = re.findall(r"<style>(.*?)</style>", document, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|https?:", css)
    assert "<script" not in document


def test_every_sample_run_is_a_sound_page(tmp_path: Path) -> None:
    for run_id in sample_runs(tmp_path, now_ms=NOW):
        page = assert_harmless(export_run(run_id, "html", store=tmp_path))
        ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
        assert len(ids) == len(set(ids))
        links = {attributes["href"] for _, attributes in page.tags if attributes.get("href")}
        assert {str(link)[1:] for link in links} <= set(ids)


def test_bars_stay_within_their_picture(tmp_path: Path) -> None:
    """Case 40: also where a clock went backwards and a duration is longer than the run."""
    run = RunDirectoryBuilder(tmp_path)
    run.event("tool_call", {"toolName": "t", "toolCallId": "1"}).wait(-90_000)
    run.event("tool_result", {"toolName": "t", "toolCallId": "1", "success": True, "durationMs": 10**14})
    run.wait(500).event("metric", {"kind": "api_request", "latencyMs": 10**9}).write()
    page = assert_harmless(export(tmp_path))
    bars = [attributes for tag, attributes in page.tags if tag == "rect" and attributes.get("x")]
    assert bars
    for bar in bars:
        x, width = int(bar["x"] or 0), int(bar["width"] or 0)
        assert x >= 0
        assert width > 0
        assert x + width <= 1000


def test_a_page_grows_by_little_more_than_a_kilobyte_with_each_call(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path)
    for number in range(2_000):
        run.event(
            "tool_call", {"toolName": "bash", "toolCallId": str(number), "args": {"command": "x" * 400}}
        )
        run.wait(3).event("tool_result", {"toolName": "bash", "toolCallId": str(number), "success": True})
    run.write()
    begun = time.monotonic()
    document = export(tmp_path)
    assert time.monotonic() - begun < 60
    assert len(document) < 2_000 * 2_000
    assert document.count('<details class="row') == 2_001
