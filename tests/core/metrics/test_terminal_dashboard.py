"""The dashboard in plain text: every number of the collector, any width, any name, and a refresh that hurts nobody."""

from __future__ import annotations

import random
import sys
import threading
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core import (
    ManualClock,
    MetricsCollector,
    TerminalDashboard,
    get_metrics_collector,
    get_terminal_dashboard,
    reset_metrics_collector,
)
from buddy_core.safety.columns import cells
from buddy_core.safety.text import is_plain

NOW = 1_767_890_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def collector(clock: ManualClock) -> MetricsCollector:
    return MetricsCollector(clock=clock)


@pytest.fixture
def dashboard(collector: MetricsCollector, clock: ManualClock) -> TerminalDashboard:
    return TerminalDashboard(collector, clock=clock, tz=UTC, utf8=True)


def busy(collector: MetricsCollector, clock: ManualClock) -> None:
    """An agent at work for ten minutes."""
    chance = random.Random(7)
    collector.start_session("refactor")
    collector.record_message("user")
    for turn in range(120):
        clock.advance(5_000)
        collector.record_api_request(
            provider="anthropic",
            model="claude-opus-4-5" if turn % 3 else "claude-haiku-4-5",
            prompt_tokens=chance.randrange(1_000, 9_000),
            cost=0.125,
            latency_ms=chance.randrange(500, 4_000),
            success=turn % 40 != 0,
        )
        for name in ("bash", "view_file", "search", "edit", "todo", "fetch")[: turn % 7]:
            collector.record_tool_execution(name=name, duration_ms=chance.randrange(5, 900))
    collector.record_tool_execution(name="bash", duration_ms=9, success=False, error="exit 1: 2 tests failed")
    clock.advance(4_000)
    collector.record_error("network", "connection refused")
    clock.advance(3_000)


def test_before_anything_happened_every_block_says_so(dashboard: TerminalDashboard) -> None:
    assert dashboard.render(40).splitlines() == [
        "Agent dashboard       16:33:20 · up 0 ms",
        "",
        "SUMMARY",
        "tokens             0  0/min",
        "cost           $0.00  $0.00/h",
        "requests           0",
        "response time      –",
        "tool calls         0",
        "errors             0",
        "session        –",
        "",
        "PROVIDERS",
        "no model requests yet",
        "",
        "TOOLS",
        "no tool calls yet",
        "",
        "ERRORS",
        "no errors",
    ]


def test_the_picture_shows_what_the_collector_says(
    dashboard: TerminalDashboard, collector: MetricsCollector, clock: ManualClock
) -> None:
    busy(collector, clock)
    text = dashboard.render(80)
    state = collector.get_dashboard_state()
    summary = {line[:15].strip(): line[15:].split() for line in text.splitlines() if line}
    assert summary["tokens"][0] == f"{state.total_tokens:,}"
    assert summary["cost"][0] == "$15.00"
    assert summary["requests"][:4] == ["120", "2", "%", "failed"]
    assert summary["tool calls"][0] == f"{state.total_tool_calls:,}"
    assert summary["errors"][0] == "2"
    assert f"{(state.cost_per_hour or 0):.2f}/h" in text
    assert "up 10m07s" in text
    assert "session        refactor · 10m07s · 1 message" in text
    assert [line.split()[0] for line in text.split("TOOLS")[1].splitlines()[1:6]] == [
        row.name for row in collector.get_tool_metrics()[:5]
    ]
    assert "… 1 more" in text.split("TOOLS")[1]


def test_the_newest_error_comes_first_with_its_age_and_its_tool(
    dashboard: TerminalDashboard, collector: MetricsCollector, clock: ManualClock
) -> None:
    busy(collector, clock)
    assert dashboard.render(80).split("ERRORS\n")[1].splitlines() == [
        "3s      network  connection refused",
        "7s      bash     exit 1: 2 tests failed",
    ]


def test_unknown_numbers_are_dashes_and_not_zeros(
    dashboard: TerminalDashboard, collector: MetricsCollector
) -> None:
    collector.record_tool_execution(name="bash")
    lines = {line.split()[0]: line.split()[1:] for line in dashboard.render(80).splitlines() if line}
    assert lines["tokens"] == ["–", "–"]
    assert lines["cost"] == ["–", "–"]
    assert lines["bash"] == ["██████████", "1", "0", "%", "–", "–", "–", "–"]


def test_sparklines_are_of_the_last_quarter_of_an_hour(
    dashboard: TerminalDashboard, collector: MetricsCollector, clock: ManualClock
) -> None:
    for tokens in (8, 0, 4):
        if tokens:
            collector.record_api_request(provider="p", model="m", prompt_tokens=tokens)
        clock.advance(60_000)
    text = dashboard.render(80)
    assert "█   ▄" in text
    assert "last 15 min" in text
    clock.advance(3_600_000)
    assert "last 15 min" not in dashboard.render(80)


def test_sparklines_can_be_left_out(collector: MetricsCollector, clock: ManualClock) -> None:
    busy(collector, clock)
    text = TerminalDashboard(collector, clock=clock, sparklines=False, utf8=True).render(80)
    assert "last 15 min" not in text
    assert "tokens" in text


def test_a_terminal_without_utf8_gets_ascii_of_the_same_width(
    dashboard: TerminalDashboard, collector: MetricsCollector, clock: ManualClock
) -> None:
    busy(collector, clock)
    collector.record_tool_execution(name="日本語")
    plain, ascii_text = (
        TerminalDashboard(collector, clock=clock, tz=UTC, utf8=utf8).render(100) for utf8 in (True, False)
    )
    assert ascii_text.isascii()
    assert [cells(line) for line in plain.splitlines()] == [len(line) for line in ascii_text.splitlines()]


def test_without_a_word_the_environment_decides_about_utf8(
    collector: MetricsCollector, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 71."""
    monkeypatch.setenv("LC_ALL", "C")
    assert TerminalDashboard(collector, clock=clock).render().isascii()


def test_a_narrower_terminal_than_forty_columns_gets_forty(dashboard: TerminalDashboard) -> None:
    for width in (39, 1, 0, -5):
        assert dashboard.render(width) == dashboard.render(40)


def test_wide_terminals_have_blocks_beside_each_other(
    dashboard: TerminalDashboard, collector: MetricsCollector, clock: ManualClock
) -> None:
    busy(collector, clock)
    lines = dashboard.render(120).splitlines()
    assert any(line.startswith("PROVIDERS") and "TOOLS" in line for line in lines)
    assert any(line.startswith("SUMMARY") and "ERRORS" in line for line in lines)
    assert len(lines) < len(dashboard.render(119).splitlines())


def test_columns_line_up_beside_wide_characters(
    dashboard: TerminalDashboard, collector: MetricsCollector
) -> None:
    for name in ("bash", "日本語のツール", "e\u0301dit"):
        collector.record_tool_execution(name=name, duration_ms=5)
    table = dashboard.render(80).split("TOOLS")[1].split("\n\n")[0].splitlines()[1:]
    assert len({cells(line) for line in table}) == 1


def test_secrets_in_error_messages_are_masked(
    dashboard: TerminalDashboard, collector: MetricsCollector
) -> None:
    """Case 83: the picture is mailed and logged."""
    key = "sk-ant-api03-" + "Zk3v9Qx7Lr" * 9
    collector.record_error("api", f"401 for key {key}")
    collector.record_error("api", "x" * 380 + f" {key}")
    for width in (40, 80, 500):
        assert key[:24] not in dashboard.render(width)
    assert "401 for key" in dashboard.render(80)


ODD = ["\x1b]0;x\x07", "[red]", "日本語" * 30, "a\nb", "\ud83c", "\u202egnp", "e" + "\u0301" * 40, "x" * 256]
names = st.one_of(st.sampled_from(ODD), st.text(min_size=1, max_size=60))


@given(st.lists(names, min_size=1, max_size=7), st.integers(0, 260), st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_line_is_wider_than_asked_or_holds_a_control_whatever_things_are_called(
    things: list[str], width: int, utf8: bool
) -> None:
    """Cases 55 to 58 and 61."""
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    collector.start_session(things[0])
    for number, thing in enumerate(things):
        collector.record_api_request(
            provider=thing, model=thing, prompt_tokens=10**number, cost=10.0**number, latency_ms=10.0**number
        )
        collector.record_tool_execution(name=thing, duration_ms=10.0**number, success=False, error=thing)
        collector.record_error(thing, thing)
    text = TerminalDashboard(collector, clock=clock, utf8=utf8).render(width)
    for line in text.split("\n"):
        assert cells(line) <= max(width, 40)
        assert is_plain(line)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_enormous_numbers_do_not_break_the_lines(
    dashboard: TerminalDashboard, collector: MetricsCollector, width: int
) -> None:
    for _ in range(3):
        collector.record_api_request(
            provider="p",
            model="m",
            prompt_tokens=2**53 - 1,
            completion_tokens=2**53 - 1,
            cost=1e15,
            latency_ms=1e15,
        )
        collector.record_tool_execution(name="t", duration_ms=1e15)
    assert all(cells(line) <= width for line in dashboard.render(width).splitlines())


class Written:
    """A `write` that remembers, and tells a waiting test of every picture."""

    def __init__(self, fail_after: int = 10**9) -> None:
        self.texts: list[str] = []
        self.fail_after = fail_after
        self._more = threading.Condition()

    def __call__(self, text: str) -> None:
        with self._more:
            self.texts.append(text)
            self._more.notify_all()
            if len(self.texts) > self.fail_after:
                raise BrokenPipeError("nobody reads")

    def wait_for(self, count: int) -> bool:
        with self._more:
            return self._more.wait_for(lambda: len(self.texts) >= count, 10)


def test_live_refresh_writes_pictures_until_it_is_stopped_and_can_be_started_again(
    dashboard: TerminalDashboard,
) -> None:
    first, second = Written(), Written()
    dashboard.start_live_refresh(20, first)
    assert first.wait_for(3)
    assert dashboard.is_live
    dashboard.stop_live_refresh()
    count = len(first.texts)
    assert not dashboard.is_live
    dashboard.start_live_refresh(20, second)
    assert second.wait_for(2)
    dashboard.stop_live_refresh()
    assert len(first.texts) == count
    assert all(text.startswith("Agent dashboard") for text in first.texts)


def test_starting_again_replaces_what_ran(dashboard: TerminalDashboard) -> None:
    first, second = Written(), Written()
    dashboard.start_live_refresh(20, first)
    assert first.wait_for(1)
    dashboard.start_live_refresh(20, second)
    count = len(first.texts)
    assert second.wait_for(3)
    assert len(first.texts) == count
    dashboard.stop_live_refresh()


def test_a_write_that_raises_ends_the_refresh_quietly_and_is_counted(dashboard: TerminalDashboard) -> None:
    """Case 90."""
    written = Written(fail_after=1)
    dashboard.start_live_refresh(20, written)
    assert written.wait_for(2)
    thread = dashboard._refresh
    assert thread is not None
    thread.join(10)
    assert (dashboard.is_live, dashboard.write_failures, len(written.texts)) == (False, 1, 2)
    dashboard.stop_live_refresh()


def test_a_write_that_blocks_holds_the_stop_up_for_a_moment_only(
    dashboard: TerminalDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 90."""
    monkeypatch.setattr("buddy_core.metrics.dashboard.terminal.STOP_S", 0.01)
    began, release = threading.Event(), threading.Event()

    def stuck(_: str) -> None:
        began.set()
        release.wait(30)

    dashboard.start_live_refresh(20, stuck)
    assert began.wait(10)
    thread = dashboard._refresh
    assert thread is not None
    dashboard.stop_live_refresh()
    assert thread.is_alive()
    release.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_write_may_stop_the_refresh_itself(dashboard: TerminalDashboard) -> None:
    done = threading.Event()

    def once(_: str) -> None:
        dashboard.stop_live_refresh()
        done.set()

    dashboard.start_live_refresh(20, once)
    assert done.wait(10)
    assert dashboard.write_failures == 0


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf"), 1e300])
def test_an_interval_that_is_none_neither_spins_nor_overflows(
    dashboard: TerminalDashboard, interval: Any
) -> None:
    written = Written()
    dashboard.start_live_refresh(interval, written)
    assert written.wait_for(1)
    dashboard.stop_live_refresh()
    assert dashboard.write_failures == 0


def test_stopping_what_never_ran_does_nothing(dashboard: TerminalDashboard) -> None:
    dashboard.stop_live_refresh()
    dashboard.stop_live_refresh()


def test_a_program_that_forgets_to_stop_the_refresh_ends_all_the_same() -> None:
    import subprocess

    code = (
        "from buddy_core import MetricsCollector, TerminalDashboard; import time\n"
        "TerminalDashboard(MetricsCollector()).start_live_refresh(20); time.sleep(0.1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "Agent dashboard" in done.stdout
    assert done.stderr == ""


def test_the_process_has_one_dashboard_and_it_follows_the_process_s_collector() -> None:
    reset_metrics_collector()
    dashboard = get_terminal_dashboard()
    get_metrics_collector().record_tool_execution(name="before")
    assert "before" in dashboard.render()
    reset_metrics_collector()
    get_metrics_collector().record_tool_execution(name="after")
    assert get_terminal_dashboard() is dashboard
    assert "before" not in dashboard.render()
    assert "after" in dashboard.render()
    reset_metrics_collector()
