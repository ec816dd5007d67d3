"""Eight threads record at once and nothing is lost; importing the library costs nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import buddy_core
from buddy_core import HistoryBatch, ManualClock, MetricsCollector, ToolColumn, Window

THREADS, EACH = 8, 1_000


def test_eight_threads_lose_no_count() -> None:
    clock = ManualClock()
    collector = MetricsCollector(clock=clock)
    now = clock.now_ms()
    events = collector.subscribe("api:request", maxsize=THREADS * EACH)
    start = threading.Barrier(THREADS + 1)

    def work(number: int) -> None:
        start.wait()
        for turn in range(EACH):
            collector.record_api_request(provider=f"p{turn % 3}", model="m", prompt_tokens=1, cost=0.25)
            collector.record_tool_execution(
                name=f"t{turn % 5}", duration_ms=turn, success=False, error=f"no {turn}"
            )
            collector.increment("hits")
            if turn % 50 == 0:
                columns = {"bulk": ToolColumn([now - turn * 60_000] * 10, [5.0] * 10, [True] * 10)}
                collector.absorb(HistoryBatch(tools=columns))
                collector.view(Window.H24)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    start.wait()
    for thread in threads:
        thread.join()
    view = collector.view(Window.ALL)
    calls = THREADS * EACH + THREADS * EACH // 50 * 10
    assert (view.total_requests, view.total_tokens) == (THREADS * EACH, THREADS * EACH)
    assert view.total_cost == THREADS * EACH * 0.25
    assert view.total_tool_calls == sum(row.total_calls for row in view.tools) == calls
    assert view.failed_tool_calls == view.total_errors == THREADS * EACH
    assert sum(row.duration_count for row in view.tools) == calls
    assert sum(group.count for group in view.errors) == THREADS * EACH
    assert collector.get_metric_history("hits")[-1].value == THREADS * EACH
    assert len(events.drain()) == THREADS * EACH
    assert events.dropped == 0


HEAVY = ("asyncio", "msgspec", "textual", "rich", "sqlite3", "prometheus_client", "opentelemetry", "aiofiles")


@pytest.mark.parametrize("statement", ["import buddy_core", "from buddy_core import MetricsCollector"])
def test_importing_the_library_imports_nothing_heavy(statement: str) -> None:
    code = f"import sys; before = set(sys.modules); {statement}"  # there are some where coverage is measured
    code += f"; print([name for name in {HEAVY!r} if name in sys.modules and name not in before])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


RECORDING = """
import sys
from buddy_core import MetricsCollector, RunStore, bridge
collector, store = MetricsCollector(), RunStore(sys.argv[1])
bridge(collector, store, tools=True)
events = collector.subscribe()
with store.run("record") as run:
    collector.start_session("session")
    collector.register_metric("hits", type="counter")
    for number in range(1_000):
        collector.record_api_request(provider="p", model="m", prompt_tokens=1, cost=0.25, latency_ms=number + 0.5)
        collector.record_tool_execution(name="bash", duration_ms=1.0, success=number % 2 == 0, error="no")
        collector.increment("hits")
    collector.record_error("network", "refused", context={"provider": "p"})
    collector.end_session()
assert len(events.drain()) > 1_000
looking = ("buddy_core.metrics.looking.model", "buddy_core.runs.facts", "buddy_core.runs.reading.wholerun")
print(*[name for name in looking if name in sys.modules])
"""


def test_a_program_that_records_loads_nothing_that_is_only_looked_at(tmp_path: Path) -> None:
    """Each frozen data class takes half a millisecond to define, and most of them are rows and charts."""
    done = subprocess.run(
        [sys.executable, "-c", RECORDING, str(tmp_path / "runs")], capture_output=True, text=True, check=False
    )
    assert (done.stdout.split(), done.stderr) == ([], "")


@pytest.mark.parametrize("name", buddy_core.__all__)
def test_every_public_name_can_be_imported_from_the_package_itself(name: str) -> None:
    assert getattr(buddy_core, name) is not None
    assert name in dir(buddy_core)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = buddy_core.no_such_name
