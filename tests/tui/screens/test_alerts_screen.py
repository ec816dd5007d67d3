"""Alerts on the screen: the badge, the budget bar, and what is sent to the terminal when somebody asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.conftest import Compare
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, make_app, monitor, samples

from buddy_core.alerts.limits import Limits
from buddy_core.alerts.model import Alert, BudgetUse
from buddy_core.testing import RunDirectoryBuilder, sample_runs
from buddy_top.drawing.cells import text_of, width_of
from buddy_top.panes.overview.budget import budget_cell
from buddy_top.terminal.announce import QUIET_MS, desktop_words
from buddy_top.widgets.frame.header import HeaderFields, header_pieces

MINUTE = 60_000
CIRCLES = "was called 4 times in a row with the same arguments and the same result"
LIMITS = Limits(cost_per_hour=2.0, cost_per_day=10.0)


def circling(folder: Path) -> RunDirectoryBuilder:
    """A live run that did the same thing three times."""
    made = RunDirectoryBuilder(folder, started_at=NOW - MINUTE, objective="Fix the login")
    for _ in range(3):
        made.tool("bash", {"command": "npm test"})
    made.write()
    return made


async def once_more(seen: Monitor, made: RunDirectoryBuilder) -> None:
    made.tool("bash", {"command": "npm test"}).write()
    await seen.refresh()


async def test_the_badge_stands_in_the_header_while_an_alert_holds(tmp_path: Path) -> None:
    made = circling(tmp_path)
    async with monitor(tmp_path, limits=Limits()) as seen:
        assert "▲" not in seen.header
        await once_more(seen, made)
        assert "▲ 1 alert " in seen.header
        made.tool("grep", {"pattern": "x"}).write()
        await seen.refresh()
        assert "▲" not in seen.header


async def test_a_run_that_an_alert_tells_of_stands_out_among_those_that_run_now(tmp_path: Path) -> None:
    made = circling(tmp_path)
    async with monitor(tmp_path, size=COMFORTABLE, limits=Limits()) as seen:
        assert "▲ waiting for the model" not in seen.text
        await once_more(seen, made)
        assert "▲ waiting for the model" in seen.text


async def test_a_click_on_the_badge_opens_the_list(tmp_path: Path) -> None:
    made = circling(tmp_path)
    async with monitor(tmp_path, limits=Limits()) as seen:
        await once_more(seen, made)
        await seen.click("1 alert")
        assert "npm test" in seen.text
        assert seen.app.alerts_screen is seen.app.screen


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_the_badge_is_never_given_up_for_lack_of_room(width: int) -> None:
    windows = tuple((name, name == "24h") for name in ("15m", "1h", "24h", "7d", "all"))
    fields = HeaderFields(running=12, stalled=3, alerts=14, windows=windows)
    line = "".join(text_of(piece.spans) for piece in header_pieces(fields, width))
    assert "▲ 14 alerts" in line
    assert len(line) <= width


@pytest.mark.parametrize("width", [30, 38, 50, 90])
@pytest.mark.parametrize("spent", [None, 0.0, 0.82, 1.7, 2.0, 57.0])
def test_a_budget_keeps_within_its_room_and_unknown_is_no_nought(width: int, spent: float | None) -> None:
    cell = budget_cell(BudgetUse("cost_per_hour", 2.0, spent), width)
    words = text_of(cell)
    assert width_of(cell) <= max(width, 36)
    assert "of $2.00" in words
    if spent is None:
        assert "last hour – of" in words
        assert words.endswith("–")
        assert "━" not in words


async def test_the_budget_bar_is_there_only_when_a_budget_is_set(tmp_path: Path) -> None:
    runs = samples(tmp_path)
    async with monitor(runs, size=COMFORTABLE, limits=Limits()) as seen:
        assert "last hour" not in seen.text
    async with monitor(runs, size=COMFORTABLE, limits=LIMITS) as seen:
        assert seen.app.snapshot is not None
        hour, day = seen.app.snapshot.budgets
        assert hour.spent is not None
        assert day.spent == seen.app.snapshot.view.total_cost
        [line] = [line for line in seen.lines if "last hour" in line]
        assert f"${hour.spent:.2f} of $2.00" in line
        assert f"last 24 h ${day.spent:.2f} of $10.00" in line


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reaches the terminal beside pictures."""
    sent: list[str] = []
    from textual.drivers.headless_driver import HeadlessDriver

    monkeypatch.setattr(HeadlessDriver, "write", lambda _driver, data: sent.append(data))
    return sent


def told(written: Sequence[str]) -> list[str]:
    """Without the shape of the pointer."""
    return [data for data in written if "\a" in data and not data.startswith("\x1b]22;")]


@pytest.mark.parametrize(
    ("notify", "sent"),
    [
        ("none", []),
        ("bell", ["\a"]),
        (
            "desktop",
            [f"\x1b]9;buddy-top: bash {CIRCLES}: npm test\a"],
        ),
    ],
)
async def test_a_new_alert_is_told_once_and_only_when_asked(
    notify: str, sent: list[str], tmp_path: Path, written: list[str]
) -> None:
    made = circling(tmp_path)
    async with monitor(tmp_path, limits=Limits(), notify=notify) as seen:
        assert told(written) == []
        await once_more(seen, made)
        assert told(written) == sent
        await once_more(seen, made)
        await seen.refresh()
        assert told(written) == sent


async def test_what_holds_at_the_start_is_no_news_and_what_comes_and_goes_is_told_once_in_a_while(
    tmp_path: Path, written: list[str]
) -> None:
    made = circling(tmp_path)
    made.tool("bash", {"command": "npm test"}).write()
    async with monitor(tmp_path, limits=Limits(), notify="bell") as seen:
        assert "▲ 1 alert" in seen.header
        assert told(written) == []
        for waited_ms, bells in ((0, 1), (MINUTE, 1), (QUIET_MS, 2)):
            made.wait(waited_ms).tool("grep", {"pattern": "x"})
            made.write()
            seen.clock.set_wall(max(NOW, made.now_ms))
            await seen.refresh()
            for _ in range(4):
                await once_more(seen, made)
            assert len(told(written)) == bells


async def test_an_observed_name_cannot_end_the_notification(tmp_path: Path, written: list[str]) -> None:
    """Case 55."""
    made = RunDirectoryBuilder(tmp_path, started_at=NOW - MINUTE)
    async with monitor(tmp_path, limits=Limits(), notify="desktop") as seen:
        for _ in range(4):
            made.tool("x\a\x1b]52;c;aGk=\x1b\\\x9c", {})
        made.write()
        await seen.refresh()
        [data] = told(written)
        assert data.count("\a") == data.count("\x1b") == 1
        assert "\x9c" not in data
    raw = Alert("waiting", "x", None, "warn", NOW, "\a\x1b]0;x")
    assert desktop_words([raw, raw]) == "\x1b]9;buddy-top: ␇␛]0;x (and 1 more)\a"


@pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("shown", ["budget", "list", "quiet"])
def test_picture(shown: str, size: tuple[int, int], tmp_path: Path, snap_compare: Compare) -> None:
    runs = tmp_path / "home" / ".codebuddy" / "runs"
    if shown == "quiet":
        RunDirectoryBuilder(runs, started_at=NOW - MINUTE).tool("bash").end().write()
    else:
        sample_runs(runs, now_ms=NOW)
        made = circling(runs)
        for _ in range(9):
            made.tool("bash", {"command": "npm test"}, error="exit 1")
        made.write()
    limits = Limits() if shown == "quiet" else LIMITS
    app, feed = make_app(runs, home=tmp_path / "home", limits=limits)

    async def drive(pilot: object) -> None:
        seen = Monitor(app, pilot, feed, feed.clock)  # type: ignore[arg-type]
        await seen.settle()
        await seen.press(*([] if shown == "budget" else ["a"]))

    assert snap_compare(app, size=size, drive=drive)
