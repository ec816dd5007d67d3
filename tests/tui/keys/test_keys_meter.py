"""The monitor measures itself: the right numbers while they are shown, and nothing at all while they are not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.conftest import Compare
from tests.tui.monitor import COMFORTABLE, NOW, SMALL, Monitor, make_app, monitor, samples, ways
from textual.pilot import Pilot

from buddy_core.alerts.limits import Limits
from buddy_core.clock import ManualClock, SystemClock
from buddy_core.selfuse import ProcessUse
from buddy_core.testing import RunDirectoryBuilder, sample_runs
from buddy_top.cli.entry import main
from buddy_top.config.remembered import Remembered
from buddy_top.drawing.cells import text_of
from buddy_top.feed import Feed
from buddy_top.metering.frames import FrameTimes
from buddy_top.metering.meter import Meter
from buddy_top.metering.origin import origin_of_use
from buddy_top.metering.spans import use_spans
from buddy_top.metering.use import MonitorUse, memory_words
from buddy_top.options import Options
from buddy_top.screens.origin import OriginScreen
from buddy_top.state import Snapshot

LARGE = (200, 60)


def never() -> tuple[int | None, int | None]:
    raise AssertionError("nobody wants to know")


async def test_the_share_of_a_core_is_that_of_the_last_ten_seconds() -> None:
    clock, spent = ManualClock(), iter([0.0, 500.0, 500.0, 500.0, 500.0, 500.0, 500.0, 500.0])
    meter = Meter(clock, lambda: (2, 1), lambda: ProcessUse(next(spent), 7, 8))
    shares = []
    for _ in range(8):
        shares.append(meter.use().cpu_percent)
        clock.advance(2_000)
    assert shares == [None, 25.0, 12.5, pytest.approx(100 / 12), 6.25, 5.0, 0.0, 0.0]


async def test_it_tells_what_it_was_told_and_what_a_picture_took() -> None:
    clock = ManualClock()
    meter = Meter(clock, lambda: (2, 1), lambda: ProcessUse(3.0, None, 8))
    with meter.picture():
        clock.advance(41)
    use = meter.use()
    assert (use.queue_depth, use.dropped_events, use.picture_ms) == (2, 1, 41)
    assert (use.cpu_ms, use.cpu_percent, use.memory_bytes, use.slowest_frame_ms) == (3.0, None, None, None)


async def test_it_looks_only_while_it_is_shown() -> None:
    looks: list[MonitorUse] = []
    meter = Meter(SystemClock(), lambda: (0, 0), lambda: ProcessUse(1.0, 2, 3), look_s=0.0)
    await asyncio.sleep(0)
    assert looks == []
    meter.show(looks.append)
    while len(looks) < 3:
        await asyncio.sleep(0)
    meter.show(None)
    await asyncio.sleep(0)
    told = len(looks)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(looks) == told
    meter.show(looks.append)
    while len(looks) == told:
        await asyncio.sleep(0)
    assert looks[told].cpu_percent is None  # the time in between was nobody's
    meter.show(None)
    await asyncio.sleep(0)


def test_the_slowest_frame_is_that_of_the_last_minute() -> None:
    clock = ManualClock()
    frames = FrameTimes(clock)
    slowest: list[float | None] = [frames.slowest_ms]
    for took in (5, 80, 20, 30):
        with frames.drawing():
            clock.advance(took)
        clock.advance(25_000)
        slowest.append(frames.slowest_ms)
    assert slowest == [None, 5, 80, 80, 30]
    clock.advance(60_000)
    assert frames.slowest_ms is None


def test_what_a_frame_shows_is_prepared_in_it() -> None:
    clock = ManualClock()
    frames = FrameTimes(clock)
    with frames.preparing():
        clock.advance(30)
    with frames.drawing():
        clock.advance(4)
    with frames.drawing():
        clock.advance(5)
    assert frames.slowest_ms == 34


def test_unknown_is_a_dash_and_never_zero() -> None:
    words = [span.text for span in use_spans(MonitorUse(cpu_ms=1.0))]
    assert [word.split() for word in words] == [
        ["cpu", "–", "%"], ["–"], ["frame", "–"], ["picture", "–"], ["queue", "–"], ["dropped", "–"],
    ]  # fmt: skip
    assert memory_words(MonitorUse(cpu_ms=1.0, peak_memory_bytes=91_000_000)) == "≤ 91.0 MB"
    kinds = {figure.key: figure.kind for figure in origin_of_use(MonitorUse(cpu_ms=1.0)).figures}
    assert kinds.pop("cpu_ms") == "measured"
    assert set(kinds.values()) == {"not known"}


def test_digits_do_not_jump() -> None:
    for share in (None, 0.0, 9.94, 9.96, 42.0, 99.96, 100.0, 180.4):
        assert len(use_spans(MonitorUse(cpu_ms=1.0, cpu_percent=share))[0].text) == len("cpu 42.0 %")


def test_what_was_lost_stands_before_what_is_slow() -> None:
    spans = use_spans(MonitorUse(cpu_ms=1.0, dropped_events=3))
    assert (spans[2].text, spans[2].ink) == ("dropped 3", "warn")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return samples(tmp_path)


async def test_the_key_shows_it_in_the_header_at_every_place_and_takes_it_away(runs: Path) -> None:
    async with monitor(runs) as seen:
        for place, key in ways("meter"):
            await seen.go(place)
            await seen.press(key)
            assert "cpu  0.8 %  88.3 MB" in seen.header
            assert "i explains it" in seen.footer
            await seen.press(key)
            assert "cpu" not in seen.header
            assert seen.feed.metered is None


async def test_where_the_header_has_no_room_the_footer_says_it(runs: Path) -> None:
    async with monitor(runs, size=(60, 24), limits=Limits()) as seen:
        await seen.press("M")
        assert "cpu" not in seen.header
        assert "no room in the header: cpu  0.8 %" in seen.footer


async def test_a_setting_shows_it_from_the_start_and_what_was_chosen_is_remembered(runs: Path) -> None:
    async with monitor(runs, size=COMFORTABLE, meter=True, left=Remembered()) as seen:
        assert "cpu  0.8 %" in seen.header
        assert "own use" not in seen.footer
        assert seen.app.left_at().values == {}
        await seen.press("M")
        assert seen.app.left_at().values == {"meter": False}


async def test_while_it_is_hidden_nothing_is_measured_or_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 60_000, objective="Grow").tool("bash")
    run.write()
    for name in ("use", "_measure"):
        monkeypatch.setattr(Meter, name, never)
    monkeypatch.setattr(FrameTimes, "__init__", never)
    async with monitor(tmp_path) as seen:
        run.tool("make").write()
        await seen.refresh()
        assert seen.feed.metered is None
        assert seen.app.root.frames is None
        assert not seen.app.own_use.shown


async def test_the_header_alone_is_drawn_for_a_measurement(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with monitor(runs, meter=True) as seen:
        monkeypatch.setattr(type(seen.app.visible_pane), "show", never)
        assert seen.feed.metered is not None
        seen.feed.metered(MonitorUse(cpu_ms=2_000.0, cpu_percent=12.3, memory_bytes=90_000_000))
        await seen.settle()
        assert "cpu 12.3 %  90.0 MB" in seen.header


async def test_frames_are_timed_while_it_is_shown(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with monitor(runs, size=LARGE, meter=True, home=runs.parent) as seen:
        pane = type(seen.app.visible_pane)
        show = pane.show

        def slow(self: object, snapshot: Snapshot) -> None:
            seen.clock.advance(35)
            show(self, snapshot)  # type: ignore[arg-type]

        monkeypatch.setattr(pane, "show", slow)
        await seen.press("w")
        use = seen.app.own_use.now
        assert use is not None
        assert use.slowest_frame_ms == 35
        assert seen.feed.metered is not None
        seen.feed.metered(seen.feed.use)
        await seen.settle()
        assert "frame  35 ms" in seen.header


async def test_i_explains_it_on_the_last_page_and_a_click_does_too(runs: Path) -> None:
    async with monitor(runs, size=COMFORTABLE) as seen:
        await seen.press("i")
        assert isinstance(seen.app.screen, OriginScreen)
        assert "the monitor itself" not in [page.title for page in seen.app.screen._pages]
        await seen.press("escape", "M")
        for open_it in (seen.press("i", "right", "right"), seen.click("88.3 MB")):
            await open_it
            assert isinstance(seen.app.screen, OriginScreen)
            assert seen.app.screen.origin.title == "the monitor itself"
            words = " ".join(text_of(line) for line in seen.app.screen.text._source)
            assert "processor time of all threads" in words
            await seen.press("escape")


async def test_the_live_feed_measures_this_very_process(runs: Path) -> None:
    told: list[MonitorUse] = []
    pictures: list[Snapshot] = []
    came = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hear(use: MonitorUse) -> None:
        told.append(use)
        if use.picture_ms is not None:
            loop.call_soon_threadsafe(came.set)

    feed = Feed(Options(runs, clock=SystemClock()))
    feed.meter(hear)
    feed.start(pictures.append, lambda _error: None)
    async with asyncio.timeout(20):
        await came.wait()
    feed.meter(None)
    feed.stop()
    assert told[-1].cpu_ms > 0
    assert (told[-1].queue_depth, told[-1].dropped_events) == (0, 0)
    assert told[-1].cpu_percent is not None


def test_the_document_carries_it(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--once", "--json", "--runs-dir", str(runs)]) == 0
    found = json.loads(capsys.readouterr().out)["monitor"]
    assert found["cpu_ms"] > 0
    assert found["picture_ms"] >= 0
    assert (found["queue_depth"], found["dropped_events"]) == (0, 0)
    assert found["cpu_percent"] is None
    assert found["slowest_frame_ms"] is None


@pytest.mark.parametrize("size", [SMALL, COMFORTABLE, LARGE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_picture(size: tuple[int, int], tmp_path: Path, snap_compare: Compare) -> None:
    assert look(tmp_path, snap_compare, size, "M")


def test_picture_of_where_it_comes_from(tmp_path: Path, snap_compare: Compare) -> None:
    assert look(tmp_path, snap_compare, COMFORTABLE, "M", "i", "right", "right")


def look(home: Path, compare: Compare, size: tuple[int, int], *keys: str) -> bool:
    """Hold the picture after some keys against the one that was looked at."""
    place = home / ".codebuddy" / "runs"
    sample_runs(place, now_ms=NOW)
    app, feed = make_app(place, home=home)

    async def drive(pilot: Pilot[None]) -> None:
        seen = Monitor(app, pilot, feed, ManualClock(NOW))
        await seen.settle()
        await seen.press(*keys)
        app.footer.be_silent()
        await seen.settle()

    return compare(app, size=size, drive=drive)
