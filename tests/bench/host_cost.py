"""What recording costs the agent that does it: in memory, on the disk, and at import."""

from __future__ import annotations

import gc
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram
from ratios import Finding, Pairs, Side, Spread

from buddy_core import MetricsCollector, RunStore

CLIENT_TARGET = 0.6
WRITE_TARGET = 3.0
IMPORT_TARGET_MS = 60.0


class Request(NamedTuple):
    """One model request as an agent knows it when it is over; latencies as `time.monotonic` gives them."""

    provider: str
    model: str
    prompt: int
    completion: int
    cache_read: int
    cache_write: int
    cost: float
    latency_ms: float
    ttft_ms: float


class Call(NamedTuple):
    """One tool call when it is over."""

    name: str
    ms: float
    ok: bool


def measure(scratch: Path, *, quick: bool) -> list[Finding]:
    """Recording against prometheus_client, emitting against a bare write, importing against importing nothing."""
    return [*in_memory(quick), *on_disk(scratch, quick), *at_import(scratch, quick)]


def in_memory(quick: bool) -> list[Finding]:
    """The collector and prometheus_client over the same requests and calls, in turn."""
    rounds, count = (5, 5_000) if quick else (21, 20_000)
    requests, calls = some_requests(count), some_calls(count)
    client, collector = Client(), MetricsCollector()
    told = "a request: four token counters, cost, requests by outcome, two histograms"
    findings = [
        _compared(
            "record_api_request to labelled prometheus_client doing the same",
            (lambda: record_requests(collector, requests)),
            (lambda: client.requests(requests)),
            rounds,
            count,
            target=CLIENT_TARGET,
            note=f"{told}; labels looked up at each call",
        ),
        _compared(
            "record_api_request to prometheus_client whose labels were looked up before",
            (lambda: record_requests(collector, requests)),
            (lambda: client.requests_known(requests)),
            rounds,
            count,
            note="which an agent can do that knows its models beforehand",
        ),
        _compared(
            "record_tool_execution to labelled prometheus_client doing the same",
            (lambda: record_calls(collector, calls)),
            (lambda: client.calls(calls)),
            rounds,
            count,
            target=CLIENT_TARGET,
            note="a call: calls by outcome, a histogram",
        ),
    ]
    collector.subscribe(maxsize=100)
    findings.append(
        _compared(
            "record_api_request with a subscriber that does not keep up, to the same prometheus_client",
            (lambda: record_requests(collector, requests)),
            (lambda: client.requests(requests)),
            rounds,
            count,
            note="the event is built, queued, and the oldest dropped",
        )
    )
    return findings


def on_disk(scratch: Path, quick: bool) -> list[Finding]:
    """`RunStore.emit` against `os.write` of the very lines it wrote, to a file opened the same way."""
    rounds, count = (5, 2_000) if quick else (21, 10_000)
    store = RunStore(scratch / "runs")
    run_id = store.start_run("measure what an event costs")
    data = {
        "toolName": "bash",
        "toolCallId": "call_0123456789",
        "args": {"command": "python -m pytest -q " * 5},
    }
    events = scratch / "runs" / run_id / "events.jsonl"

    def emit() -> None:
        for _ in range(count):
            store.emit(run_id, "tool_call", data)

    emit()
    lines = events.read_bytes().splitlines(keepends=True)[-count:]
    fd = os.open(scratch / "bare.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write() -> None:
        for line in lines:
            os.write(fd, line)

    finding = _compared(
        "emit of an event to a bare os.write of its line",
        emit,
        write,
        rounds,
        count,
        target=WRITE_TARGET,
        note=f"{len(lines[-1])} bytes; encoding, lock, time and count are what is between",
    )
    os.close(fd)
    store.end_run(run_id, "completed")
    store.close()
    return [finding]


def at_import(scratch: Path, quick: bool) -> list[Finding]:
    """New interpreters that import the library, beside ones that import nothing.

    As of an installed package, the byte code of everything is there from the first, uncounted, round on,
    whatever the environment of this measurement says of writing it.
    """
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(scratch / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    statements = (
        "import buddy_core",
        "from buddy_core import MetricsCollector",
        "from buddy_core import RunStore, MetricsCollector",
    )
    return [_imported(statement, 7 if quick else 25, environment) for statement in statements]


def _imported(statement: str, rounds: int, environment: Mapping[str, str]) -> Finding:
    nothing, ours, waited = [], [], []
    for number in range(rounds + 1):
        bare, bare_wall = _started("pass", environment)
        full, full_wall = _started(statement, environment)
        if number:
            nothing.append(bare * 1000)
            ours.append((full - bare) * 1000)
            waited.append((full_wall - bare_wall) * 1000)
    spread = Spread.of(ours)
    return Finding(
        f"CPU time of “{statement}” beyond an interpreter that does nothing",
        f"{spread.text(digits=1)} ms",
        spread.n,
        spread.median,
        "at most",
        IMPORT_TARGET_MS,
        unit="ms",
        note=f"which takes {Spread.of(nothing).median:.0f} ms; by the clock {Spread.of(waited).median:.0f} ms beyond",
    )


def _started(statement: str, environment: Mapping[str, str]) -> tuple[float, float]:
    """CPU and wall time in seconds of an interpreter that runs one statement."""
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begin
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def _compared(
    what: str,
    ours: Callable[[], None],
    theirs: Callable[[], None],
    rounds: int,
    count: int,
    *,
    target: float | None = None,
    note: str,
) -> Finding:
    """Both in turn, in CPU time of this process, the order changing from round to round."""
    pairs = Pairs()
    for number in range(rounds + 1):
        pair = [_timed(ours), _timed(theirs)] if number % 2 else [_timed(theirs), _timed(ours)][::-1]
        if number:
            pairs.add(pair[0] / count, pair[1] / count)
    ratio = pairs.ratios
    each = f"{Spread.of(pairs.ours).median * 1e6:.2f} µs to {Spread.of(pairs.theirs).median * 1e6:.2f} µs; {note}"
    side: Side = "only told" if target is None else "at most"
    return Finding(what, ratio.text(), ratio.n, ratio.median, side, target or 0.0, note=each)


def _timed(work: Callable[[], None]) -> float:
    gc.collect()
    begin = time.process_time()
    work()
    return time.process_time() - begin


def some_requests(count: int) -> list[Request]:
    """Requests to three models; no two latencies are the same."""
    chance = random.Random(1)
    models = (("anthropic", "claude-opus-4-5"), ("anthropic", "claude-haiku-4-5"), ("openai", "gpt-5.2"))
    return [
        Request(
            *chance.choice(models), chance.randrange(20_000), chance.randrange(2_000), chance.randrange(50_000),
            chance.randrange(5_000), chance.random() / 10, chance.lognormvariate(7.5, 0.8), chance.lognormvariate(6, 0.5),
        )
        for _ in range(count)
    ]  # fmt: skip


def some_calls(count: int) -> list[Call]:
    """Calls of six tools, of which one in thirty fails."""
    chance = random.Random(2)
    names = ("bash", "bash", "view_file", "str_replace_editor", "search", "create_file", "update_todo_list")
    return [
        Call(chance.choice(names), chance.lognormvariate(5, 1.5), chance.random() > 1 / 30)
        for _ in range(count)
    ]


def record_requests(collector: MetricsCollector, requests: Sequence[Request]) -> None:
    """Tell the collector of every request."""
    for one in requests:
        collector.record_api_request(
            provider=one.provider,
            model=one.model,
            prompt_tokens=one.prompt,
            completion_tokens=one.completion,
            cache_read_tokens=one.cache_read,
            cache_write_tokens=one.cache_write,
            cost=one.cost,
            latency_ms=one.latency_ms,
            ttft_ms=one.ttft_ms,
        )


def record_calls(collector: MetricsCollector, calls: Sequence[Call]) -> None:
    """Tell the collector of every call."""
    for one in calls:
        collector.record_tool_execution(name=one.name, duration_ms=one.ms, success=one.ok)


class Client:
    """What an agent writes that counts with prometheus_client: the families that our exporter has."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        model = ("provider", "model")
        self.tokens = Counter("tokens", "Tokens", (*model, "kind"), registry=registry)
        self.cost = Counter("cost_usd", "Cost", model, registry=registry)
        self.outcomes = Counter("provider_requests", "Requests", (*model, "outcome"), registry=registry)
        self.latency = Histogram("api_request_duration_seconds", "Latency", model, registry=registry)
        self.ttft = Histogram("time_to_first_token_seconds", "First token", model, registry=registry)
        self.tool_calls = Counter("tool_calls", "Calls", ("tool", "outcome"), registry=registry)
        self.tool_time = Histogram("tool_duration_seconds", "Duration", ("tool",), registry=registry)

    def requests(self, requests: Sequence[Request]) -> None:
        """Count every request, its labels looked up as it comes."""
        for one in requests:
            provider, model = one.provider, one.model
            self.tokens.labels(provider, model, "prompt").inc(one.prompt)
            self.tokens.labels(provider, model, "completion").inc(one.completion)
            self.tokens.labels(provider, model, "cache_read").inc(one.cache_read)
            self.tokens.labels(provider, model, "cache_write").inc(one.cache_write)
            self.cost.labels(provider, model).inc(one.cost)
            self.outcomes.labels(provider, model, "success").inc()
            self.latency.labels(provider, model).observe(one.latency_ms / 1000)
            self.ttft.labels(provider, model).observe(one.ttft_ms / 1000)

    def requests_known(self, requests: Sequence[Request]) -> None:
        """Count every request with what `labels` gave for its model before."""
        models = {(one.provider, one.model) for one in requests}
        known = {model: self._children(*model) for model in models}
        for one in requests:
            prompt, completion, read, write, cost, outcome, latency, ttft = known[one.provider, one.model]
            prompt.inc(one.prompt)
            completion.inc(one.completion)
            read.inc(one.cache_read)
            write.inc(one.cache_write)
            cost.inc(one.cost)
            outcome.inc()
            latency.observe(one.latency_ms / 1000)
            ttft.observe(one.ttft_ms / 1000)

    def _children(
        self, provider: str, model: str
    ) -> tuple[Counter, Counter, Counter, Counter, Counter, Counter, Histogram, Histogram]:
        return (
            self.tokens.labels(provider, model, "prompt"),
            self.tokens.labels(provider, model, "completion"),
            self.tokens.labels(provider, model, "cache_read"),
            self.tokens.labels(provider, model, "cache_write"),
            self.cost.labels(provider, model),
            self.outcomes.labels(provider, model, "success"),
            self.latency.labels(provider, model),
            self.ttft.labels(provider, model),
        )

    def calls(self, calls: Sequence[Call]) -> None:
        """Count every tool call."""
        for one in calls:
            self.tool_calls.labels(one.name, "success" if one.ok else "failure").inc()
            self.tool_time.labels(one.name).observe(one.ms / 1000)
