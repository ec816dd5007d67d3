"""What a host hands over may be anything: it is copied, cut, counted, and JSON can say it."""

from __future__ import annotations

import gc
import json
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core import ManualClock, MetricsCollector
from buddy_core.metrics.counting.errorlog import CONTEXT_ROOM, LONGEST_MESSAGE, LONGEST_STACK, MOST_CONTEXT

NOW = 1_767_890_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def collector(clock: ManualClock) -> MetricsCollector:
    return MetricsCollector(clock=clock)


class Hostile:
    """Raises whatever is asked of it."""

    def _raise(self, *_: object) -> Any:
        raise RuntimeError("hostile")

    __str__ = __repr__ = __bool__ = __len__ = __eq__ = __hash__ = __iter__ = __float__ = _raise  # type: ignore[assignment]


class HostileText(str):
    __slots__ = ()

    def __len__(self) -> int:
        raise RuntimeError("hostile")

    def __str__(self) -> str:
        raise RuntimeError("hostile")


@pytest.mark.parametrize("value", [Hostile(), HostileText("x"), [], {}, object()], ids=type)
def test_nothing_that_is_handed_over_is_raised_back(collector: MetricsCollector, value: Any) -> None:
    """C9: for every argument of every way to record."""
    record: Callable[..., None]
    for record, arguments in (
        (collector.record_api_request, {"provider": "p", "model": "m"}),
        (collector.record_tool_execution, {"name": "t"}),
        (collector.record_error, {"type": "e", "message": "m"}),
        (collector.record, {"name": "g", "value": 1}),
        (collector.increment, {"name": "c"}),
        (collector.record_usage, {}),
    ):
        names = record.__kwdefaults__ or {}
        for name in {*arguments, *names, "labels", "amount"}:
            try:
                record(**{**arguments, name: value})
            except TypeError as error:
                assert "unexpected keyword" in str(error)
    collector.record_message(value)
    collector.start_session(value)
    json.dumps(asdict(collector.export()), allow_nan=False)


def test_a_tool_whose_success_cannot_be_told_is_refused_whole(collector: MetricsCollector) -> None:
    collector.record_tool_execution(name="bash", success=Hostile())  # type: ignore[arg-type]
    assert collector.get_total_tool_calls() == 0
    assert collector.export().rejected == {"arguments make no sense": 1}


def test_an_error_is_kept_whatever_its_message_is(collector: MetricsCollector) -> None:
    collector.record_error("api", Hostile(), stack=Hostile())  # type: ignore[arg-type]
    collector.record_error("api", ValueError("no"), stack=["a"])  # type: ignore[arg-type]
    assert [(error.message, error.stack) for error in collector.get_recent_errors()] == [
        ("<Hostile>", "<Hostile>"),
        ("no", "['a']"),
    ]


def test_a_context_is_copied_as_json_can_say_it(collector: MetricsCollector) -> None:
    nested: dict[str, Any] = {"list": [1, (2.5, None)], "set": {"a"}}
    nested["itself"] = nested
    context = {
        "text": "x", "yes": True, "count": 3, "nan": float("nan"), "money": Decimal("1.5"), "huge": 10**5000,
        "odd": Hostile(), 7: "number", "nested": nested, "bytes": b"raw",
    }  # fmt: skip
    collector.record_error("api", "m", context=context)  # type: ignore[arg-type]
    context["text"] = "changed"
    kept = json.loads(json.dumps(collector.get_recent_errors()[0].context, allow_nan=False))
    assert kept["nested"].pop("itself")["itself"]["list"] == [1, [2.5, None]]
    assert kept == {
        "text": "x", "yes": True, "count": 3, "nan": "nan", "money": "1.5", "huge": "<int>", "odd": "<Hostile>",
        "7": "number", "nested": {"list": [1, [2.5, None]], "set": ["a"]}, "bytes": "b'raw'",
    }  # fmt: skip


def test_a_context_that_is_no_mapping_is_kept_as_text(collector: MetricsCollector) -> None:
    collector.record_error("api", "m", context="somewhere")  # type: ignore[arg-type]
    assert collector.get_recent_errors()[0].context == {"context": "somewhere"}


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
        max_leaves=30,
    )
)
def test_any_context_can_be_said_in_json(value: Any) -> None:
    collector = MetricsCollector(clock=ManualClock(NOW))
    collector.record_error("api", "m", context={"value": value})
    json.dumps(asdict(collector.export()), allow_nan=False)


def test_an_enormous_context_is_cut_in_width_depth_and_whole(collector: MetricsCollector) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    wide = {f"key{number}": "x" * 1_000 for number in range(10_000)}
    collector.record_error("api", "m", context={"deep": deep, "wide": wide, "text": "y" * 10**6})
    collector.record_error("api", "m", context=wide)
    collector.record_error("api", "m", context={"bytes": b"x" * 10**6})
    for error in collector.get_recent_errors():
        assert len(error.context or {}) <= MOST_CONTEXT
        assert len(json.dumps(error.context)) < 2 * CONTEXT_ROOM


def test_listeners_get_errors_of_the_size_that_is_kept(collector: MetricsCollector) -> None:
    events = collector.subscribe("error")
    collector.record_error("api", "m" * 10**6, stack="s" * 10**6, context={"c": "c" * 10**6})
    collector.record_tool_execution(name="bash", success=False, error="e" * 10**6)
    first, second = (event.payload for event in events.drain())
    assert (len(first.message), len(first.stack)) == (LONGEST_MESSAGE, LONGEST_STACK)  # type: ignore[union-attr,arg-type]
    assert len(second.message) == LONGEST_MESSAGE  # type: ignore[union-attr]
    assert [first, second] == collector.get_recent_errors()


@pytest.mark.parametrize("run_id", ["x" * 10**6, "", 7, [], Hostile()], ids=type)
def test_a_run_id_that_is_none_is_left_out_and_counted(collector: MetricsCollector, run_id: Any) -> None:
    events = collector.subscribe()
    collector.record_api_request(provider="p", model="m", run_id=run_id)
    collector.record_tool_execution(name="t", success=False, error="no", run_id=run_id)
    collector.record_error("e", "m", run_id=run_id)
    assert {event.payload.run_id for event in events.drain()} == {None}  # type: ignore[union-attr]
    assert sum(collector.export().rejected.values()) == 3
    assert collector.get_dashboard_state().total_tool_calls == 1


def test_the_whole_export_can_be_said_in_json_and_read_back(collector: MetricsCollector) -> None:
    collector.start_session("s\ud83c")
    collector.record_message("user")
    collector.record_api_request(
        provider="p\x1b[0m", model="日本", prompt_tokens=5, cost=0.1, latency_ms=12.5
    )
    collector.record_api_request(provider="p", model="m", cost=float("nan"))
    collector.record_tool_execution(name="bash\n", duration_ms=5, success=False, error="exit 1")
    collector.record_error("api", "down", stack="at x", context={"status": 529})
    collector.increment("hits", 1, {"page": "a"})
    export = collector.export()
    document = json.loads(json.dumps(asdict(export), allow_nan=False))
    assert document["exported_at"] == NOW
    assert document["state"]["total_tokens"] == 5
    assert document["session"]["session_id"] == "s\ud83c"
    assert document["rejected"] == {"not finite": 1}
    assert document["overflow"] == {}
    assert [metric["name"] for metric in document["metrics"]][-1] == "hits"
    assert document["metrics"][-1]["points"] == [{"timestamp": NOW, "value": 1, "labels": {"page": "a"}}]
    assert [error["type"] for error in document["errors"]] == ["tool_error", "api"]
    assert {len(document[name]) for name in ("tools", "providers")} == {1, 2}


def test_the_export_is_of_one_moment_while_others_record(collector: MetricsCollector) -> None:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            collector.record_api_request(provider="p", model="m", prompt_tokens=1)
            collector.record_tool_execution(name="t")

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(100):
        export = collector.export()
        assert export.state.total_tokens in (None, sum(row.total_tokens for row in export.providers))
        assert export.state.total_tool_calls == sum(row.total_calls for row in export.tools)
    done.set()
    thread.join()


def feed(collector: MetricsCollector, first: int, count: int) -> None:
    """A host that names everything anew each time."""
    for number in range(first, first + count):
        collector.record_api_request(
            provider=f"p{number}",
            model=f"m{number}",
            prompt_tokens=1,
            latency_ms=number % 97,
            run_id=f"r{number}",
        )
        collector.record_tool_execution(
            name=f"t{number}", duration_ms=number % 89, success=False, error=f"kind {chr(97 + number % 26)}"
        )
        collector.record_error(f"e{number}", "message", context={"n": "x" * 500}, run_id=f"r{number}")
        collector.record(f"g{number}", number, {"l": f"v{number}"})
        collector.increment("hits", 1, {"l": f"v{number}"})
        collector.start_session(f"s{number}")
        collector.on("reset", print)()
        collector.subscribe("reset").close()


def test_memory_stays_where_it_is_however_many_names_there_are() -> None:
    """Case 50, and C9: providers, models, tools, errors, runs, labels, metrics, sessions, listeners."""
    collector = MetricsCollector(clock=ManualClock(NOW), max_series=50, max_history_points=20, max_errors=10)
    feed(collector, 0, 300)
    collector.export()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    feed(collector, 300, 1_500)
    collector.export()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 200_000
    export = collector.export()
    assert {len(export.tools), len(export.providers)} == {51}
    assert len(export.metrics) <= 6 + 50 + 1
    assert len(export.errors) == 10
    assert export.state.total_tool_calls == 1_800


def test_sessions_begun_by_many_threads_all_end_but_one(collector: MetricsCollector) -> None:
    events = collector.subscribe("session:started", "session:ended", maxsize=10_000)

    def work(number: int) -> None:
        for turn in range(100):
            collector.start_session(f"s{number}.{turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    collector.end_session()
    seen: dict[str, set[str]] = {"session:started": set(), "session:ended": set()}
    for event in events.drain():
        seen[event.name].add(event.payload.session_id)  # type: ignore[union-attr]
    assert seen["session:started"] == seen["session:ended"]
    assert len(seen["session:started"]) == collector.get_dashboard_state().total_sessions == 800
