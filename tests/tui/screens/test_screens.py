"""Pictures of every screen, under `snapshots/test_screens/`: look at each one that changes.

`pytest tests/tui/screens/test_screens.py --snapshot-update` takes them anew. The clock stands still, the time zone is
UTC, and paths are those of somebody whose home is a temporary directory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Compare
from tests.pty.hostile import ESCAPES, MARKUP, write_hostile_runs
from tests.tui.inline_feed import InlineFeed
from tests.tui.keys.test_keys_frame import until
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, make_app
from textual.pilot import Pilot

from buddy_core.clock import ManualClock
from buddy_core.metrics.window import Window
from buddy_core.testing import RunDirectoryBuilder, sample_runs
from buddy_top.app import BuddyTop
from buddy_top.commands import Place
from buddy_top.demo import DemoAgent
from buddy_top.state import Tab

SIZES = pytest.mark.parametrize("size", [SMALL, COMFORTABLE], ids=lambda size: f"{size[0]}x{size[1]}")
LARGE = (200, 60)
TABS = [tab.value for tab in Tab]
Size = tuple[int, int]
Shoot = Callable[..., bool]


def named(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory whose `~/.codebuddy/runs` is yet to be made."""
    return tmp_path / "home"


@pytest.fixture
def runs(home: Path) -> Path:
    """The sample runs, where the original writer puts its own."""
    folder = home / ".codebuddy" / "runs"
    sample_runs(folder, now_ms=NOW)
    return folder


@pytest.fixture
def picture(home: Path, snap_compare: Compare) -> Shoot:
    """Holds the picture of a monitor, after some keys, against the one that was looked at."""

    def shoot(
        runs: Path,
        size: Size,
        *keys: str,
        then: Callable[[Monitor], Awaitable[None]] | None = None,
        **options: Any,
    ) -> bool:
        app, feed = make_app(runs, **({"home": home} | options))
        return snap_compare(app, size=size, drive=_driver(app, feed, keys, then))

    return shoot


def _driver(
    app: BuddyTop,
    feed: InlineFeed,
    keys: Sequence[str],
    then: Callable[[Monitor], Awaitable[None]] | None,
) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def drive(pilot: Pilot[Any]) -> None:
        assert isinstance(feed.clock, ManualClock)
        seen = Monitor(app, pilot, feed, feed.clock)
        await seen.settle()
        await seen.press(*keys)
        if then is not None:
            await then(seen)
        app.footer.be_silent()
        await seen.settle()

    return drive


@SIZES
@pytest.mark.parametrize("tab", TABS)
def test_tab(tab: Place, size: Size, runs: Path, picture: Shoot) -> None:
    assert picture(runs, size, tab=tab)


@pytest.mark.parametrize("tab", TABS)
def test_tab_with_much_room(tab: Place, runs: Path, picture: Shoot) -> None:
    assert picture(runs, LARGE, tab=tab)


@pytest.mark.parametrize("tab", ["overview", "providers", "errors", "runs"])
def test_tab_with_the_least_room(tab: Place, runs: Path, picture: Shoot) -> None:
    assert picture(runs, (60, 16), tab=tab)


FAILED_RUN = ("5", "j", "j", "j", "enter")
WITH_ARTIFACTS = ("5", "j", "j", "j", "j", "j", "enter")


@SIZES
@pytest.mark.parametrize(
    ("keys", "view"),
    [(FAILED_RUN, ()), (FAILED_RUN, ("v",)), (WITH_ARTIFACTS, ("v", "v", "j"))],
    ids=["timeline", "metrics", "artifacts"],
)
def test_run(keys: tuple[str, ...], view: tuple[str, ...], size: Size, runs: Path, picture: Shoot) -> None:
    assert picture(runs, size, *keys, *view)


@SIZES
def test_live_run(size: Size, runs: Path, picture: Shoot) -> None:
    assert picture(runs, size, "5", "j", "enter")


@pytest.fixture
def rich_error(home: Path) -> Path:
    """One error with everything an error can have, in the midst of a run that a second model helped."""
    run = RunDirectoryBuilder(
        home / "runs", started_at=NOW - 3_600_000, objective="Move the sessions to Redis"
    )
    for number in range(14):
        run.wait(700).tool("bash", {"command": f"redis-cli ping {number}"}, took_ms=40, output=12)
        run.request(
            "anthropic", "claude-opus-4-5", prompt=900, completion=80, latency_ms=2_000 + 300 * number
        )
    context = {"provider": "anthropic", "model": "claude-opus-4-5", "attempt": 3, "region": "eu-central-1"}
    stack = "\n".join(f'  File "/srv/agent/step_{n}.py", line {n * 7}, in call_{n}' for n in range(1, 9))
    message = "the answer was cut off after 8192 tokens — 会话被中断 — and cannot be continued"
    run.request("anthropic", "claude-opus-4-5", prompt=0, completion=0, latency_ms=60_000, success=False)
    run.event("error", {"type": "truncated_answer", "message": message, "stack": stack, **context})
    for number in range(14):
        run.wait(900).tool(
            "view_file", {"path": f"/srv/agent/session/store_{number}.py"}, took_ms=9, output=900
        )
    run.request("openai", "gpt-5-mini", prompt=500, completion=20, latency_ms=700).end("failed").write()
    return home / "runs"


@pytest.mark.parametrize("size", [SMALL, COMFORTABLE, LARGE], ids=named)
@pytest.mark.parametrize("tab", ["providers", "errors"])
def test_in_depth(tab: Place, size: Size, rich_error: Path, picture: Shoot) -> None:
    assert picture(rich_error, size, tab=tab)


def test_events_around_an_error_with_the_pane_to_themselves(rich_error: Path, picture: Shoot) -> None:
    assert picture(rich_error, COMFORTABLE, "4", "right", "right", "z")


@SIZES
def test_errors_one_by_one(size: Size, runs: Path, picture: Shoot) -> None:
    assert picture(runs, size, "4", "t", "j", "j")


def test_panel_alone(runs: Path, picture: Shoot) -> None:
    assert picture(runs, SMALL, "5", "z")


@SIZES
def test_filter_in_use(size: Size, runs: Path, picture: Shoot) -> None:
    assert picture(runs, size, "5", "/", "l", "o", "g")


def test_filter_without_a_match(runs: Path, picture: Shoot) -> None:
    assert picture(runs, SMALL, "3", "/", "n", "o", "n", "e", "enter")


@SIZES
def test_help(size: Size, runs: Path, picture: Shoot) -> None:
    assert picture(runs, size, "5", "?")


@SIZES
def test_palette(size: Size, runs: Path, picture: Shoot) -> None:
    async def find(seen: Monitor) -> None:
        await seen.press(*"fl")
        both = ("flaky", "Filter")  # and not what the first letter alone has found
        await until(seen, lambda: all(one in seen.text for one in both) and "Where from" not in seen.text)

    assert picture(runs, size, "5", "ctrl+p", then=find)


@SIZES
def test_sort_menu(size: Size, runs: Path, picture: Shoot) -> None:
    assert picture(runs, size, "2", "s")


def test_export_menu(runs: Path, picture: Shoot) -> None:
    assert picture(runs, SMALL, "3", "x", export_dir="/home/dev/Downloads")


@SIZES
def test_event_in_full(size: Size, runs: Path, picture: Shoot) -> None:
    assert picture(runs, size, "5", "j", "j", "j", "enter", "g", "e", "enter")


def test_paused(runs: Path, picture: Shoot) -> None:
    assert picture(runs, SMALL, "p")


@SIZES
def test_welcome(size: Size, picture: Shoot) -> None:
    assert picture(Path("/home/dev/.codebuddy/runs"), size, home=Path("/home/dev"))


@pytest.mark.parametrize("tab", TABS[1:])
def test_tab_without_runs(tab: Place, home: Path, picture: Shoot) -> None:
    (home / ".codebuddy" / "runs").mkdir(parents=True)
    assert picture(home / ".codebuddy" / "runs", SMALL, tab=tab)


@pytest.mark.parametrize("tab", TABS[:4])
def test_tab_with_nothing_in_the_window(tab: Place, runs: Path, picture: Shoot) -> None:
    assert picture(runs, SMALL, tab=tab, window=Window.M15, now_ms=NOW + 3_600_000)


def test_too_small(runs: Path, picture: Shoot) -> None:
    assert picture(runs, (50, 12))


@pytest.mark.parametrize("tab", [*TABS, "run"])
def test_hostile_text(tab: str, home: Path, picture: Shoot) -> None:
    folder = home / ".codebuddy" / "runs"
    folder.mkdir(parents=True)
    names = ("title-st", "c1", "bidi", "zalgo", "selectors", "lines")
    payloads = {name: ESCAPES[name] for name in names} | MARKUP
    write_hostile_runs(folder, now_ms=NOW, payloads=payloads)
    assert picture(
        folder, COMFORTABLE, *(("5", "j", "enter") if tab == "run" else (str(TABS.index(tab) + 1),))
    )


@pytest.mark.parametrize("tab", ["overview", "providers", "errors", "runs"])
def test_light_theme(tab: Place, runs: Path, picture: Shoot) -> None:
    assert picture(runs, COMFORTABLE, tab=tab, theme="buddy-light")


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light", "nord"])
def test_other_theme(theme: str, runs: Path, picture: Shoot) -> None:
    assert picture(runs, COMFORTABLE, theme=theme)


@pytest.mark.parametrize("tab", ["overview", "providers", "runs"])
def test_no_color(tab: Place, runs: Path, picture: Shoot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 70."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(runs, COMFORTABLE, tab=tab)


@pytest.mark.parametrize("tab", ["overview", "providers", "errors", "runs"])
def test_ascii(tab: Place, runs: Path, picture: Shoot) -> None:
    """Case 71: a terminal that does not speak UTF-8."""
    assert picture(runs, SMALL, tab=tab, ascii=True)


@pytest.fixture
def demonstration(home: Path) -> Any:
    """The directory of a demonstration agent that has been at work for a minute, and the time then."""
    clock = ManualClock(NOW - 60_000)
    agent = DemoAgent(home / "demo" / "runs", seed=7, clock=clock)
    agent.begin()
    while clock.now_ms() < NOW:
        clock.advance(min(agent.step(), NOW - clock.now_ms()))
    yield home / "demo" / "runs"
    agent.close()


@pytest.mark.parametrize("size", [COMFORTABLE], ids=named)
def test_overview_of_the_demonstration(size: Size, demonstration: Path, picture: Shoot) -> None:
    assert picture(demonstration, size)


@pytest.mark.parametrize("tab", TABS[1:])
def test_demonstration(tab: Place, demonstration: Path, picture: Shoot) -> None:
    assert picture(demonstration, COMFORTABLE, tab=tab)
