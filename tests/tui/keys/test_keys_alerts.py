"""The key that lists what needs attention, and the way from there to where it happens."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.monitor import COMFORTABLE, NOW, Monitor, monitor, samples, ways

from buddy_core.alerts.limits import Limits
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.screens.alerts import AlertsScreen
from buddy_top.state import Tab

MINUTE = 60_000


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A run that goes in circles and whose bash keeps failing, a model that fails, and money spent."""
    made = RunDirectoryBuilder(tmp_path / "runs", started_at=NOW - 5 * MINUTE, objective="Fix the login")
    for _ in range(10):
        made.request("openai", "gpt-5.5", cost=0.2, success=False)
    for _ in range(12):
        made.tool("bash", {"command": "npm test"}, error="exit 1", took_ms=1_000)
    made.write()
    return made.root


def rules(seen: Monitor) -> list[str]:
    assert isinstance(seen.app.screen, AlertsScreen)
    return [key.split("\n")[0] for key in seen.app.screen.table.keys]


async def test_a_lists_the_alerts_at_every_place_and_a_or_esc_closes_the_list(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE, limits=Limits()) as seen:
        for place, key in ways("alerts"):
            await seen.go(place)
            before = seen.text
            for closing in (key, "escape", "q"):
                await seen.press(key)
                assert sorted(rules(seen)) == ["stalled", "waiting"]
                await seen.press(closing)
                assert seen.text == before


async def test_enter_goes_where_it_happens(runs: Path) -> None:
    async with monitor(runs, size=COMFORTABLE, limits=Limits(cost_per_hour=1.0)) as seen:
        await seen.press("a")
        order = rules(seen)
        assert sorted(order) == ["cost_per_hour", "provider_errors", "repeating", "tool_errors"]
        places = {
            "cost_per_hour": (Tab.PROVIDERS.value, "openai/gpt-5.5"),
            "provider_errors": (Tab.PROVIDERS.value, "openai/gpt-5.5"),
            "tool_errors": (Tab.TOOLS.value, "bash"),
        }
        await seen.press("escape")
        for rule, (place, cursor) in places.items():
            await seen.press("a", "g", *["j"] * order.index(rule), "enter")
            assert (seen.app.place, seen.cursor) == (place, cursor), rule
        await seen.press("a", "g", *["j"] * order.index("repeating"), "enter")
        assert seen.app.place == "run"
        assert "Fix the login" in seen.body


async def test_the_reason_of_the_alert_under_the_cursor_stands_below_in_full(runs: Path) -> None:
    async with monitor(runs, limits=Limits()) as seen:
        await seen.press("a", "G")
        assert isinstance(seen.app.screen, AlertsScreen)
        words = seen.app.screen.reason.words()
        assert "bash was called 12 times in a row with the same arguments and the same result" in words
        assert "enter opens the run “Fix the login”" in words
        assert seen.table.cursor_index == 2


async def test_the_list_follows_what_happens_behind_it(runs: Path) -> None:
    async with monitor(runs, limits=Limits()) as seen:
        await seen.press("a", "G")
        assert len(rules(seen)) == 3
        seen.clock.set_wall(NOW + 30 * MINUTE)
        await seen.refresh()
        assert rules(seen) == ["repeating", "stalled"] or rules(seen) == ["stalled", "repeating"]
        assert seen.cursor is not None
        assert seen.cursor.startswith("repeating"), "the cursor stays on its alert"


async def test_without_an_alert_the_list_says_what_is_watched(tmp_path: Path) -> None:
    made = RunDirectoryBuilder(tmp_path, started_at=NOW - MINUTE).tool("bash").end()
    made.write()
    async with monitor(tmp_path, limits=Limits(cost_per_day=5.0)) as seen:
        await seen.press("a")
        assert "Nothing needs attention." in seen.text
        assert "more than $5.00 in a day spent" in seen.text
        await seen.press("j", "enter", "escape")
        assert not isinstance(seen.app.screen, AlertsScreen)
