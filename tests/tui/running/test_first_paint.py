"""What the first picture needs, and nothing else: a monitor is opened with a question in mind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path
from buddy_top.app import BuddyTop
from buddy_top.options import Options

class Stopped(BuddyTop):
    async def _begin(self):
        lines = [strip.text for strip in self.screen._compositor.render_strips()]
        print("\\n".join(lines[:3]), file=sys.__stdout__)
        print("loaded:", *sorted(name for name in sys.modules if name.startswith("buddy_")), file=sys.__stdout__)
        print("mounted:", *sorted({type(one).__name__ for one in self.query("*")}), file=sys.__stdout__)
        self.exit()

Stopped(Options(Path(sys.argv[1]), home=Path(sys.argv[1]).parent)).run(headless=True, size=(120, 40))
"""

LATER = (
    "buddy_core.alerts.watch",
    "buddy_core.history",
    "buddy_core.metrics.collector",
    "buddy_core.metrics.model",
    "buddy_core.observing",
    "buddy_core.runs.model",
    "buddy_core.runs.reading",
    "buddy_core.runs.records",
    "buddy_core.safety.redact",
    "buddy_top.export",
    "buddy_top.feeding.snapshots",
    "buddy_top.keys.palette",
    "buddy_top.listing.filter_advice",
    "buddy_top.panes.base",
    "buddy_top.panes.overview",
    "buddy_top.run_view",
    "buddy_top.screens.help",
    "buddy_top.widgets.charts",
    "buddy_top.widgets.filter.field",
    "buddy_top.widgets.table",
    "buddy_top.widgets.text",
)
"""Loaded after the first picture, or when somebody asks for it."""

MOST_MODULES = 90
"""So many of our own, their packages included; each costs a third of a millisecond on average."""


def test_the_first_picture_says_where_it_looks_and_loads_little(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(runs)], capture_output=True, text=True, check=False
    )
    header, tabs, _, *told = done.stdout.splitlines()
    assert header.startswith(" buddy-top  ~/runs   ◌ reading"), done.stderr
    assert "[24h]" in header
    assert tabs.startswith("  1 Overview  2 Providers")
    loaded, mounted = (line.split()[1:] for line in told)
    assert [name for name in loaded if name.startswith(LATER)] == []
    assert len(loaded) <= MOST_MODULES
    assert "HeaderLine" in mounted
    assert {"FilterField", "Table", "TextView", "FooterLine"}.isdisjoint(mounted)
