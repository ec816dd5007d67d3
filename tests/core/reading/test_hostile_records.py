"""Records that are valid and absurd: very many keys, minus zero, half characters in names (cases 43 to 46)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from buddy_core import ManualClock, MetricsCollector
from buddy_core.observing.observer import Observer
from buddy_core.runs.facts import RunFacts
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_767_890_000_000


def observed(root: Path, *lines: bytes) -> tuple[MetricsCollector, RunFacts]:
    """What becomes of a run with these lines after its start."""
    run = RunDirectoryBuilder(root, started_at=NOW)
    for line in lines:
        run.raw(line + b"\n")
    run.write()
    clock = ManualClock(NOW + 60_000)
    collector = MetricsCollector(clock=clock)
    observer = Observer(root, collector, clock=clock)
    observer.load()
    observer.close()
    (facts,) = observer.facts()
    return collector, facts


def line(type_: str, data: Any) -> bytes:
    return json.dumps({"ts": NOW + 1, "type": type_, "data": data}).encode()


REQUEST = {"kind": "api_request", "provider": "p", "model": "m", "promptTokens": 7}


def test_ten_thousand_keys_are_one_event(tmp_path: Path) -> None:
    """Case 46."""
    many = {f"key{number}": number for number in range(10_000)}
    collector, facts = observed(
        tmp_path,
        line("metric", many | REQUEST),
        line("tool_call", many),
        line("error", many | {"message": "boom"}),
    )
    assert facts.event_count == 4
    assert collector.get_total_tokens() == 7
    (error,) = collector.get_recent_errors()
    assert error.message == "boom"
    assert len(error.context or {}) <= 32


def test_ten_thousand_fields_beside_the_known_ones_cost_nothing_but_themselves(tmp_path: Path) -> None:
    """Case 46."""
    record = {f"key{number}": number for number in range(10_000)} | {
        "ts": NOW,
        "type": "metric",
        "data": REQUEST,
    }
    collector, facts = observed(tmp_path, json.dumps(record).encode())
    assert (facts.event_count, collector.get_total_tokens()) == (2, 7)


@pytest.mark.parametrize("number", [b"-0", b"-0.0", b"0e99999", b"1e-999"])
def test_zeros_of_any_kind_are_zero(tmp_path: Path, number: bytes) -> None:
    """Case 44."""
    data = b'{"kind":"api_request","provider":"p","model":"m","promptTokens":%b,"cost":%b,"latencyMs":%b}'
    text = b'{"ts":1767890000001,"type":"metric","data":' + data % (number, number, number) + b"}"
    collector, _ = observed(tmp_path, text)
    (row,) = collector.get_provider_metrics()
    assert (row.total_tokens, row.total_cost, row.avg_latency_ms) == (0, 0, 0)
    assert "-" not in f"{row.total_cost}{row.avg_latency_ms}"


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"9" * 5_000, b"NaN", b"Infinity", b"-5"])
def test_numbers_past_every_bound_leave_totals_finite(tmp_path: Path, number: bytes) -> None:
    """Case 44."""
    data = b'{"kind":"api_request","provider":"p","model":"m","promptTokens":%b,"cost":%b,"latencyMs":%b}'
    text = b'{"ts":1767890000001,"type":"metric","data":' + data % (number, number, number) + b"}"
    collector, facts = observed(tmp_path, text, line("metric", REQUEST))
    assert collector.get_total_tokens() == 7
    assert collector.get_dashboard_state().total_cost is None
    assert facts.event_count + facts.integrity.skipped_lines == 3


def test_half_a_character_in_a_name_is_a_name_like_any_other(tmp_path: Path) -> None:
    """Case 45."""
    half = line("metric", REQUEST | {"model": "\ud83c"})
    collector, facts = observed(tmp_path, half, half)
    (row,) = collector.get_provider_metrics()
    assert (row.total_requests, facts.event_count) == (2, 3)
    row.model.encode()


def test_a_nesting_bomb_is_counted_and_the_next_record_read(tmp_path: Path) -> None:
    """Case 43: also inside the payload of a valid record."""
    bomb = b"[" * 200_000
    inside = b'{"ts":1767890000001,"type":"metric","data":{"kind":"x","deep":' + bomb + b"}}"
    collector, facts = observed(tmp_path, bomb, inside, line("metric", REQUEST))
    assert collector.get_total_tokens() == 7
    assert facts.integrity.skipped_lines == 2
