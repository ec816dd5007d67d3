"""A run as one HTML page: no script, no request to anywhere, readable in light and dark, on a phone and on paper.

Every text goes through `text` or `block`, which make it printable first and then escape it; nothing observed
becomes an address, an attribute's name or a style. The page's own policy forbids everything but its one
stylesheet, named by its hash, so that even a mistake here could not load or run anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from buddy_core import format as fmt
from buddy_core._version import __version__
from buddy_core.runs.export import html_tables as tables
from buddy_core.runs.export import html_timeline as timeline
from buddy_core.runs.export.gather import ExportedArtifact, Report
from buddy_core.runs.export.html_text import block, tag, text
from buddy_core.runs.facts import RunFacts
from buddy_core.signs import STATE_SIGNS

STATUS_CLASS = {
    "completed": "ok",
    "failed": "bad",
    "cancelled": "note",
    "running": "live",
    "stalled": "warn",
    "interrupted": "warn",
}


def to_html(report: Report) -> str:
    """The whole page."""
    return "\n".join(_page(report)) + "\n"


@cache
def style() -> tuple[str, str]:
    """The stylesheet, and the source expression that allows it."""
    css = files("buddy_core.runs.export").joinpath("page.css").read_text("utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return css, f"'sha256-{digest}'"


def _page(report: Report) -> Iterator[str]:
    css, allowed = style()
    policy = f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'"
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield '<head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f"<title>{text(report.facts.objective, 120) or report.facts.run_id}</title>"
    yield f"<style>{css}</style></head>"
    yield "<body>"
    yield from _header(report)
    yield "<main>"
    yield from timeline.overview(report)
    yield from timeline.failures(report)
    yield '<div class="two">'
    yield from tables.requests(report)
    yield from tables.tools(report)
    yield "</div>"
    yield from timeline.rows(report)
    yield from _artifacts(report)
    yield "</main>"
    yield _footer(report)
    yield "</body></html>"


def _header(report: Report) -> Iterator[str]:
    facts = report.facts
    kind = STATUS_CLASS.get(facts.status, "note")
    at = fmt.local(facts.started_at or None)
    yield '<header><div class="top">'
    yield tag("span", f"{STATE_SIGNS.get(facts.status, '·')} {text(facts.status)}", kind=f"pill {kind}")
    yield tag("span", text(facts.run_id), kind="id")
    yield f"<span>{'' if at is None else at.strftime('%-d %B %Y, %H:%M:%S')}</span></div>"
    long = ' class="long"' if len(facts.objective) > 90 else ""
    yield f"<h1{long}>{text(facts.objective, 600) or 'A run without an objective'}</h1>"
    yield from _facts(facts)
    if report.unmasked:
        yield '<p class="alarm">Secrets are not masked in this document.</p>'
    yield from (tag("p", text(note, 500), kind="alarm") for note in facts.integrity.notes)
    yield from _tiles(facts)
    yield "</header>"


def _facts(facts: RunFacts) -> Iterator[str]:
    told = (
        ("model", text(facts.model)),
        ("directory", text(facts.cwd)),
        ("channel", text(facts.channel)),
        ("tags", "".join(tag("span", text(name, 60), kind="chip") for name in facts.tags)),
        ("fork of", text(facts.parent_run_id)),
        ("because", text(facts.fork_reason)),
    )
    yield '<dl class="facts">'
    yield from (f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in told if value)
    yield "</dl>"


def _tiles(facts: RunFacts) -> Iterator[str]:
    parts = f"{fmt.tokens(facts.prompt_tokens)} in, {fmt.tokens(facts.completion_tokens)} out"
    if facts.other_tokens:
        parts += f", {fmt.tokens(facts.other_tokens)} cache and other"
    failed = f"{facts.tool_failures:,} failed" if facts.tool_failures else "none failed"
    yield '<section class="tiles">'
    yield _tile("Duration", fmt.duration(facts.duration_ms), "")
    yield _tile("Tokens", fmt.tokens(facts.total_tokens), parts if facts.total_tokens is not None else "")
    yield _tile("Cost", fmt.cost_of(facts), "")
    yield _tile("Tool calls", fmt.count(facts.tool_calls), failed if facts.tool_calls else "")
    yield _tile("Errors", fmt.count(facts.errors), "", bad=facts.errors > 0)
    yield _tile("Events", fmt.count(facts.event_count), "")
    yield "</section>"


def _tile(label: str, value: str, below: str, *, bad: bool = False) -> str:
    return (
        f'<div class="tile{" bad" if bad else ""}"><span>{label}</span><b>{value}</b><em>{below}</em></div>'
    )


def _artifacts(report: Report) -> Iterator[str]:
    if not report.artifacts:
        return
    count = len(report.artifacts)
    yield f'<h2>Artifacts <small>{fmt.plural(count, "file")}</small></h2><section class="panel">'
    yield from map(_artifact, report.artifacts)
    yield "</section>"


def _artifact(artifact: ExportedArtifact) -> str:
    head = f'<span class="name">{text(artifact.name, 200)}</span>'
    if artifact.note:
        head += f'<span class="hint">{artifact.note}</span>'
    head += f'<span class="size">{fmt.bytes_(artifact.size)}</span>'
    if not artifact.text:
        return f'<div class="art flat">{head}</div>'
    as_patch = artifact.name.endswith((".diff", ".patch"))
    shown = block(artifact.text, patch=as_patch)
    return f'<details class="art"><summary>{head}</summary><pre>{shown}</pre></details>'


def _footer(report: Report) -> str:
    at = fmt.local(report.generated_at)
    when = "" if at is None else at.strftime(" on %-d %B %Y at %H:%M")
    masked = "are not masked" if report.unmasked else "are masked"
    return f"<footer>Written by buddy-top {text(__version__)}{when}. Secrets {masked}.</footer>"
