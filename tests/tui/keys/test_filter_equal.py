"""What the runs pane shows for a filter is what `run list FILTER --json` gives, for few runs and for many."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from tests.tui.monitor import NOW, Monitor, monitor, samples

from buddy_core.clock import ManualClock
from buddy_top.cli.entry import main
from buddy_top.panes.runs.pane import RunsPane

FILTERS = (
    "",
    "login",
    "status:failed,stalled",
    "-status:completed tool:bash",
    "tool:view_*,search",
    "model:sonnet cost>0.1",
    "took>30s errors>0",
    "since:4h",
    "before:2026-01-09 -model:haiku",
    'content:"exit code 1"',
    "-content:pytest tool:bash",
    "529 overloaded",
    "id:mk6o",
)


@pytest.mark.parametrize("many", [1_000, 3], ids=["few", "many"])
async def test_the_pane_lists_what_the_command_lists(
    many: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr("buddy_top.cli.entry.SystemClock", lambda: ManualClock(NOW))
    monkeypatch.setattr("buddy_top.listing.lister.MANY_RUNS", many)
    monkeypatch.setattr("buddy_top.cli.run.catalogs.MANY_RUNS", many)
    runs = samples(tmp_path)
    told: dict[str, list[str]] = {}
    for text in FILTERS:
        words = shlex.split(text)  # as a shell passes it on
        assert main(["run", "list", "--json", "--limit", "0", "--runs-dir", str(runs), "--", *words]) == 0
        told[text] = [run["run_id"] for run in json.loads(capsys.readouterr().out)["runs"]]
    idle = [text for text in FILTERS[1:] if not 0 < len(told[text]) < len(told[""])]
    assert idle == []
    async with monitor(runs, tab="runs", state=tmp_path / "state") as seen:
        await seen.press("/")
        pane = seen.app.visible_pane
        assert isinstance(pane, RunsPane)
        for text in FILTERS:
            seen.app.filter_line.field.value = text
            await seen.until(lambda text=text: pane.filter_text == text and listed(seen))  # type: ignore[misc]
            await seen.until(lambda text=text: sorted(pane.table.keys) == sorted(told[text]))  # type: ignore[misc]


def listed(seen: Monitor) -> bool:
    """True once the list is what was asked for last; while it changes quickly, its feed looks again a little later."""
    snapshot, pane = seen.app.snapshot, seen.app.visible_pane
    if snapshot is None or snapshot.listing is None or not isinstance(pane, RunsPane):
        return False
    settled = snapshot.listing.settled and snapshot.listing.wants.query == pane.fitting
    if not settled:
        seen.feed.take()
    return settled
