"""Repainting what differs and nothing else: half of what one change of the picture costs.

For a partial update Textual asks every widget on the screen, containers too, for all of its lines, and then
takes from them what is to be painted. Here a widget is asked only for the lines that are painted, and one
that lies wholly behind others is not asked at all. What is painted is the same; a test compares both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from rich.segment import Segment
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

GAP = 3
"""Lines between two stretches of a widget that are asked for with them: another question costs more."""

Chops = dict[int, Strip | None]
"""One line of the screen: the pieces between the edges of widgets, by the column they begin in."""


class LeanCompositor(Compositor):
    """A compositor for screens of line-by-line widgets."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """The regions that have become dirty since the last time; None when there are none."""
        regions = self._dirty_regions.copy()
        self._dirty_regions.clear()
        screen = self.size.region
        spans = list(self._regions_to_spans(region.intersection(screen) for region in regions))
        if not spans:
            return None
        return ChopsUpdate(self._chops_of(spans), spans, [cuts[1:] for cuts in self.cuts])

    def _render_chops(self, crop: Region, is_rendered_line: Callable[[int], bool]) -> Sequence[Chops]:  # type: ignore[override]
        """A whole picture: every line of `crop` that is asked for."""
        return self._chops_of((y, 0, self.size.width) for y in crop.line_range if is_rendered_line(y))

    def _chops_of(self, spans: Iterable[tuple[int, int, int]]) -> Sequence[Chops]:
        """Every line of the screen with the pieces that `spans` touch; the others are None, or not there."""
        missing = self._missing(spans)
        chops: list[Chops] = [
            dict.fromkeys(cuts[:-1]) if y in missing else {} for y, cuts in enumerate(self.cuts)
        ]
        for widget, (region, clip) in self.visible_widgets.items():
            if not missing:
                break
            self._paint(widget, region, region.intersection(clip), missing, chops)
        return chops

    def _missing(self, spans: Iterable[tuple[int, int, int]]) -> dict[int, set[int]]:
        """The pieces to be painted, by line: where each begins."""
        missing: dict[int, set[int]] = {}
        for y, first, end in spans:
            touched = (x for x, following in pairwise(self.cuts[y]) if x < end and following > first)
            missing.setdefault(y, set()).update(touched)
        return missing

    def _paint(
        self, widget: Widget, region: Region, shown: Region, missing: dict[int, set[int]], chops: list[Chops]
    ) -> None:
        """Take from `widget`, which nothing still missing lies in front of, all that is missing where it is shown."""
        left, right = shown.column_span
        lines = [y for y in shown.line_range if y in missing and any(left <= x < right for x in missing[y])]
        for first, end in _stretches(lines):
            strips = widget.render_lines(
                Region(shown.x - region.x, first - region.y, shown.width, end - first)
            )
            for y, strip in zip(range(first, end), strips, strict=False):
                if y in missing:
                    self._paint_line(y, strip, left, right, missing, chops[y])

    def _paint_line(
        self, y: int, strip: Strip, left: int, right: int, missing: dict[int, set[int]], line: Chops
    ) -> None:
        cuts = [x for x in self.cuts[y] if left <= x <= right]
        for x, piece in zip(cuts, _pieces(strip, [x - left for x in cuts[1:]]), strict=False):
            if x in missing[y]:
                line[x] = piece
                missing[y].discard(x)
        if not missing[y]:
            del missing[y]


def _pieces(strip: Strip, cuts: Sequence[int]) -> Sequence[Strip]:
    """The strip cut at these columns. `Strip.divide` would remember the pieces, which nobody asks for again.

    One that is wanted whole would even remember itself, and such a circle is freed by the garbage collector alone:
    under load ten thousand lines that nobody needed any more waited for it.
    """
    if cuts == [strip.cell_length]:
        return (strip,)
    cuts = [cut for cut in cuts if cut <= strip.cell_length]
    lengths = (end - start for start, end in pairwise((0, *cuts)))
    return [Strip(piece, length) for piece, length in zip(Segment.divide(strip, cuts), lengths, strict=True)]


def _stretches(lines: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending line numbers as ranges, from and up to; a small gap is bridged."""
    if not lines:
        return
    first = last = lines[0]
    for y in lines[1:]:
        if y > last + GAP:
            yield first, last + 1
            first = y
        last = y
    yield first, last + 1
