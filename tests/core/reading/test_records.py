"""Translation between the disk's camelCase JSON and the typed records."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.model import RunMetadata, RunMetrics, RunSummary
from buddy_core.runs.records.smallfiles import (
    MAX_RECORD_BYTES,
    dump_metrics,
    dump_summary,
    increased_metrics,
    metadata_of,
    parse_metrics,
    parse_summary,
    updated_metrics,
)

RUN = "run_mk5k1qoj_724ab2"
ORIGINAL = {
    "runId": RUN,
    "objective": "Update the changelog",
    "status": "completed",
    "startedAt": 1767883261267,
    "eventCount": 51,
    "artifactCount": 4,
    "metadata": {"tags": ["add-feature"], "channel": "cowork", "cwd": "/home/dev/cli", "forkReason": "b"},
    "endedAt": 1767883756424,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def encode(value: object) -> bytes:
    return json.dumps(value).encode()


def test_a_summary_of_the_original_writer_is_read() -> None:
    summary = parse_summary(encode(ORIGINAL), RUN)
    assert summary == RunSummary(
        run_id=RUN,
        objective="Update the changelog",
        status="completed",
        started_at=1767883261267,
        ended_at=1767883756424,
        event_count=51,
        artifact_count=4,
        metadata=RunMetadata(tags=("add-feature",), channel="cowork", cwd="/home/dev/cli", fork_reason="b"),
    )


def test_the_directory_name_wins_over_the_id_in_the_file() -> None:
    """Case 75: what a file says about its own id is never believed."""
    summary = parse_summary(encode(ORIGINAL | {"runId": "../../victim"}), RUN)
    assert summary is not None
    assert summary.run_id == RUN


def test_wrong_types_are_coerced_or_left_at_their_defaults_field_by_field() -> None:
    """Case 46."""
    odd = {"startedAt": "1767883261267", "eventCount": [], "status": 7, "metadata": "x", "endedAt": True}
    summary = parse_summary(encode(odd), RUN)
    assert summary is not None
    assert (summary.started_at, summary.event_count, summary.status) == (1767883261267, 0, "7")
    assert (summary.ended_at, summary.metadata) == (None, RunMetadata())


def test_a_summary_without_a_start_takes_it_from_the_id() -> None:
    summary = parse_summary(b"{}", RUN)
    assert summary is not None
    assert (summary.started_at, summary.status) == (1767883261267, "running")


@pytest.mark.parametrize(
    "data",
    [b"", b"[1]", b"null", b'{"a":', b"\x00\xff", b"[" * 200_000, b"{}" + b" " * MAX_RECORD_BYTES],
    ids=["empty", "list", "null", "torn", "binary", "nesting bomb", "oversize"],
)
def test_what_is_no_json_object_is_no_record(data: bytes) -> None:
    """Cases 43 and 48."""
    assert parse_summary(data, RUN) is None
    assert parse_metrics(data) is None


def test_lone_surrogates_and_a_byte_order_mark_are_read() -> None:
    """Case 45: JavaScript cuts strings in the middle of a character."""
    summary = parse_summary(b'\xef\xbb\xbf{"objective":"done \\ud83c"}', RUN)
    assert summary is not None
    assert summary.objective == "done �"


@pytest.mark.parametrize(
    "value", ["1e999", "-5", "NaN", "Infinity", "9" * 5000, str(2**53 + 1), '"many"', "{}", "true"]
)
def test_numbers_out_of_bounds_read_as_nothing(value: str) -> None:
    """Case 44."""
    metrics = parse_metrics(f'{{"totalTokens":{value},"totalCost":{value}}}'.encode())
    if metrics is not None:  # 5,000 digits are no JSON number for any reader
        assert (metrics.total_tokens, metrics.total_cost) == (0, 0.0)


def test_metrics_written_as_text_are_read() -> None:
    metrics = parse_metrics(b'{"totalTokens":"1200","totalCost":"0.5","durationMs":12.7}')
    assert metrics == RunMetrics(total_tokens=1200, total_cost=0.5, duration_ms=12)


def test_fields_nobody_knows_are_written_back() -> None:
    source = ORIGINAL | {"reviewer": {"name": "Ada"}, "metadata": {"tags": ["x"], "team": 7}}
    summary = parse_summary(encode(source), RUN)
    assert summary is not None
    assert json.loads(dump_summary(summary)) == source
    metrics = parse_metrics(b'{"cacheHits":3}')
    assert metrics is not None
    assert json.loads(dump_metrics(metrics))["cacheHits"] == 3


def test_metrics_are_updated_under_python_names_and_keep_the_rest() -> None:
    metrics = RunMetrics(total_tokens=5, failover_count=1, extra={"cacheHits": 3})
    changed = updated_metrics(metrics, {"total_tokens": 9, "total_cost": 0.25, "gpu_seconds": 4})
    assert changed == RunMetrics(
        total_tokens=9, total_cost=0.25, failover_count=1, extra={"cacheHits": 3, "gpuSeconds": 4}
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -1, "many", None, True, 2**54], ids=str)
def test_a_total_that_cannot_be_leaves_the_known_one_as_it_was(value: Any) -> None:
    metrics = RunMetrics(total_tokens=5, total_cost=0.5)
    assert updated_metrics(metrics, {"total_tokens": value, "totalCost": value}) == metrics
    assert updated_metrics(metrics, {"total_tokens": value, "prompt_tokens": 2}).prompt_tokens == 2


def test_a_sum_beyond_what_can_be_kept_leaves_the_known_one_as_it_was() -> None:
    metrics = RunMetrics(total_tokens=2**53)
    assert increased_metrics(metrics, {"total_tokens": 2**53, "prompt_tokens": 1}) == RunMetrics(
        total_tokens=2**53, prompt_tokens=1
    )


@pytest.mark.parametrize("name", ["session_id", "sessionId"])
def test_metadata_takes_python_and_wire_names(name: str) -> None:
    assert metadata_of({name: "s-1"}) == RunMetadata(session_id="s-1")


@given(json_values, st.sampled_from(["startedAt", "endedAt", "status", "metadata", "objective", "tags"]))
def test_no_value_in_any_field_makes_reading_or_writing_fail(value: Any, name: str) -> None:
    """Case 46: whatever stands in a field, the record is read, and what is written reads the same again."""
    summary = parse_summary(json.dumps({name: value, "metadata": {name: value}}).encode(), RUN)
    assert summary is not None
    again = parse_summary(dump_summary(summary), RUN)
    assert again is not None
    assert again.metadata.tags == summary.metadata.tags
    assert (again.status, again.started_at, again.ended_at) == (
        summary.status,
        summary.started_at,
        summary.ended_at,
    )


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_fail(data: bytes) -> None:
    parse_summary(data, RUN)
    parse_metrics(data)
