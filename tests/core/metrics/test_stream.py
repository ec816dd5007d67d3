"""Whoever listens is told, is woken across threads, and cannot hurt the recorder."""

from __future__ import annotations

import asyncio
import threading

import pytest

from buddy_core import CollectorEvent, ManualClock, MetricsCollector
from buddy_core.metrics.recording.broadcast import MOST_FAILURES, SLOW_MS


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def collector(clock: ManualClock) -> MetricsCollector:
    return MetricsCollector(clock=clock)


def request(collector: MetricsCollector) -> None:
    collector.record_api_request(provider="anthropic", model="sonnet", prompt_tokens=7)


def test_a_callback_hears_the_events_of_its_name_until_it_is_taken_back(collector: MetricsCollector) -> None:
    heard: list[CollectorEvent] = []
    off = collector.on("tool:executed", heard.append)
    collector.record_tool_execution(name="bash", duration_ms=5)
    request(collector)
    off()
    collector.record_tool_execution(name="bash", duration_ms=6)
    assert [event.payload.name for event in heard] == ["bash"]  # type: ignore[union-attr]


def test_every_kind_of_record_has_its_event(collector: MetricsCollector) -> None:
    heard = collector.subscribe()
    collector.record("load", 1.5)
    collector.increment("hits")
    request(collector)
    collector.record_tool_execution(name="bash", success=False, error="no")
    collector.record_error("api", "down")
    collector.start_session("s")
    collector.end_session()
    collector.reset()
    assert [event.name for event in heard.drain()] == [
        "metric",
        "metric",
        "api:request",
        "tool:executed",
        "error",
        "error",
        "session:started",
        "session:ended",
        "reset",
    ]


def test_an_error_nobody_listens_to_is_no_exception(collector: MetricsCollector) -> None:
    collector.record_error("api", "down")
    assert len(collector.get_recent_errors()) == 1


def test_a_callback_that_raises_hurts_nobody_and_is_dropped_after_ten_times(
    collector: MetricsCollector,
) -> None:
    """Case 90: isolated; others are still called; disabled after n failures."""
    calls: list[CollectorEvent] = []
    heard: list[CollectorEvent] = []

    def broken(event: CollectorEvent) -> None:
        calls.append(event)
        raise RuntimeError("listener")

    collector.on("api:request", broken)
    collector.on("api:request", heard.append)
    for _ in range(MOST_FAILURES + 5):
        request(collector)
    assert len(calls) == MOST_FAILURES
    assert len(heard) == MOST_FAILURES + 5
    assert collector.listener_failures == MOST_FAILURES
    assert collector.get_total_tokens() == 7 * (MOST_FAILURES + 5)


def test_a_callback_that_blocks_is_dropped_as_if_it_raised(
    collector: MetricsCollector, clock: ManualClock
) -> None:
    """Case 90."""
    calls: list[CollectorEvent] = []

    def slow(event: CollectorEvent) -> None:
        calls.append(event)
        clock.advance(SLOW_MS + 1)

    collector.on("api:request", slow)
    for _ in range(MOST_FAILURES + 5):
        request(collector)
    assert len(calls) == MOST_FAILURES


def test_a_callback_that_succeeds_now_and_then_is_kept(collector: MetricsCollector) -> None:
    calls: list[CollectorEvent] = []

    def moody(event: CollectorEvent) -> None:
        calls.append(event)
        if len(calls) % 5:
            raise RuntimeError("listener")

    collector.on("api:request", moody)
    for _ in range(40):
        request(collector)
    assert len(calls) == 40


def test_a_callback_that_records_does_not_recurse_without_end(collector: MetricsCollector) -> None:
    """Case 90."""
    collector.on("api:request", lambda _: request(collector))
    request(collector)
    assert 7 * 2 <= collector.get_total_tokens() <= 7 * 10
    assert collector.listener_failures == 1


def test_a_callback_may_read_the_collector(collector: MetricsCollector) -> None:
    seen: list[int] = []
    collector.on("api:request", lambda _: seen.append(collector.get_total_tokens()))
    request(collector)
    assert seen == [7]


async def test_a_subscription_yields_what_it_asked_for_in_order(collector: MetricsCollector) -> None:
    async with collector.subscribe("tool:executed", "api:request") as events:
        collector.record_tool_execution(name="a")
        collector.record_error("x", "not asked for")
        request(collector)
        assert [(await anext(events)).name for _ in range(2)] == ["tool:executed", "api:request"]


async def test_a_waiting_consumer_is_woken(collector: MetricsCollector) -> None:
    async with collector.subscribe() as events:
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        request(collector)
        assert (await asyncio.wait_for(waiting, 10)).name == "api:request"


async def test_a_slow_consumer_loses_the_oldest_and_is_told_how_many(collector: MetricsCollector) -> None:
    slow, quick = collector.subscribe(maxsize=3), collector.subscribe(maxsize=100)
    for number in range(10):
        collector.record_tool_execution(name=f"t{number}")
    assert slow.dropped == 7
    assert [event.payload.name for event in slow.drain()] == ["t7", "t8", "t9"]  # type: ignore[union-attr]
    assert quick.dropped == 0
    assert len(quick.drain()) == 10


async def test_closing_ends_a_waiting_consumer(collector: MetricsCollector) -> None:
    events = collector.subscribe()
    waiting = asyncio.ensure_future(_count(events))
    await asyncio.sleep(0)
    events.close()
    assert await asyncio.wait_for(waiting, 10) == 0


async def test_leaving_the_block_ends_the_subscription(collector: MetricsCollector) -> None:
    async with collector.subscribe() as events:
        pass
    request(collector)
    assert events.drain() == []


async def test_disposing_of_the_collector_ends_every_stream(collector: MetricsCollector) -> None:
    waiting = asyncio.ensure_future(_count(collector.subscribe()))
    await asyncio.sleep(0)
    collector.dispose()
    assert await asyncio.wait_for(waiting, 10) <= 1


async def _count(events: object) -> int:
    count = 0
    async for _ in events:  # type: ignore[attr-defined]
        count += 1
    return count


def test_a_consumer_in_another_thread_gets_every_event(collector: MetricsCollector) -> None:
    events, counts, ready = collector.subscribe(maxsize=100_000), [], threading.Event()

    async def consume() -> None:
        ready.set()
        counts.append(await _count(events))

    consumer = threading.Thread(target=lambda: asyncio.run(consume()))
    consumer.start()
    ready.wait(10)
    for _ in range(2_000):
        request(collector)
    events.close()
    consumer.join(20)
    assert counts == [2_000]


def test_a_consumer_whose_loop_has_gone_does_not_disturb_the_recorder(collector: MetricsCollector) -> None:
    events = collector.subscribe()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(events), 0.001)

    async def wait_and_be_woken() -> str:
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        request(collector)
        return (await asyncio.wait_for(waiting, 10)).name

    asyncio.run(give_up())
    request(collector)
    assert len(events.drain()) == 1
    asyncio.run(give_up())
    assert asyncio.run(wait_and_be_woken()) == "api:request"


async def test_a_consumer_that_never_catches_up_still_lets_its_loop_turn(collector: MetricsCollector) -> None:
    turns: list[int] = []
    events = collector.subscribe(maxsize=10_000)
    for _ in range(1_000):
        request(collector)
    asyncio.get_running_loop().call_soon(turns.append, 1)
    taken = 0
    while not turns and taken < 1_000:
        await anext(events)
        taken += 1
    assert taken < 200
