"""A host with telemetry on ends as it would without, whatever the back ends do (case 89, promises C9 and C10).

Each process is a real one with both back ends configured. The limits here are wide, for slow machines: a process
that waited for the SDKs' own time-outs would need 30 seconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from tests.core.sending import bad_backends
from tests.core.sending.otlp_receiver import OtlpReceiver
from tests.core.sending.sentry_stub import SentryStub

from buddy_core import MetricsCollector, RunStore, init_observability, instrument, shutdown_observability
from buddy_core.clock import ManualClock
from buddy_core.telemetry.sending.mailbox import Mailbox

pytestmark = pytest.mark.sweep

WAYS = ("end", "exit", "exception", "sigterm", "sigint", "os_exit")

HOST = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_DFL)  # where coverage is measured there is a handler, which ends the process
import buddy_core

way, directory, extra = sys.argv[1:4]
exec(extra)
status = buddy_core.init_observability()
assert (status.tracing, status.sentry) == ("on", "on"), status
collector, store = buddy_core.MetricsCollector(), buddy_core.RunStore(directory, durable=False)
buddy_core.instrument(collector, store)
run = store.start_run("x")
collector.record_api_request(provider="p", model="m", latency_ms=5, run_id=run)
collector.record_error("SomeError", "something is broken", run_id=run)
worst = 0.0
for number in range(int(os.environ.get('COUNT', '200'))):
    began = time.perf_counter()
    store.emit(run, "tool_call", {"toolName": "t", "toolCallId": str(number)})
    collector.record_api_request(provider="p", model="m", run_id=run)
    worst = max(worst, time.perf_counter() - began)
time.sleep(float(os.environ.get("PAUSE", "0")))
print("ready", time.monotonic(), worst, flush=True)
if way == "exit":
    sys.exit(7)
elif way == "exception":
    raise RuntimeError("of the host")
elif way == "os_exit":
    os._exit(9)
elif way.startswith("sig"):
    time.sleep(60)
    print("went on", flush=True)
    time.sleep(60)
"""

CODES = {
    "end": 0,
    "exit": 7,
    "exception": 1,
    "sigterm": -signal.SIGTERM,
    "sigint": -signal.SIGINT,
    "os_exit": 9,
}
"""How each process must end: as it would without telemetry. A shell shows -15 as 143 and -2 as 130."""


@dataclass
class Host:
    """A process under way."""

    way: str
    process: subprocess.Popen[str]

    def line(self) -> str:
        """The next line it prints."""
        out: IO[str] | None = self.process.stdout
        assert out is not None
        return out.readline()

    def leave(self) -> float:
        """Let it end, by a signal where that is its way; how long that took, in seconds."""
        ready = self.line().split()
        assert ready[:1] == ["ready"], self.process.communicate()[1]
        if self.way.startswith("sig"):
            began = time.monotonic()
            self.process.send_signal(getattr(signal, self.way.upper()))
        else:
            began = float(ready[1])
        self.process.wait(timeout=30)
        return time.monotonic() - began


def begin(way: str, directory: Path, otlp: str, dsn: str, extra: str = "", **env: str) -> Host:
    directory.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", HOST, way, str(directory), extra],
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": otlp, "SENTRY_DSN": dsn, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return Host(way, process)


def finished(host: Host) -> str:
    """Collect a process that has ended; what it wrote to stderr."""
    with host.process:
        _, errors = host.process.communicate(timeout=30)
        return errors


@pytest.fixture
def hosts() -> Iterator[list[Host]]:
    found: list[Host] = []
    yield found
    for host in found:
        with host.process:
            host.process.kill()


def leave_all(hosts: list[Host]) -> list[float]:
    """Let them end side by side; how long each took."""
    with ThreadPoolExecutor(len(hosts)) as pool:
        return list(pool.map(Host.leave, hosts))


@pytest.mark.parametrize(
    ("backend", "ways"),
    [
        ("silent", WAYS),
        ("refused", ("end", "sigterm")),
        ("never accepted", ("end", "sigterm")),
        ("slow headers", ("end", "sigterm")),
    ],
)
def test_dead_back_ends_change_neither_the_way_a_process_ends_nor_by_much_when(
    backend: str, ways: tuple[str, ...], tmp_path: Path, hosts: list[Host]
) -> None:
    with contextlib.ExitStack() as stack:
        if backend == "refused":
            port = bad_backends.refused()
        elif backend == "never accepted":
            port = stack.enter_context(bad_backends.full_backlog())
        else:
            behave = bad_backends.silent if backend == "silent" else bad_backends.slow_headers
            port = stack.enter_context(bad_backends.server(behave))
        url, dsn = f"http://127.0.0.1:{port}", f"http://key@127.0.0.1:{port}/1"
        hosts.extend(begin(way, tmp_path / way, url, dsn) for way in ways)
        for host, took in zip(hosts, leave_all(hosts), strict=True):
            errors = finished(host)
            assert host.process.returncode == CODES[host.way], (host.way, errors)
            assert took < 8, (host.way, took)
            expected = {"exception": "RuntimeError: of the host", "sigint": "KeyboardInterrupt"}
            assert expected.get(host.way, "") in errors
            if host.way not in expected:
                assert errors == ""


def test_what_was_recorded_arrives_on_every_way_out_but_os_exit(tmp_path: Path, hosts: list[Host]) -> None:
    ways = [way for way in WAYS if way != "os_exit"]
    with contextlib.ExitStack() as stack:
        otlps = [stack.enter_context(OtlpReceiver()) for _ in ways]
        sentries = [stack.enter_context(SentryStub()) for _ in ways]
        for way, otlp, sentry in zip(ways, otlps, sentries, strict=True):
            host = begin(
                way, tmp_path / way, otlp.url, sentry.dsn, OTEL_BSP_SCHEDULE_DELAY="60000", COUNT="10"
            )
            hosts.append(host)
        leave_all(hosts)
        for host, otlp, sentry in zip(hosts, otlps, sentries, strict=True):
            assert host.process.returncode == CODES[host.way], finished(host)
            assert len([s for s in otlp.spans if s.name == "chat m"]) == 11
            run = otlp.named("invoke_agent codebuddy")
            assert run.attributes["codebuddy.unfinished"] is True
            assert run.status == 0
            assert len([s for s in otlp.spans if s.name == "execute_tool t"]) == 10
            assert [e["exception"]["values"][0]["type"] for e in sentry.events] == ["SomeError"]


SIGNALS = {
    "exits": "signal.signal(signal.SIGTERM, lambda *_: (print('hosts', flush=True), sys.exit(5)))",
    "goes on": "signal.signal(signal.SIGTERM, lambda *_: print('hosts', flush=True))",
    "ignores": "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
}


def test_a_handler_of_the_host_for_sigterm_decides_what_it_means(tmp_path: Path, hosts: list[Host]) -> None:
    with OtlpReceiver() as otlp, SentryStub() as sentry:
        for name, code in SIGNALS.items():
            hosts.append(begin("sigterm", tmp_path / name, otlp.url, sentry.dsn, code))
        for host in hosts:
            assert host.line().startswith("ready")
            host.process.send_signal(signal.SIGTERM)
        exits, goes_on, ignores = hosts
        assert exits.line() == goes_on.line() == "hosts\n"
        assert exits.process.wait(timeout=30) == 5
        assert otlp.wait_until(lambda: any(s.name == "invoke_agent codebuddy" for s in otlp.spans))
        assert goes_on.process.poll() is None
        assert ignores.process.poll() is None


def test_a_handler_set_later_may_call_ours_and_go_on(tmp_path: Path, hosts: list[Host]) -> None:
    """What it would find without us is SIG_DFL, which cannot be called: ours must not end the process for it."""
    later = """
real = buddy_core.instrument
def instrument(*args):
    real(*args)
    before = signal.getsignal(signal.SIGTERM)
    def chained(number, frame):
        if callable(before):
            before(number, frame)
        print("hosts", flush=True)
    signal.signal(signal.SIGTERM, chained)
buddy_core.instrument = instrument
"""
    with OtlpReceiver() as otlp, SentryStub() as sentry:
        host = begin("sigterm", tmp_path, otlp.url, sentry.dsn, later)
        hosts.append(host)
        assert host.line().startswith("ready")
        host.process.send_signal(signal.SIGTERM)
        assert host.line() == "hosts\n"
        with pytest.raises(subprocess.TimeoutExpired):
            host.process.wait(timeout=0.3)


def test_switching_off_gives_the_signal_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    assert init_observability(env).tracing == "on"
    assert signal.getsignal(signal.SIGTERM) is not before
    assert init_observability(env).tracing == "on"
    shutdown_observability(0.1)
    assert signal.getsignal(signal.SIGTERM) is before
    shutdown_observability(0.1)
    assert signal.getsignal(signal.SIGTERM) is before


def test_from_another_thread_no_handler_is_installed() -> None:
    import threading

    before = signal.getsignal(signal.SIGTERM)
    found: list[Any] = []
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    thread = threading.Thread(target=lambda: found.append(init_observability(env)))
    thread.start()
    thread.join()
    assert found[0].tracing == "on"
    assert signal.getsignal(signal.SIGTERM) is before
    shutdown_observability(0.1)


def test_recording_does_not_wait_for_silent_back_ends(tmp_path: Path) -> None:
    """Promise C9: the limit is 5 ms; here a median, because a busy machine pauses every process now and then."""
    with bad_backends.server(bad_backends.silent) as port:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "SENTRY_DSN": f"http://key@127.0.0.1:{port}/1",
            "OTEL_BSP_SCHEDULE_DELAY": "1",
            "OTEL_BSP_MAX_QUEUE_SIZE": "50",
        }
        assert init_observability(env).sentry == "on"
        clock = ManualClock(1_770_000_000_000)  # by which nothing is slow, however busy the machine
        collector, store = MetricsCollector(clock=clock), RunStore(tmp_path)
        off = instrument(collector, store)
        run = store.start_run("x")
        times = []
        for number in range(2_000):
            began = time.perf_counter()
            collector.record_api_request(provider="p", model="m", run_id=run)
            collector.record_error("E", f"broken {number}", run_id=run)
            store.emit(run, "tool_call", {"toolName": "t"})
            times.append(time.perf_counter() - began)
        assert sorted(times)[len(times) // 2] < 0.005
        assert collector.listener_failures == 0
        began = time.monotonic()
        shutdown_observability(0.5)
        assert time.monotonic() - began < 3
        off()
        store.end_run(run, "completed")


def test_a_mailbox_survives_what_its_handler_raises_and_counts_it() -> None:
    """Case 90."""
    seen: list[int] = []

    def handle(batch: list[int]) -> None:
        if 3 in batch:
            raise KeyError("x")
        seen.extend(batch)

    box: Mailbox[int] = Mailbox("t", handle, room=100, batch=1, delay_s=0)
    for number in range(6):
        box.put(number)
    assert box.flush(5)
    assert seen == [0, 1, 2, 4, 5]
    assert box.dropped == {"failed: KeyError": 1}
    assert box.close(1)
    assert not box.put(7)


def test_a_mailbox_loses_nothing_that_it_does_not_count_with_many_threads_putting() -> None:
    import threading

    taken: list[int] = []
    box: Mailbox[int] = Mailbox("t", taken.extend, room=500, batch=64, delay_s=0.001)

    def put() -> None:
        for number in range(5_000):
            box.put(number)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert box.flush(10)
    assert len(taken) + sum(box.dropped.values()) == 20_000
    box.close(1)
