"""Observed text as HTML text: printable first, then escaped. The only doors into the page."""

from __future__ import annotations

from html import escape

from buddy_core.safety.text import plain, plain_lines

MAX_LINES = 3_000


def text(value: object, limit: int = 300) -> str:
    """One line of observed text, safe between tags and in quoted attributes; empty for None."""
    return "" if value is None else escape(plain(value, limit=limit), quote=True)


def block(value: str, *, patch: bool = False, limit_lines: int = MAX_LINES) -> str:
    """Observed text of several lines for a `<pre>`; the lines of a patch are told apart."""
    lines = plain_lines(value, limit_lines=limit_lines, limit_width=4_000)
    if not patch:
        return "\n".join(escape(line) for line in lines)
    return "\n".join(map(_patch_line, lines))


def tag(name: str, inner: str, *, kind: str) -> str:
    """An element of the page around HTML that is safe already; `kind` is its class, never observed text."""
    return f'<{name} class="{kind}">{inner}</{name}>'


def _patch_line(line: str) -> str:
    safe = escape(line)
    if line.startswith(("@@", "+++", "---", "diff ")):
        return f'<span class="hunk">{safe}</span>'
    if line.startswith("+"):
        return f"<ins>{safe}</ins>"
    return f"<del>{safe}</del>" if line.startswith("-") else safe
