"""The last filters before the terminal.

Observed text is made printable where it enters; should one path forget, nothing it carries may still reach
the terminal. So every line a widget draws passes here: control characters become visible, links (OSC 8)
are taken off, and where the terminal cannot show UTF-8 the line is redrawn in ASCII.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from buddy_core.safety.ascii import to_ascii
from buddy_core.safety.text import is_plain, plain


class ScreenGuard(LineFilter):
    """Lets printable text through and makes the rest printable, without moving a column.

    With `ascii_only` every character outside ASCII is replaced by one of the same width.
    """

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__()
        self._clean = _clean_ascii if ascii_only else _clean

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments of one line, safe; the very same list when there was nothing to do."""
        clean = self._clean
        changed: list[Segment] | None = None
        for index, segment in enumerate(segments):
            text, style, control = segment
            safe_text = text if text.isascii() and text.isprintable() else clean(text)
            if safe_text is not text or control or (style is not None and style.link):
                changed = segments.copy() if changed is None else changed
                changed[index] = Segment(safe_text, style and _without_link(style))
        return segments if changed is None else _as_wide_as(segments, changed)


class WithoutColor(LineFilter):
    """What NO_COLOR asks for: no colour at all, where Textual alone still sends greys.

    A background that differs from its surroundings marks a selection; it becomes reverse video.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments of one line with weight and reversal, but no colour."""
        triplet = background.rich_color.triplet
        return [
            Segment(
                text, style and _without_color(style, triplet is not None and _stands_out(style, background))
            )
            for text, style, _ in segments
        ]


_CONTRAST = 0.12
"""Difference of brightness (0 to 1) from which a background is taken for a mark rather than a shade."""


def _stands_out(style: Style, background: Color) -> bool:
    if style.bgcolor is None or style.bgcolor.triplet is None:
        return False
    return abs(Color.from_rich_color(style.bgcolor).brightness - background.brightness) > _CONTRAST


@lru_cache(2048)
def _without_color(style: Style, reverse: bool) -> Style:
    plain_style = style.without_color
    return plain_style + Style(reverse=True) if reverse and not style.reverse else plain_style


@lru_cache(2048)
def _without_link(style: Style) -> Style:
    return style.update_link(None) if style.link else style


@lru_cache(8192)
def _clean(text: str) -> str:
    return text if is_plain(text) else plain(text, limit=max(1, 8 * len(text)))


@lru_cache(8192)
def _clean_ascii(text: str) -> str:
    safe = _clean(text)
    drawn = to_ascii(safe)
    return drawn.ljust(cell_len(safe)) if not safe.isascii() else drawn


def _as_wide_as(before: list[Segment], after: list[Segment]) -> list[Segment]:
    width = sum(cell_len(segment.text) for segment in before)
    if sum(cell_len(segment.text) for segment in after) == width:
        return after
    return Segment.adjust_line_length(after, width, pad=False)
