"""A widget drawn line by line from inked spans: their styles in the theme at hand, put together as strips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from buddy_top.drawing.cells import Span, cell_len
from buddy_top.drawing.ink import TERMINAL, Ground, Palette, make_palette


class InkWidget(Widget):
    """A widget drawn line by line from inked spans; nothing it draws is ever read as markup."""

    ALLOW_SELECT = False
    """A drag selects nothing in a table or a chart; views of text say otherwise."""

    _palette_cache: Palette | None = None
    _size_cache: tuple[Size, Size] | None = None

    def notify_style_update(self) -> None:
        """Forget the palette and the size: the theme, the background or the border may have changed."""
        self._palette_cache = self._size_cache = None
        super().notify_style_update()

    def _size_updated(
        self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        """Say every change of size. Textual 8.2.8 compares two maps of the screen, and says nothing when the
        map was made anew between a change of style and the layout, as giving the focus to a widget does.
        """
        changed = size != self._size
        worked = super()._size_updated(size, virtual_size, container_size, layout)
        if changed:
            self.post_message(Resize(size, virtual_size, container_size))
        return worked

    def get_line_filters(self) -> Sequence[LineFilter]:
        """All but the one that turns the terminal's own colours into others: inks are none of these.

        Where a theme keeps the terminal's colours that filter is off; without colour another reads what it writes.
        """
        filters = super().get_line_filters()
        if self.app.no_color:
            return filters
        return tuple(one for one in filters if not isinstance(one, ANSIToTruecolor))

    @property
    def size(self) -> Size:
        """The room inside the border. Textual finds it anew for each line that asks, a tenth of all drawing."""
        outer, known = self.outer_size, self._size_cache
        if known is not None and known[0] == outer:
            return known[1]
        size = super().size
        if size:  # a widget that is out of sight has none, and keeps its outer size: that is not remembered
            self._size_cache = outer, size
        return size

    @property
    def palette(self) -> Palette:
        """The inks on this widget's background in the current theme."""
        if self._palette_cache is None:
            # Without colour only attributes are left to tell weights and the cursor bar apart.
            background = TERMINAL if self.app.no_color else self.background_colors[1]
            self._palette_cache = make_palette(self.app.theme_variables, background)
        return self._palette_cache

    def ink(self, name: str, ground: Ground = "plain") -> Style:
        """The Rich style of one ink."""
        return self.palette.style(name, ground)

    def strip(self, spans: Iterable[Span], width: int, ground: Ground = "plain") -> Strip:
        """One line of the screen, `width` columns wide; what is wider is cut off."""
        return self.filled(self.segments(spans, ground), width, ground)

    def segments(self, spans: Iterable[Span], ground: Ground = "plain") -> list[Segment]:
        """The spans as Rich's segments, in the styles of their inks."""
        style = self.palette.style
        return [Segment(text, style(ink, ground)) for text, ink in spans if text]

    def filled(self, segments: list[Segment], width: int, ground: Ground = "plain") -> Strip:
        """The segments as one line, `width` columns wide. One strip a line: each is eight caches to make."""
        missing = width - sum(cell_len(segment.text) for segment in segments)
        if missing < 0:
            return Strip(segments).crop(0, width)
        if missing:
            segments = [*segments, Segment(" " * missing, self.palette.style("value", ground))]
        return Strip(segments, width)
