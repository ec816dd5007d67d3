"""The picture of the screen as SVG, with secrets masked.

The picture holds each line of the screen as pieces of text, one for each colour. A secret may run across
them, so a line is put together, masked, and what changed is covered sign for sign; the layout stays.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from difflib import SequenceMatcher

from buddy_core.safety.redact import redact

COVER = "•"

_PIECE = re.compile(r'(<text [^>]*\bx="([\d.]+)"[^>]*\by="([\d.]+)"[^>]*>)([^<]*)(</text>)')


def masked_picture(svg: str) -> str:
    """`svg`, as Textual exports it, without the secrets in its text."""
    pieces = list(_PIECE.finditer(svg))
    lines: dict[str, list[int]] = defaultdict(list)
    for index, piece in enumerate(pieces):
        lines[piece[3]].append(index)
    texts = {index: html.unescape(piece[4]) for index, piece in enumerate(pieces)}
    for indices in lines.values():
        indices.sort(key=lambda index: float(pieces[index][2]))
        _cover_line(texts, indices)
    return _replaced(svg, pieces, texts)


def _cover_line(texts: dict[int, str], indices: list[int]) -> None:
    """Cover in `texts` what must not be read on the line made of these pieces."""
    line = "".join(texts[index] for index in indices)
    plain_line = line.replace("\xa0", " ")
    masked = redact(plain_line)
    if masked == plain_line:
        return
    signs = list(line)
    for kind, start, end, _, _ in SequenceMatcher(None, plain_line, masked, autojunk=False).get_opcodes():
        if kind in ("replace", "delete"):
            signs[start:end] = [COVER if sign.strip() else sign for sign in signs[start:end]]
    at = 0
    for index in indices:
        texts[index] = "".join(signs[at : at + len(texts[index])])
        at += len(texts[index])


def _replaced(svg: str, pieces: list[re.Match[str]], texts: dict[int, str]) -> str:
    parts: list[str] = []
    at = 0
    for index, piece in enumerate(pieces):
        if texts[index] != html.unescape(piece[4]):
            parts += [svg[at : piece.start(4)], html.escape(texts[index]).replace("\xa0", "&#160;")]
            at = piece.end(4)
    return "".join(parts) + svg[at:]
