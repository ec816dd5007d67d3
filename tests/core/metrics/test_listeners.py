"""Whoever listens cannot hurt the recorder, nor those who listen beside him (case 90), and a slip is told at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest

from buddy_core import CollectorEvent, ManualClock, MetricsCollector
from buddy_core.metrics.recording.broadcast import MOST_FAILURES, SLOW_MS
from buddy_core.metrics.recording.events import EVENT_NAMES


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def collector(clock: ManualClock) -> MetricsCollector:
    return MetricsCollector(clock=clock)


def request(collector: MetricsCollector) -> None:
    collector.record_api_request(provider="anthropic", model="sonnet", prompt_tokens=7)


def test_the_events_have_their_seven_names() -> None:
    assert EVENT_NAMES == (
        "metric", "api:request", "tool:executed", "error", "session:started", "session:ended", "reset",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["api_request", "", "API:request", None, 7, []])
def test_a_name_there_is_not_is_refused_where_somebody_begins_to_listen(
    collector: MetricsCollector, name: Any
) -> None:
    with pytest.raises(ValueError, match="api:request"):
        collector.on(name, print)
    with pytest.raises(ValueError, match="api:request"):
        collector.subscribe("metric", name)
    assert collector._broadcast._subscriptions == ()


def test_what_cannot_be_called_or_would_never_run_is_refused(collector: MetricsCollector) -> None:
    async def never_awaited(event: CollectorEvent) -> None: ...

    for callback in (None, "print", never_awaited):
        with pytest.raises(TypeError):
            collector.on("metric", callback)  # type: ignore[arg-type]


def test_a_callback_that_blocks_for_long_is_left_out_at_once(
    collector: MetricsCollector, clock: ManualClock
) -> None:
    """Case 90: ten times the limit in one go is as bad as ten times."""
    calls: list[CollectorEvent] = []

    def stuck(event: CollectorEvent) -> None:
        calls.append(event)
        clock.advance(SLOW_MS * MOST_FAILURES)

    collector.on("api:request", stuck)
    for _ in range(5):
        request(collector)
    assert len(calls) == 1
    assert collector.listener_failures == 1


def test_a_callback_that_blocks_holds_up_its_own_recorder_only(collector: MetricsCollector) -> None:
    """Case 90: no lock is held while it runs."""
    inside, release = threading.Event(), threading.Event()

    def stuck(event: CollectorEvent) -> None:
        if event.payload.provider == "slow":  # type: ignore[union-attr]
            inside.set()
            release.wait(30)

    collector.on("api:request", stuck)
    blocked = threading.Thread(
        target=lambda: collector.record_api_request(provider="slow", model="m"), daemon=True
    )
    blocked.start()
    assert inside.wait(10)
    request(collector)
    assert collector.get_dashboard_state().total_tokens == 7
    release.set()
    blocked.join(10)


def test_failures_are_counted_exactly_from_eight_threads(collector: MetricsCollector) -> None:
    """Case 90."""
    for _ in range(20):
        collector.on("tool:executed", _raises)
    threads = [
        threading.Thread(target=collector.record_tool_execution, kwargs={"name": "t"}) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert collector.listener_failures == 20 * 8


def _raises(_: CollectorEvent) -> None:
    raise RuntimeError("listener")


def test_callbacks_that_call_each_other_come_to_an_end(collector: MetricsCollector) -> None:
    """Case 90: recursion over two kinds of events."""
    collector.on("error", lambda _: request(collector))
    collector.on("api:request", lambda _: collector.record_error("again", "and again"))
    request(collector)
    assert collector.get_total_tokens() <= 7 * 5
    assert collector.listener_failures > 0


def test_callbacks_may_come_and_go_while_they_are_called(collector: MetricsCollector) -> None:
    heard: list[str] = []
    off: list[Any] = []

    def once(_: CollectorEvent) -> None:
        heard.append("once")
        off[0]()
        collector.on("api:request", lambda _: heard.append("late"))

    off.append(collector.on("api:request", once))
    request(collector)
    request(collector)
    assert heard == ["once", "late"]


def test_taking_a_callback_back_twice_leaves_the_others(collector: MetricsCollector) -> None:
    heard: list[CollectorEvent] = []
    off = collector.on("api:request", heard.append)
    collector.on("api:request", heard.append)
    off()
    off()
    request(collector)
    assert len(heard) == 1


def test_a_callback_hears_the_error_of_a_failed_tool_after_the_tool(collector: MetricsCollector) -> None:
    heard: list[str] = []
    collector.on("error", lambda event: heard.append(event.name))
    collector.on("tool:executed", lambda event: heard.append(event.name))
    collector.record_tool_execution(name="bash", success=False, error="exit 1")
    assert heard == ["tool:executed", "error"]


def test_subscribers_of_different_speed_lose_nothing_or_the_oldest_and_know_how_many(
    collector: MetricsCollector,
) -> None:
    """A quick consumer in a loop of its own thread, a slow one, and one that never comes."""
    sent = 3_000
    quick = collector.subscribe("api:request", maxsize=sent)
    slow = collector.subscribe("api:request", maxsize=50)
    never = collector.subscribe(maxsize=10)
    taken: dict[str, int] = {}
    ready = threading.Barrier(3)

    async def consume(name: str, events: Any, pause: int) -> None:
        await asyncio.to_thread(ready.wait, 10)
        count = 0
        async for _ in events:
            count += 1
            for _ in range(pause):
                await asyncio.sleep(0)
        taken[name] = count

    threads = [
        threading.Thread(target=lambda: asyncio.run(consume("quick", quick, 0))),
        threading.Thread(target=lambda: asyncio.run(consume("slow", slow, 40))),
    ]
    for thread in threads:
        thread.start()
    ready.wait(10)
    for _ in range(sent):
        request(collector)
    quick.close()
    slow.close()
    for thread in threads:
        thread.join(30)
    assert (taken["quick"], quick.dropped) == (sent, 0)
    assert taken["slow"] + slow.dropped == sent
    assert slow.dropped > 0
    assert never.dropped == sent - 10
    assert len(never.drain()) == 10


def test_a_recorder_interrupted_by_a_recorder_does_not_wait_for_itself(collector: MetricsCollector) -> None:
    """A signal handler records while its thread hands over an event."""
    events = collector.subscribe()

    def interrupted() -> None:
        with events._lock, collector._broadcast._lock, collector._lock:
            request(collector)
            collector.on("error", print)

    thread = threading.Thread(target=interrupted, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert len(events.drain()) == 1


_FORK = """
import os, signal, threading
from buddy_core import MetricsCollector, get_metrics_collector, get_tool_metrics_tracker
collector, tracker = get_metrics_collector(), get_tool_metrics_tracker()
events = collector.subscribe()
held, release = threading.Event(), threading.Event()

def hold():
    with collector._lock, tracker._lock, collector._broadcast._lock, events._lock:
        collector._live._settling = True
        held.set()
        release.wait(30)

thread = threading.Thread(target=hold)
thread.start()
held.wait(10)
child = os.fork()
if child == 0:
    signal.alarm(20)
    get_metrics_collector().record_tool_execution(name="bash")
    get_tool_metrics_tracker().record("bash", True, 5)
    print(collector.get_total_tool_calls(), len(events.drain()), tracker.get_metric("bash").total_calls, flush=True)
    os._exit(0)
print(os.waitpid(child, 0)[1])
release.set()
thread.join()
"""


def test_a_forked_child_records_even_if_a_thread_of_its_parent_was_just_recording() -> None:
    """Case 17, for what is counted in memory."""
    command = [sys.executable, "-W", "ignore", "-c", _FORK]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.split(), done.stderr) == (["1", "1", "1", "0"], "")
