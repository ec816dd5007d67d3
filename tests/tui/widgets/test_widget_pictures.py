"""How the widgets look: run with --snapshot-update after a change, then look at every picture."""

from __future__ import annotations

import pytest
from tests.conftest import Compare
from tests.tui.widgets import widget_gallery as gallery


@pytest.mark.parametrize("size", [(80, 40), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_gallery(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(gallery.Gallery(), size=size)


@pytest.mark.parametrize("theme", ["buddy-light", "textual-dark", "nord", "solarized-light", "ansi-dark"])
def test_gallery_in_theme(snap_compare: Compare, theme: str) -> None:
    assert snap_compare(gallery.Gallery(theme), size=(120, 40))


def test_gallery_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(gallery.Gallery(), size=(120, 40))


def test_gallery_with_hostile_text(snap_compare: Compare) -> None:
    assert snap_compare(gallery.Gallery(hostile=True), size=(120, 40))
